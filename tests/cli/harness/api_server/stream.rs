//! Answers that come bit by bit, in chunks: watches and logs, and how they break off.

use std::{
    future::pending,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep_until,
};

use super::{
    State,
    fault::Rupture,
    wire::{Ending, Stream},
};
use crate::harness::wait::Watched;

/// What comes next of a stream.
pub struct Batch {
    /// Whole lines, but for the last.
    pub bytes: Vec<u8>,
    /// There is more already.
    pub more: bool,
    /// This is all.
    pub over: bool,
}

/// Where a stream's lines come from.
pub trait Feed: Send {
    /// What is streamed.
    fn content_type(&self) -> &'static str;

    /// When it ends by itself.
    fn end(&self) -> Option<Instant> {
        None
    }

    /// What there is that was not sent yet.
    fn next(&mut self, state: &State) -> Batch;
}

/// Where a stream breaks off, and how.
pub struct Break {
    /// After so many bytes or lines.
    pub after: Measure,
    /// How.
    pub rupture: Rupture,
}

/// How much is still let through.
#[derive(Clone, Copy)]
pub enum Measure {
    /// In bytes.
    Bytes(usize),
    /// In lines.
    Lines(usize),
}

impl Measure {
    /// How many of these bytes are let through; counts.
    fn take(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Bytes(left) => {
                let length = bytes.len().min(*left);
                *left -= length;
                length
            }
            Self::Lines(left) => {
                let mut length = 0;
                for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                    if *left == 0 {
                        break;
                    }
                    length += line.len();
                    *left -= usize::from(line.ends_with(b"\n"));
                }
                length
            }
        }
    }

    fn is_reached(self) -> bool {
        matches!(self, Self::Bytes(0) | Self::Lines(0))
    }
}

/// Sends it all; `true` when the connection can be used again.
pub async fn deliver(
    mut feed: Box<dyn Feed>,
    mut breaks: Option<Break>,
    state: &Arc<Watched<State>>,
    stream: &mut impl Stream,
    ending: &Ending,
) -> io::Result<bool> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\n\r\n", feed.content_type());
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await?;
    let mut stirred = state.with(|state| state.store.stirred());
    loop {
        stirred.borrow_and_update();
        let mut batch = state.with(|state| feed.next(state));
        if let Some(Break { after, .. }) = &mut breaks {
            batch.bytes.truncate(after.take(&batch.bytes));
        }
        chunk(stream, &batch.bytes).await?;
        if let Some(Break { rupture, .. }) = breaks.take_if(|Break { after, .. }| after.is_reached()) {
            return rupt(rupture, stream, ending).await;
        }
        if batch.over {
            return finish(stream).await;
        }
        if batch.more {
            continue;
        }
        let end = feed.end();
        let end = async {
            match end {
                Some(end) => sleep_until(end.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = stirred.changed() => {}
            () = end => {}
            // The client says nothing while it listens; this is its end.
            _ = stream.read_u8() => return Ok(false),
        }
    }
}

async fn rupt(rupture: Rupture, stream: &mut impl Stream, ending: &Ending) -> io::Result<bool> {
    match rupture {
        Rupture::End => return finish(stream).await,
        Rupture::Line(mut line) => {
            line.push(b'\n');
            chunk(stream, &line).await?;
            return finish(stream).await;
        }
        Rupture::Reset => {
            // The bytes that count arrive before the reset.
            tokio::time::sleep(Duration::from_millis(50)).await;
            ending.reset();
        }
        Rupture::Close => {}
        Rupture::Silence => drop(stream.read_u8().await),
    }
    Ok(false)
}

async fn chunk(stream: &mut impl Stream, bytes: &[u8]) -> io::Result<()> {
    if !bytes.is_empty() {
        stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
        stream.write_all(bytes).await?;
        stream.write_all(b"\r\n").await?;
    }
    stream.flush().await
}

async fn finish(stream: &mut impl Stream) -> io::Result<bool> {
    stream.write_all(b"0\r\n\r\n").await?;
    stream.flush().await?;
    Ok(true)
}

//! Takes the steps of a script.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{
    io::AsyncWrite,
    sync::{Mutex, watch},
    time::{sleep, timeout},
};

use super::{
    STATUS, STDOUT, Step,
    frame::{self, Opcode},
    session::{Heard, Record},
};
use crate::harness::{api_server::status, flood::Flood, wait::DEADLINE};

/// How the connection ends after the script.
pub enum Ended {
    /// In a reset.
    Reset,
    /// In a FIN.
    HungUp,
}

/// The one who takes the steps.
pub struct Player<'a, W> {
    writer: &'a Mutex<W>,
    hears: watch::Receiver<Heard>,
    record: &'a Record<'a>,
    stalled: &'a watch::Sender<bool>,
    pongs: &'a AtomicBool,
    steps: Vec<Step>,
    /// How much of stdin was dealt with.
    taken: usize,
}

impl<'a, W: AsyncWrite + Unpin> Player<'a, W> {
    /// With all it needs.
    pub fn new(
        writer: &'a Mutex<W>,
        hears: watch::Receiver<Heard>,
        record: &'a Record<'a>,
        stalled: &'a watch::Sender<bool>,
        pongs: &'a AtomicBool,
        steps: Vec<Step>,
    ) -> Self {
        Self { writer, hears, record, stalled, pongs, steps, taken: 0 }
    }

    /// Takes all steps; without an ending among them the session is closed.
    ///
    /// # Errors
    /// With what was expected in vain. That the client went away early is no error: kdj's own output tells more.
    pub async fn play(&mut self) -> Result<Ended, String> {
        for step in std::mem::take(&mut self.steps) {
            match step {
                Step::Cut => return Ok(Ended::Reset),
                Step::HangUp => return Ok(Ended::HungUp),
                Step::ExpectHangUp => {
                    self.expect("the client to hang up", |heard, _| heard.ended.then_some(0)).await?;
                    return Ok(Ended::HungUp);
                }
                Step::Close => break,
                step => {
                    if self.take(step).await?.is_err() {
                        return Ok(Ended::HungUp);
                    }
                }
            }
        }
        let close = frame::write(&mut *self.writer.lock().await, true, Opcode::Close, &1000_u16.to_be_bytes()).await;
        if close.is_ok() {
            // The client answers the Close and ends the connection; a client that does neither is not waited for.
            let _ = timeout(Duration::from_secs(1), self.hears.wait_for(|heard| heard.ended)).await;
        }
        Ok(Ended::HungUp)
    }

    /// Takes one step: what was expected in vain outside, what the connection says within.
    async fn take(&mut self, step: Step) -> Result<io::Result<()>, String> {
        match step {
            Step::Send(channel, bytes) => return Ok(self.send(channel, &bytes, usize::MAX).await),
            Step::SendInFragments(channel, bytes, length) => return Ok(self.send(channel, &bytes, length).await),
            Step::ExitCode(code) => return Ok(self.status(&status::exit_code(code)).await),
            Step::Status(status) => return Ok(self.status(&status).await),
            Step::Flood { bytes, chunk } => return Ok(self.flood(bytes, chunk, |_| false).await),
            Step::FloodUntilByte(byte, most) => {
                let from = self.taken;
                let result = self.flood(most, 32 * 1024, |heard| heard.stdin[from..].contains(&byte)).await;
                if result.is_ok() && !self.hears.borrow().stdin[from..].contains(&byte) {
                    return Err(format!("the byte {byte:#04x} did not come within {most} bytes of flood"));
                }
                self.taken = self.hears.borrow().stdin.len();
                return Ok(result);
            }
            Step::EchoStdin => return self.echo().await,
            Step::ExpectStdin(wanted) => {
                let what = format!("`{}` on stdin", String::from_utf8_lossy(&wanted));
                let enough = |heard: &Heard, taken: usize| {
                    let came = &heard.stdin[taken..];
                    (came.len() >= wanted.len() || heard.stdin_closed).then(|| came.len().min(wanted.len()))
                };
                let length = self.expect(&what, enough).await?;
                let came = self.hears.borrow().stdin[self.taken..self.taken + length].to_vec();
                if came != wanted {
                    return Err(format!("expected {what}, got `{}`", String::from_utf8_lossy(&came)));
                }
                self.taken += length;
            }
            Step::WaitForByte(byte) => {
                let find = |heard: &Heard, taken: usize| heard.stdin[taken..].iter().position(|&came| came == byte);
                self.taken += 1 + self.expect(&format!("the byte {byte:#04x} on stdin"), find).await?;
            }
            Step::ExpectStdinEof => {
                self.expect("the end of stdin", |heard, _| heard.stdin_closed.then_some(0)).await?;
            }
            Step::ExpectResize(columns, rows) => {
                let size = |heard: &Heard, _| (heard.size == Some((columns, rows))).then_some(0);
                self.expect(&format!("a terminal of {columns} columns and {rows} rows"), size).await?;
            }
            Step::Stall(duration) => {
                let writer = self.writer.lock().await;
                self.stalled.send_replace(true);
                sleep(duration).await;
                self.stalled.send_replace(false);
                drop(writer);
            }
            Step::AnswerPings(answer) => self.pongs.store(answer, Ordering::SeqCst),
            Step::Pause(duration) => {
                let _ = timeout(duration, self.hears.wait_for(|heard| heard.ended)).await;
            }
            Step::Close | Step::Cut | Step::HangUp | Step::ExpectHangUp => {}
        }
        Ok(Ok(()))
    }

    /// Waits until `find` finds something in what was heard.
    async fn expect(&mut self, what: &str, find: impl Fn(&Heard, usize) -> Option<usize>) -> Result<usize, String> {
        let taken = self.taken;
        let ready = self.hears.wait_for(|heard| heard.ended || find(heard, taken).is_some());
        let in_vain = match timeout(DEADLINE, ready).await {
            Err(_) => "in vain",
            Ok(_) => "until the client hung up",
        };
        let heard = self.hears.borrow();
        find(&heard, taken).ok_or_else(|| {
            let came = String::from_utf8_lossy(&heard.stdin[taken..]).into_owned();
            format!("the exec script waited {in_vain} for {what}; stdin since: `{came}`, size: {:?}", heard.size)
        })
    }

    /// Sends stdin back until it ends.
    async fn echo(&mut self) -> Result<io::Result<()>, String> {
        loop {
            let more = |heard: &Heard, taken: usize| {
                let came = heard.stdin.len() - taken;
                (came > 0 || heard.stdin_closed).then_some(came)
            };
            let length = self.expect("more of stdin, or its end", more).await?;
            if length == 0 {
                return Ok(Ok(()));
            }
            let bytes = self.hears.borrow().stdin[self.taken..self.taken + length].to_vec();
            self.taken += length;
            if let Err(error) = self.send(STDOUT, &bytes, usize::MAX).await {
                return Ok(Err(error));
            }
        }
    }

    /// Floods stdout.
    async fn flood(&mut self, bytes: u64, chunk: usize, enough: impl Fn(&Heard) -> bool) -> io::Result<()> {
        let flood = Flood::new();
        let mut message = vec![STDOUT; chunk + 1];
        let mut position = 0;
        while position < bytes && !enough(&self.hears.borrow()) {
            let length = usize::try_from(bytes - position).unwrap_or(chunk).min(chunk);
            flood.fill(position, &mut message[1..=length]);
            frame::write(&mut *self.writer.lock().await, true, Opcode::Binary, &message[..=length]).await?;
            position += length as u64;
            (self.record)(&mut |record| record.flooded = position);
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn status(&self, status: &serde_json::Value) -> io::Result<()> {
        self.send(STATUS, status.to_string().as_bytes(), usize::MAX).await
    }

    /// Sends one message, in frames of at most `length` bytes.
    async fn send(&self, channel: u8, bytes: &[u8], length: usize) -> io::Result<()> {
        let message = [&[channel], bytes].concat();
        let mut writer = self.writer.lock().await;
        let mut opcode = Opcode::Binary;
        let mut frames = message.chunks(length.max(1)).peekable();
        while let Some(part) = frames.next() {
            frame::write(&mut *writer, frames.peek().is_none(), opcode, part).await?;
            opcode = Opcode::Continuation;
        }
        Ok(())
    }
}

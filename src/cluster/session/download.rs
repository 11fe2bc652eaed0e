//! Server to local: output, the Status frame, and the silence of a dead connection.

use std::{cell::Cell, io, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::SplitStream};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::{
    Ending, WebSocket,
    batch::Batch,
    channel::{self, Received},
    ending,
};
use crate::streams::Pieces;

/// After how much silence, pongs included, the connection counts as lost.
const SILENCE_LIMIT: Duration = Duration::from_secs(15);
/// A deadline noticed so late means that nobody was there to notice it.
const ASLEEP: Duration = Duration::from_secs(2);
/// How long the rest of the output may take after the Status frame before the connection is closed from this side.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// What upload and download tell each other.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The server does not take what is sent, since the remote process does not read: it answers no pings either.
    pub(super) blocked: Cell<bool>,
    /// The remote process has shown a sign of life.
    pub(super) alive: Cell<bool>,
}

/// Hands output over until the Status frame and what follows it, or the end of the connection.
pub(super) async fn download(
    source: &mut SplitStream<WebSocket>,
    stdout: &mpsc::Sender<Pieces>,
    stderr: &mpsc::Sender<Pieces>,
    shared: &Shared,
) -> Ending {
    let mut ending = None;
    let mut batch = Batch::default();
    let mut deadline = Instant::now() + SILENCE_LIMIT;
    loop {
        let wake = batch.due().map_or(deadline, |due| due.min(deadline));
        let received = match timeout_at(wake, source.next()).await {
            Ok(message) => match payload(message) {
                Ok(payload) => channel::decode(payload),
                Err(cause) => {
                    let delivered = stdout.send(batch.take()).await.is_ok();
                    let ending = ending.unwrap_or(Ending::Lost(cause));
                    return if delivered { ending } else { Ending::OutputClosed };
                }
            },
            Err(_) if batch.due().is_some() => {
                if stdout.send(batch.take()).await.is_err() {
                    return Ending::OutputClosed;
                }
                continue;
            }
            // Nor is it silence while kdj itself was stopped (Ctrl-Z) or the laptop slept: the server gets another chance.
            Err(_) if ending.is_none() && (shared.blocked.get() || Instant::now() > deadline + ASLEEP) => {
                deadline = Instant::now() + SILENCE_LIMIT;
                continue;
            }
            Err(_) => {
                let silent = || Ending::Lost(format!("nothing heard for {} s", SILENCE_LIMIT.as_secs()));
                return ending.unwrap_or_else(silent);
            }
        };
        // The server opens each channel with an empty message: that is not the remote process.
        shared.alive.set(shared.alive.get() || matches!(received, Received::Stdout(_) | Received::Stderr(_)));
        match received {
            Received::Stdout(bytes) => {
                if batch.add(bytes) && stdout.send(batch.take()).await.is_err() {
                    return Ending::OutputClosed;
                }
            }
            // Nobody has to read stderr: what the command does goes on.
            Received::Stderr(bytes) => drop(stderr.send(vec![bytes]).await),
            Received::Status(frame) => drop(ending.get_or_insert_with(|| ending::read(&frame))),
            Received::Nothing => {}
        }
        // Only now: time spent on blocked local output is not the server's silence.
        deadline = Instant::now() + if ending.is_some() { CLOSE_LIMIT } else { SILENCE_LIMIT };
    }
}

/// The bytes of a message, or why there will be no more.
fn payload(message: Option<Result<Message, WsError>>) -> Result<Bytes, String> {
    match message {
        Some(Ok(Message::Binary(data))) => Ok(data),
        Some(Ok(Message::Text(text))) => Ok(Bytes::from(text)),
        Some(Ok(Message::Close(_))) | None => Err("the server closed the connection".to_owned()),
        Some(Ok(_)) => Ok(Bytes::new()),
        Some(Err(error)) => Err(describe(&error)),
    }
}

/// What happened to the connection, without the library's words where there are better ones.
fn describe(error: &WsError) -> String {
    match error {
        // rustls adds the address of its manual.
        WsError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => "the connection was cut".to_owned(),
        WsError::Io(error) => format!("the connection broke: {error}"),
        WsError::ConnectionClosed | WsError::AlreadyClosed => "the connection was closed".to_owned(),
        WsError::Protocol(_) => "the connection was cut".to_owned(),
        other => other.to_string(),
    }
}

//! Server to local: output, the Status frame, and the silence of a dead connection.

use std::{cell::Cell, io, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::SplitStream};
use tokio::{
    sync::mpsc::{self, error::SendError},
    time::{Instant, sleep_until, timeout_at},
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
pub(in crate::cluster) const SILENCE_LIMIT: Duration = Duration::from_secs(15);
/// How long a live server that has told the end may neither send nor close; one that was heard of within
/// [`RECENTLY`] is alive.
const CLOSE_LIMIT: Duration = Duration::from_secs(4);
/// A ping and its answer.
const RECENTLY: Duration = Duration::from_secs(6);
/// A deadline noticed so late means that nobody was there to notice it.
pub(in crate::cluster) const ASLEEP: Duration = Duration::from_secs(2);

/// What upload and download tell each other.
#[derive(Debug)]
pub(super) struct Shared {
    /// The server does not take what is sent, since the remote process does not read: it answers no pings either.
    pub(super) blocked: Cell<bool>,
    /// The remote process has shown a sign of life.
    pub(super) alive: Cell<bool>,
    /// When something came from the server.
    pub(super) heard: Cell<Instant>,
    /// So much waits for a slow local reader that nothing is read from the server.
    pub(super) full: Cell<bool>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            blocked: Cell::new(false),
            alive: Cell::new(false),
            heard: Cell::new(Instant::now()),
            full: Cell::new(false),
        }
    }
}

/// Hands output over until the end of the connection, which follows the Status frame.
///
/// The Status may overtake the last output where the API server copies each channel by itself (v5): only the end of the
/// connection says that all has come. A connection that breaks between the two is a lost one.
pub(super) async fn download(
    source: &mut SplitStream<WebSocket>,
    stdout: &mpsc::Sender<Pieces>,
    stderr: &mpsc::Sender<Pieces>,
    tty: bool,
    shared: &Shared,
) -> Ending {
    let mut ending = None;
    let (mut out, mut err) = (Batch::new(tty), Batch::new(tty));
    let mut deadline = Instant::now() + SILENCE_LIMIT;
    let ending = loop {
        let was_full = out.is_full() || err.is_full();
        shared.full.set(was_full);
        let received = tokio::select! {
            biased;
            room = room(&out, stdout) => {
                let Ok(room) = room else { return Ending::OutputClosed };
                room.send(out.take());
                None
            }
            room = room(&err, stderr) => {
                let pieces = err.take();
                // Nobody has to read stderr: what the command does goes on.
                if let Ok(room) = room {
                    room.send(pieces);
                }
                None
            }
            received = timeout_at(deadline, source.next()), if !was_full => Some(received),
        };
        let Some(received) = received else {
            // Time spent on blocked local output is not the server's silence.
            if was_full {
                shared.heard.set(Instant::now());
                deadline = Instant::now() + patience(ending.as_ref());
            }
            continue;
        };
        let received = match received {
            Ok(message) => match payload(message) {
                Ok(payload) => channel::decode(payload),
                Err(end) => match (ending, end) {
                    (Some(ending), End::Closed(_)) => break ending,
                    (_, End::Closed(cause) | End::Broken(cause)) => break Ending::Lost(cause),
                },
            },
            // Nor is it silence while kdj itself was stopped (Ctrl-Z) or the laptop slept: the server gets another chance.
            Err(_) if shared.blocked.get() || Instant::now() > deadline + ASLEEP => {
                deadline = Instant::now() + SILENCE_LIMIT;
                continue;
            }
            Err(_) => match ending {
                Some(ending) if shared.heard.get().elapsed() < RECENTLY => break ending,
                Some(_) if shared.heard.get().elapsed() < SILENCE_LIMIT => {
                    deadline = shared.heard.get() + SILENCE_LIMIT;
                    continue;
                }
                _ => break Ending::Lost(format!("nothing heard for {} s", SILENCE_LIMIT.as_secs())),
            },
        };
        shared.heard.set(Instant::now());
        // The server opens each channel with an empty message: that is not the remote process.
        shared.alive.set(shared.alive.get() || matches!(received, Received::Stdout(_) | Received::Stderr(_)));
        match received {
            Received::Stdout(bytes) => out.add(bytes),
            Received::Stderr(bytes) => err.add(bytes),
            Received::Status(frame) => drop(ending.get_or_insert_with(|| ending::read(&frame))),
            // A pong shows life, not that more output comes.
            Received::Nothing if ending.is_some() => continue,
            Received::Nothing => {}
        }
        deadline = Instant::now() + patience(ending.as_ref());
    };
    while err.due().is_some() {
        let _ = stderr.send(err.take()).await;
    }
    while out.due().is_some() {
        if stdout.send(out.take()).await.is_err() {
            return Ending::OutputClosed;
        }
    }
    ending
}

/// How long the server may be silent.
fn patience(ending: Option<&Ending>) -> Duration {
    if ending.is_some() { CLOSE_LIMIT } else { SILENCE_LIMIT }
}

/// Resolves when the batch is to be handed over and there is room for it.
async fn room<'a>(batch: &Batch, to: &'a mpsc::Sender<Pieces>) -> Result<mpsc::Permit<'a, Pieces>, SendError<()>> {
    let Some(due) = batch.due() else { return std::future::pending().await };
    if due > Instant::now() {
        sleep_until(due).await;
    }
    to.reserve().await
}

/// Why there will be no more messages.
pub(in crate::cluster) enum End {
    /// The server closed the connection.
    Closed(String),
    /// The connection broke: something may have been on its way.
    Broken(String),
}

/// The bytes of a message, or why there will be no more.
pub(in crate::cluster) fn payload(message: Option<Result<Message, WsError>>) -> Result<Bytes, End> {
    match message {
        Some(Ok(Message::Binary(data))) => Ok(data),
        Some(Ok(Message::Text(text))) => Ok(Bytes::from(text)),
        Some(Ok(Message::Close(_))) | None => Err(End::Closed("the server closed the connection".to_owned())),
        Some(Ok(_)) => Ok(Bytes::new()),
        Some(Err(error)) => Err(describe(&error)),
    }
}

/// What happened to the connection, without the library's words where there are better ones.
fn describe(error: &WsError) -> End {
    match error {
        // Not every server takes leave; rustls adds the address of its manual.
        WsError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            End::Closed("the connection was cut".to_owned())
        }
        WsError::Io(error) => End::Broken(format!("the connection broke: {error}")),
        WsError::ConnectionClosed | WsError::AlreadyClosed => End::Closed("the connection was closed".to_owned()),
        WsError::Protocol(_) => End::Closed("the connection was cut".to_owned()),
        other => End::Broken(other.to_string()),
    }
}

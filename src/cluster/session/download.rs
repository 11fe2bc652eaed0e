//! Server to local: output, the Status frame, and the silence of a dead connection.

use std::{cell::Cell, io, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::SplitStream};
use tokio::{
    sync::mpsc,
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
}

impl Shared {
    pub(super) fn new() -> Self {
        Self { blocked: Cell::new(false), alive: Cell::new(false), heard: Cell::new(Instant::now()) }
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
    let mut batch = Batch::new(tty);
    let mut deadline = Instant::now() + SILENCE_LIMIT;
    let ending = loop {
        let room = async {
            match batch.due() {
                Some(due) => {
                    if due > Instant::now() {
                        sleep_until(due).await;
                    }
                    stdout.reserve().await
                }
                None => std::future::pending().await,
            }
        };
        let received = tokio::select! {
            biased;
            room = room => {
                let Ok(room) = room else { return Ending::OutputClosed };
                // Time spent on blocked local output is not the server's silence.
                if batch.is_full() {
                    shared.heard.set(Instant::now());
                    deadline = Instant::now() + SILENCE_LIMIT;
                }
                room.send(batch.take());
                continue;
            }
            received = timeout_at(deadline, source.next()), if !batch.is_full() => received,
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
            Received::Stdout(bytes) => batch.add(bytes),
            // Nobody has to read stderr: what the command does goes on.
            Received::Stderr(bytes) => drop(stderr.send(vec![bytes]).await),
            Received::Status(frame) => drop(ending.get_or_insert_with(|| ending::read(&frame))),
            // A pong shows life, not that more output comes.
            Received::Nothing if ending.is_some() => continue,
            Received::Nothing => {}
        }
        deadline = Instant::now() + if ending.is_some() { CLOSE_LIMIT } else { SILENCE_LIMIT };
    };
    while batch.due().is_some() {
        if stdout.send(batch.take()).await.is_err() {
            return Ending::OutputClosed;
        }
    }
    ending
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

//! The session loop over WebSocket, for exec now and for attach and port-forward later.
//!
//! Own instead of kube's, because that one pings once a minute, ignores pongs, has no deadline, takes a cut connection
//! for success, and stops reading input while output is blocked. What this one promises:
//!
//! * Input and output never wait for each other: Ctrl-C works in a flood.
//! * A ping every [`PING_EVERY`]; nothing heard for [`SILENCE_LIMIT`] while waiting for the network is a lost connection.
//!   While local output is blocked (`| less`) nothing is read, so silence proves nothing, and pings still go out.
//! * No Status frame, no success.

mod channel;
mod ending;
mod exec;
mod post_mortem;

use std::{io, iter, time::Duration};

use bytes::Bytes;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hyper_util::rt::TokioIo;
use kube::client::Connection;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error as WsError, Message},
};

use self::channel::Received;
pub use self::{
    ending::Ending,
    exec::{Exec, NotOpened},
};
use crate::streams::{Input, Streams};

/// How often the server is pinged: load balancers cut connections that are silent for 20 s.
const PING_EVERY: Duration = Duration::from_secs(5);
/// After how much silence, pongs included, the connection counts as lost.
const SILENCE_LIMIT: Duration = Duration::from_secs(15);
/// How long the rest of the output may take after the Status frame before the connection is closed from this side.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long input waits at most for a first sign of life.
const HOLD_LIMIT: Duration = Duration::from_millis(400);
/// How long saying goodbye may take.
const GOODBYE_LIMIT: Duration = Duration::from_millis(500);

/// Ctrl-C: ends the command that runs.
const INTERRUPT: &[u8] = b"\x03";
/// Ctrl-D: ends a shell, and then the one that started it.
const END_OF_INPUT: &[u8] = b"\x04";
/// The time between two keys.
const KEY_PAUSE: Duration = Duration::from_millis(100);

type WebSocket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// An open session: the remote process runs.
pub struct Session {
    socket: WebSocket,
    half_close: bool,
    tty: bool,
}

impl Session {
    fn new(connection: Connection, tty: bool) -> Self {
        let half_close = connection.supports_stream_close();
        Self { socket: connection.into_stream(), half_close, tty }
    }

    /// Whether the end of stdin can be told to the remote process (protocol v5; API servers since about 1.30).
    pub fn supports_half_close(&self) -> bool {
        self.half_close
    }

    /// Copies bytes both ways until the session ends, and says how it ended. All output has then been handed over.
    ///
    /// With `hold`, input waits until the remote process has shown a sign of life, or 400 ms has passed: when it
    /// turns out that it could not start, `streams` is untouched and serves another try.
    pub async fn run(self, streams: &mut Streams, hold: bool) -> Ending {
        let Streams { input, stdout, stderr, size } = streams;
        let (mut sink, mut source) = self.socket.split();
        let alive = Notify::new();
        let upload = async {
            // Held back by nothing: a program may look at it first of all.
            if let Some((columns, rows)) = *size {
                let _ = sink.send(Message::Binary(channel::resize(columns, rows))).await;
            }
            if hold {
                let _ = timeout(HOLD_LIMIT, alive.notified()).await;
            }
            upload(&mut sink, input, self.half_close).await
        };
        let ending = tokio::select! {
            // Biased: an ending the server has told counts more than a signal that came with it.
            biased;
            ending = download(&mut source, stdout, stderr, &alive) => ending,
            ending = upload => ending,
        };
        // Best effort: the other side may be gone.
        if self.tty && matches!(ending, Ending::Left | Ending::Signal(_)) {
            let _ = timeout(GOODBYE_LIMIT, hang_up(&mut sink, &mut source)).await;
        }
        let _ = timeout(GOODBYE_LIMIT, sink.close()).await;
        ending
    }
}

/// Ends what runs at the remote terminal: not every runtime hangs up one whose connection is gone, and a flood would go
/// on for ever. A connection closed at once would take the keys with it, and keys pressed at once would get lost between
/// the programs that take the terminal from each other.
async fn hang_up(sink: &mut SplitSink<WebSocket, Message>, source: &mut SplitStream<WebSocket>) {
    for keys in iter::once(INTERRUPT).chain(iter::repeat(END_OF_INPUT)) {
        let over = async { while let Some(Ok(_)) = source.next().await {} };
        let sent = sink.send(Message::Binary(channel::stdin(keys))).await;
        if sent.is_err() || timeout(KEY_PAUSE, over).await.is_ok() {
            return;
        }
    }
}

/// Server to local, until the Status frame and what follows it, or the end of the connection.
async fn download(
    source: &mut SplitStream<WebSocket>,
    stdout: &mpsc::Sender<Bytes>,
    stderr: &mpsc::Sender<Bytes>,
    alive: &Notify,
) -> Ending {
    let mut ending = None;
    let mut deadline = Instant::now() + SILENCE_LIMIT;
    loop {
        let message = match timeout_at(deadline, source.next()).await {
            Ok(message) => message,
            Err(_) => {
                let silent = || Ending::Lost(format!("nothing heard for {} s", SILENCE_LIMIT.as_secs()));
                return ending.unwrap_or_else(silent);
            }
        };
        let data = match message {
            Some(Ok(Message::Binary(data))) => data,
            Some(Ok(Message::Text(text))) => Bytes::from(text),
            Some(Ok(Message::Close(_))) | None => {
                return ending.unwrap_or_else(|| Ending::Lost("the server closed the connection".to_owned()));
            }
            Some(Ok(_)) => Bytes::new(),
            Some(Err(error)) => return ending.unwrap_or_else(|| Ending::Lost(describe(&error))),
        };
        let received = channel::decode(data);
        // The server opens each channel with an empty message: that is not the remote process.
        if received != Received::Nothing {
            alive.notify_one();
        }
        let delivered = match received {
            Received::Stdout(bytes) => stdout.send(bytes).await.is_ok(),
            Received::Stderr(bytes) => stderr.send(bytes).await.is_ok(),
            Received::Status(frame) => {
                ending.get_or_insert_with(|| ending::read(&frame));
                true
            }
            Received::Nothing => true,
        };
        if !delivered {
            return Ending::OutputClosed;
        }
        // Only now: time spent on blocked local output is not the server's silence.
        deadline = Instant::now() + if ending.is_some() { CLOSE_LIMIT } else { SILENCE_LIMIT };
    }
}

/// Local to server, with a ping now and then. Ends only when the local side wants to; a connection that cannot be
/// written is for [`download`] to report, which may still find the Status in it.
async fn upload(
    sink: &mut SplitSink<WebSocket, Message>,
    input: &mut mpsc::Receiver<Input>,
    half_close: bool,
) -> Ending {
    let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut open = true;
    loop {
        let message = tokio::select! {
            received = input.recv(), if open => match received {
                Some(Input::Data(data)) => Message::Binary(channel::stdin(&data)),
                Some(Input::Resize { columns, rows }) => Message::Binary(channel::resize(columns, rows)),
                Some(Input::Leave) => return Ending::Left,
                Some(Input::Signal(number)) => return Ending::Signal(number),
                Some(Input::Eof) if half_close => Message::Binary(channel::close_stdin()),
                Some(Input::Eof) => continue,
                None => {
                    open = false;
                    continue;
                }
            },
            _ = ping.tick() => Message::Ping(Bytes::new()),
        };
        if sink.send(message).await.is_err() {
            return std::future::pending().await;
        }
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

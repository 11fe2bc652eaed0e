//! The session loop over WebSocket.
//!
//! Own instead of kube's, because that one pings once a minute, ignores pongs, has no deadline, takes a cut connection
//! for success, and stops reading input while output is blocked. What this one promises:
//!
//! * Input and output never wait for each other, and what ends a session waits for neither: Ctrl-C works in a flood.
//! * A ping after 5 s of silence; nothing heard for 15 s while waiting for the network is a lost connection. While so much
//!   waits for a local reader (`| less`) that nothing is read, and while the remote process does not read its input and the
//!   server therefore answers nothing, silence proves nothing.
//! * No Status frame, no success.

mod batch;
mod channel;
mod download;
mod ending;
mod exec;
mod post_mortem;
mod upload;

use std::{iter, time::Duration};

use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tokio_tungstenite::tungstenite::Message;

pub(super) use self::{
    download::{ASLEEP, End, SILENCE_LIMIT, payload},
    ending::start_failure,
    exec::is_gone,
    upload::PING_EVERY,
};
use self::{
    download::{Shared, download},
    upload::upload,
};
pub use self::{
    ending::Ending,
    exec::{Exec, ExecStdin, NotOpened},
    upload::Unread,
};
use super::request::WebSocket;
use crate::streams::{Control, Streams};

/// A process that could not be started is reported sooner than this; what comes later is about one that ran.
const START_LIMIT: Duration = Duration::from_secs(10);
/// How long saying goodbye may take.
pub(super) const GOODBYE_LIMIT: Duration = Duration::from_millis(500);
/// Ctrl-C: ends the command that runs.
const INTERRUPT: &[u8] = b"\x03";
/// Ctrl-D: ends a shell, and then the one that started it.
const END_OF_INPUT: &[u8] = b"\x04";
/// The time between two keys.
const KEY_PAUSE: Duration = Duration::from_millis(100);

/// An open session: the remote process runs.
pub struct Session {
    socket: WebSocket,
    half_close: bool,
    tty: bool,
    /// Whether what runs at the remote terminal is ended when the local side leaves.
    hangs_up: bool,
}

impl Session {
    fn new(socket: WebSocket, half_close: bool, tty: bool, kept: bool) -> Self {
        Self { socket, half_close, tty, hangs_up: tty && !kept }
    }

    /// Whether the end of stdin can be told to the remote process (protocol v5; API servers since about 1.30).
    pub fn supports_half_close(&self) -> bool {
        self.half_close
    }

    /// Copies bytes both ways until the session ends, and says how it ended. All output has then been handed over.
    ///
    /// `unread` is sent first, and afterwards holds what was sent before the remote process showed a sign of life: when
    /// it turns out that it did not start, another session can be given the same input.
    pub async fn run(self, streams: &mut Streams, unread: &mut Unread) -> Ending {
        let Streams { input, control, size, stdout, stderr } = streams;
        let (mut sink, mut source) = self.socket.split();
        let shared = Shared::new();
        let started = Instant::now();
        let ending = tokio::select! {
            // Biased: an ending the server has told counts more than a signal that came with it.
            biased;
            ending = download(&mut source, stdout, stderr, self.tty, &shared) => ending,
            ending = leave(control) => ending,
            never = upload(&mut sink, input, size, unread, self.half_close, &shared) => match never {},
        };
        let ending = match ending {
            // It did start, and has done what nobody knows.
            Ending::Refused(cause) | Ending::Gone(cause) | Ending::NotFound(cause) | Ending::CannotExec(cause)
                if shared.alive.get() || started.elapsed() > START_LIMIT =>
            {
                Ending::Lost(cause)
            }
            ending => ending,
        };
        if shared.alive.get() {
            unread.spend();
        }
        // Best effort: the other side may be gone.
        match ending {
            Ending::Left | Ending::Signal(_) if self.hangs_up => {
                let _ = timeout(GOODBYE_LIMIT, hang_up(&mut sink, &mut source)).await;
            }
            // The process goes on. After a proper goodbye the API server would read its output to nowhere for ever (seen
            // with 1.34: a flood keeps a core busy); a connection that just ends makes the process wait instead.
            Ending::Left | Ending::Signal(_) | Ending::OutputClosed | Ending::Lost(_) => {}
            _ => {
                let _ = timeout(GOODBYE_LIMIT, sink.close()).await;
            }
        }
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

/// Resolves when the local side wants to end.
pub async fn leave(control: &mut mpsc::Receiver<Control>) -> Ending {
    match control.recv().await {
        Some(Control::Leave) => Ending::Left,
        Some(Control::Signal(number)) => Ending::Signal(number),
        None => std::future::pending().await,
    }
}

//! The local side of a session: terminal or pipes, signals, and everything back as it was at the end.
//!
//! Unix only, as is nothing else in [`ui`](super): Windows needs this module's public items in a module of its own.

mod escape;
mod output;
mod raw_mode;
mod stdin;

use std::io::{self, IsTerminal};

use bytes::Bytes;
use rustix::process::{Signal, getpid, kill_process};
use tokio::{
    signal::unix::{Signal as Arrivals, SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
};

use self::{
    escape::Escape,
    output::{AlternateScreen, Written},
    raw_mode::RawMode,
    stdin::Reader,
};
use crate::streams::{Input, Streams};

/// How many reads of stdin wait for the network.
const WAITING: usize = 4;
/// Sent to the terminal after a session that did not end by itself: show the cursor, no mouse, no bracketed paste, plain
/// keys and colours. A remote program that was cut off cannot do it any more.
const CALM: &str = "\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[0m\r\n";
/// Leaves the alternate screen of an editor or pager; sent only where one was entered, since it moves the cursor.
const LEAVE_ALTERNATE: &str = "\x1b[?1049l";

/// What the remote process reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing; it has no stdin.
    Closed,
    /// The local stdin.
    Local,
    /// These bytes, then the local stdin or the end.
    Bytes {
        /// What comes first.
        first: Bytes,
        /// Whether the local stdin follows.
        then_local: bool,
    },
}

/// Whether stdin and stdout are both terminals, and the remote process gets one too.
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The local side, attached; [`LocalSide::finish`] gives everything back.
#[derive(Debug)]
pub struct LocalSide {
    raw: Option<std::sync::Arc<RawMode>>,
    reader: Option<Reader>,
    signals: JoinHandle<()>,
    stdout: Written,
    stderr: Written,
    alternate: AlternateScreen,
}

impl LocalSide {
    /// Attaches what `stdin` says, stdout and stderr; with `tty` the terminal turns raw and its size is sent.
    ///
    /// # Errors
    /// When the terminal, a thread or a signal handler cannot be had.
    pub fn attach(tty: bool, stdin: Stdin) -> io::Result<(Self, Streams)> {
        let (sender, input) = mpsc::channel(WAITING);
        let alternate = AlternateScreen::default();
        let (out, stdout) = output::stdout(tty.then(|| alternate.clone()))?;
        let (err, stderr) = output::stderr()?;
        let arrivals = Signals::new()?;
        let raw = if tty { Some(std::sync::Arc::new(RawMode::enter()?)) } else { None };
        let size = if tty { raw_mode::size() } else { None };
        let (first, local) = match stdin {
            Stdin::Closed => (None, false),
            Stdin::Local => (None, true),
            Stdin::Bytes { first, then_local } => (Some(first), then_local),
        };
        // The channel is new and has room for both.
        let ends = first.is_some() && !local;
        for input in first.map(Input::Data).into_iter().chain(ends.then_some(Input::Eof)) {
            sender.try_send(input).map_err(io::Error::other)?;
        }
        let reader = if local { Some(Reader::start(sender.clone(), tty.then(Escape::default))?) } else { None };
        let signals = tokio::spawn(arrivals.forward(sender, raw.clone()));
        Ok((
            Self { raw, reader, signals, stdout, stderr, alternate },
            Streams { input, stdout: out, stderr: err, size },
        ))
    }

    /// Waits until all output is written, then restores the terminal. `calm` also resets the modes that a remote program
    /// may have left. The session's own ends of the streams must be dropped before.
    ///
    /// # Errors
    /// When output could not be written, other than for want of a reader.
    pub async fn finish(self, calm: bool) -> io::Result<()> {
        let Self { raw, reader, mut signals, stdout, stderr, alternate } = self;
        drop(reader);
        let written = tokio::select! {
            written = async { stdout.done().await.and(stderr.done().await) } => written,
            // A signal that nobody listens to any more ends the task, and the wait for a reader that has stopped.
            _ = &mut signals => Ok(()),
        };
        if calm && raw.is_some() {
            let leave = if alternate.is_shown() { LEAVE_ALTERNATE } else { "" };
            let _ = rustix::io::write(rustix::stdio::stdout(), format!("{leave}{CALM}").as_bytes());
        }
        // The aborted task holds the other reference until it is dropped.
        signals.abort();
        if !signals.is_finished() {
            let _ = signals.await;
        }
        drop(raw);
        written
    }
}

/// The signals a session listens to.
struct Signals {
    interrupt: Arrivals,
    terminate: Arrivals,
    hang_up: Arrivals,
    window: Arrivals,
    stop: Arrivals,
    resume: Arrivals,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let raw = |signal_of: Signal| signal(SignalKind::from_raw(signal_of.as_raw()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            window: signal(SignalKind::window_change())?,
            stop: raw(Signal::TSTP)?,
            resume: raw(Signal::CONT)?,
        })
    }

    async fn forward(mut self, sender: mpsc::Sender<Input>, raw: Option<std::sync::Arc<RawMode>>) {
        let tty = raw.is_some();
        let mut resized = false;
        loop {
            if std::mem::take(&mut resized)
                && let Some((columns, rows)) = raw_mode::size()
            {
                let _ = sender.send(Input::Resize { columns, rows }).await;
            }
            let number = tokio::select! {
                _ = self.interrupt.recv() => Signal::INT,
                _ = self.terminate.recv() => Signal::TERM,
                _ = self.hang_up.recv() => Signal::HUP,
                _ = self.window.recv(), if tty => {
                    resized = true;
                    continue;
                }
                _ = self.stop.recv() => {
                    if let Some(raw) = &raw {
                        raw.pause();
                    }
                    // The handler took SIGTSTP's default away; this is what it would have done.
                    let _ = kill_process(getpid(), Signal::STOP);
                    continue;
                }
                _ = self.resume.recv() => {
                    if let Some(raw) = &raw {
                        let _ = raw.resume();
                    }
                    resized = tty;
                    continue;
                }
            };
            let number = u8::try_from(number.as_raw()).unwrap_or(u8::MAX);
            if sender.send(Input::Signal(number)).await.is_err() {
                return;
            }
        }
    }
}

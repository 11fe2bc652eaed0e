//! The local side of a session: terminal or pipes, signals, and everything back as it was at the end.
//!
//! Unix only, as is nothing else in [`ui`](super): Windows needs this module's public items in a module of its own.

mod escape;
mod held;
pub(super) mod line;
mod output;
mod raw_mode;
mod signals;
mod stdin;

use std::{
    fmt,
    fs::File,
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use rustix::fs::FileType;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::sleep,
};

pub use self::output::RawStdout;
use self::{
    escape::Escape,
    output::{AlternateScreen, Written},
    raw_mode::RawMode,
    signals::{EndSignals, Signals},
    stdin::{Reader, Reading, frame},
};
use crate::streams::{Input, Streams};

/// How many reads of stdin wait for the network.
const WAITING: usize = 4;
/// How long the last output may take once the user wants to get away.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What the remote process reads.
#[derive(Clone, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing; it has no stdin.
    Closed,
    /// The local stdin.
    Local,
    /// These bytes, then the local stdin, or nothing: then it stays open for as long as the session. At a terminal the
    /// program asks for them: [`READY`](crate::streams::READY).
    Bytes {
        /// What comes first.
        first: Bytes,
        /// Whether the local stdin follows.
        then_local: bool,
    },
    /// These bytes, then what is read, in frames: each a line with its length and its bytes, the last one of length 0.
    /// Stdin stays open after that, so that its end tells the remote process that kdj has gone.
    Framed {
        /// What comes first, and in no frame.
        first: Bytes,
        /// What is read.
        then: Framed,
    },
}

impl fmt::Debug for Stdin {
    /// Without what is sent: a password may be in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("Closed"),
            Self::Local => f.write_str("Local"),
            Self::Bytes { first, then_local } => {
                f.debug_struct("Bytes").field("first", &first.len()).field("then_local", then_local).finish()
            }
            Self::Framed { first, .. } => f.debug_struct("Framed").field("first", &first.len()).finish_non_exhaustive(),
        }
    }
}

/// What is sent in frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framed {
    /// These bytes.
    Bytes(Bytes),
    /// A file's content.
    File(PathBuf),
    /// The local stdin.
    Local,
}

/// Whether stdin and stdout are both terminals, and the remote process gets one too.
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// How many columns the terminal has, if there is one.
pub(super) fn columns() -> Option<usize> {
    raw_mode::size().map(|size| size.columns.into())
}

/// Whether stdout is a terminal.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether Ctrl-C is for kdj's process group: that is so in the terminal's foreground, wherever stdin and stdout lead.
pub fn gets_keys() -> bool {
    let foreground = std::fs::File::open("/dev/tty").ok().and_then(|tty| rustix::termios::tcgetpgrp(tty).ok());
    foreground == Some(rustix::process::getpgrp())
}

/// What a command reads that was given whole: the local stdin, unless nothing is in it, or it is a terminal and stdout is
/// not. In `kdj shell qa -- cat log | less` the keys are for less.
pub fn stdin_of_command() -> Stdin {
    let keys_are_for_another = io::stdin().is_terminal() && !io::stdout().is_terminal();
    if keys_are_for_another || is_stdin_empty() { Stdin::Closed } else { Stdin::Local }
}

/// Whether stdin is `/dev/null`, as it is for what cron, CI and most services start.
pub fn is_stdin_empty() -> bool {
    let null = rustix::fs::stat("/dev/null").map(|null| null.st_rdev);
    rustix::fs::fstat(rustix::stdio::stdin()).is_ok_and(|stdin| {
        FileType::from_raw_mode(stdin.st_mode) == FileType::CharacterDevice && Ok(stdin.st_rdev) == null
    })
}

/// Resolves to the number of the next signal that asks kdj to end, after a session: tokio's handlers stay, and without a
/// listener the signal would be lost.
pub async fn interrupted() -> u8 {
    Interrupts::listen().next().await
}

/// The signals that ask kdj to end, since when they are listened to: none is lost between two looks.
pub struct Interrupts(Option<EndSignals>);

impl Interrupts {
    /// Listens from now on.
    pub fn listen() -> Self {
        Self(EndSignals::new().ok())
    }

    /// The number of the next one. Can be dropped and called again at any time.
    pub async fn next(&mut self) -> u8 {
        match &mut self.0 {
            Some(signals) => signals.next().await,
            None => std::future::pending().await,
        }
    }
}

/// Resolves when the terminal's window gets another size.
pub async fn resized() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::window_change()) {
        Ok(mut changes) => drop(changes.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// The local side, attached; [`LocalSide::finish`] gives everything back.
#[derive(Debug)]
pub struct LocalSide {
    raw: Option<Arc<RawMode>>,
    reader: Option<Reader>,
    signals: JoinHandle<u8>,
    stdout: Written,
    stderr: Written,
    alternate: AlternateScreen,
}

impl LocalSide {
    /// Attaches what `stdin` says, stdout and stderr; with `tty` the terminal turns raw.
    ///
    /// # Errors
    /// When the terminal, a thread or a signal handler cannot be had.
    pub fn attach(tty: bool, stdin: Stdin) -> io::Result<(Self, Streams)> {
        let (inputs, input) = mpsc::channel(WAITING);
        let (controls, control) = mpsc::channel(WAITING);
        let alternate = AlternateScreen::default();
        let (out, stdout) = output::stdout(tty.then(|| alternate.clone()))?;
        let (err, stderr) = output::stderr()?;
        let arrivals = Signals::new()?;
        let raw = if tty { Some(Arc::new(RawMode::enter()?)) } else { None };
        let (sizes, size) = watch::channel(raw_mode::size().filter(|_| tty));
        let mut reading = Reading { file: None, escape: tty.then(Escape::default), framed: false };
        let (first, local) = match stdin {
            Stdin::Closed => (Vec::new(), false),
            Stdin::Local => (Vec::new(), true),
            Stdin::Bytes { first, then_local: true } => (vec![Input::Data(first)], true),
            Stdin::Bytes { first, then_local: false } => (vec![Input::Data(first)], false),
            Stdin::Framed { first, then: Framed::Bytes(bytes) } => {
                (vec![Input::Data(first), Input::Data(frame(&bytes)), Input::Data(frame(&[]))], false)
            }
            Stdin::Framed { first, then } => {
                reading.framed = true;
                if let Framed::File(path) = then {
                    reading.file = Some(File::open(path)?);
                }
                (vec![Input::Data(first)], true)
            }
        };
        let (first, inputs, out) = if tty && !first.is_empty() {
            let (inputs, out) = held::hold(first, inputs, out);
            (Vec::new(), inputs, out)
        } else {
            (first, inputs, out)
        };
        // The channel is new and has room for all of it.
        for input in first {
            inputs.try_send(input).map_err(io::Error::other)?;
        }
        let reader = if local { Some(Reader::start(inputs, controls.clone(), reading)?) } else { None };
        let signals = tokio::spawn(arrivals.forward(controls, sizes, raw.clone()));
        let side = Self { raw, reader, signals, stdout, stderr, alternate };
        Ok((side, Streams { input, control, size, stdout: out, stderr: err }))
    }

    /// Why what is sent in frames could not be read to its end: the remote process has not got all of it.
    pub fn unread(&self) -> Option<&io::Error> {
        self.reader.as_ref().and_then(Reader::failed)
    }

    /// Gives the terminal back while nothing runs at the other end: messages look as they should, Ctrl-C is a signal.
    pub fn pause(&self) {
        if let Some(raw) = &self.raw {
            raw.pause();
        }
    }

    /// Takes the terminal again after [`LocalSide::pause`]; one that cannot be raw any more is used as it is.
    pub fn resume(&self) {
        if let Some(raw) = &self.raw {
            let _ = raw.resume();
        }
    }

    /// Waits until all output is written, then restores the terminal. Returns the number of a signal that cut this short.
    ///
    /// After a session that did not end by itself (`calm`) the modes that a remote program may have left are reset, and a
    /// reader that has stopped is not waited for when the user wants to get away (`leave`). The session's own ends of the
    /// streams must be dropped before.
    ///
    /// # Errors
    /// When output could not be written, other than for want of a reader.
    pub async fn finish(self, calm: bool, leave: bool) -> io::Result<Option<u8>> {
        let Self { raw, reader, mut signals, stdout, stderr, alternate } = self;
        drop(reader);
        let (written, signal) = tokio::select! {
            biased;
            written = async { stdout.done().await.and(stderr.done().await) } => (written, None),
            signal = &mut signals => (Ok(()), signal.ok()),
            () = sleep(LAST_WORDS), if leave => (Ok(()), None),
        };
        let had_raw = raw.is_some();
        // The aborted task holds the other reference until it is dropped.
        signals.abort();
        if signal.is_none() {
            let _ = signals.await;
        }
        // First of all: whatever is written below may never be read.
        drop(raw);
        if had_raw && (calm || alternate.is_shown()) {
            output::reset_terminal(alternate.is_shown());
        }
        written.map(|()| signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_stands_in_no_text() {
        let first = Bytes::from_static(b"export PGPASSWORD=hunter2\n");
        for stdin in [
            Stdin::Bytes { first: first.clone(), then_local: true },
            Stdin::Framed { first, then: Framed::Bytes(Bytes::from_static(b"hunter2")) },
        ] {
            assert!(!format!("{stdin:?}").contains("hunter2"), "{stdin:?}");
        }
    }
}

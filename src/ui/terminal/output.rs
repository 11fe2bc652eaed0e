//! Stdout and stderr, each written by a thread of its own: a reader that stops reading (`| less`) must not stop the
//! pings and the keys.

use std::{
    io::{self, IoSlice},
    os::fd::BorrowedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustix::event::{PollFd, PollFlags};
use tokio::sync::{mpsc, oneshot};

use crate::streams::Pieces;

/// How many batches wait for a slow reader, of some 128 KiB each. More waits in the session, within its bounds.
const WAITING: usize = 8;
/// How many pieces Linux and macOS write at once (`IOV_MAX`).
const AT_ONCE: usize = 1024;

/// Sent to the terminal after a session that did not end by itself: show the cursor, no mouse, no bracketed paste, plain
/// keys and colours. A remote program that was cut off cannot do it any more.
const CALM: &str = "\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[0m\r\n";
/// Leaves the alternate screen of an editor or pager; sent only where one was entered, since it moves the cursor.
const LEAVE_ALTERNATE: &str = "\x1b[?1049l";

/// Resets the terminal's modes, as far as it takes that at once: a terminal that nobody reads must not hold kdj up.
pub fn reset_terminal(leave_alternate: bool) {
    let fd = rustix::stdio::stdout();
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let has_room =
        rustix::event::poll(&mut [PollFd::new(&fd, PollFlags::OUT)], Some(&now)).is_ok_and(|ready| ready > 0);
    if has_room {
        let leave = if leave_alternate { LEAVE_ALTERNATE } else { "" };
        let _ = rustix::io::write(fd, format!("{leave}{CALM}").as_bytes());
    }
}

/// The end of one stream: resolves when all has been written, or nobody reads any more.
#[derive(Debug)]
pub struct Written(oneshot::Receiver<io::Result<()>>);

impl Written {
    /// Waits until everything sent has been written. Drop the sender first.
    ///
    /// # Errors
    /// When writing failed for another reason than a reader that went away.
    pub async fn done(self) -> io::Result<()> {
        match self.0.await {
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Ok(written) => written,
            Err(_) => Err(io::Error::other("the thread that writes it is gone")),
        }
    }
}

/// Whether the remote program shows the terminal's alternate screen, as editors and pagers do.
#[derive(Clone, Debug, Default)]
pub struct AlternateScreen(Arc<AtomicBool>);

impl AlternateScreen {
    /// Whether it is shown, as far as has been written.
    pub fn is_shown(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn watch(&self, output: &[u8]) {
        let last = |sequence: &[u8]| output.windows(sequence.len()).rposition(|window| window == sequence);
        let (entered, left) = (last(b"\x1b[?1049h"), last(b"\x1b[?1049l"));
        if entered != left {
            self.0.store(entered > left, Ordering::Relaxed);
        }
    }
}

/// A sender whose bytes go to stdout as they are; `screen` watches what a terminal is told.
///
/// # Errors
/// When no thread can be made.
pub fn stdout(screen: Option<AlternateScreen>) -> io::Result<(mpsc::Sender<Pieces>, Written)> {
    start("stdout", rustix::stdio::stdout(), screen)
}

/// A sender whose bytes go to stderr as they are.
///
/// # Errors
/// When no thread can be made.
pub fn stderr() -> io::Result<(mpsc::Sender<Pieces>, Written)> {
    start("stderr", rustix::stdio::stderr(), None)
}

/// Stdout itself, for whoever has a thread of its own for it.
#[derive(Debug)]
pub struct RawStdout;

impl io::Write for RawStdout {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        write(rustix::stdio::stdout(), &[IoSlice::new(buffer)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start(
    name: &str,
    fd: BorrowedFd<'static>,
    screen: Option<AlternateScreen>,
) -> io::Result<(mpsc::Sender<Pieces>, Written)> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (done, written) = oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        // The sender learns of a failure by the closed channel, at the next message.
        let _ = done.send(write_all(fd, receiver, screen.as_ref()));
    })?;
    Ok((sender, Written(written)))
}

fn write_all(
    fd: BorrowedFd<'static>,
    mut receiver: mpsc::Receiver<Pieces>,
    screen: Option<&AlternateScreen>,
) -> io::Result<()> {
    while let Some(pieces) = receiver.blocking_recv() {
        if let Some(screen) = screen {
            pieces.iter().for_each(|piece| screen.watch(piece));
        }
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let written = write(fd, &rest[..rest.len().min(AT_ONCE)])?;
            IoSlice::advance_slices(&mut rest, written);
        }
    }
    Ok(())
}

/// Writes to the descriptor itself: std's stdout would look for newlines in every byte.
fn write(fd: BorrowedFd<'static>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    loop {
        match rustix::io::writev(fd, slices) {
            // A descriptor that somebody else made non-blocking: wait for room.
            Err(rustix::io::Errno::AGAIN) => {
                rustix::event::poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None)?;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => return Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_switch_of_the_screen_counts() {
        let screen = AlternateScreen::default();
        for (output, shown) in [
            (&b"vim \x1b[?1049h..."[..], true),
            (b"text", true),
            (b"\x1b[?1049l\x1b[?1049h", true),
            (b"\x1b[?1049h\x1b[?1049l$ ", false),
        ] {
            screen.watch(output);
            assert_eq!(screen.is_shown(), shown);
        }
    }
}

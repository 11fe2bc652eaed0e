//! Stdout and stderr, each written by a thread of its own: a reader that stops reading (`| less`) must not stop the
//! pings and the keys.

use std::{
    io::{self, Write},
    os::fd::BorrowedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// How many messages wait for a slow reader, each as large as the server sends them (32 KiB): the bound of the memory.
const WAITING: usize = 16;

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
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
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
pub fn stdout(screen: Option<AlternateScreen>) -> io::Result<(mpsc::Sender<Bytes>, Written)> {
    start("stdout", rustix::stdio::stdout(), screen)
}

/// A sender whose bytes go to stderr as they are.
///
/// # Errors
/// When no thread can be made.
pub fn stderr() -> io::Result<(mpsc::Sender<Bytes>, Written)> {
    start("stderr", rustix::stdio::stderr(), None)
}

fn start(
    name: &str,
    fd: BorrowedFd<'static>,
    screen: Option<AlternateScreen>,
) -> io::Result<(mpsc::Sender<Bytes>, Written)> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (done, written) = oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        // The sender learns of a failure by the closed channel, at the next message.
        let _ = done.send(write_all(Unbuffered(fd), receiver, screen.as_ref()));
    })?;
    Ok((sender, Written(written)))
}

fn write_all(
    mut stream: Unbuffered,
    mut receiver: mpsc::Receiver<Bytes>,
    screen: Option<&AlternateScreen>,
) -> io::Result<()> {
    while let Some(bytes) = receiver.blocking_recv() {
        if let Some(screen) = screen {
            screen.watch(&bytes);
        }
        stream.write_all(&bytes)?;
    }
    Ok(())
}

/// The descriptor itself: std's stdout would look for newlines in every byte.
struct Unbuffered(BorrowedFd<'static>);

impl Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(self.0, bytes) {
                // A descriptor that somebody else made non-blocking: wait for room.
                Err(rustix::io::Errno::AGAIN) => {
                    let mut fds = [rustix::event::PollFd::new(&self.0, rustix::event::PollFlags::OUT)];
                    rustix::event::poll(&mut fds, None)?;
                }
                Err(error) => return Err(error.into()),
                Ok(count) => return Ok(count),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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

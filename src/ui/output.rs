//! Stdout and stderr, each written by a thread of its own: a reader that stops reading (`| less`) must not stop the
//! pings and the keys.

use std::{
    io::{self, Write},
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

/// A sender whose bytes go to stdout as they are.
///
/// # Errors
/// When no thread can be made.
pub fn stdout() -> io::Result<(mpsc::Sender<Bytes>, Written)> {
    start("stdout", rustix::stdio::stdout())
}

/// A sender whose bytes go to stderr as they are.
///
/// # Errors
/// When no thread can be made.
pub fn stderr() -> io::Result<(mpsc::Sender<Bytes>, Written)> {
    start("stderr", rustix::stdio::stderr())
}

fn start(name: &str, fd: std::os::fd::BorrowedFd<'static>) -> io::Result<(mpsc::Sender<Bytes>, Written)> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (done, written) = oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        // The sender learns of a failure by the closed channel, at the next message.
        let _ = done.send(write_all(Unbuffered(fd), receiver));
    })?;
    Ok((sender, Written(written)))
}

fn write_all(mut stream: Unbuffered, mut receiver: mpsc::Receiver<Bytes>) -> io::Result<()> {
    while let Some(bytes) = receiver.blocking_recv() {
        stream.write_all(&bytes)?;
    }
    Ok(())
}

/// The descriptor itself: std's stdout would look for newlines in every byte.
struct Unbuffered(std::os::fd::BorrowedFd<'static>);

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

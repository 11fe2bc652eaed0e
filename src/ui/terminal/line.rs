//! One line typed at the terminal, for an answer. What is typed after it stays for who reads next.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    pipe::pipe,
};
use tokio::sync::oneshot;

/// More is no answer.
const LONGEST: usize = 4096;

/// Reads a line, without its end; `None` when stdin ends. Dropped before that, it stops reading.
///
/// # Errors
/// When stdin cannot be read.
pub async fn read_line() -> io::Result<Option<String>> {
    // The other end closes when this future is dropped, and wakes the thread.
    let (stopped, _stop) = pipe()?;
    rustix::io::fcntl_setfd(&_stop, rustix::io::FdFlags::CLOEXEC)?;
    let (sender, line) = oneshot::channel();
    thread::Builder::new().name("answer".to_owned()).spawn(move || sender.send(read(&stopped)))?;
    line.await.unwrap_or(Ok(None))
}

/// Reads from the descriptor itself: a buffer would keep what follows the line from who reads next.
fn read(stopped: &OwnedFd) -> io::Result<Option<String>> {
    let stdin = io::stdin();
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < LONGEST {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) if !fds[1].revents().is_empty() => return Ok(None),
            Ok(_) => {}
        }
        match rustix::io::read(stdin.as_fd(), &mut byte) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
            Ok(0) => return Ok(None),
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) => line.push(byte[0]),
        }
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

//! Stdin, read by a thread of its own: tokio's reads cannot be cancelled, and a parked one eats the first key typed after
//! the session.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    thread,
};

use bytes::Bytes;
use rustix::{
    event::{PollFd, PollFlags, poll},
    pipe::pipe,
};
use tokio::sync::mpsc;

use super::escape::Escape;
use crate::streams::{Control, Input};

/// How much is read at once, and so the largest message sent.
const CHUNK: usize = 64 * 1024;

/// What is read, and how it is sent.
#[derive(Debug, Default)]
pub struct Reading {
    /// A file in the place of stdin.
    pub file: Option<File>,
    /// What looks for `Enter ~ .`.
    pub escape: Option<Escape>,
    /// Whether it is sent in frames, whose last one takes the place of stdin's end.
    pub framed: bool,
}

/// The frame of one piece: a line with its length, and its bytes. A frame of nothing is the last one.
pub fn frame(data: &[u8]) -> Bytes {
    let mut frame = format!("{}\n", data.len()).into_bytes();
    frame.extend_from_slice(data);
    frame.into()
}

/// Stops the reading when dropped. Until then, what is typed belongs to the session.
#[derive(Debug)]
pub struct Reader {
    /// Its closing wakes the thread.
    _stop: OwnedFd,
}

impl Reader {
    /// Starts to read into `sender`, until the end.
    ///
    /// # Errors
    /// When no pipe or thread can be made.
    pub fn start(sender: mpsc::Sender<Input>, control: mpsc::Sender<Control>, reading: Reading) -> io::Result<Self> {
        let (stopped, stop) = pipe()?;
        // Not for credential plugins: a copy of the stopping end would keep the thread going.
        rustix::io::fcntl_setfd(&stop, rustix::io::FdFlags::CLOEXEC)?;
        thread::Builder::new().name("stdin".to_owned()).spawn(move || forward(&sender, &control, reading, &stopped))?;
        Ok(Self { _stop: stop })
    }
}

fn forward(sender: &mpsc::Sender<Input>, control: &mpsc::Sender<Control>, reading: Reading, stopped: &OwnedFd) {
    let Reading { file, mut escape, framed } = reading;
    let stdin = io::stdin();
    let source = file.as_ref().map_or(stdin.as_fd(), File::as_fd);
    let mut buffer = vec![0; CHUNK];
    loop {
        match wait(source, stopped) {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => break,
        }
        let count = match rustix::io::read(source, &mut buffer[..]) {
            Ok(0) => break,
            Ok(count) => count,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => continue,
            // A terminal that hung up: as much as an end.
            Err(_) => break,
        };
        let (data, leave) = match &mut escape {
            Some(escape) => {
                let typed = escape.read(&buffer[..count]);
                (Bytes::from(typed.data), typed.leave)
            }
            None if framed => (frame(&buffer[..count]), false),
            None => (Bytes::copy_from_slice(&buffer[..count]), false),
        };
        if !data.is_empty() && sender.blocking_send(Input::Data(data)).is_err() {
            return;
        }
        if leave {
            let _ = control.blocking_send(Control::Leave);
            return;
        }
    }
    if framed {
        // Its end would say that kdj has gone.
        let _ = sender.blocking_send(Input::Data(frame(&[])));
    } else {
        let _ = sender.blocking_send(Input::Eof);
    }
}

/// Waits for input; false when the reading is to stop. A device that cannot be polled (macOS has some) is read at once.
fn wait(source: BorrowedFd<'_>, stopped: &OwnedFd) -> io::Result<bool> {
    loop {
        let mut fds = [PollFd::new(&source, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) if !fds[1].revents().is_empty() => return Ok(false),
            Ok(_) => return Ok(true),
        }
    }
}

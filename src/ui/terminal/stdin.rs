//! Stdin, read by a thread of its own: tokio's reads cannot be cancelled, and a parked one eats the first key typed after
//! the session.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
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

/// Stops the reading when dropped. Until then, what is typed belongs to the session.
#[derive(Debug)]
pub struct Reader {
    /// Its closing wakes the thread.
    _stop: OwnedFd,
}

impl Reader {
    /// Starts to read stdin into `sender`, until its end. With an escape, `Enter ~ .` is looked for.
    ///
    /// # Errors
    /// When no pipe or thread can be made.
    pub fn start(
        sender: mpsc::Sender<Input>,
        control: mpsc::Sender<Control>,
        escape: Option<Escape>,
    ) -> io::Result<Self> {
        let (stopped, stop) = pipe()?;
        // Not for credential plugins: a copy of the stopping end would keep the thread going.
        rustix::io::fcntl_setfd(&stop, rustix::io::FdFlags::CLOEXEC)?;
        thread::Builder::new().name("stdin".to_owned()).spawn(move || forward(&sender, &control, escape, &stopped))?;
        Ok(Self { _stop: stop })
    }
}

fn forward(
    sender: &mpsc::Sender<Input>,
    control: &mpsc::Sender<Control>,
    mut escape: Option<Escape>,
    stopped: &OwnedFd,
) {
    let stdin = io::stdin();
    let mut buffer = vec![0; CHUNK];
    loop {
        match wait(stopped) {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => break,
        }
        let count = match rustix::io::read(stdin.as_fd(), &mut buffer[..]) {
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
    let _ = sender.blocking_send(Input::Eof);
}

/// Waits for input; false when the reading is to stop. A device that cannot be polled (macOS has some) is read at once.
fn wait(stopped: &OwnedFd) -> io::Result<bool> {
    let stdin = io::stdin();
    let stdin = stdin.as_fd();
    loop {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) if !fds[1].revents().is_empty() => return Ok(false),
            Ok(_) => return Ok(true),
        }
    }
}

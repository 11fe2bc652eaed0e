//! Stdin, read by a thread of its own: tokio's reads cannot be cancelled, and a parked one eats the first key typed after
//! the session.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Arc, OnceLock},
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
    failed: Arc<OnceLock<io::Error>>,
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
        let failed = Arc::new(OnceLock::new());
        thread::Builder::new().name("stdin".to_owned()).spawn({
            let failed = failed.clone();
            move || forward(&sender, &control, reading, &stopped, &failed)
        })?;
        Ok(Self { _stop: stop, failed })
    }

    /// Why what is sent in frames was not read to its end, if it was not.
    pub fn failed(&self) -> Option<&io::Error> {
        self.failed.get()
    }
}

fn forward(
    sender: &mpsc::Sender<Input>,
    control: &mpsc::Sender<Control>,
    reading: Reading,
    stopped: &OwnedFd,
    failed: &OnceLock<io::Error>,
) {
    let Reading { file, mut escape, framed } = reading;
    let stdin = io::stdin();
    let source = file.as_ref().map_or(stdin.as_fd(), File::as_fd);
    let mut buffer = vec![0; CHUNK];
    let error = loop {
        match wait(source, stopped) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => break Some(error),
        }
        let count = match rustix::io::read(source, &mut buffer[..]) {
            Ok(0) => break None,
            Ok(count) => count,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => continue,
            Err(error) => break Some(error.into()),
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
    };
    let end = match error {
        // Half of it is not all of it: as if kdj had gone.
        Some(error) if framed => {
            let _ = failed.set(error);
            Input::Eof
        }
        // Its end would say that kdj has gone.
        None if framed => Input::Data(frame(&[])),
        // A terminal that hung up: as much as an end.
        _ => Input::Eof,
    };
    let _ = sender.blocking_send(end);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: File) -> (Vec<Input>, Option<String>) {
        let (sender, mut inputs) = mpsc::channel(8);
        let (control, _controls) = mpsc::channel(1);
        let reading = Reading { file: Some(file), escape: None, framed: true };
        let reader = Reader::start(sender, control, reading).unwrap();
        let mut all = Vec::new();
        while let Some(input) = inputs.blocking_recv() {
            all.push(input);
        }
        (all, reader.failed().map(ToString::to_string))
    }

    #[test]
    fn what_cannot_be_read_to_its_end_has_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.sql");
        std::fs::write(&path, "select 1;").unwrap();
        let whole = vec![Input::Data(Bytes::from_static(b"9\nselect 1;")), Input::Data(Bytes::from_static(b"0\n"))];
        assert_eq!(read(File::open(&path).unwrap()), (whole, None));
        // A folder can be opened and not read.
        let (inputs, failed) = read(File::open(directory.path()).unwrap());
        assert_eq!(inputs, [Input::Eof]);
        assert!(failed.is_some_and(|failed| failed.contains("directory")));
    }
}

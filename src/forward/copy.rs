//! One local connection and its stream in the tunnel: bytes both ways, each end passed on for itself, a break as a break.

use std::{cell::RefCell, future::poll_fn, io, pin::Pin};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
};

#[cfg(test)]
mod tests;

/// What a connection reads at once, at first; who sends more than that gets more.
const SMALL: usize = 8 << 10;
const LARGE: usize = 256 << 10;
/// How much of what was sent is kept until the pod shows a sign of life.
const UNANSWERED: usize = 64 << 10;

/// A stream to the pod.
pub(super) trait Far: AsyncRead + AsyncWrite + Unpin {
    /// What went wrong with it, after its end.
    fn failure(&self) -> Option<String>;

    /// Both sides have ended it.
    fn finish(self: Box<Self>) {}
}

impl Far for Box<dyn Far> {
    fn failure(&self) -> Option<String> {
        (**self).failure()
    }
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// Both sides have said all.
    Whole,
    /// The local side went away.
    Left,
    /// The pod's side failed before it said anything.
    Refused(String),
    /// The pod's side broke.
    Broken(String),
}

/// What the local side sent before the pod's side said anything: another pod can be given it.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    kept: Vec<u8>,
    ended: bool,
    /// Whether it is more than is kept, or was answered.
    spent: bool,
}

impl Unanswered {
    /// Whether all of it is here.
    pub(super) fn is_whole(&self) -> bool {
        !self.spent
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.spent || self.kept.len() + bytes.len() > UNANSWERED {
            self.spend();
        } else {
            self.kept.extend_from_slice(bytes);
        }
    }

    fn spend(&mut self) {
        self.spent = true;
        self.kept = Vec::new();
    }
}

/// Copies until both sides have ended, or one is gone.
pub(super) async fn copy(local: &mut TcpStream, far: &RefCell<impl Far>, unanswered: &RefCell<Unanswered>) -> Copied {
    let (near_read, near_write) = local.split();
    let mut upload = std::pin::pin!(upload(near_read, far, unanswered));
    let mut download = std::pin::pin!(download(near_write, far, unanswered));
    let mut sending = true;
    loop {
        tokio::select! {
            // What the pod says of the end counts more than that nothing can be sent to it.
            biased;
            ended = &mut download => match ended {
                Ok(()) if !sending => return Copied::Whole,
                Ok(()) => {
                    return match upload.await {
                        Err(Side::Near) => Copied::Left,
                        // Both have said what they had to say; what nobody reads any more is no failure.
                        Ok(()) | Err(Side::Far(_)) => Copied::Whole,
                    };
                }
                Err(Side::Near) => return Copied::Left,
                Err(Side::Far(why)) => return broken(why, unanswered),
            },
            ended = &mut upload, if sending => match ended {
                Ok(()) => sending = false,
                Err(Side::Near) => return Copied::Left,
                // It will say why.
                Err(Side::Far(_)) => {
                    return match download.await {
                        Err(Side::Far(why)) => broken(why, unanswered),
                        Err(Side::Near) => Copied::Left,
                        Ok(()) => Copied::Whole,
                    };
                }
            },
        }
    }
}

fn broken(why: String, unanswered: &RefCell<Unanswered>) -> Copied {
    if unanswered.borrow().is_whole() { Copied::Refused(why) } else { Copied::Broken(why) }
}

/// Which side failed.
enum Side {
    Near,
    Far(String),
}

impl Side {
    fn far(error: io::Error) -> Self {
        Self::Far(error.to_string())
    }
}

async fn upload(mut near: ReadHalf<'_>, far: &RefCell<impl Far>, unanswered: &RefCell<Unanswered>) -> Result<(), Side> {
    let (again, ended) = {
        let unanswered = unanswered.borrow();
        (unanswered.kept.clone(), unanswered.ended)
    };
    write_all(far, &again).await.map_err(Side::far)?;
    let mut buffer = vec![0; SMALL];
    // Of an earlier try the end was read already.
    let mut more = !ended;
    while more {
        match near.read(&mut buffer).await {
            Ok(0) => more = false,
            Ok(length) => {
                unanswered.borrow_mut().keep(&buffer[..length]);
                write_all(far, &buffer[..length]).await.map_err(Side::far)?;
                grow(&mut buffer, length);
            }
            Err(_) => return Err(Side::Near),
        }
    }
    unanswered.borrow_mut().ended = true;
    poll_fn(|cx| Pin::new(&mut *far.borrow_mut()).poll_shutdown(cx)).await.map_err(Side::far)
}

async fn write_all(far: &RefCell<impl Far>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match poll_fn(|cx| Pin::new(&mut *far.borrow_mut()).poll_write(cx, bytes)).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes = &bytes[written..],
        }
    }
    poll_fn(|cx| Pin::new(&mut *far.borrow_mut()).poll_flush(cx)).await
}

async fn download(
    mut near: WriteHalf<'_>,
    far: &RefCell<impl Far>,
    unanswered: &RefCell<Unanswered>,
) -> Result<(), Side> {
    let mut buffer = vec![0; SMALL];
    loop {
        let read = poll_fn(|cx| {
            let mut read = ReadBuf::new(&mut buffer);
            let polled = Pin::new(&mut *far.borrow_mut()).poll_read(cx, &mut read);
            polled.map_ok(|()| read.filled().len())
        });
        let failure = |error: io::Error| {
            let why = far.borrow().failure();
            Side::Far(why.unwrap_or_else(|| error.to_string()))
        };
        let length = read.await.map_err(failure)?;
        if length == 0 {
            if let Some(why) = far.borrow().failure() {
                return Err(Side::Far(why));
            }
            unanswered.borrow_mut().spend();
            // Whoever has gone already needs no end.
            let _ = near.shutdown().await;
            return Ok(());
        }
        unanswered.borrow_mut().spend();
        near.write_all(&buffer[..length]).await.map_err(|_| Side::Near)?;
        grow(&mut buffer, length);
    }
}

/// Gives room to who fills it; a hundred idle connections need little.
fn grow(buffer: &mut Vec<u8>, length: usize) {
    if length == buffer.len() && length < LARGE {
        *buffer = vec![0; length * 4];
    }
}

//! A connection by the relay. A tunnel tells the pod of an end only with the whole connection, and kdj of the pod's a second
//! late; so both ends are told in between: four bytes of length, and so many bytes. A length of zero is the end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::copy::Far;

/// Instead of a length: the other side broke.
const BROKEN: u32 = u32::MAX;
/// The most that is sent in one frame.
const LARGEST: usize = 64 << 10;

/// A stream of frames in a stream of bytes.
pub(super) struct Framed<S> {
    stream: S,
    head: Vec<u8>,
    /// How much of a frame is still to be read.
    unread: usize,
    ended: bool,
    /// What is to be sent before anything else.
    unsent: Vec<u8>,
    /// How much of a frame was announced and not sent yet.
    promised: usize,
    said_end: bool,
    failure: Option<String>,
}

impl<S> Framed<S> {
    /// Nothing was sent or read yet.
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            head: Vec::with_capacity(4),
            unread: 0,
            ended: false,
            unsent: Vec::new(),
            promised: 0,
            said_end: false,
            failure: None,
        }
    }

    fn fail(&mut self, why: String) -> io::Error {
        self.failure = Some(why.clone());
        io::Error::new(io::ErrorKind::ConnectionReset, why)
    }
}

impl<S: Far> Framed<S> {
    /// Reads the length of the next frame, or the end.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unread == 0 && !self.ended {
            let mut rest = [0; 4];
            let mut rest = ReadBuf::new(&mut rest[..4 - self.head.len()]);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut rest));
            if let Err(error) = read {
                let why = self.stream.failure().unwrap_or_else(|| error.to_string());
                return Poll::Ready(Err(self.fail(why)));
            }
            if rest.filled().is_empty() {
                let why = self.stream.failure().unwrap_or_else(|| "the relay has ended".to_owned());
                return Poll::Ready(Err(self.fail(why)));
            }
            self.head.extend_from_slice(rest.filled());
            if let Ok(length) = <[u8; 4]>::try_from(self.head.as_slice()) {
                self.head.clear();
                match u32::from_be_bytes(length) {
                    0 => self.ended = true,
                    BROKEN => return Poll::Ready(Err(self.fail("the connection was reset".to_owned()))),
                    length => self.unread = usize::try_from(length).unwrap_or(usize::MAX),
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))?;
            self.unsent.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Far> AsyncRead for Framed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_head(cx))?;
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        let room = self.unread.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part));
        let length = part.filled().len();
        buffer.advance(length);
        self.unread -= length;
        match read {
            Err(error) => {
                let why = self.stream.failure().unwrap_or_else(|| error.to_string());
                Poll::Ready(Err(self.fail(why)))
            }
            Ok(()) if length == 0 && room > 0 => Poll::Ready(Err(self.fail("the relay has ended".to_owned()))),
            Ok(()) => Poll::Ready(Ok(())),
        }
    }
}

impl<S: Far> AsyncWrite for Framed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.promised == 0 {
            self.promised = bytes.len().min(LARGEST);
            let length = u32::try_from(self.promised).unwrap_or_default();
            self.unsent.extend_from_slice(&length.to_be_bytes());
        }
        ready!(self.poll_unsent(cx))?;
        let part = &bytes[..bytes.len().min(self.promised)];
        let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
        self.promised -= sent;
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.said_end {
            self.said_end = true;
            self.unsent.extend_from_slice(&[0; 4]);
        }
        self.poll_flush(cx)
    }
}

impl<S: Far + Send + 'static> Far for Framed<S> {
    fn failure(&self) -> Option<String> {
        self.failure.clone()
    }

    /// The relay closes its side now. What that takes is nobody's concern but the tunnel's, which can use the way again.
    fn finish(self: Box<Self>) {
        let mut stream = self.stream;
        tokio::spawn(async move {
            let _ = stream.shutdown().await;
            let mut rest = [0; 64];
            while stream.read(&mut rest).await.is_ok_and(|length| length > 0) {}
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    impl Far for DuplexStream {
        fn failure(&self) -> Option<String> {
            None
        }
    }

    async fn read(frames: &[u8]) -> (Vec<u8>, Option<String>) {
        let (ours, mut theirs) = duplex(7);
        let frames = frames.to_vec();
        let sending = tokio::spawn(async move {
            let _ = theirs.write_all(&frames).await;
        });
        let mut framed = Framed::new(ours);
        let mut all = Vec::new();
        let _ = framed.read_to_end(&mut all).await;
        sending.await.unwrap();
        (all, framed.failure())
    }

    #[tokio::test]
    async fn frames_are_read_to_their_end_or_break() {
        let frames = b"\0\0\0\x03abc\0\0\0\x0a0123456789\0\0\0\0";
        assert_eq!(read(frames).await, (b"abc0123456789".to_vec(), None));
        assert_eq!(read(b"\0\0\0\0").await, (Vec::new(), None));
        assert_eq!(
            read(b"\0\0\0\x01a\xff\xff\xff\xff").await,
            (b"a".to_vec(), Some("the connection was reset".to_owned()))
        );
        for cut in [&b""[..], b"\0\0", b"\0\0\0\x03a", b"\0\0\0\x01a"] {
            assert_eq!(read(cut).await.1.as_deref(), Some("the relay has ended"), "{cut:?}");
        }
    }

    #[tokio::test]
    async fn what_is_written_comes_in_frames() {
        let (ours, mut theirs) = duplex(5);
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.unwrap();
            all
        });
        let mut framed = Framed::new(ours);
        framed.write_all(b"hello world").await.unwrap();
        framed.write_all(b"!").await.unwrap();
        framed.shutdown().await.unwrap();
        drop(framed);
        assert_eq!(reading.await.unwrap(), b"\0\0\0\x0bhello world\0\0\0\x01!\0\0\0\0");
    }
}

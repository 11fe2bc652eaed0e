//! One forwarded connection, as its user sees it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    sync::oneshot,
};

/// So much waits between a stream and its user, each way; beyond that the one waits for the other. It is allocated as it is
/// needed, and lets several messages be handed over at once.
const BUFFER: usize = 256 * 1024;

/// A connection to a port of a pod. Its shutdown tells the pod that no more comes (see [`super`] on what a pod makes of
/// it); dropped, it is reset, and others are not touched.
#[derive(Debug)]
pub struct TunnelStream {
    pipe: DuplexStream,
    failure: Failure,
    /// Gone with the stream: that is how the other side knows.
    _held: oneshot::Sender<()>,
}

/// Why a stream ended, if not well; written once, before its end is told.
pub(super) type Failure = Arc<OnceLock<String>>;

/// The lane's side of a stream.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) port: u16,
    pub(super) pipe: DuplexStream,
    pub(super) failure: Failure,
    /// Answered when the server has accepted the stream, or dropped.
    pub(super) accepted: oneshot::Sender<()>,
    /// Resolves when the stream is dropped.
    pub(super) dropped: oneshot::Receiver<()>,
}

impl TunnelStream {
    /// A stream, what its lane gets, and what resolves when the server has accepted it.
    pub(super) fn new(port: u16) -> (Self, Order, oneshot::Receiver<()>) {
        let (ours, theirs) = duplex(BUFFER);
        let failure = Failure::default();
        let (accepted, is_accepted) = oneshot::channel();
        let (held, dropped) = oneshot::channel();
        let order = Order { port, pipe: theirs, failure: Arc::clone(&failure), accepted, dropped };
        (Self { pipe: ours, failure, _held: held }, order, is_accepted)
    }

    /// Why the stream ended, when it did not end well: the server's own words (`... connection refused`), or what befell
    /// the connection. Known once a read has given the end or an error.
    pub fn failure(&self) -> Option<String> {
        self.failure.get().cloned()
    }
}

impl AsyncRead for TunnelStream {
    /// The end of a stream that failed is an error, after all that came before it.
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.pipe).poll_read(context, buffer))?;
        let is_end = buffer.filled().len() == before && buffer.remaining() > 0;
        Poll::Ready(match self.failure.get() {
            Some(why) if is_end => Err(io::Error::new(io::ErrorKind::ConnectionReset, why.clone())),
            _ => Ok(()),
        })
    }
}

impl AsyncWrite for TunnelStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(context)
    }
}

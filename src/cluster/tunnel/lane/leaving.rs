//! Connections whose user has sent all: what is still to come for them does not keep the lane from the next one.
//!
//! The runtime ends them within a second. Until then a lane may carry several, and another connection.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};

use super::{Frame, Progress, receive::Reception};
use crate::cluster::tunnel::stream::Failure;

/// So much may wait for a user who does not read; the runtime has no time for much more.
const BACKLOG: usize = 1024 * 1024;

/// A connection whose user has sent all.
pub(super) struct Leaving {
    reception: Reception,
    progress: Progress,
    failure: Failure,
    /// `None` once a piece found no room: what would follow it has a hole before it.
    bytes: Option<mpsc::UnboundedSender<Bytes>>,
    backlog: Arc<AtomicUsize>,
}

impl Leaving {
    /// Takes over from the lane what is left to do for a connection.
    pub(super) fn new(
        reception: Reception,
        progress: Progress,
        failure: Failure,
        local: impl AsyncWrite + Unpin + Send + 'static,
    ) -> Self {
        let (bytes, queue) = mpsc::unbounded_channel();
        let backlog = Arc::default();
        tokio::spawn(hand_over(queue, local, Arc::clone(&backlog)));
        Self { reception, progress, failure, bytes: Some(bytes), backlog }
    }

    /// Takes a frame, or gives back one that is another's.
    pub(super) fn take(&mut self, frame: Frame) -> Result<(), Frame> {
        let bytes = self.reception.take(frame)?;
        if !bytes.is_empty() {
            self.progress.delivered(bytes.len());
            if self.backlog.fetch_add(bytes.len(), Ordering::Relaxed) > BACKLOG {
                let _ = self.failure.set("the answer was not read in time, and is incomplete".to_owned());
                self.bytes = None;
            } else if let Some(queue) = &self.bytes {
                let _ = queue.send(bytes);
            }
        }
        Ok(())
    }

    /// Whether nothing more comes.
    pub(super) fn is_over(&self) -> bool {
        self.reception.is_over()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let failure = match self.is_over() {
            true => self.reception.failure(&self.progress),
            false => Some("the connection to the cluster is lost".to_owned()),
        };
        if let Some(why) = failure {
            let _ = self.failure.set(why);
        }
    }
}

/// Hands over what is left, for as long as it takes; the end of `local` is the end for the user.
async fn hand_over(
    mut queue: mpsc::UnboundedReceiver<Bytes>,
    mut local: impl AsyncWrite + Unpin,
    backlog: Arc<AtomicUsize>,
) {
    while let Some(bytes) = queue.recv().await {
        if local.write_all(&bytes).await.is_err() {
            return;
        }
        backlog.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
}

//! Joins messages of a flood, so that handing them over costs once for several; a small message, as an echoed key, is
//! never held up.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::streams::Pieces;

/// From this size on a message is one of many; the kubelet sends at most 32 KiB at once.
const LARGE: usize = 8 * 1024;
/// So much is handed over at once.
const FULL: usize = 128 * 1024;
/// So long the first piece waits at most for others.
const PATIENCE: Duration = Duration::from_millis(2);

/// Pieces of stdout that wait for more.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pieces: Pieces,
    bytes: usize,
    due: Option<Instant>,
}

impl Batch {
    /// Adds a piece; says whether the batch is to be handed over now.
    pub(super) fn add(&mut self, piece: Bytes) -> bool {
        let small = piece.len() < LARGE;
        self.bytes += piece.len();
        self.pieces.push(piece);
        self.due.get_or_insert_with(|| Instant::now() + PATIENCE);
        small || self.bytes >= FULL
    }

    /// When it is to be handed over even if nothing more comes; `None` while it is empty.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The pieces; the batch is empty afterwards.
    pub(super) fn take(&mut self) -> Pieces {
        std::mem::take(self).pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_joined_and_a_key_is_not_held_up() {
        let mut batch = Batch::default();
        assert!(batch.add(Bytes::from_static(b"$ ")), "a prompt goes at once");
        assert_eq!(batch.take().len(), 1);
        let piece = Bytes::from(vec![0; 32 * 1024]);
        assert!(!batch.add(piece.clone()) && !batch.add(piece.clone()) && !batch.add(piece.clone()));
        assert!(batch.due().is_some());
        assert!(batch.add(piece), "128 KiB are enough");
        assert_eq!(batch.take().len(), 4);
        assert!(batch.due().is_none());
    }

    #[test]
    fn the_end_of_a_flood_goes_with_what_waits() {
        let mut batch = Batch::default();
        assert!(!batch.add(Bytes::from(vec![0; 32 * 1024])));
        assert!(batch.add(Bytes::from_static(b"end\n")));
        assert_eq!(batch.take().len(), 2);
    }
}

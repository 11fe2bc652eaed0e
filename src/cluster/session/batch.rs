//! Joins messages of a flood, so that handing them over costs once for several, and those that come while nobody takes
//! them; a small message, as an echoed key, is never held up.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use crate::streams::Pieces;

/// From this size on a message is one of many; the kubelet sends at most 32 KiB at once.
const LARGE: usize = 8 * 1024;
/// With so much it is worth handing over.
const ENOUGH: usize = 128 * 1024;
/// How much waits at most for a slow reader. The buffers between kdj and the pod rarely hold more: when the remote process
/// is over, what it wrote last comes in, however long the reader takes.
const AHEAD: usize = 16 * 1024 * 1024;
/// So long the first piece waits at most for others.
const PATIENCE: Duration = Duration::from_millis(2);

/// What a piece takes of the memory; a small one more than its bytes.
fn cost(piece: &Bytes) -> usize {
    piece.len().max(256)
}

/// Pieces of stdout or stderr that wait for more.
#[derive(Debug)]
pub(super) struct Batch {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    due: Option<Instant>,
    ahead: usize,
}

impl Batch {
    /// An empty one. For a terminal little is read ahead: what has come shows even after a Ctrl-C.
    pub(super) fn new(tty: bool) -> Self {
        Self { pieces: VecDeque::new(), bytes: 0, due: None, ahead: if tty { ENOUGH } else { AHEAD } }
    }

    /// Adds a piece.
    pub(super) fn add(&mut self, piece: Bytes) {
        let small = piece.len() < LARGE;
        self.bytes += cost(&piece);
        self.pieces.push_back(piece);
        let now = Instant::now();
        let due = self.due.get_or_insert(now + PATIENCE);
        if small || self.bytes >= ENOUGH {
            *due = now.min(*due);
        }
    }

    /// Whether nothing more may come before it is handed over.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.ahead
    }

    /// From when on it is to be handed over; `None` while it is empty.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The first pieces, as many as are worth handing over; what is left is due.
    pub(super) fn take(&mut self) -> Pieces {
        let mut bytes = 0;
        let mut end = 0;
        while let Some(piece) = self.pieces.get(end)
            && bytes < ENOUGH
        {
            bytes += cost(piece);
            end += 1;
        }
        self.bytes -= bytes;
        self.due = self.due.filter(|_| end < self.pieces.len());
        self.pieces.drain(..end).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_due(batch: &Batch) -> bool {
        batch.due().is_some_and(|due| due <= Instant::now())
    }

    #[test]
    fn a_flood_is_joined_and_a_key_is_not_held_up() {
        let mut batch = Batch::new(true);
        batch.add(Bytes::from_static(b"$ "));
        assert!(is_due(&batch), "a prompt goes at once");
        assert_eq!(batch.take().len(), 1);
        assert!(batch.due().is_none());
        let piece = Bytes::from(vec![0; 32 * 1024]);
        let before = Instant::now();
        for count in 1..=4 {
            batch.add(piece.clone());
            let waits = batch.due().is_some_and(|due| due >= before + PATIENCE);
            assert!(waits || count == 4, "{count} pieces");
        }
        assert!(is_due(&batch) && batch.is_full(), "128 KiB are enough");
        assert_eq!(batch.take().len(), 4);
        assert!(batch.due().is_none() && !batch.is_full());
    }

    #[test]
    fn the_end_of_a_flood_goes_with_what_waits() {
        let mut batch = Batch::new(false);
        batch.add(Bytes::from(vec![0; 32 * 1024]));
        batch.add(Bytes::from_static(b"end\n"));
        assert!(is_due(&batch));
        assert_eq!(batch.take().len(), 2);
    }

    #[test]
    fn what_nobody_takes_has_a_bound() {
        let mut batch = Batch::new(false);
        let piece = Bytes::from(vec![0; 1024 * 1024]);
        for _ in 0..15 {
            batch.add(piece.clone());
        }
        assert!(is_due(&batch) && !batch.is_full());
        batch.add(piece);
        assert!(batch.is_full());
        assert_eq!(batch.take().len(), 1, "a slow reader's memory is not filled by what waits for it");
        assert!(is_due(&batch) && !batch.is_full());
    }
}

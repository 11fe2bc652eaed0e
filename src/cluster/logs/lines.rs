//! The bytes of a stream, cut into lines.

use bytes::Bytes;

use super::stamp;

/// A longer line comes in pieces, in bytes.
pub(super) const LONGEST: usize = 16 << 20;

/// Bytes as they come, cut into whole lines.
#[derive(Default)]
pub(super) struct Lines {
    /// The beginning of a line.
    part: Vec<u8>,
    /// The time of a line of which pieces were taken already.
    pub(super) continues: Option<i64>,
}

impl Lines {
    /// Adds what came; gives the lines that are whole now, or the piece of one that is too long.
    pub(super) fn add(&mut self, chunk: &[u8]) -> Option<Bytes> {
        let end = memchr::memrchr(b'\n', chunk).map_or(0, |at| at + 1);
        let whole = if end == 0 {
            None
        } else if self.part.is_empty() {
            Some(Bytes::copy_from_slice(&chunk[..end]))
        } else {
            self.part.extend_from_slice(&chunk[..end]);
            Some(Bytes::from(std::mem::take(&mut self.part)))
        };
        self.part.extend_from_slice(&chunk[end..]);
        whole.or_else(|| self.piece())
    }

    /// The first piece of a line that is too long.
    fn piece(&mut self) -> Option<Bytes> {
        let text = if self.continues.is_some() { 0 } else { stamp::split(&self.part).map_or(0, |(_, text)| text) };
        if self.part.len() <= text + LONGEST {
            return None;
        }
        let rest = self.part.split_off(text + LONGEST);
        Some(Bytes::from(std::mem::replace(&mut self.part, rest)))
    }

    /// What is left: a line without an end.
    pub(super) fn rest(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.part))
    }
}

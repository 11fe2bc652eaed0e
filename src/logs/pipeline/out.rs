//! What is to be written, in its order.

/// One piece of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// For stdout.
    Data(Vec<u8>),
    /// For stderr, where somebody wants to know.
    Status(String),
    /// For stderr, always.
    Warning(String),
}

/// What is to be written. Data that follows data is one piece.
#[derive(Debug, Default)]
pub struct Out {
    pieces: Vec<Piece>,
    /// Data behind the last piece.
    data: Vec<u8>,
}

impl Out {
    /// Where data is added to.
    pub fn data(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// Adds a line for stderr.
    pub fn status(&mut self, text: String) {
        self.end_data();
        self.pieces.push(Piece::Status(text));
    }

    /// Adds a line for stderr that is always shown.
    pub fn warning(&mut self, text: String) {
        self.end_data();
        self.pieces.push(Piece::Warning(text));
    }

    /// How many bytes of data wait behind the last piece: a measure of when to write.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.data.is_empty()
    }

    /// Takes all pieces, in their order.
    pub fn take(&mut self) -> Vec<Piece> {
        self.end_data();
        std::mem::take(&mut self.pieces)
    }

    fn end_data(&mut self) {
        if !self.data.is_empty() {
            // What comes next is mostly as much again.
            let room = self.data.len();
            self.pieces.push(Piece::Data(std::mem::replace(&mut self.data, Vec::with_capacity(room))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_kept() {
        let mut out = Out::default();
        assert!(out.is_empty());
        out.data().extend_from_slice(b"a");
        out.data().extend_from_slice(b"b");
        out.status("s".to_owned());
        out.warning("w".to_owned());
        out.data().push(b'c');
        assert_eq!((out.len(), out.is_empty()), (1, false));
        let (data, status) = (|bytes: &[u8]| Piece::Data(bytes.to_vec()), Piece::Status("s".to_owned()));
        assert_eq!(out.take(), [data(b"ab"), status, Piece::Warning("w".to_owned()), data(b"c")]);
        assert!(out.is_empty());
    }
}

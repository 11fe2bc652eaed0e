//! What goes out, to stdout and to stderr in its order.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::{
    logs::{Out, Piece},
    streams::Pieces,
    ui::Ui,
};

/// The local stdout and stderr.
pub(super) struct Writer<'a> {
    stdout: mpsc::Sender<Pieces>,
    ui: &'a Ui,
    /// What is being written: a write that is given up goes on with the next.
    pieces: VecDeque<Piece>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(stdout: mpsc::Sender<Pieces>, ui: &'a Ui) -> Self {
        Self { stdout, ui, pieces: VecDeque::new() }
    }

    /// Lasts until nobody reads stdout any more.
    pub(super) async fn closed(&self) {
        self.stdout.closed().await;
    }

    /// Writes what is ready; `false` when nobody reads it.
    pub(super) async fn write(&mut self, out: &mut Out) -> bool {
        self.pieces.extend(out.take());
        while let Some(piece) = self.pieces.front() {
            let room = match piece {
                Piece::Data(_) => match self.stdout.reserve().await {
                    Ok(room) => Some(room),
                    Err(_) => return false,
                },
                Piece::Status(_) | Piece::Warning(_) => None,
            };
            match (self.pieces.pop_front(), room) {
                (Some(Piece::Data(bytes)), Some(room)) => room.send(vec![Bytes::from(bytes)]),
                (Some(Piece::Status(text)), _) => self.ui.status(&text),
                (Some(Piece::Warning(text)), _) => self.ui.warning(&text),
                _ => {}
            }
        }
        true
    }
}

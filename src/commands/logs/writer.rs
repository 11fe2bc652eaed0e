//! What goes out, to stdout and to stderr in its order.

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
}

impl<'a> Writer<'a> {
    pub(super) fn new(stdout: mpsc::Sender<Pieces>, ui: &'a Ui) -> Self {
        Self { stdout, ui }
    }

    /// Lasts until nobody reads stdout any more.
    pub(super) async fn closed(&self) {
        self.stdout.closed().await;
    }

    /// Writes what is ready; `false` when nobody reads it.
    pub(super) async fn write(&self, out: &mut Out) -> bool {
        for piece in out.take() {
            match piece {
                Piece::Status(text) => self.ui.status(&text),
                Piece::Warning(text) => self.ui.warning(&text),
                Piece::Data(bytes) => {
                    if self.stdout.send(vec![Bytes::from(bytes)]).await.is_err() {
                        return false;
                    }
                }
            }
        }
        true
    }
}

//! Where the lines of a log go.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::streams::Pieces;

/// What is done with the lines of a log.
pub(in crate::cluster) trait Sink {
    /// Takes a line without its line feed; `is_partial` says that it had none. Its time is in nanoseconds since 1970.
    fn line(&mut self, time: i64, text: Bytes, is_partial: bool);

    /// Takes what the kubelet has to say itself among the lines.
    fn words(&mut self, words: &[u8]);

    /// Is told that lines after the one of time `from` may be missing; the next one is of time `to`.
    fn gap(&mut self, from: Option<i64>, to: i64);

    /// Hands on what was taken; `false` when nobody reads any more.
    async fn flush(&mut self) -> bool;
}

/// The text of a log alone, as the container wrote it.
pub(in crate::cluster) struct Text {
    out: mpsc::Sender<Pieces>,
    text: Vec<u8>,
}

impl Text {
    /// The text goes to `out`.
    pub(in crate::cluster) fn to(out: mpsc::Sender<Pieces>) -> Self {
        Self { out, text: Vec::new() }
    }
}

impl Sink for Text {
    fn line(&mut self, _: i64, text: Bytes, is_partial: bool) {
        self.text.extend_from_slice(&text);
        if !is_partial {
            self.text.push(b'\n');
        }
    }

    fn words(&mut self, words: &[u8]) {
        self.text.extend_from_slice(words);
        self.text.push(b'\n');
    }

    fn gap(&mut self, _: Option<i64>, _: i64) {}

    async fn flush(&mut self) -> bool {
        if self.text.is_empty() {
            return true;
        }
        let text = std::mem::take(&mut self.text);
        self.text.reserve(text.len());
        self.out.send(vec![Bytes::from(text)]).await.is_ok()
    }
}

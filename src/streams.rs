//! What flows between a local terminal or pipe and a remote process. Both [`ui`](crate::ui) and
//! [`cluster`](crate::cluster) speak it, and neither knows the other.

use bytes::Bytes;
use tokio::sync::mpsc;

/// What the local side sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Bytes of stdin.
    Data(Bytes),
    /// Stdin ended.
    Eof,
    /// The terminal's size, in character cells.
    Resize {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// The user left the session (`Enter ~ .`).
    Leave,
    /// A signal asks kdj to end; the number is the signal's.
    Signal(u8),
}

/// The local ends of a session. All channels are bounded, so that a slow side slows the other down instead of filling
/// the memory.
#[derive(Debug)]
pub struct Streams {
    /// What the local side sends.
    pub input: mpsc::Receiver<Input>,
    /// Where the remote stdout goes; closed when nobody reads it any more.
    pub stdout: mpsc::Sender<Bytes>,
    /// Where the remote stderr goes.
    pub stderr: mpsc::Sender<Bytes>,
    /// The terminal's size at the beginning, columns and rows; changes come with the input.
    pub size: Option<(u16, u16)>,
}

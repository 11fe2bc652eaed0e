//! What flows between a local terminal or pipe and a remote process. Both [`ui`](crate::ui) and
//! [`cluster`](crate::cluster) speak it, and neither knows the other.

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

/// By this a remote program at a terminal says that it has turned the echo off and reads what is sent to it first. A
/// terminal shows nothing of it: it is a command to an application (APC) that none knows.
pub const READY: &str = "\x1b_kdj:ready\x1b\\";

/// What the remote process reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Bytes of stdin.
    Data(Bytes),
    /// Stdin ended.
    Eof,
}

/// What ends a session from this side. Never queued behind input that the remote process does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The user left the session (`Enter ~ .`).
    Leave,
    /// A signal asks kdj to end; the number is the signal's.
    Signal(u8),
}

/// A terminal's size in character cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// Output as it came, in pieces that are written together.
pub type Pieces = Vec<Bytes>;

/// The local ends of a session. All channels are bounded, so that a slow side slows the other down instead of filling
/// the memory.
#[derive(Debug)]
pub struct Streams {
    /// What the remote process reads.
    pub input: mpsc::Receiver<Input>,
    /// What ends the session.
    pub control: mpsc::Receiver<Control>,
    /// The size of the terminal, where there is one.
    pub size: watch::Receiver<Option<Size>>,
    /// Where the remote stdout goes; closed when nobody reads it any more.
    pub stdout: mpsc::Sender<Pieces>,
    /// Where the remote stderr goes.
    pub stderr: mpsc::Sender<Pieces>,
}

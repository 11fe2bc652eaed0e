//! A line of a container's log, and what else happens while logs are read.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

/// One run of one container: what is between two restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The environment's name, as the user wrote it.
    pub environment: String,
    /// The role of the pod's workload.
    pub role: String,
    /// The pod's whole name.
    pub pod: String,
    /// The container's name.
    pub container: String,
    /// How often the container had been restarted when this run of it began.
    pub instance: u32,
    /// A short name of the pod, for people: `web-7k2xq`.
    pub short: String,
}

/// One line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who wrote it.
    pub source: Arc<Source>,
    /// When, by the node's clock, in nanoseconds.
    pub time: Timestamp,
    /// The line as it was written, without its line feed.
    pub line: Bytes,
    /// The log ended without a line feed after this line.
    pub partial: bool,
}

/// What happens while logs are read, in the order of its arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A line.
    Entry(Entry),
    /// From here on, lines of this source may come.
    Joined(Arc<Source>),
    /// No more lines of this source will come, and why, where there is something to say of it.
    Left(Arc<Source>, Option<String>),
    /// Lines of a source that nobody can read any more.
    Gap {
        /// Whose lines.
        source: Arc<Source>,
        /// The time of the last line before the gap, where there is one.
        from: Option<Timestamp>,
        /// The time of the first line after it, where there is one.
        to: Option<Timestamp>,
        /// Why they may be lost.
        why: String,
    },
    /// Something the user should know.
    Note(String),
}

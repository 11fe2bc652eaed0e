//! What a session received.

use std::time::{Duration, Instant};

/// One exec or attach session, as far as it got. Times count from the upgrade.
#[derive(Clone, Debug)]
pub struct ExecRecord {
    /// A number of its own.
    pub id: usize,
    /// The path: tells exec from attach.
    pub path: String,
    /// The namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container, if one was named.
    pub container: Option<String>,
    /// The command, from the query.
    pub argv: Vec<String>,
    /// Whether a terminal was asked for.
    pub tty: bool,
    /// Which of `stdin`, `stdout`, `stderr` were asked for.
    pub streams: Vec<String>,
    /// The protocols that were offered.
    pub offered: Vec<String>,
    /// The protocol that was agreed on.
    pub protocol: String,
    /// All bytes that came on stdin.
    pub stdin: Vec<u8>,
    /// Whether stdin was closed (v5).
    pub stdin_closed: bool,
    /// Sizes of the terminal, columns and rows.
    pub resizes: Vec<(u16, u16)>,
    /// When pings came.
    pub pings: Vec<Duration>,
    /// The channel and length of every message.
    pub messages: Vec<(u8, usize)>,
    /// The code of the Close frame that came, 1005 for none.
    pub close_code: Option<u16>,
    /// Whether the client ended the TCP connection.
    pub hung_up: bool,
    /// How many bytes of a flood were written.
    pub flooded: u64,
    /// When it began.
    pub started: Instant,
    /// When it ended.
    pub finished: Option<Duration>,
}

impl ExecRecord {
    /// What came on stdin, as text.
    pub fn stdin_text(&self) -> String {
        String::from_utf8_lossy(&self.stdin).into_owned()
    }
}

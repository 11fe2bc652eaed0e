//! Local to server: input, the terminal's size, and a ping now and then.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::{SinkExt, stream::SplitSink};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_tungstenite::tungstenite::Message;

use super::{WebSocket, channel, download::Shared};
use crate::streams::{Input, Size};

/// After how much silence the server is pinged: load balancers cut connections that are silent for 20 s.
pub(in crate::cluster) const PING_EVERY: Duration = Duration::from_secs(5);
/// How much input is kept for another process, should this one not start.
const KEEP: usize = 1024 * 1024;

/// Input that was sent to a process which then turned out not to have started: another one reads it first.
#[derive(Debug, Default)]
pub struct Unread {
    inputs: VecDeque<Input>,
    bytes: usize,
    spent: bool,
}

impl Unread {
    /// Whether nothing is lost and nothing was done: another process can be started in the place of the one that did
    /// not.
    pub fn is_whole(&self) -> bool {
        !self.spent
    }

    /// The process was alive: what it has done cannot be undone.
    pub(super) fn spend(&mut self) {
        self.inputs.clear();
        self.spent = true;
    }

    fn keep(&mut self, input: &Input) {
        if let Input::Data(data) = input {
            self.bytes += data.len();
        }
        if self.spent || self.bytes > KEEP {
            self.spend();
        } else {
            self.inputs.push_back(input.clone());
        }
    }
}

/// Sends for as long as it is polled. A connection that cannot be written is for the download to report, which may still
/// find the Status in it.
pub(super) async fn upload(
    sink: &mut SplitSink<WebSocket, Message>,
    input: &mut mpsc::Receiver<Input>,
    size: &mut watch::Receiver<Option<Size>>,
    unread: &mut Unread,
    half_close: bool,
    shared: &Shared,
) -> Infallible {
    let mut ping = Instant::now() + PING_EVERY;
    let mut again = std::mem::take(unread).inputs;
    // Held back by nothing: a program may look at its terminal's size first of all.
    size.mark_changed();
    let (mut has_input, mut has_size) = (true, true);
    loop {
        let message = tokio::select! {
            biased;
            changed = size.changed(), if has_size => {
                has_size = changed.is_ok();
                let Some(Size { columns, rows }) = *size.borrow_and_update() else { continue };
                Message::Binary(channel::resize(columns, rows))
            }
            () = sleep_until(ping) => {
                // Not while it sends, nor in v4 while it is kept from that. What comes to a runtime that is done resets the
                // connection, and that drops what of the output is still on its way.
                let now = Instant::now();
                let silent = shared.heard.get() + PING_EVERY;
                ping = if silent > now { silent } else { now + PING_EVERY };
                if silent > now || shared.full.get() && !half_close {
                    continue;
                }
                Message::Ping(Bytes::new())
            }
            received = next(&mut again, input), if has_input => {
                let Some(received) = received else {
                    has_input = false;
                    continue;
                };
                if !shared.alive.get() {
                    unread.keep(&received);
                }
                match received {
                    Input::Data(data) => Message::Binary(channel::stdin(&data)),
                    Input::Eof if half_close => Message::Binary(channel::close_stdin()),
                    Input::Eof => continue,
                }
            }
        };
        shared.blocked.set(true);
        if sink.send(message).await.is_err() {
            return std::future::pending().await;
        }
        shared.blocked.set(false);
    }
}

async fn next(again: &mut VecDeque<Input>, input: &mut mpsc::Receiver<Input>) -> Option<Input> {
    match again.pop_front() {
        Some(input) => Some(input),
        None => input.recv().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_a_bound() {
        let mut unread = Unread::default();
        unread.keep(&Input::Data(Bytes::from(vec![0; KEEP])));
        assert!(unread.is_whole());
        unread.keep(&Input::Data(Bytes::from_static(b"x")));
        assert!(!unread.is_whole() && unread.inputs.is_empty());
    }
}

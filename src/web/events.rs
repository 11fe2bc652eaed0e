//! The stream that tells the page what goes on.
//!
//! * `hello` first: `{"key": "…", "environments": [{"name": "qa", "program": "kdj"}]}`. Only who has sent the page knows its
//!   key: whoever takes the port once kdj has ended cannot tell an open page anything.
//! * `status`: `{"status": …, "history": …}`, an environment as it is now; `status` is what `kdj status -o json` prints.
//! * `failed`: an environment that cannot be seen, why, and whether it is tried again.
//! * `alive` in between: the page sees by it that kdj is there. A comment would keep the connection as well, but the page
//!   would not hear of it, and could not tell a quiet cluster from a kdj that was stopped.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::{sync::mpsc, time::timeout};

use super::{
    board::Board,
    reply::{self, Piece},
};

/// How often the page hears something at least; it gives up after three times that.
const ALIVE: Duration = Duration::from_secs(5);

/// Sends what there is, then what is new, until nobody reads.
pub(super) async fn send(board: &Board, key: &str, out: &mpsc::Sender<Piece>) {
    let hello = json!({"key": key, "environments": board.names()});
    let begin = [Bytes::from_static(b"retry: 1000\n\n"), reply::event("hello", &hello.to_string())].concat();
    if out.send(begin.into()).await.is_err() {
        return;
    }
    let mut newest = board.newest();
    let mut sent = 0;
    loop {
        let number = *newest.borrow_and_update();
        for event in board.since(sent) {
            if out.send(event).await.is_err() {
                return;
            }
        }
        sent = number;
        while timeout(ALIVE, newest.changed()).await.is_err() {
            if out.send(reply::event("alive", "{}")).await.is_err() {
                return;
            }
        }
    }
}

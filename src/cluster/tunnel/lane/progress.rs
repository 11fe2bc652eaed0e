//! What is known of a connection while it is carried.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

/// What the two directions of a connection tell each other.
pub(super) struct Progress {
    state: Mutex<State>,
    /// The sending side has something to do.
    pub(super) wake: Notify,
}

pub(super) struct State {
    /// The server has accepted the stream; what is sent before that it throws away.
    pub(super) accepted: bool,
    /// The server does not take what is sent, since the pod does not read.
    pub(super) blocked: bool,
    /// Bytes of the pod wait for the local side.
    pub(super) delivering: bool,
    /// When the pod last sent something.
    pub(super) received: Instant,
    /// How much it has sent since it was last sent something.
    pub(super) answered: usize,
    /// A ping of the server's, to be sent back.
    pub(super) pong: Option<u32>,
    /// When the local side sent its end.
    pub(super) ended: Option<Instant>,
    /// When that was passed on.
    pub(super) end_sent: Option<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let state = State {
            accepted: false,
            blocked: false,
            delivering: false,
            received: Instant::now(),
            answered: 0,
            pong: None,
            ended: None,
            end_sent: None,
        };
        Self { state: Mutex::new(state), wake: Notify::new() }
    }

    /// Bytes of the pod were handed over.
    pub(super) fn delivered(&self, length: usize) {
        let mut state = self.state();
        state.delivering = false;
        state.received = Instant::now();
        state.answered = state.answered.saturating_add(length);
        // The end waits for it.
        if state.ended.is_some() {
            self.wake.notify_one();
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

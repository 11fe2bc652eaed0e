//! Waiting for something to become true, with a deadline.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a test waits for what should happen at once, on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A value that one thread changes and another waits on.
#[derive(Default)]
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    /// Watches `value`.
    pub fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Condvar::new() }
    }

    /// Reads or changes the value, and wakes whoever waits.
    pub fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `find` finds something, or gives `None` at the deadline.
    pub fn wait<R>(&self, deadline: Duration, mut find: impl FnMut(&mut T) -> Option<R>) -> Option<R> {
        let end = Instant::now() + deadline;
        let mut value = self.lock();
        loop {
            if let Some(found) = find(&mut value) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            value = self.changed.wait_timeout(value, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks again and again until `find` finds something: for what nobody announces (a process's state, a file).
///
/// # Panics
/// At the deadline, with `what` was awaited.
#[track_caller]
pub fn poll_until<R>(what: &str, deadline: Duration, mut find: impl FnMut() -> Option<R>) -> R {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < end, "waited {deadline:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

//! Says what holds kdj up when nothing moves any more: reading a file waits for as long as the server it is on is away, and
//! no time limit ends that.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How long something may hold up everything else before that is said.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks, from a thread of its own, at what is being done.
pub struct Stall {
    now: Arc<Mutex<Option<Work>>>,
    /// The thread ends when this is dropped.
    _ends: Sender<()>,
}

/// What is being done.
struct Work {
    what: String,
    since: Instant,
    told: bool,
}

impl Stall {
    /// `tell` says what holds everything up, and what that may come from.
    pub fn new(tell: impl Fn(&str) + Send + 'static) -> Self {
        Self::patient(PATIENCE, move |what| {
            let waited = PATIENCE.as_secs();
            tell(&format!(
                "{what} has waited {waited} s for a file: is your home directory, or another folder, on a file server that \
                 is away?"
            ));
        })
    }

    fn patient(patience: Duration, tell: impl Fn(&str) + Send + 'static) -> Self {
        let now: Arc<Mutex<Option<Work>>> = Arc::default();
        let (ends, ended) = channel();
        let seen = Arc::clone(&now);
        // Without a thread nothing is said, and all else is as it was.
        let _ = thread::Builder::new().spawn(move || {
            while ended.recv_timeout(patience / 10) == Err(RecvTimeoutError::Timeout) {
                let mut now = seen.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(work) = now.as_mut().filter(|work| !work.told && work.since.elapsed() >= patience) {
                    work.told = true;
                    tell(&work.what);
                }
            }
        });
        Self { now, _ends: ends }
    }

    /// Does something that nothing can interrupt.
    pub fn within<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        self.set(Some(Work { what: what.to_owned(), since: Instant::now(), told: false }));
        let _over = Over(self);
        work()
    }

    fn set(&self, work: Option<Work>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = work;
    }
}

/// Something that is over when this is dropped, also by a panic.
struct Over<'a>(&'a Stall);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_everything_up_is_named_once() {
        let (tell, told) = channel();
        let stall = Stall::patient(Duration::from_millis(50), move |what| tell.send(what.to_owned()).unwrap());
        (0..5).for_each(|_| stall.within("quick", || ()));
        assert_eq!(
            stall.within("slow", || {
                thread::sleep(Duration::from_secs(1));
                7
            }),
            7
        );
        drop(stall);
        assert_eq!(told.iter().collect::<Vec<_>>(), ["slow"]);
    }
}

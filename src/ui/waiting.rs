//! Nothing waits silently: a spinner on stderr after a moment, on terminals only.

use std::{
    future::Future,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{Ui, Verbosity};

/// Until then a command is quick, and a spinner would only flicker.
const MOMENT: Duration = Duration::from_millis(250);
/// From then on the spinner says for how long.
const LONG: Duration = Duration::from_secs(10);
/// How often it says so.
const SECOND: Duration = Duration::from_secs(1);

impl Ui {
    /// Waits for `work`, and says what is waited for when it takes longer than a moment.
    pub async fn waiting<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        if self.verbosity < Verbosity::Normal || !io::stderr().is_terminal() {
            return work.await;
        }
        let start = Instant::now();
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep(MOMENT) => {}
        }
        let mut live = self.live(what);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = sleep(SECOND) => {}
            }
            let waited = start.elapsed();
            if waited >= LONG {
                live.show(&format!("{what}, for {} s now", waited.as_secs()));
            }
        }
    }
}

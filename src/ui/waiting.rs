//! Nothing waits silently: a spinner on stderr after a moment, on terminals only.

use std::{
    future::Future,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::sleep;

use super::{Ui, Verbosity};

/// Until then a command is quick, and a spinner would only flicker.
const MOMENT: Duration = Duration::from_millis(250);
/// From then on the spinner says for how long.
const LONG: Duration = Duration::from_secs(10);

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
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            spinner.set_style(style);
        }
        loop {
            let waited = start.elapsed();
            let since = if waited < LONG { String::new() } else { format!(", for {} s now", waited.as_secs()) };
            spinner.set_message(format!("{what}{since}"));
            spinner.tick();
            tokio::select! {
                biased;
                done = &mut work => {
                    spinner.finish_and_clear();
                    return done;
                }
                () = sleep(Duration::from_millis(100)) => {}
            }
        }
    }
}

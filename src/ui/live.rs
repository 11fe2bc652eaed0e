//! One line that says how something that lasts is getting on: rewritten in place on a terminal, and elsewhere a line for
//! each thing worth saying.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, Verbosity, style::sanitize};

/// How often the line moves.
const TICK: Duration = Duration::from_millis(100);

/// The line.
pub struct Live {
    ui: Ui,
    bar: Option<ProgressBar>,
    said: String,
}

impl Ui {
    /// A line that can change; on a terminal it is there at once.
    pub fn live(&self, text: &str) -> Live {
        let shown = self.verbosity >= Verbosity::Normal && io::stderr().is_terminal();
        let mut live = Live { ui: self.clone(), bar: shown.then(spinner), said: String::new() };
        live.show(text);
        live
    }
}

impl Live {
    /// Shows another text on a terminal; elsewhere nothing: it is of the moment.
    pub fn show(&mut self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(sanitize(text));
        }
    }

    /// Says something worth knowing: in place on a terminal, as a line of its own elsewhere, once.
    pub fn say(&mut self, text: &str) {
        self.show(text);
        if self.bar.is_none() && self.said != text {
            text.clone_into(&mut self.said);
            self.ui.status(text);
        }
    }

    /// Shows what changes all the time on a terminal; elsewhere says `elsewhere`, once.
    pub fn show_or_say(&mut self, text: &str, elsewhere: &str) {
        if self.bar.is_some() { self.show(text) } else { self.say(elsewhere) }
    }

    /// Takes the line away, for `work` that writes to the terminal, and shows it again.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    /// For another thread: what warns above the line.
    pub fn warner(&self) -> impl Fn(&str) + Send + 'static {
        let (ui, bar) = (self.ui.clone(), self.bar.clone());
        move |text| match &bar {
            Some(bar) => bar.suspend(|| ui.warning(text)),
            None => ui.warning(text),
        }
    }

    /// Takes the line away for good.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

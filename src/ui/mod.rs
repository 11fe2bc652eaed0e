//! The one module that touches the terminal: data goes to stdout, everything else to stderr.

mod ask;
pub mod called;
mod live;
mod screen;
pub mod style;
pub mod table;
pub mod terminal;
mod waiting;

use std::{
    io::{self, IsTerminal, Write},
    process::Stdio,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::time::sleep;

use self::style::{ColorChoice, Role};
pub use self::{live::Live, screen::Screen};
use crate::error::{Error, Result};

/// How much kdj says on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and warnings only.
    Quiet,
    /// What a person at a terminal wants to know.
    Normal,
    /// Also what was resolved, and each request with its duration.
    Verbose,
}

/// Where kdj writes, and how. Cheap to clone.
#[derive(Clone)]
pub struct Ui {
    verbosity: Verbosity,
    stderr_colored: bool,
    stdout: StdoutIs,
    /// What is typed for kdj, where that is not `kdj`.
    called: Option<&'static str>,
}

/// What stdout is, for who makes text to fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StdoutIs {
    /// Whether it is a terminal.
    pub is_terminal: bool,
    /// Whether it gets colour.
    pub colored: bool,
    /// How many columns the terminal has.
    pub columns: Option<usize>,
}

impl Ui {
    /// The process's own stdout and stderr.
    pub fn new(color: ColorChoice, verbosity: Verbosity) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let columns = terminal::columns().filter(|_| is_terminal);
        let stdout = StdoutIs { is_terminal, colored: style::colored(color, is_terminal), columns };
        Self { verbosity, stderr_colored: style::colored(color, io::stderr().is_terminal()), stdout, called: None }
    }

    /// The same for who calls kdj by another name: the commands in messages can be typed as they stand.
    pub fn called(self, name: Option<&'static str>) -> Self {
        Self { called: name, ..self }
    }

    /// What stdout is.
    pub fn stdout(&self) -> StdoutIs {
        self.stdout
    }

    /// Writes data, what somebody may pipe, to stdout as it is.
    ///
    /// # Errors
    /// When stdout cannot be written. A closed pipe (`| head`) is no error: the rest is dropped in silence.
    pub fn data(&self, text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::failed("cannot write to stdout").caused_by(error))
            }
            _ => Ok(()),
        }
    }

    /// A text with its commands as kdj was called.
    pub fn named(&self, text: &str) -> String {
        self.called.map_or(text.to_owned(), |name| called::in_text(text, name))
    }

    /// Writes what people read, and programs do not, to stdout: its commands can be typed as they stand.
    ///
    /// # Errors
    /// As for [`Ui::data`].
    pub fn report(&self, text: &str) -> Result<()> {
        match self.called {
            Some(name) => self.data(&called::in_page(text, name)),
            None => self.data(text),
        }
    }

    /// Stderr as the stdout of a command that talks to the user while stdout is for data.
    pub fn stderr_for_child(&self) -> Stdio {
        Stdio::from(io::stderr())
    }

    /// Resolves when stdout is a pipe whose reader is gone (`| head`); never elsewhere.
    pub async fn nobody_reads(&self) {
        let broken = || {
            let stdout = io::stdout();
            let mut pipe = [PollFd::new(&stdout, PollFlags::empty())];
            let now = Timespec { tv_sec: 0, tv_nsec: 0 };
            poll(&mut pipe, Some(&now)).is_ok() && pipe[0].revents().intersects(PollFlags::ERR)
        };
        if self.stdout.is_terminal {
            return std::future::pending().await;
        }
        // A pipe that nobody reads does not wake up who does not write to it.
        while !broken() {
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Says what is going on; silent under `--quiet`.
    pub fn status(&self, text: &str) {
        if self.verbosity >= Verbosity::Normal {
            self.line(text);
        }
    }

    /// Says a detail; shown under `--verbose` only.
    pub fn verbose(&self, text: &str) {
        if self.verbosity >= Verbosity::Verbose {
            self.line(&self.paint(text, Role::Faint));
        }
    }

    /// Warns; never silenced.
    pub fn warning(&self, text: &str) {
        self.line(&format!("{} {text}", self.paint("warning:", Role::Warning)));
    }

    /// Shows an error: what happened, its causes, and after an empty line its hints.
    pub fn error(&self, error: &Error) {
        let mut text = format!("{} {}", self.paint("error:", Role::Error), error.message());
        match error.causes() {
            [] => {}
            [cause] => text.push_str(&format!("\n  caused by: {}", indent(cause))),
            causes => {
                for (number, cause) in causes.iter().enumerate() {
                    text.push_str(&format!("\n  caused by {}: {}", number + 1, indent(cause)));
                }
            }
        }
        let more = error.look_into().map(|command| format!("`{command}` says more"));
        for (number, hint) in error.hints().iter().chain(&more).enumerate() {
            let space = if number == 0 { "\n" } else { "" };
            text.push_str(&format!("{space}\n{} {}", self.paint("hint:", Role::Hint), indent(hint)));
        }
        self.line(&text);
    }

    /// Whether stderr, and a terminal it shares, has colour.
    pub fn has_color(&self) -> bool {
        self.stderr_colored
    }

    /// Whether what is going on is shown.
    pub fn is_normal(&self) -> bool {
        self.verbosity >= Verbosity::Normal
    }

    /// Whether details are shown.
    pub fn is_verbose(&self) -> bool {
        self.verbosity >= Verbosity::Verbose
    }

    /// `text` in the colour of `role` when stderr has colour.
    pub fn paint(&self, text: &str, role: Role) -> String {
        style::paint(text, role, self.stderr_colored)
    }

    /// An environment's name in front of what is said of it, a protected one's so that nobody overlooks it.
    pub fn environment(&self, name: &str, protected: bool) -> String {
        match protected {
            true => self.paint(&format!(" {name} (protected) "), Role::Danger),
            false => self.paint(name, Role::Name),
        }
    }

    /// One line to stderr, without anything but colours that a terminal would obey: much of it comes from the cluster.
    /// That stderr cannot be written is nothing anybody could be told.
    fn line(&self, text: &str) {
        let text = &self.named(text);
        let _ = io::stderr().lock().write_all(format!("{}\n", style::sanitize_painted(text)).as_bytes());
    }
}

/// Continuation lines of a cause or a hint stand under its first one.
fn indent(text: &str) -> String {
    text.replace('\n', "\n    ")
}

/// The time between two moments, as kubectl shows ages: `45s`, `12m`, `5h`, `3d`.
pub fn age(from: jiff::Timestamp, to: jiff::Timestamp) -> String {
    lasted(to.as_second().saturating_sub(from.as_second()))
}

/// A time in seconds, as ages are shown.
pub fn lasted(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds @ 120..=7199 => format!("{}m", seconds / 60),
        seconds @ 7200..=172_799 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The time until a moment to come, as ages are shown; of twelve hours less a second it says `12h`.
pub fn left(now: jiff::Timestamp, until: jiff::Timestamp) -> String {
    let seconds = until.as_second().saturating_sub(now.as_second());
    let to_round = match seconds {
        ..120 => 0,
        120..7200 => 10,
        _ => 60,
    };
    age(now, until.checked_add(jiff::SignedDuration::from_secs(to_round)).unwrap_or(until))
}

/// `812 B`, `1.5 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// `12 ms`, `3.4 s`.
pub fn duration(time: std::time::Duration) -> String {
    if time.as_secs() < 1 { format!("{} ms", time.as_millis()) } else { format!("{:.1} s", time.as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (1_610_612_736, "1.5 GiB"),
            (u64::MAX, "16384.0 PiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}

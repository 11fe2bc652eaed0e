//! What is wrong with an environment, why, and what to type next.

use jiff::Timestamp;
use serde::Serialize;

use super::{Role, diagnose::ago};
use crate::{logs, protection::redact};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something is broken.
    Broken,
    /// It works, but wants a look.
    Warning,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The role it is about, if it is about one.
    pub role: Option<String>,
    /// The workload of it.
    pub workload: Option<String>,
    /// The pod that shows it best.
    pub pod: Option<String>,
    /// The container of that pod, where it is about one.
    pub container: Option<String>,
    /// Whether the run of it that matters is the one before.
    pub previous: bool,
    /// Whether that run ended by itself, so that what it raised at its end is the cause.
    #[serde(skip)]
    pub raised: bool,
    /// What is wrong: `web: 0 of 2 pods ready`.
    pub what: String,
    /// Why, the likeliest cause first; at least one.
    pub causes: Vec<Cause>,
    /// The last traceback of the container that does not run, else its last lines; empty unless asked for and found.
    pub traceback: Vec<String>,
    /// The kdj command to type next.
    pub next: Option<String>,
}

/// A possible cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What it is, in a line.
    pub text: String,
    /// What speaks for it, a line each: an event, a revision.
    pub evidence: Vec<String>,
}

impl Cause {
    /// One that nothing else speaks for.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), evidence: Vec::new() }
    }
}

impl Problem {
    /// Something that is wrong with the environment, and its likeliest cause.
    pub(super) fn new(severity: Severity, what: impl Into<String>, cause: Cause) -> Self {
        Self {
            severity,
            role: None,
            workload: None,
            pod: None,
            container: None,
            previous: false,
            raised: false,
            what: what.into(),
            causes: vec![cause],
            traceback: Vec::new(),
            next: None,
        }
    }

    /// The same, of this workload.
    pub(super) fn of(self, role: &Role) -> Self {
        Self { role: Some(role.name.clone()), workload: Some(role.workload.clone()), ..self }
    }

    /// The same, with the command to type next.
    pub(super) fn then(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// What is wrong and the likeliest cause, in a line.
    pub fn line(&self) -> String {
        match self.causes.first() {
            Some(cause) => format!("{}: {}", self.what, cause.text),
            None => self.what.clone(),
        }
    }

    /// Takes in the end of the log of its container. The exception is the cause only where the container ended by itself
    /// and said little after it. Values that look secret are left out: JSON and the page show it, too.
    pub fn hear(&mut self, log: &str) {
        let Some(words) = logs::last_words(log) else { return };
        self.traceback = words.lines.iter().map(|line| redact::text(line)).collect();
        let exception = words.exception.filter(|_| self.raised && words.is_last);
        if let (Some(exception), Some(cause)) = (exception, self.causes.first_mut()) {
            cause.text = format!("{}: {}", redact::text(&exception), cause.text);
        }
    }

    /// Takes in that something the pod is configured from was changed, if that was lately: it may be a cause.
    pub fn suspect_change(&mut self, what: &str, at: Timestamp, now: Timestamp) {
        const A_DAY: i64 = 24 * 3600;
        if now.as_second() - at.as_second() < A_DAY {
            self.causes.push(Cause::new(format!("{what} was changed {}", ago(at, now))));
        }
    }

    /// Whether its cause is a container that ended with an error: its log says more.
    pub fn has_a_log(&self) -> bool {
        self.container.is_some()
    }
}

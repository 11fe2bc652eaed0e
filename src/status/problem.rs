//! What is wrong with an environment, why, and what to type next.

use serde::Serialize;

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
    /// What is wrong: `web: 0 of 2 pods ready`.
    pub what: String,
    /// Why, the likeliest cause first; at least one.
    pub causes: Vec<Cause>,
    /// The last traceback of the container that ends again and again, its lines; empty unless it was asked for and found.
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

impl Problem {
    /// What is wrong and the likeliest cause, in a line.
    pub fn line(&self) -> String {
        match self.causes.first() {
            Some(cause) => format!("{}: {}", self.what, cause.text),
            None => self.what.clone(),
        }
    }

    /// Whether its cause is a container that ended with an error: its log says more.
    pub fn has_a_log(&self) -> bool {
        self.container.is_some()
    }
}

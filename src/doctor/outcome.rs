//! What came of a check, and what would mend it.

use crate::error::{Error, Result};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its title is true.
    Pass,
    /// It works, and there is something to know.
    Warn,
    /// Something will not work.
    Fail,
    /// Nothing was found out.
    Skip,
}

impl Status {
    /// The word for it, in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "fail",
            Status::Skip => "skip",
        }
    }
}

/// Why a check has no outcome of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broke {
    /// It took longer than it may.
    TimedOut,
    /// It panicked: a fault of kdj's own.
    Panicked,
}

/// What came of a check.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// What was seen: a detail, the problem, or why it was skipped.
    pub text: String,
    /// What caused the problem, nearest first.
    pub causes: Vec<String>,
    /// What to type, or to do.
    pub fixes: Vec<String>,
    /// What `--fix` can do about it.
    pub safe_fix: Option<Fix>,
    /// Whether it came to an end by itself.
    pub broke: Option<Broke>,
    /// Whether what it should have found out matters, and is not known: of a skipped one.
    pub open: bool,
}

impl Outcome {
    fn new(status: Status, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            causes: Vec::new(),
            fixes: Vec::new(),
            safe_fix: None,
            broke: None,
            open: false,
        }
    }

    /// It passed; `detail` is what was seen, or empty.
    pub fn pass(detail: impl Into<String>) -> Self {
        Self::new(Status::Pass, detail)
    }

    /// It works, and there is something to know.
    pub fn warn(problem: impl Into<String>) -> Self {
        Self::new(Status::Warn, problem)
    }

    /// Something will not work.
    pub fn fail(problem: impl Into<String>) -> Self {
        Self::new(Status::Fail, problem)
    }

    /// Nothing was found out, as there was nothing to, and why.
    pub fn skip(why: impl Into<String>) -> Self {
        Self::new(Status::Skip, why)
    }

    /// Nothing was found out, though there was something to, and why.
    pub fn open(why: impl Into<String>) -> Self {
        Self { open: true, ..Self::skip(why) }
    }

    /// Whether somebody who reads the one knows the other, too.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |outcome: &Self| (outcome.status, outcome.broke, outcome.text.clone(), outcome.causes.clone());
        said(self) == said(other) && self.fixes == other.fixes
    }

    /// Adds a cause.
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds what to type, or to do, with the user's own names in it.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fixes.push(fix.into());
        self
    }

    /// The same, with what `--fix` can do.
    pub fn safe_fix(mut self, fix: Fix) -> Self {
        self.safe_fix = Some(fix);
        self
    }

    /// The same failure, which is no outcome of the check's own.
    pub fn broke(mut self, how: Broke) -> Self {
        self.broke = Some(how);
        self
    }

    /// The same, no worse than `worst`.
    pub fn at_worst(mut self, worst: Status) -> Self {
        if self.status == Status::Fail {
            self.status = worst;
        }
        self
    }

    /// The same, in which each text has been through `typed`, which knows how kdj has to be called.
    pub fn with_commands(mut self, typed: impl Fn(&str) -> String) -> Self {
        self.text = typed(&self.text);
        self.causes.iter_mut().chain(&mut self.fixes).for_each(|text| *text = typed(text));
        self
    }

    /// The error as a failure: its causes and hints are the outcome's.
    pub fn of_error(error: &Error) -> Self {
        let outcome = Self::fail(error.message());
        Self { causes: error.causes().to_vec(), fixes: error.hints().to_vec(), ..outcome }
    }
}

impl From<Result<Outcome, Error>> for Outcome {
    fn from(result: Result<Outcome, Error>) -> Self {
        result.unwrap_or_else(|error| Outcome::of_error(&error))
    }
}

/// What `--fix` can do: something on this machine that can be undone, never something in a cluster.
pub struct Fix {
    /// What it does, for the question: ``make `~/.kube/config` readable by you alone``.
    pub what: String,
    /// How.
    pub how: How,
}

/// How a fix is made.
pub enum How {
    /// By a login, run at the terminal.
    Login {
        /// The words of its command.
        words: Vec<String>,
        /// The variables it is given.
        variables: Vec<(String, String)>,
    },
    /// By kdj.
    Change(Box<dyn Fn() -> Result<()>>),
}

impl std::fmt::Debug for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fix").field("what", &self.what).finish_non_exhaustive()
    }
}

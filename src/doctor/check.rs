//! A check: what it is about, for whom it is run, what came of it, and what would mend it.

use std::{borrow::Cow, future::Future, rc::Rc, time::Duration};

use futures::{FutureExt, future::LocalBoxFuture};

use crate::error::Error;

/// How long a check may take when it says nothing else.
const LIMIT: Duration = Duration::from_secs(5);

/// What a check is about, whomever it is run for.
#[derive(Clone, Debug)]
pub struct About {
    /// `CATEGORY.NAME`: stable, since scripts and documents name it.
    pub id: Cow<'static, str>,
    /// A sentence that is true when the check passes.
    pub title: Cow<'static, str>,
    /// Which command of kdj suffers when it does not.
    pub why: Cow<'static, str>,
    /// The checks without which this one can say nothing; it is skipped when one of them fails or is skipped.
    pub needs: &'static [&'static str],
}

impl About {
    /// A check that needs no other.
    pub const fn new(id: &'static str, title: &'static str, why: &'static str) -> Self {
        Self { id: Cow::Borrowed(id), title: Cow::Borrowed(title), why: Cow::Borrowed(why), needs: &[] }
    }

    /// The same, which needs these.
    pub const fn needs(mut self, ids: &'static [&'static str]) -> Self {
        self.needs = ids;
        self
    }

    /// The part of the id before the dot.
    pub fn category(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }

    /// The part of the id after the dot.
    pub fn name(&self) -> &str {
        self.id.split_once('.').map_or(&*self.id, |(_, name)| name)
    }
}

/// Whom a check is run for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Everybody: this machine, the configuration.
    All,
    /// Whoever uses one of these contexts.
    Contexts(Vec<String>),
    /// One environment.
    Environment {
        /// Its name, as asked for.
        name: String,
        /// Its context; nothing when that is not known.
        context: Option<String>,
    },
}

impl Subject {
    /// What is shown of it.
    pub fn label(&self) -> Option<String> {
        match self {
            Subject::All => None,
            Subject::Contexts(names) => Some(names.join(", ")),
            Subject::Environment { name, .. } => Some(name.clone()),
        }
    }

    /// Whether what a check of this subject found holds for `other`, too.
    pub fn serves(&self, other: &Subject) -> bool {
        match (self, other) {
            (Subject::All, _) => true,
            (Subject::Contexts(own), Subject::Contexts(others)) => own.iter().any(|name| others.contains(name)),
            (Subject::Contexts(own), Subject::Environment { context: Some(context), .. }) => own.contains(context),
            (Subject::Environment { name: own, .. }, Subject::Environment { name, .. }) => own == name,
            _ => false,
        }
    }
}

/// A check as it is run.
pub struct Check {
    /// What it is about.
    pub about: About,
    /// Whom it is run for.
    pub subject: Subject,
    /// How long it may take.
    pub limit: Duration,
    run: Box<dyn Fn() -> LocalBoxFuture<'static, Outcome>>,
}

impl Check {
    /// A check that `run` makes of `state`. It may be run again, after a fix. What `run` returns is an [`Outcome`], or a
    /// result whose error is a failure.
    pub fn new<S, F>(about: &About, subject: Subject, state: &Rc<S>, run: impl Fn(Rc<S>) -> F + 'static) -> Self
    where
        S: 'static,
        F: Future<Output: Into<Outcome>> + 'static,
    {
        let state = Rc::clone(state);
        let run = Box::new(move || run(Rc::clone(&state)).map(Into::into).boxed_local());
        Self { about: about.clone(), subject, limit: LIMIT, run }
    }

    /// The same with another time limit.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it, without its time limit.
    pub fn start(&self) -> LocalBoxFuture<'static, Outcome> {
        (self.run)()
    }
}

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
}

impl Outcome {
    fn new(status: Status, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), causes: Vec::new(), fixes: Vec::new(), safe_fix: None, broke: None }
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

    /// Nothing was found out, and why.
    pub fn skip(why: impl Into<String>) -> Self {
        Self::new(Status::Skip, why)
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
    /// By a command, run at the terminal.
    Command(Vec<String>),
    /// By kdj.
    Change(Box<dyn Fn() -> crate::error::Result<()>>),
}

impl std::fmt::Debug for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fix").field("what", &self.what).finish_non_exhaustive()
    }
}

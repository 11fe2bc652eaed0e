//! A check: what it is about, for whom it is run, and how.

use std::{borrow::Cow, future::Future, rc::Rc, time::Duration};

use futures::{FutureExt, future::LocalBoxFuture};

use super::outcome::{Outcome, Status};

/// How long a check may take when it says nothing else.
const LIMIT: Duration = Duration::from_secs(5);
/// How long a check may take that asks the cluster: longer than a busy API server lets one wait once (`Retry-After`).
const CLUSTER_LIMIT: Duration = Duration::from_secs(15);

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
    pub fn labels(&self) -> Vec<String> {
        match self {
            Subject::All => Vec::new(),
            Subject::Contexts(names) => names.clone(),
            Subject::Environment { name, .. } => vec![name.clone()],
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
    /// The server that it asks, if it asks one: who is waited for has a name.
    pub server: Option<String>,
    /// The worst it can end with: who can only warn does so, too, when it comes to no end.
    pub worst: Status,
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
        Self { about: about.clone(), subject, limit: LIMIT, server: None, worst: Status::Fail, run }
    }

    /// The same with another time limit.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The same, which asks this API server: it gets the time that a slow way there takes.
    pub fn asks(self, server: &str) -> Self {
        Self { server: Some(server.to_owned()), ..self.within(CLUSTER_LIMIT) }
    }

    /// The same, which is a warning at worst.
    pub fn only_warns(self) -> Self {
        Self { worst: Status::Warn, ..self }
    }

    /// Runs it, without its time limit.
    pub fn start(&self) -> LocalBoxFuture<'static, Outcome> {
        (self.run)()
    }
}

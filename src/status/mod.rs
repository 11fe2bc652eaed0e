//! The state an environment is in: what runs, what is wrong, and why. Pure.
//!
//! `cluster::state` fills a [`Status`] from what the cluster's objects say; [`Status::concluded`] draws the conclusions:
//! what is broken and the likeliest cause. The table (`kdj status`), the JSON and the page are made from it alone.
//!
//! * `role`, `pod`, `happening`: what is seen.
//! * `problem`, `diagnose`: what is wrong, and why.
//! * `json`, `table`: how it is shown.

mod diagnose;
mod happening;
mod inside;
mod json;
mod lines;
mod pod;
mod problem;
mod role;
mod table;

use jiff::Timestamp;
use serde::Serialize;

pub use self::{
    happening::{Change, Event},
    inside::{Migrations, Queue, Tasks, Worker},
    json::{document, failed},
    lines::{Line, lines},
    pod::{Container, Exit, Pod, Waiting},
    problem::{Cause, Problem, Severity},
    role::{Autoscaler, LastRestart, Role, Rollout, RolloutPhase, version_of},
    table::{Show, text},
};

/// An environment at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The environment's name.
    pub environment: String,
    /// Whether changes ask for its name.
    pub protected: bool,
    /// The kubeconfig's context.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// The instance, where the environment is one of several in its namespace.
    pub instance: Option<String>,
    /// When this was seen.
    pub taken: Timestamp,
    /// Whether it is as it is now, or as it was before the connection was lost.
    pub link: Link,
    /// Whether there is anything.
    pub presence: Presence,
    /// How it is, all in all.
    pub health: Health,
    /// The same in a line: `ok: 4 roles, 5 of 5 pods ready`.
    pub headline: String,
    /// Its workloads, by kind and name.
    pub roles: Vec<Role>,
    /// The pods of its workloads.
    pub pods: Vec<Pod>,
    /// What went on lately, the newest first.
    pub events: Vec<Event>,
    /// What changed lately: the newest revision of each workload, and what differs from the one before.
    pub changes: Vec<Change>,
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
    /// How many beats run; `None` without any workload of that kind.
    pub beat: Option<Beat>,
    /// What waits for Celery's workers; `None` unless it was asked for and there are workers.
    pub tasks: Option<Tasks>,
    /// Which migrations are not applied; `None` unless it was asked for.
    pub migrations: Option<Migrations>,
    /// What the cluster did not tell, and why.
    pub missing: Vec<String>,
}

/// How fresh a view is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Link {
    /// It is as the cluster has it.
    Live,
    /// The cluster has not answered since; it is asked again and again.
    Lost {
        /// Since when.
        since: Timestamp,
        /// Why, as far as that is known.
        why: String,
    },
}

/// Whether there is anything to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// There are workloads.
    Here,
    /// The namespace exists, and has nothing of the app.
    Empty,
    /// The namespace is being deleted.
    Deleting,
    /// There is no such namespace.
    NoNamespace,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It is scaled to zero.
    Idle,
    /// All is as it should be.
    Ok,
    /// It is being changed, or starts.
    Changing,
    /// It works, but something wants a look.
    Warning,
    /// Something is broken.
    Broken,
}

impl Health {
    /// The word for it, which stands where colour would do.
    pub fn word(self) -> &'static str {
        match self {
            Health::Idle => "idle",
            Health::Ok => "ok",
            Health::Changing => "changing",
            Health::Warning => "warning",
            Health::Broken => "BROKEN",
        }
    }
}

/// How many processes send periodic tasks: each beyond the first sends them all once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Beat {
    /// How many there should be, by the workloads.
    pub desired: u32,
    /// How many pods of beat run.
    pub running: u32,
    /// Whether it is exactly one.
    pub ok: bool,
}

impl Status {
    /// An environment of which nothing is known yet.
    pub fn new(environment: &crate::environment::Environment, taken: Timestamp) -> Self {
        Self {
            environment: environment.name.clone(),
            protected: environment.protected,
            context: environment.context.clone(),
            namespace: environment.namespace.clone(),
            instance: environment.instance.clone(),
            taken,
            link: Link::Live,
            presence: Presence::Here,
            health: Health::Ok,
            headline: String::new(),
            roles: Vec::new(),
            pods: Vec::new(),
            events: Vec::new(),
            changes: Vec::new(),
            problems: Vec::new(),
            beat: None,
            tasks: None,
            migrations: None,
            missing: Vec::new(),
        }
    }

    /// Whether the pods could be read: without them the workloads' own counts are all there is.
    pub fn sees_pods(&self) -> bool {
        !self.missing.iter().any(|missing| missing.starts_with("pods: "))
    }

    /// The pods of a workload.
    pub fn pods_of<'a>(&'a self, role: &'a Role) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(|pod| pod.workload == role.workload)
    }

    /// Whether something is broken: `kdj status` ends with 1 then.
    pub fn is_broken(&self) -> bool {
        self.health == Health::Broken
    }

    /// Whether more should be asked of the cluster: events and revisions tell why something is not as it should be.
    pub fn wants_evidence(&self) -> bool {
        matches!(self.health, Health::Broken | Health::Changing) || self.presence != Presence::Here
    }

    /// The same with its conclusions: the health of each role and of all, the beat, the problems and the headline.
    pub fn concluded(self) -> Self {
        diagnose::conclude(self)
    }

    /// The same with commands to type next that begin with `program` instead of `kdj`: global flags that were given.
    pub fn typed_with(mut self, program: &str) -> Self {
        for next in self.problems.iter_mut().filter_map(|problem| problem.next.as_mut()) {
            if let Some(words) = next.strip_prefix("kdj ") {
                *next = format!("{program} {words}");
            }
        }
        self
    }

    /// Words the headline anew, when more is known.
    pub fn retell(&mut self) {
        self.health = diagnose::health(self);
        self.headline = diagnose::headline(self);
    }
}

#[cfg(test)]
mod tests;

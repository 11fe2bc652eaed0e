//! What requests tell in passing of the names that there are, for who completes them: nothing is asked for it.

use serde::{Deserialize, Serialize};

use super::{
    Cluster,
    job::{JobKind, JobSummary},
    request::Notice,
    target::{Kind, PodGlance, Workload, glance},
};

/// Names that a request has told of.
#[derive(Clone, Debug)]
pub enum Glimpse {
    /// All pods of the environment's roles.
    Pods(Vec<PodGlance>),
    /// All its roles, those without a pod among them.
    Roles(Vec<RoleGlance>),
    /// All its Jobs of these kinds.
    Jobs(Vec<JobKind>, Vec<JobSummary>),
    /// A Job that was made.
    NewJob(Box<JobSummary>),
    /// The name of a Job that is gone.
    GoneJob(String),
    /// All that can be forwarded to.
    Targets(Vec<String>),
}

/// A role at a glance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleGlance {
    /// What it is for.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Cluster {
    /// Tells the observer of names.
    pub(super) fn tell(&self, glimpse: Glimpse) {
        (self.observer)(Notice::Glimpse(glimpse));
    }

    /// Tells of the pods, where all were listed.
    pub(super) fn tell_pods(&self, workloads: &[Workload]) {
        self.tell(Glimpse::Pods(glance(workloads)));
    }

    /// Tells of the roles, where all workloads were listed by their own objects.
    pub(super) fn tell_roles<'a>(&self, roles: impl IntoIterator<Item = (Kind, &'a str)>) {
        let of = |(kind, name): (Kind, &str)| RoleGlance { kind, name: name.to_owned() };
        let mut roles: Vec<_> = roles.into_iter().map(of).collect();
        roles.sort_unstable();
        roles.dedup();
        self.tell(Glimpse::Roles(roles));
    }
}

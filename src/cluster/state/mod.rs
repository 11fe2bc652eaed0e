//! What state an environment is in: its objects, listed once ([`status`](super::Cluster::status)) or kept up to date by
//! watches ([`follow_status`](super::Cluster::follow_status)), and the [`Status`] they make.
//!
//! One environment in which nothing is wrong takes four requests, all at once: pods, Deployments, StatefulSets, HPAs. What
//! tells why something is wrong (`evidence`) is asked for only then.
//!
//! * `read`: the lists. * `follow`: the watches.
//! * `roles`, `pods`, `happenings`: from the objects to what the status says of them; pure.
//! * `crash`: the log of a container that ended. * `sources`: what of its configuration was changed lately.

mod crash;
mod follow;
mod happenings;
mod pods;
mod read;
mod roles;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, ReplicaSet, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::{Event, Pod},
    },
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{NamespaceState, target::Roles};
use crate::{
    environment::Environment,
    error::Error,
    status::{Link, Presence, Status},
};

/// The objects of one kind, by name.
type Objects<K> = BTreeMap<String, K>;

/// What could not be had, by kind, and why.
type Missing = BTreeMap<&'static str, String>;

/// Of events, all but those that say that something went as it should: a CronJob fills a namespace with them.
const EVENTS: &str = "reason!=Scheduled,reason!=Pulling,reason!=Pulled,reason!=Created,reason!=Started,\
                      reason!=Completed,reason!=SawCompletedJob";

/// The objects of an environment.
#[derive(Clone, Debug, Default)]
struct State {
    pods: Objects<Pod>,
    deployments: Objects<Deployment>,
    stateful_sets: Objects<StatefulSet>,
    autoscalers: Objects<HorizontalPodAutoscaler>,
    replica_sets: Objects<ReplicaSet>,
    events: Objects<Event>,
    place: NamespaceState,
    /// What could not be had, by kind, and why.
    missing: Missing,
}

impl State {
    /// What this says of the environment. While the connection is lost, it is judged as of the time it was: what was
    /// starting then has not taken too long since.
    fn status(&self, environment: &Environment, roles: &Roles<'_>, link: Link, taken: Timestamp) -> Status {
        let seen = match &link {
            Link::Lost { since, .. } => *since,
            Link::Live => taken,
        };
        let mut status = Status { link, ..Status::new(environment, seen) };
        roles::fill(&mut status, self, environment, roles);
        status.presence = match self.place {
            NamespaceState::Terminating => Presence::Deleting,
            NamespaceState::Missing => Presence::NoNamespace,
            NamespaceState::Active | NamespaceState::Unknown if status.roles.is_empty() => Presence::Empty,
            NamespaceState::Active | NamespaceState::Unknown => Presence::Here,
        };
        status.events = happenings::events(self, &status);
        status.changes = happenings::changes(self, &status);
        status.missing = self.missing.iter().map(|(kind, why)| format!("{kind}: {why}")).collect();
        Status { taken, ..status.concluded() }
    }

    /// Whether there is no sign of the app.
    fn is_empty(&self) -> bool {
        self.pods.is_empty() && self.deployments.is_empty() && self.stateful_sets.is_empty()
    }

    /// Remembers that a kind of objects could not be had.
    fn lacks(&mut self, kind: &'static str, error: &Error) {
        self.missing.insert(kind, error.message().to_owned());
    }
}

/// These objects by their names.
fn by_name<K: ResourceExt>(objects: Vec<K>) -> Objects<K> {
    objects.into_iter().map(|object| (object.name_any(), object)).collect()
}

//! The state of a rollout, from the object alone; pure. The rules are those of kubectl's `rollout_status.go`, and of
//! the Deployment controller (`DeploymentComplete`) where kubectl calls a workload done that has pods too many.

use std::fmt;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, StatefulSet};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// How pods of an old revision make room for those of a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// A few at a time; a Deployment may have pods of both at once.
    RollingUpdate,
    /// All old ones go, then the new ones come: for a moment there is none.
    Recreate,
    /// A pod is replaced when somebody deletes it.
    OnDelete,
}

/// How many pods there are, as the workload's status counts them. Terminating pods are not counted by Deployments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// How many there should be: `spec.replicas`, 1 when it is not set.
    pub desired: i32,
    /// How many there are, of all revisions.
    pub total: i32,
    /// Those of the newest revision.
    pub updated: i32,
    /// Those that are ready, of all revisions.
    pub ready: i32,
    /// Those that have been ready for `minReadySeconds`, of all revisions.
    pub available: i32,
}

/// What a rollout waits for, in the order in which it goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Progress {
    /// The controller has not seen the newest specification: nothing the status says is about it.
    Unobserved,
    /// It made no progress for `progressDeadlineSeconds`.
    DeadlineExceeded {
        /// What the controller says of it.
        message: String,
    },
    /// Fewer pods than desired are of the newest revision.
    Updating {
        /// Those that are.
        updated: i32,
        /// Those that should be; of a StatefulSet with a partition, fewer than all.
        wanted: i32,
    },
    /// Pods of old revisions still run.
    OldRemaining {
        /// How many.
        old: i32,
    },
    /// New pods are not available yet.
    Unavailable {
        /// Those that are, of a StatefulSet those that are ready.
        available: i32,
        /// Those that should be.
        wanted: i32,
    },
    /// There are more pods than desired.
    Surplus {
        /// How many too many.
        surplus: i32,
    },
    /// The rest of the pods is of an old revision until somebody deletes them: `updateStrategy: OnDelete`.
    AwaitsDeletion {
        /// How many.
        old: i32,
    },
    /// It is over.
    Complete {
        /// How many pods a StatefulSet's partition keeps at an old revision.
        kept: i32,
    },
}

/// The state of a workload's rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RolloutState {
    /// What it waits for.
    pub progress: Progress,
    /// The pods.
    #[serde(rename = "pods")]
    pub counts: Counts,
    /// Whether a Deployment's rollouts are paused: then a new template changes nothing.
    pub paused: bool,
    /// How pods are replaced.
    pub strategy: Strategy,
    /// Why the controller cannot make pods, in its words: a quota, a policy, a missing service account. Only Deployments
    /// say so; of a StatefulSet it stands in Events.
    pub failure: Option<String>,
}

impl RolloutState {
    /// The state of a Deployment.
    pub(in crate::cluster) fn of_deployment(deployment: &Deployment) -> Self {
        let spec = deployment.spec.clone().unwrap_or_default();
        let status = deployment.status.clone().unwrap_or_default();
        let counts = Counts {
            desired: spec.replicas.unwrap_or(1),
            total: status.replicas.unwrap_or_default(),
            updated: status.updated_replicas.unwrap_or_default(),
            ready: status.ready_replicas.unwrap_or_default(),
            available: status.available_replicas.unwrap_or_default(),
        };
        let condition = |kind: &str| status.conditions.iter().flatten().find(|condition| condition.type_ == kind);
        let overdue =
            condition("Progressing").filter(|it| it.reason.as_deref() == Some("ProgressDeadlineExceeded")).map(message);
        let observed = deployment.metadata.generation <= status.observed_generation;
        let recreate = spec.strategy.and_then(|strategy| strategy.type_).as_deref() == Some("Recreate");
        Self {
            progress: progress_of_deployment(observed, overdue, &counts),
            counts,
            paused: spec.paused == Some(true),
            strategy: if recreate { Strategy::Recreate } else { Strategy::RollingUpdate },
            failure: condition("ReplicaFailure").filter(|it| it.status == "True").map(message),
        }
    }

    /// The state of a StatefulSet.
    pub(in crate::cluster) fn of_stateful_set(set: &StatefulSet) -> Self {
        let spec = set.spec.clone().unwrap_or_default();
        let status = set.status.clone().unwrap_or_default();
        let counts = Counts {
            desired: spec.replicas.unwrap_or(1),
            total: status.replicas,
            updated: status.updated_replicas.unwrap_or_default(),
            ready: status.ready_replicas.unwrap_or_default(),
            available: status.available_replicas.unwrap_or_default(),
        };
        let strategy = spec.update_strategy.unwrap_or_default();
        let partition = strategy.rolling_update.and_then(|it| it.partition).unwrap_or_default().max(0);
        let on_delete = strategy.type_.as_deref() == Some("OnDelete");
        // A StatefulSet that was never looked at has no observed generation.
        let observed = status.observed_generation.is_some_and(|seen| Some(seen) >= set.metadata.generation);
        let same_revision = status.current_revision == status.update_revision;
        Self {
            progress: progress_of_stateful_set(observed, on_delete, partition, same_revision, &counts),
            counts,
            paused: false,
            strategy: if on_delete { Strategy::OnDelete } else { Strategy::RollingUpdate },
            failure: None,
        }
    }

    /// Whether the rollout is over: all pods that are to be of the newest revision are, and are available.
    pub fn is_complete(&self) -> bool {
        matches!(self.progress, Progress::Complete { .. })
    }

    /// Whether there are as many pods as desired and all are ready, of whatever revision: what scaling asks for.
    pub fn is_at_scale(&self) -> bool {
        let Counts { desired, total, ready, .. } = self.counts;
        !matches!(self.progress, Progress::Unobserved) && total == desired && ready == desired
    }
}

/// `2 of 3 pods updated`, `complete`: in a few words, without the workload's name.
impl fmt::Display for RolloutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.progress {
            Progress::Unobserved => f.write_str("not seen by its controller yet"),
            Progress::DeadlineExceeded { message } => write!(f, "progress deadline exceeded: {message}"),
            Progress::Updating { updated, wanted } => write!(f, "{updated} of {wanted} pods updated"),
            Progress::OldRemaining { old } => write!(f, "{} to go", pods(*old, "old ")),
            Progress::Unavailable { available, wanted } => write!(f, "{available} of {wanted} pods available"),
            Progress::Surplus { surplus } => write!(f, "{} too many", pods(*surplus, "")),
            Progress::AwaitsDeletion { old } => write!(f, "{} until they are deleted by hand", pods(*old, "old ")),
            Progress::Complete { kept: 0 } => f.write_str("complete"),
            Progress::Complete { kept } => write!(f, "complete; its partition keeps {}", pods(*kept, "old ")),
        }?;
        if self.paused { f.write_str(", paused") } else { Ok(()) }
    }
}

fn pods(number: i32, which: &str) -> String {
    format!("{number} {which}pod{}", if number == 1 { "" } else { "s" })
}

fn message(condition: &DeploymentCondition) -> String {
    condition.message.clone().or_else(|| condition.reason.clone()).unwrap_or_default()
}

fn progress_of_deployment(observed: bool, overdue: Option<String>, counts: &Counts) -> Progress {
    let Counts { desired, total, updated, available, .. } = *counts;
    if !observed {
        return Progress::Unobserved;
    }
    if let Some(message) = overdue {
        return Progress::DeadlineExceeded { message };
    }
    if updated < desired {
        Progress::Updating { updated, wanted: desired }
    } else if total > updated {
        Progress::OldRemaining { old: total - updated }
    } else if available < updated.min(desired) {
        Progress::Unavailable { available, wanted: updated.min(desired) }
    } else if total > desired {
        Progress::Surplus { surplus: total - desired }
    } else {
        Progress::Complete { kept: 0 }
    }
}

fn progress_of_stateful_set(
    observed: bool,
    on_delete: bool,
    partition: i32,
    same_revision: bool,
    counts: &Counts,
) -> Progress {
    let Counts { desired, total, updated, ready, .. } = *counts;
    // Below the partition pods keep their revision; a StatefulSet whose pods are all of one has nothing to update.
    let wanted = if same_revision { 0 } else { (desired - partition).max(0) };
    let old = if same_revision { 0 } else { (total - updated).max(0) };
    if !observed {
        Progress::Unobserved
    } else if on_delete && old > 0 {
        Progress::AwaitsDeletion { old }
    } else if !on_delete && updated < wanted {
        Progress::Updating { updated, wanted }
    } else if ready < desired {
        Progress::Unavailable { available: ready, wanted: desired }
    } else if total > desired {
        Progress::Surplus { surplus: total - desired }
    } else {
        Progress::Complete { kept: old }
    }
}

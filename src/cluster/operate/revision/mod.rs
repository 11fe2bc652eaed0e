//! The revisions of a workload: the templates it had, from its ReplicaSets or its ControllerRevisions; and going back to
//! one of them.

mod back;
mod difference;
mod read;
#[cfg(test)]
mod tests;

use std::fmt;

use k8s_openapi::{api::core::v1::PodTemplateSpec, jiff::Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::error::Error;

/// A template a workload had.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Revision {
    /// Its number. A Deployment that goes back to a template gives it a new one.
    pub number: i64,
    /// The ReplicaSet or ControllerRevision that keeps it.
    pub name: String,
    /// Whether it is what the workload has now.
    pub current: bool,
    /// The image of the app's container.
    pub image: String,
    /// The same by digest, where a pod runs it.
    pub image_id: Option<String>,
    /// When it first was: of one that was gone back to, that was long ago.
    pub created: Option<Timestamp>,
    /// Why, if somebody wrote that into `kubernetes.io/change-cause`.
    pub cause: Option<String>,
    /// How many pods it has; absent when that is not known.
    pub pods: Option<usize>,
    /// How many of them are ready.
    pub ready: Option<usize>,
    /// The numbers it had before.
    pub earlier: Vec<i64>,
    /// What is other than in the revision before it; absent of the oldest.
    pub changes: Option<Vec<TemplateChange>>,
    /// A pod of it that is ready, and its container that is the app's.
    #[serde(skip)]
    pub ready_pod: Option<(String, String)>,
    /// The template, without what tells revisions apart.
    #[serde(skip)]
    pub(crate) template: Value,
}

/// The revisions of a workload.
#[derive(Clone, Debug)]
pub struct Revisions {
    /// The role.
    pub role: String,
    /// The workload: `deployment/web`.
    pub workload: String,
    /// They, the newest first.
    pub all: Vec<Revision>,
    /// Why their pods are not known: they may not be listed.
    pub no_pods: Option<Error>,
}

/// What is other in a template than in the one before. No values: they may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TemplateChange {
    /// The image of a container.
    Image {
        /// The container.
        container: String,
        /// Its image before; absent of a new container.
        from: Option<String>,
        /// Its image since; absent when the container is gone.
        to: Option<String>,
    },
    /// A variable was added.
    VariableAdded {
        /// Its name; of all of a ConfigMap or Secret, that one's: `ConfigMap app`.
        name: String,
    },
    /// A variable is gone.
    VariableRemoved {
        /// Its name.
        name: String,
    },
    /// A variable has another value, or comes from elsewhere.
    VariableChanged {
        /// Its name.
        name: String,
    },
    /// It was restarted: `kubectl rollout restart`, `kdj restart`.
    Restarted,
    /// A container's command or arguments.
    Command {
        /// The container.
        container: String,
    },
    /// What a container asks for, and may take.
    Resources {
        /// The container.
        container: String,
    },
    /// How a container is probed.
    Probes {
        /// The container.
        container: String,
    },
    /// The volumes.
    Volumes,
    /// Anything else.
    Other,
}

impl fmt::Display for TemplateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { from: Some(from), to: Some(to), .. } => write!(f, "image {from} -> {to}"),
            Self::Image { container, from: None, .. } => write!(f, "+container {container}"),
            Self::Image { container, .. } => write!(f, "-container {container}"),
            Self::VariableAdded { name } => write!(f, "+{name}"),
            Self::VariableRemoved { name } => write!(f, "-{name}"),
            Self::VariableChanged { name } => write!(f, "~{name}"),
            Self::Restarted => write!(f, "restart"),
            Self::Command { container } => write!(f, "command of `{container}`"),
            Self::Resources { container } => write!(f, "resources of `{container}`"),
            Self::Probes { container } => write!(f, "probes of `{container}`"),
            Self::Volumes => write!(f, "volumes"),
            Self::Other => write!(f, "other parts of the template"),
        }
    }
}

/// What is other in `new` than in `old`.
pub(in crate::cluster) fn template_changes(old: &PodTemplateSpec, new: &PodTemplateSpec) -> Vec<TemplateChange> {
    let json = |template: &PodTemplateSpec| read::clean(&serde_json::to_value(template).unwrap_or_default());
    difference::between(&json(old), &json(new))
}

impl Revision {
    /// Whether its pods would be like those of the other: a restart is no difference.
    pub fn is_like(&self, other: &Self) -> bool {
        difference::between(&other.template, &self.template).iter().all(|it| *it == TemplateChange::Restarted)
    }

    /// What is other in it than in `other`.
    pub fn changes_from(&self, other: &Self) -> Vec<TemplateChange> {
        difference::between(&other.template, &self.template)
    }
}

impl Revisions {
    /// What the workload has now.
    pub fn current(&self) -> Option<&Revision> {
        self.all.iter().find(|revision| revision.current)
    }
}

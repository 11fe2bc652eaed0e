//! The workloads of an environment as their own objects describe them, to scale, to restart and to roll back.

mod change;
mod follow;
mod read;
mod revision;
mod trouble;

use serde_json::Value;

pub(super) use self::revision::template_changes;
#[cfg(test)]
pub use self::trouble::PodTrouble;
pub use self::{
    change::{Replicas, restart_patch},
    follow::{Follow, PodView, Told, View},
    read::Workloads,
    revision::{Revision, Revisions, TemplateChange},
};
use super::{
    Kind,
    manager::{Autoscaler, Manager},
    rollout::RolloutState,
    target::{Controller, Owner},
};

/// A Deployment or StatefulSet of an environment.
#[derive(Clone, Debug)]
pub struct Operated {
    /// The role.
    pub role: String,
    /// Its kind.
    pub kind: Kind,
    /// The workload: `deployment/web`.
    pub workload: String,
    /// How far its rollout is, and how many pods it has.
    pub rollout: RolloutState,
    /// Who else manages it, who undoes changes soonest first.
    pub managers: Vec<Manager>,
    /// What sets its replicas, if anything does.
    pub autoscaler: Option<Autoscaler>,
    /// How many seconds a pod gets to end.
    pub grace: i64,
    /// The command lines of its containers, in words.
    pub commands: Vec<Vec<String>>,
    /// The images of its containers, in order, without those that are known companions of apps, such as proxies.
    pub images: Vec<String>,
    /// Whether it is being deleted.
    pub deleting: bool,
    owner: Owner,
    /// The role its name alone would give it.
    short_name: String,
    namespace: String,
    uid: String,
    version: String,
    /// How often its specification had changed.
    generation: i64,
    /// The label selector of its pods.
    selector: String,
    /// A Deployment's `spec.strategy`.
    strategy: Value,
    /// Whether no pod is replaced while another one is not ready: a StatefulSet with `podManagementPolicy: OrderedReady`.
    in_order: bool,
}

impl Operated {
    /// Whether `name` means this workload and no other of its role: `web-blue`, `deployment/web-blue`.
    pub fn is_called(&self, name: &str) -> bool {
        self.owner.name == name || self.workload == name
    }

    /// Whether `name` means it in any way: by its role, its own name, or what its name would make its role.
    pub fn is_meant_by(&self, name: &str) -> bool {
        self.role == name || self.is_called(name) || self.short_name == name
    }

    /// How many replicas it should have.
    pub fn replicas(&self) -> i32 {
        self.rollout.counts.desired
    }

    /// Whether its Celery workers start periodic tasks, too (`celery worker -B`): each of its pods is a beat.
    pub fn embeds_beat(&self) -> bool {
        self.commands.iter().any(|words| embeds_beat(words))
    }

    /// Whether it is a Deployment.
    pub fn is_deployment(&self) -> bool {
        self.owner.controller == Controller::Deployment
    }

    /// Whether a pod that is broken keeps all from being replaced, itself included: so it is with StatefulSets, unless their
    /// `podManagementPolicy` is `Parallel`.
    pub fn waits_for_broken_pods(&self) -> bool {
        self.in_order
    }

    /// A Deployment's strategy as it was read, in JSON.
    pub fn strategy_json(&self) -> String {
        self.strategy.to_string()
    }

    /// Whether its workers are Celery's.
    pub fn is_celery(&self) -> bool {
        self.commands.iter().any(|words| words.iter().any(|word| word == "celery"))
    }
}

fn embeds_beat(words: &[String]) -> bool {
    let celery = words.iter().position(|word| word == "celery");
    let rest = celery.map_or(&[][..], |at| &words[at..]);
    // `-B`, and among the worker's other options of one letter that take no value: `-EB`, `-Blinfo`.
    let is_flag = |word: &String| {
        word == "--beat"
            || word.strip_prefix('-').is_some_and(|letters| {
                letters.chars().take_while(|letter| matches!(letter, 'B' | 'D' | 'E')).any(|letter| letter == 'B')
            })
    };
    rest.iter().any(|word| word == "worker") && rest.iter().any(is_flag)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_beat_inside_a_worker_is_told_by_its_option() {
        for (line, expected) in [
            ("celery -A shop worker -B", true),
            ("celery -A shop worker --beat", true),
            ("celery -A shop worker -BE -l info", true),
            ("celery -A shop worker -EBlinfo", true),
            ("celery -A shop worker -l info -Q Bills", false),
            ("celery -A shop worker -QBills --Blue", false),
            ("celery -A shop beat", false),
            ("gunicorn -B worker", false),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(super::embeds_beat(&words), expected, "{line}");
        }
    }
}

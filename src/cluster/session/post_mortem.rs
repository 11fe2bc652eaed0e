//! Why a session ended badly: read from what the cluster still knows about the pod, its container and its workload.

use std::time::Duration;

use k8s_openapi::{
    api::{
        apps::v1::ReplicaSet,
        core::v1::{ContainerState, ContainerStateTerminated, Event, Pod},
    },
    jiff::Timestamp,
};
use kube::{ResourceExt, api::ListParams};
use tokio::time::sleep;

use super::super::{Cluster, Target};

/// The annotation in which the Deployment controller numbers its ReplicaSets.
const REVISION: &str = "deployment.kubernetes.io/revision";
/// How often the cluster is asked: the kubelet reports a dead container a second or two later.
const ATTEMPTS: u32 = 5;
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(500);
/// A container that ended longer ago than this did not end the session.
const RECENT: Duration = Duration::from_secs(60);

/// What the pod's own object says.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// The reason, as a sentence.
    Reason(String),
    /// The pod is gone or going: its workload or its events know why.
    Deleted,
    /// Nothing stands out; it may be too early.
    Nothing,
}

impl Cluster {
    /// Finds out why a session in `target` ended; `killed` says that the process ended by SIGKILL. `None` when nothing
    /// stands out, or the cluster cannot be asked.
    pub async fn why_ended(&self, target: &Target, killed: bool) -> Option<String> {
        let mut pod = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(PAUSE).await;
            }
            pod = self.get::<Pod>(&target.namespace, &target.pod).await.ok()?;
            match read_pod(pod.as_ref(), target, Timestamp::now()) {
                Finding::Reason(reason) => return Some(reason),
                Finding::Deleted => return Some(self.why_deleted(target).await),
                Finding::Nothing => {}
            }
        }
        let limit = memory_limit(pod.as_ref()?, &target.container);
        killed.then(|| match limit {
            Some(limit) => format!(
                "it was killed (SIGKILL), most likely for want of memory: the limit of container `{}` is {limit}",
                target.container
            ),
            None => "it was killed (SIGKILL); the container itself still runs".to_owned(),
        })
    }

    /// The rollout, the eviction or the plain deletion that took the pod away.
    async fn why_deleted(&self, target: &Target) -> String {
        let by_name = format!("involvedObject.name={}", target.pod);
        let events = self.list_matching::<Event>(&target.namespace, &ListParams::default().fields(&by_name)).await;
        if let Some(reason) = events.ok().as_deref().and_then(read_events) {
            return format!("pod {} was evicted: {reason}", target.pod);
        }
        let sets = self.list::<ReplicaSet>(&target.namespace, None).await.unwrap_or_default();
        match read_rollout(&sets, target) {
            Some((from, to)) => {
                format!("a rollout of {} from revision {from} to {to} replaced pod {}", target.workload, target.pod)
            }
            None => format!("pod {} was deleted", target.pod),
        }
    }
}

fn read_pod(pod: Option<&Pod>, target: &Target, now: Timestamp) -> Finding {
    let Some(pod) = pod.filter(|pod| pod.uid().as_deref() == Some(&target.pod_uid)) else { return Finding::Deleted };
    let status = pod.status.clone().unwrap_or_default();
    let name = &target.pod;
    let message = status.message.clone().unwrap_or_default();
    match status.reason.as_deref() {
        Some("Evicted") => return Finding::Reason(format!("pod {name} was evicted: {message}")),
        Some("NodeLost") => return Finding::Reason(format!("the node of pod {name} is lost: {message}")),
        _ => {}
    }
    let disrupted = status.conditions.iter().flatten().find(|c| c.type_ == "DisruptionTarget" && c.status == "True");
    if let Some(condition) = disrupted {
        let reason = condition.message.as_deref().or(condition.reason.as_deref()).unwrap_or("no reason given");
        return Finding::Reason(format!("pod {name} was disrupted: {reason}"));
    }
    let mut statuses = status.container_statuses.iter().flatten();
    if let Some(container) = statuses.find(|status| status.name == target.container) {
        let ended = [&container.state, &container.last_state].into_iter().flatten().find_map(recently_ended(now));
        if let Some(ended) = ended {
            return Finding::Reason(container_ended(pod, target, ended));
        }
    }
    if pod.metadata.deletion_timestamp.is_some() { Finding::Deleted } else { Finding::Nothing }
}

fn recently_ended(now: Timestamp) -> impl Fn(&ContainerState) -> Option<&ContainerStateTerminated> {
    move |state| {
        let ended = state.terminated.as_ref()?;
        let at = ended.finished_at.as_ref()?.0;
        (now.duration_since(at).unsigned_abs() < RECENT).then_some(ended)
    }
}

fn container_ended(pod: &Pod, target: &Target, ended: &ContainerStateTerminated) -> String {
    let container = &target.container;
    if ended.reason.as_deref() == Some("OOMKilled") {
        let limit =
            memory_limit(pod, container).map(|limit| format!(", its memory limit is {limit}")).unwrap_or_default();
        return format!("container `{container}` was OOMKilled{limit}");
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return format!("pod {} is being deleted", target.pod);
    }
    format!("container `{container}` ended with exit code {} and was restarted or will be", ended.exit_code)
}

fn memory_limit(pod: &Pod, container: &str) -> Option<String> {
    let container = pod.spec.as_ref()?.containers.iter().find(|candidate| candidate.name == container)?;
    Some(container.resources.as_ref()?.limits.as_ref()?.get("memory")?.0.clone())
}

/// An event that tells of an eviction, a preemption or a lost node.
fn read_events(events: &[Event]) -> Option<String> {
    const REASONS: [&str; 5] = ["Evicted", "Preempted", "TaintManagerEviction", "NodeNotReady", "NodeShutdown"];
    let event = events.iter().find(|event| event.reason.as_deref().is_some_and(|reason| REASONS.contains(&reason)))?;
    event.message.clone()
}

/// The revision the pod was of and the newest one, when they differ.
fn read_rollout(sets: &[ReplicaSet], target: &Target) -> Option<(i64, i64)> {
    let owner = |set: &ReplicaSet| {
        set.owner_references().iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
    };
    let revision = |set: &ReplicaSet| set.annotations().get(REVISION)?.parse::<i64>().ok();
    // A pod is named after its ReplicaSet and five characters more.
    let (set_name, _) = target.pod.rsplit_once('-')?;
    let set = sets.iter().find(|set| set.name_any() == set_name)?;
    let from = revision(set)?;
    let to = sets.iter().filter(|other| owner(other) == owner(set)).filter_map(revision).max()?;
    (to > from).then_some((from, to))
}

//! Why a session ended badly: read from what the cluster still knows about the pod, its container and its workload.

use std::time::Duration;

use k8s_openapi::{
    api::{
        apps::v1::ReplicaSet,
        core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Event, Node, Pod},
    },
    apimachinery::pkg::apis::meta::v1::OwnerReference,
    jiff::Timestamp,
};
use kube::{Api, ResourceExt, api::ListParams};
use tokio::time::{sleep, timeout};

use super::super::{
    Cluster, Target,
    request::repeatable,
    target::{TEMPLATE_HASH, killed_without_evidence, oom_killed, revision_number},
};

#[cfg(test)]
mod tests;

/// How often the cluster is asked: the kubelet reports a dead container a second or so later.
const ATTEMPTS: u32 = 6;
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(500);
/// How long all of it may take; whoever waits wants the prompt back.
const TIME_LIMIT: Duration = Duration::from_secs(4);
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
        let found = timeout(TIME_LIMIT, self.find_reason(target, killed, &mut pod)).await.ok().flatten();
        found.or_else(|| killed.then(|| killed_without_evidence(pod.as_ref(), &target.container)))
    }

    /// Asks until a reason stands out, and leaves in `seen` the pod as it was last.
    async fn find_reason(&self, target: &Target, killed: bool, seen: &mut Option<Pod>) -> Option<String> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(PAUSE).await;
            }
            let pod = self.get::<Pod>(&target.namespace, &target.pod).await.ok()?;
            let restarts = seen.as_ref().map(|pod| restarts(pod, &target.container));
            match read_pod(pod.as_ref(), target, restarts, Timestamp::now()) {
                Finding::Reason(reason) => return Some(reason),
                Finding::Deleted => return Some(self.why_deleted(target).await),
                Finding::Nothing => *seen = pod,
            }
        }
        if killed {
            let events = self.events(target).await;
            return find_event(&events, |reason| reason.starts_with("OOM"));
        }
        let name = seen.as_ref()?.spec.as_ref()?.node_name.clone()?;
        let nodes = Api::<Node>::all(self.client.clone());
        let what = format!("get nodes/{name}");
        let node = repeatable(&what, &self.place, &self.observer, || nodes.get_opt(&name)).await;
        // Few people may read nodes.
        read_node(&node.ok().flatten()?, target)
    }

    /// The rollout, the eviction or the plain deletion that took the pod away.
    async fn why_deleted(&self, target: &Target) -> String {
        const REASONS: [&str; 5] = ["Evicted", "Preempted", "TaintManagerEviction", "NodeNotReady", "NodeShutdown"];
        let events = self.events(target).await;
        if let Some(reason) = find_event(&events, |reason| REASONS.contains(&reason)) {
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

    /// The events of this very pod; none when they may not be read.
    async fn events(&self, target: &Target) -> Vec<Event> {
        let own = ListParams::default().fields(&format!("involvedObject.uid={}", target.pod_uid));
        self.list_matching(&target.namespace, &own).await.unwrap_or_default()
    }
}

/// `restarts` is how often the container had been restarted when it was looked at first.
fn read_pod(pod: Option<&Pod>, target: &Target, restarts: Option<i32>, now: Timestamp) -> Finding {
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
    let is_going = pod.metadata.deletion_timestamp.is_some();
    if let Some(container) = status_of(pod, &target.container) {
        let restarted = restarts.is_some_and(|before| container.restart_count > before);
        let ended = |state| just_ended(state, now, restarted);
        let ended = [&container.state, &container.last_state].into_iter().flatten().find_map(ended);
        match ended {
            Some(ended) if ended.reason.as_deref() == Some("OOMKilled") => {
                return Finding::Reason(oom_killed(pod, &container.name));
            }
            Some(ended) if !is_going => {
                let (name, code) = (&container.name, ended.exit_code);
                let reason = format!("container `{name}` ended with exit code {code} and was restarted or will be");
                return Finding::Reason(reason);
            }
            // A container whose pod goes ends with it.
            _ => {}
        }
    }
    if is_going { Finding::Deleted } else { Finding::Nothing }
}

fn just_ended(state: &ContainerState, now: Timestamp, restarted: bool) -> Option<&ContainerStateTerminated> {
    let ended = state.terminated.as_ref()?;
    // The clocks of the node and of this machine may differ.
    let recent = |at: Timestamp| now.duration_since(at).unsigned_abs() < RECENT;
    (restarted || ended.finished_at.as_ref().is_some_and(|at| recent(at.0))).then_some(ended)
}

fn status_of<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerStatus> {
    pod.status.as_ref()?.container_statuses.iter().flatten().find(|status| status.name == container)
}

fn restarts(pod: &Pod, container: &str) -> i32 {
    status_of(pod, container).map(|status| status.restart_count).unwrap_or_default()
}

/// The message of an event whose reason is one of those looked for.
fn find_event(events: &[Event], wanted: impl Fn(&str) -> bool) -> Option<String> {
    events.iter().find(|event| event.reason.as_deref().is_some_and(&wanted))?.message.clone()
}

/// A node that is not ready is lost, or about to be.
fn read_node(node: &Node, target: &Target) -> Option<String> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready")?;
    let message = ready.message.as_deref().unwrap_or("no reason given");
    let node = node.name_any();
    (ready.status != "True").then(|| format!("node {node} of pod {} is not ready: {message}", target.pod))
}

/// The revision the pod was of and the newest one, when they differ.
fn read_rollout(sets: &[ReplicaSet], target: &Target) -> Option<(u64, u64)> {
    let hash = target.revision.as_ref()?;
    let owner = |set: &ReplicaSet| set.owner_references().iter().find(|owner| owner.controller == Some(true)).cloned();
    // Two Deployments of the same template have the same hash.
    let is_of_target = |set: &ReplicaSet| owner(set).is_some_and(|owner| target.workload == called(&owner));
    let own = || sets.iter().filter(|set| is_of_target(set));
    let from = revision_number(own().find(|set| set.labels().get(TEMPLATE_HASH) == Some(hash))?)?;
    let to = own().filter_map(revision_number).max()?;
    (to > from).then_some((from, to))
}

/// `deployment/web`, as [`Target::workload`] has it.
fn called(owner: &OwnerReference) -> String {
    format!("{}/{}", owner.kind.to_lowercase(), owner.name)
}

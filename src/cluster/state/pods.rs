//! From a pod to what the status says of it; pure.

use k8s_openapi::{
    api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod},
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{
    super::target::{self, describe, image_of, memory_limit, revision_of},
    roles::count_of,
};
use crate::status::{self, Container, Exit, Role, Waiting};

/// What the status says of a pod.
pub(super) fn of(pod: &Pod, role: &Role, now: Timestamp) -> status::Pod {
    let containers: Vec<Container> = statuses(pod).map(|(init, status)| container(pod, init, status)).collect();
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let unscheduled = conditions.into_iter().find(|it| it.type_ == "PodScheduled" && it.status == "False");
    let unschedulable = unscheduled.filter(|it| it.reason.as_deref() == Some("Unschedulable"));
    status::Pod {
        name: pod.name_any(),
        role: role.name.clone(),
        workload: role.workload.clone(),
        phase: target::phase(pod).to_owned(),
        ready: target::is_ready(pod),
        reason: describe(pod, now),
        restarts: containers.iter().map(|container| container.restarts).sum(),
        last_exit: last_exit(pod),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        created: target::created(pod),
        terminating: pod.metadata.deletion_timestamp.as_ref().map(|time| time.0),
        revision: revision_of(pod).map(str::to_owned),
        outdated: false,
        abandoned: is_abandoned(pod),
        unschedulable: unschedulable.map(|it| one_line(it.message.as_deref().unwrap_or_default())),
        containers,
    }
}

/// Whether nothing is heard of the pod's node: then the node controller makes it unready, and leaves its containers as they
/// were. A kubelet that answers says why it is unready.
fn is_abandoned(pod: &Pod) -> bool {
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let unready = conditions.any(|it| it.type_ == "Ready" && it.status == "False" && it.reason.is_none());
    let mut own = statuses(pod).filter(|(init, _)| !init).peekable();
    unready && target::phase(pod) == "Running" && own.peek().is_some() && own.all(|(_, status)| status.ready)
}

/// The containers of a pod and whether each is an init container, those first. An init container that stays (a native
/// sidecar) is one like the others.
pub(super) fn statuses(pod: &Pod) -> impl Iterator<Item = (bool, &ContainerStatus)> {
    let stays = move |name: &str| {
        let mut init = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
        init.any(|container| container.name == name && container.restart_policy.as_deref() == Some("Always"))
    };
    let status = pod.status.iter();
    status.flat_map(move |status| {
        let init = status.init_container_statuses.iter().flatten();
        let init = init.map(move |status| (!stays(&status.name), status));
        init.chain(status.container_statuses.iter().flatten().map(|status| (false, status)))
    })
}

/// How a container of the pod ended the last time, and was started again or will be. An init container that is done is
/// none.
pub(super) fn last_exit(pod: &Pod) -> Option<Exit> {
    let ended = statuses(pod).filter_map(|(init, status)| {
        let now = terminated(status.state.as_ref()).filter(|_| !init);
        now.or_else(|| terminated(status.last_state.as_ref()))
    });
    ended.map(exit).max_by_key(|exit| exit.at)
}

fn container(pod: &Pod, init: bool, status: &ContainerStatus) -> Container {
    let state = status.state.as_ref();
    let waiting = state.and_then(|state| state.waiting.as_ref());
    Container {
        name: status.name.clone(),
        init,
        image: image_of(pod, &status.name),
        ready: status.ready,
        running_since: state.and_then(|state| state.running.as_ref()?.started_at.as_ref()).map(|time| time.0),
        waiting: waiting.map(|waiting| Waiting {
            reason: waiting.reason.clone().unwrap_or_default(),
            message: one_line(waiting.message.as_deref().unwrap_or_default()),
        }),
        exit: terminated(state).map(exit),
        last_exit: terminated(status.last_state.as_ref()).map(exit),
        restarts: count_of(status.restart_count),
        memory_limit: memory_limit(pod, &status.name),
        starting: state.is_some_and(|state| state.running.is_some())
            && status.started == Some(false)
            && has_startup_probe(pod, &status.name),
    }
}

fn has_startup_probe(pod: &Pod, name: &str) -> bool {
    let containers = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
    let mut own = containers.filter(|container| container.name == name);
    own.any(|container| container.startup_probe.is_some())
}

fn terminated(state: Option<&ContainerState>) -> Option<&ContainerStateTerminated> {
    state.and_then(|state| state.terminated.as_ref())
}

fn exit(terminated: &ContainerStateTerminated) -> Exit {
    let code = match (terminated.exit_code, terminated.signal) {
        (0, Some(signal)) if signal > 0 => 128 + signal,
        (code, _) => code,
    };
    Exit {
        code,
        reason: terminated.reason.clone().unwrap_or_default(),
        at: terminated.finished_at.as_ref().map(|time| time.0),
        began: terminated.started_at.as_ref().map(|time| time.0),
    }
}

/// The cluster's words on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

//! What keeps a workload's pods from being ready, and whether waiting will change it.

use k8s_openapi::{
    api::core::v1::{ContainerStatus, Event, Pod},
    jiff::Timestamp,
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, LogParams},
};

use super::{
    super::{Cluster, request::repeatable},
    Operated, PodView,
};

/// Reasons of containers that wait; the kubelet goes on trying, but something has to change first.
const FATAL: [&str; 7] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// How much of a crashed container's log is read.
const TAIL: i64 = 20;

/// The container of a pod that will not run as it is, and whether it ran and crashed.
pub(super) fn fatal(pod: &Pod) -> Option<(String, bool)> {
    let status = pod.status.as_ref()?;
    let all = status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    let waits = |container: &&ContainerStatus| {
        let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
        waiting.and_then(|waiting| waiting.reason.as_deref()).is_some_and(|reason| FATAL.contains(&reason))
    };
    all.into_iter().find(waits).map(|container| {
        let ran = container.last_state.as_ref().is_some_and(|last| last.terminated.is_some());
        (container.name.clone(), ran)
    })
}

impl Cluster {
    /// The last line a pod's crashed container wrote: of a Python program the exception. `None` when it has not crashed,
    /// or its log may not be read.
    pub async fn last_words(&self, workload: &Operated, pod: &PodView) -> Option<String> {
        let (container, true) = pod.fatal.clone()? else { return None };
        let api = Api::<Pod>::namespaced(self.client.clone(), &workload.namespace);
        let parameters =
            LogParams { container: Some(container), previous: true, tail_lines: Some(TAIL), ..LogParams::default() };
        let what = format!("read the log of {}", pod.name);
        let log = repeatable(&what, &self.place, &self.observer, || api.logs(&pod.name, &parameters)).await.ok()?;
        log.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
    }

    /// The last warning about a workload, or one of its pods: `FailedCreate: …`, `Unhealthy: …`. `None` when there is
    /// none since `since`, or events may not be read.
    pub async fn last_warning(&self, workload: &Operated, pod: Option<&PodView>, since: Timestamp) -> Option<String> {
        let uid = pod.map_or(&workload.uid, |pod| &pod.uid);
        let own = ListParams::default().fields(&format!("involvedObject.uid={uid},type=Warning"));
        let events = self.list_matching::<Event>(&workload.namespace, &own).await.ok()?;
        let when = |event: &Event| {
            let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
            let last = event.last_timestamp.as_ref().map(|time| time.0);
            series
                .max(last)
                .max(event.event_time.as_ref().map(|time| time.0))
                .or(event.creation_timestamp().map(|it| it.0))
        };
        let last = events.into_iter().filter(|event| when(event) >= Some(since)).max_by_key(when)?;
        Some(format!("{}: {}", last.reason.unwrap_or_default(), last.message.unwrap_or_default().trim()))
    }
}

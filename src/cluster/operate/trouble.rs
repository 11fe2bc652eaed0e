//! What keeps a workload's pods from being ready, and whether waiting will change it.

use std::time::Duration;

use k8s_openapi::{
    api::core::v1::{Event, Pod},
    jiff::Timestamp,
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, LogParams},
};

use super::{
    super::{Cluster, job::patience, request::repeatable},
    Operated, PodView,
};

/// How much of a crashed container's log is read: a traceback's beginning must be in it.
const LINES: i64 = 400;
const BYTES: i64 = 256 << 10;

/// A container that does not run, and hardly will as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodTrouble {
    /// The container.
    pub container: String,
    /// Whether it ran, and crashed.
    pub ran: bool,
    /// How long that may last: registries and runtimes have their moments.
    pub patience: Duration,
}

/// The first container of a pod that is in trouble.
pub(super) fn trouble(pod: &Pod) -> Option<PodTrouble> {
    let status = pod.status.as_ref()?;
    let all = status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    let mut found = all.filter_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        let patience = match waiting.reason.as_deref() {
            Some("CrashLoopBackOff") => Duration::ZERO,
            _ => patience(waiting)?,
        };
        let ran = container.last_state.as_ref().is_some_and(|last| last.terminated.is_some());
        Some(PodTrouble { container: container.name.clone(), ran, patience })
    });
    found.next()
}

impl Cluster {
    /// The end of what a pod's crashed container wrote. `None` when it has not crashed, or its log may not be read.
    pub async fn crash_log(&self, workload: &Operated, pod: &PodView) -> Option<String> {
        let trouble = pod.trouble.as_ref().filter(|trouble| trouble.ran)?;
        let api = Api::<Pod>::namespaced(self.client.clone(), &workload.namespace);
        let parameters = LogParams {
            container: Some(trouble.container.clone()),
            previous: true,
            tail_lines: Some(LINES),
            limit_bytes: Some(BYTES),
            ..LogParams::default()
        };
        let what = format!("read the log of {}", pod.name);
        repeatable(&what, &self.place, &self.observer, || api.logs(&pod.name, &parameters)).await.ok()
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::target::fixtures::object;

    fn patience_with(waiting: Value) -> Option<u64> {
        let container = json!({"name": "app", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {"waiting": waiting}});
        let found = trouble(&object(json!({"status": {"containerStatuses": [container]}})));
        found.map(|trouble| trouble.patience.as_secs())
    }

    #[test]
    fn what_may_heal_is_given_time() {
        for (reason, message, expected) in [
            ("CrashLoopBackOff", "back-off 10s restarting failed container", Some(0)),
            ("ErrImagePull", "manifest for shop:2 not found", Some(0)),
            ("ImagePullBackOff", "dial tcp: i/o timeout", Some(60)),
            ("CreateContainerError", "context deadline exceeded", Some(60)),
            ("CreateContainerConfigError", "configmap \"app\" not found", Some(0)),
            ("CreateContainerConfigError", "failed to sync configmap cache: timed out", None),
            ("ContainerCreating", "", None),
        ] {
            assert_eq!(patience_with(json!({"reason": reason, "message": message})), expected, "{reason}: {message}");
        }
    }
}

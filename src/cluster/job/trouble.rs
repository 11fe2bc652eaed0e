//! Why a Job does not start, as far as only events know: no pod may be made, no volume mounted.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{ResourceExt, api::ListParams};

use super::{super::Cluster, JobHandle};

/// Words of messages that waiting does not change.
const HOPELESS: [&str; 4] =
    ["violates PodSecurity", "serviceaccount", "denied the request", "is forbidden: error looking up"];

/// How long a Job may be refused its pod, or a pod lack what it mounts, before that counts as final.
const REFUSAL_LIMIT: Duration = Duration::from_secs(10);

/// What an event says.
pub(super) struct Trouble {
    pub(super) message: String,
    /// How long it is worth to wait; `None` when it may heal at any time.
    pub(super) patience: Option<Duration>,
}

impl Cluster {
    /// The last warning about the Job, or about its pod when it has one. `None` when there is none, or events may not be
    /// read.
    pub(super) async fn start_trouble(&self, job: &JobHandle, pod: Option<&Pod>) -> Option<Trouble> {
        let uid = pod.and_then(Pod::uid).unwrap_or_else(|| job.uid.clone());
        let own = ListParams::default().fields(&format!("involvedObject.uid={uid},type=Warning"));
        let events = self.list_matching::<Event>(&job.namespace, &own).await.ok()?;
        let last = events.into_iter().max_by_key(|event| {
            let event_time = event.event_time.as_ref().map(|time| time.0);
            event.last_timestamp.as_ref().map(|time| time.0).or(event_time)
        })?;
        let reason = last.reason.unwrap_or_default();
        let message = last.message.unwrap_or_default();
        let patience = patience(&reason, &message, pod.is_some());
        Some(Trouble { message: format!("{reason}: {}", message.trim()), patience })
    }
}

fn patience(reason: &str, message: &str, has_pod: bool) -> Option<Duration> {
    match (reason, has_pod) {
        (_, false) if HOPELESS.iter().any(|words| message.contains(words)) => Some(Duration::ZERO),
        (_, false) => Some(REFUSAL_LIMIT),
        // A Secret or a ConfigMap that a volume is made of.
        ("FailedMount", true) if message.contains("not found") => Some(REFUSAL_LIMIT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_heal_is_not_waited_for() {
        let quota = "pods \"a\" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1";
        let security = "pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true";
        let account =
            "pods \"a\" is forbidden: error looking up service account shop-qa/x: serviceaccount \"x\" not found";
        let volume = "MountVolume.SetUp failed for volume \"s\" : secret \"nosuch\" not found";
        let cache = "MountVolume.SetUp failed for volume \"s\" : failed to sync secret cache: timed out waiting";
        for (reason, message, has_pod, expected) in [
            ("FailedCreate", quota, false, Some(REFUSAL_LIMIT)),
            ("FailedCreate", security, false, Some(Duration::ZERO)),
            ("FailedCreate", account, false, Some(Duration::ZERO)),
            ("FailedMount", volume, true, Some(REFUSAL_LIMIT)),
            ("FailedMount", cache, true, None),
            ("FailedScheduling", "0/1 nodes are available", true, None),
            ("FailedAttachVolume", "Multi-Attach error", true, None),
        ] {
            assert_eq!(patience(reason, message, has_pod), expected, "{message}");
        }
    }
}

//! Why a Job does not start, as far as only events know: no pod may be made, no volume mounted.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{ResourceExt, api::ListParams};

use super::{super::Cluster, JobHandle};

/// Words of messages that waiting does not change.
const HOPELESS: [&str; 4] =
    ["violates PodSecurity", "serviceaccount", "denied the request", "is forbidden: error looking up"];

/// What an event says.
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) hopeless: bool,
}

impl Cluster {
    /// The last warning about the Job, or about its pod when it has one. `None` when there is none, or events may not be
    /// read.
    pub(super) async fn start_trouble(&self, job: &JobHandle, pod: Option<&Pod>) -> Option<Trouble> {
        let uid = pod.and_then(Pod::uid).unwrap_or_else(|| job.uid.clone());
        let own = ListParams::default().fields(&format!("involvedObject.uid={uid},type=Warning"));
        let events = self.list_matching::<Event>(&job.namespace, &own).await.ok()?;
        let last = events.into_iter().max_by_key(|event| {
            (event.last_timestamp.as_ref().map(|time| time.0), event.event_time.as_ref().map(|time| time.0))
        })?;
        let message = last.message.unwrap_or_default();
        let hopeless = pod.is_none() && HOPELESS.iter().any(|words| message.contains(words));
        let reason = last.reason.unwrap_or_default();
        Some(Trouble { message: format!("{reason}: {}", message.trim()), hopeless })
    }
}

//! One pod, of a Job or by name, as it changes.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::{
    super::{
        Cluster,
        watch::{self, Selection, Watch},
    },
    CONTROLLER_UID, JobHandle,
};
use crate::error::Result;

/// What is seen of the pod.
#[derive(Debug)]
pub(in crate::cluster) enum Seen {
    /// The pod as it is now.
    Pod(Box<Pod>),
    /// There was one, and it is gone.
    Gone,
    /// The server does not answer; it is asked again.
    Away(String),
}

/// A watch on the pods of one Job, or on one pod.
pub(in crate::cluster) struct PodWatch<'a> {
    pods: Watch<'a, Pod>,
    had_pod: bool,
}

impl<'a> PodWatch<'a> {
    pub(super) fn new(cluster: &'a Cluster, job: &JobHandle) -> Self {
        let labels = Some(format!("{CONTROLLER_UID}={}", job.uid));
        let selection = Selection { labels, ..Selection::of("the pod", &job.namespace) };
        Self { pods: Watch::new(cluster, selection, job.resource_version.clone()), had_pod: false }
    }

    /// A watch on the pod of this name; who may not watch looks at it after every `look`.
    pub(in crate::cluster) fn of_pod(cluster: &'a Cluster, namespace: &str, name: &str, look: Duration) -> Self {
        let fields = Some(format!("metadata.name={name}"));
        let selection = Selection { fields, look, ..Selection::of("the pod", namespace) };
        // It was there when it was chosen.
        Self { pods: Watch::new(cluster, selection, None), had_pod: true }
    }

    /// Whether the last thing heard is that the server does not answer.
    pub(super) fn is_away(&self) -> bool {
        self.pods.is_away()
    }

    /// Looks at the pod now, whatever the watch has told.
    ///
    /// # Errors
    /// As [`PodWatch::next`].
    pub(super) async fn look(&mut self) -> Result<Option<Seen>> {
        let seen = self.pods.look().await?;
        Ok(seen.and_then(|seen| self.see(seen)))
    }

    /// The next thing seen. Can be dropped and called again at any time.
    ///
    /// # Errors
    /// When the pods may not be listed, or the server has been away for too long.
    pub(in crate::cluster) async fn next(&mut self) -> Result<Seen> {
        loop {
            let seen = self.pods.next().await?;
            if let Some(seen) = self.see(seen) {
                return Ok(seen);
            }
        }
    }

    fn see(&mut self, seen: watch::Seen<Pod>) -> Option<Seen> {
        let pod = match seen {
            // One pod, and never a second: should there be more, the last one counts.
            watch::Seen::All(pods) => pods.into_iter().max_by_key(ResourceExt::creation_timestamp).map(Box::new),
            watch::Seen::One(pod) => Some(pod),
            watch::Seen::Gone(_) => return Some(Seen::Gone),
            watch::Seen::Away(why) => return Some(Seen::Away(why)),
        };
        self.had_pod |= pod.is_some();
        match pod {
            Some(pod) => Some(Seen::Pod(pod)),
            None => self.had_pod.then_some(Seen::Gone),
        }
    }
}

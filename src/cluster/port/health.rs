//! Whether a pod can still be forwarded to: watched, so that the next connection need not ask.

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::ResourceExt;
use tokio::time::sleep;

use super::{
    super::{
        job::pod_watch::{PodWatch, Seen},
        target::{describe, is_ready},
    },
    Cluster, PortOfPod,
};

/// How often who may not watch looks.
const LOOK: Duration = Duration::from_secs(5);
/// How long nobody looks after it could not be looked at at all.
const BLIND: Duration = Duration::from_secs(30);

/// What keeps a pod from being forwarded to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not ready: another may be better.
    NotReady(String),
    /// It is going; what runs there may go on for a while.
    Going(String),
    /// It is gone, and all its connections with it.
    Gone(String),
}

/// A watch on one pod.
pub struct PodHealth<'a> {
    watch: PodWatch<'a>,
    uid: String,
    last: Option<Trouble>,
}

impl Cluster {
    /// Watches the pod.
    pub fn watch_health(&self, found: &PortOfPod) -> PodHealth<'_> {
        let watch = PodWatch::of_pod(self, &found.namespace, &found.pod, LOOK);
        PodHealth { watch, uid: found.pod_uid.clone(), last: None }
    }
}

impl PodHealth<'_> {
    /// The next trouble; never the same one twice. Can be dropped and called again at any time.
    pub async fn trouble(&mut self) -> Trouble {
        loop {
            let trouble = match self.watch.next().await {
                Ok(Seen::Pod(pod)) => trouble_of(&pod, &self.uid),
                Ok(Seen::Gone) => Some(Trouble::Gone("was deleted".to_owned())),
                // Others notice when nothing goes through any more.
                Ok(Seen::Away(_)) => continue,
                // It may not even be looked at, or the server is away for long: the same. It may be back one day.
                Err(_) => {
                    sleep(BLIND).await;
                    continue;
                }
            };
            if trouble != self.last {
                self.last.clone_from(&trouble);
                if let Some(trouble) = trouble {
                    return trouble;
                }
            }
        }
    }
}

/// What keeps the pod from being forwarded to, if anything.
pub(super) fn trouble_of(pod: &Pod, uid: &str) -> Option<Trouble> {
    let status = pod.status.as_ref();
    if pod.uid().is_some_and(|now| now != uid) {
        return Some(Trouble::Gone("was replaced by another of the same name".to_owned()));
    }
    if let Some("Failed" | "Succeeded") = status.and_then(|status| status.phase.as_deref()) {
        let reason = status.and_then(|status| status.reason.clone());
        let why = match (reason.as_deref(), status.and_then(|status| status.message.clone())) {
            (Some("Evicted"), Some(message)) => format!("was evicted: {}", message.trim()),
            (Some(reason), _) => format!("has ended: {reason}"),
            _ => "has ended".to_owned(),
        };
        return Some(Trouble::Gone(why));
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return Some(Trouble::Going("is being deleted".to_owned()));
    }
    (!is_ready(pod)).then(|| Trouble::NotReady(format!("is not ready: {}", describe(pod, Timestamp::now()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::target::fixtures::pod;

    #[test]
    fn trouble_is_told_by_the_pod_itself() {
        let of = |pod: crate::cluster::target::fixtures::PodBuilder| {
            let pod = pod.build();
            let uid = pod.uid().unwrap_or_default();
            trouble_of(&pod, &uid)
        };
        assert_eq!(of(pod("a")), None);
        assert_eq!(of(pod("a").terminating()), Some(Trouble::Going("is being deleted".into())));
        assert_eq!(of(pod("a").phase("Failed")), Some(Trouble::Gone("has ended".into())));
        assert!(matches!(of(pod("a").not_ready()), Some(Trouble::NotReady(_))));
        let mut other = pod("a").build();
        other.metadata.uid = Some("new".into());
        assert!(matches!(trouble_of(&other, "old"), Some(Trouble::Gone(_))));
    }
}

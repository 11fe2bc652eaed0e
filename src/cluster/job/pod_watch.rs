//! One pod, of a Job or by name, as it changes: a watch that goes on over everything that ends a watch.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Error as KubeError, ResourceExt,
    api::{ListParams, WatchEvent, WatchParams},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    super::{
        Cluster,
        request::{error, unrepeatable},
    },
    CONTROLLER_UID, JobHandle,
};
use crate::error::{Error, Result};

/// How long the server keeps one watch open.
const WATCH_SECONDS: u32 = 240;
/// How much longer than that nothing may come: then the connection is dead.
const MARGIN: Duration = Duration::from_secs(30);
/// The pause before a watch that failed is opened again, and between two looks by who may not watch. It grows.
const PAUSE: Duration = Duration::from_millis(700);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long the server may be away before that is an error: a control plane is upgraded in minutes.
pub(super) const AWAY_LIMIT: Duration = Duration::from_secs(5 * 60);

type Events = Pin<Box<dyn Stream<Item = Result<WatchEvent<Pod>, KubeError>>>>;

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
    cluster: &'a Cluster,
    api: Api<Pod>,
    which: Which,
    /// The pause between two looks by who may not watch.
    look: Duration,
    version: Option<String>,
    events: Option<Events>,
    had_pod: bool,
    failures: u32,
    /// Since when the server has not answered.
    away: Option<Instant>,
    may_watch: bool,
}

/// Which pods are watched.
enum Which {
    Labels(String),
    Fields(String),
}

impl<'a> PodWatch<'a> {
    pub(super) fn new(cluster: &'a Cluster, job: &JobHandle) -> Self {
        let which = Which::Labels(format!("{CONTROLLER_UID}={}", job.uid));
        let version = job.resource_version.clone();
        Self { version, ..Self::of(cluster, &job.namespace, which, PAUSE) }
    }

    /// A watch on the pod of this name; who may not watch looks at it after every `look`.
    pub(in crate::cluster) fn of_pod(cluster: &'a Cluster, namespace: &str, name: &str, look: Duration) -> Self {
        let which = Which::Fields(format!("metadata.name={name}"));
        // It was there when it was chosen.
        Self { had_pod: true, ..Self::of(cluster, namespace, which, look) }
    }

    fn of(cluster: &'a Cluster, namespace: &str, which: Which, look: Duration) -> Self {
        Self {
            cluster,
            api: Api::namespaced(cluster.client.clone(), namespace),
            which,
            look,
            version: None,
            events: None,
            had_pod: false,
            failures: 0,
            away: None,
            may_watch: true,
        }
    }

    /// Whether the last thing heard is that the server does not answer.
    pub(super) fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// Looks at the pod now, whatever the watch has told.
    ///
    /// # Errors
    /// As [`PodWatch::next`].
    pub(super) async fn look(&mut self) -> Result<Option<Seen>> {
        self.version = None;
        self.events = None;
        self.list().await
    }

    /// The next thing seen. Can be dropped and called again at any time.
    ///
    /// # Errors
    /// When the pods may not be listed, or the server has been away for too long.
    pub(in crate::cluster) async fn next(&mut self) -> Result<Seen> {
        let patience = Duration::from_secs(WATCH_SECONDS.into()) + MARGIN;
        loop {
            let seen = match (&self.version, &mut self.events) {
                _ if !self.may_watch => {
                    sleep(self.look).await;
                    self.list().await?
                }
                (None, _) => self.list().await?,
                (Some(version), None) => {
                    let parameters = match &self.which {
                        Which::Labels(selector) => WatchParams::default().labels(selector),
                        Which::Fields(selector) => WatchParams::default().fields(selector),
                    }
                    .timeout(WATCH_SECONDS);
                    let Cluster { place, observer, .. } = self.cluster;
                    let watch = || self.api.watch(&parameters, version);
                    match unrepeatable("watch the pod", place, observer, watch).await {
                        Ok(Ok(events)) => {
                            self.events = Some(Box::pin(events));
                            None
                        }
                        Ok(Err(failure)) => self.recover(failure).await?,
                        Err(failure) => self.stand(failure).await?,
                    }
                }
                (Some(_), Some(events)) => match timeout(patience, events.next()).await.unwrap_or(None) {
                    Some(Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod))) => {
                        self.version = pod.resource_version().or(self.version.take());
                        Some(self.see(pod))
                    }
                    Some(Ok(WatchEvent::Deleted(pod))) => {
                        self.version = pod.resource_version().or(self.version.take());
                        Some(Seen::Gone)
                    }
                    Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                        self.version = Some(bookmark.metadata.resource_version);
                        None
                    }
                    Some(Ok(WatchEvent::Error(status))) => self.recover(KubeError::Api(status)).await?,
                    Some(Err(failure)) => self.recover(failure).await?,
                    // Its time was over, or its connection died in silence.
                    None => {
                        self.events = None;
                        sleep(PAUSE).await;
                        None
                    }
                },
            };
            if let Some(seen) = seen {
                return Ok(seen);
            }
        }
    }

    /// Lists the pods: `None` when there has been none yet. The watch goes on from the list's version; a pod's own may be
    /// so old that the server has forgotten it.
    async fn list(&mut self) -> Result<Option<Seen>> {
        let parameters = match &self.which {
            Which::Labels(selector) => ListParams::default().labels(selector),
            Which::Fields(selector) => ListParams::default().fields(selector),
        };
        let Cluster { place, observer, .. } = self.cluster;
        let list = match unrepeatable("list the pod", place, observer, || self.api.list(&parameters)).await {
            Ok(Ok(list)) => list,
            Ok(Err(failure)) => return self.recover(failure).await,
            Err(failure) => return self.stand(failure).await,
        };
        self.is_back();
        self.version = list.metadata.resource_version.or_else(|| Some("0".to_owned()));
        // One pod, and never a second: should there be more, the last one counts.
        match list.items.into_iter().max_by_key(ResourceExt::creation_timestamp) {
            Some(pod) => Ok(Some(self.see(pod))),
            None => Ok(self.had_pod.then_some(Seen::Gone)),
        }
    }

    fn is_back(&mut self) {
        self.failures = 0;
        self.away = None;
    }

    fn see(&mut self, pod: Pod) -> Seen {
        self.had_pod = true;
        self.is_back();
        Seen::Pod(Box::new(pod))
    }

    /// After a failure: the next round lists again.
    async fn recover(&mut self, failure: KubeError) -> Result<Option<Seen>> {
        self.events = None;
        match &failure {
            KubeError::Api(status) if status.code == 410 => {
                self.version = None;
                sleep(PAUSE).await;
                Ok(None)
            }
            // Whoever may not watch looks now and then.
            KubeError::Api(status) if status.code == 403 && self.may_watch => {
                self.may_watch = false;
                Ok(None)
            }
            KubeError::Api(status) if status.code < 500 && !matches!(status.code, 401 | 429) => {
                Err(error::explain(failure, "watch the pod", &self.cluster.place))
            }
            _ => self.stand(error::explain(failure, "watch the pod", &self.cluster.place)).await,
        }
    }

    /// Bears with a server that is away: not for ever.
    async fn stand(&mut self, failure: Error) -> Result<Option<Seen>> {
        self.failures += 1;
        if self.away.get_or_insert_with(Instant::now).elapsed() > AWAY_LIMIT {
            return Err(failure);
        }
        self.version = None;
        self.events = None;
        sleep((PAUSE * self.failures).min(LONGEST_PAUSE)).await;
        // A watch that broke once is nothing to speak of, and one word is enough of a server that is away.
        Ok((self.failures == 2).then(|| Seen::Away(failure.to_string())))
    }
}

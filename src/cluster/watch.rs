//! Objects as they change: a list, then a watch that goes on over everything that ends a watch.

mod selection;

use std::{fmt::Debug, mem, pin::Pin, time::Duration};

use futures::{Stream, StreamExt};
use kube::{
    Api, Error as KubeError, Resource, ResourceExt,
    api::{ListParams, WatchEvent, WatchParams},
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};

pub(super) use selection::Selection;

use super::{
    Cluster,
    request::{error, repeatable, unrepeatable},
};
use crate::error::{Error, Result};

/// How long the server keeps one watch open.
const WATCH_SECONDS: u32 = 240;
/// How much longer than that nothing may come: then the connection is dead.
const MARGIN: Duration = Duration::from_secs(30);
/// The pause before a watch that failed is opened again. It grows.
const PAUSE: Duration = Duration::from_millis(700);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long the server may be away before that is an error: a control plane is upgraded in minutes.
pub(super) const AWAY_LIMIT: Duration = Duration::from_secs(5 * 60);

type Events<K> = Pin<Box<dyn Stream<Item = Result<WatchEvent<K>, KubeError>>>>;

/// What is seen of the objects.
#[derive(Debug)]
pub(super) enum Seen<K> {
    /// All there are; what was there before and is not among them is gone.
    All(Vec<K>),
    /// One as it is now.
    One(Box<K>),
    /// One is gone; as it was last.
    Gone(Box<K>),
    /// The server does not answer; it is asked again.
    Away(String),
}

impl<K> Seen<K> {
    /// The same, of what is read from each object.
    pub(super) fn map<T>(self, read: impl Fn(&K) -> T) -> Seen<T> {
        match self {
            Seen::All(all) => Seen::All(all.iter().map(read).collect()),
            Seen::One(one) => Seen::One(Box::new(read(&one))),
            Seen::Gone(one) => Seen::Gone(Box::new(read(&one))),
            Seen::Away(why) => Seen::Away(why),
        }
    }
}

/// A watch on the objects of one kind.
pub(super) struct Watch<'a, K> {
    cluster: &'a Cluster,
    api: Api<K>,
    selection: Selection,
    version: Option<String>,
    events: Option<Events<K>>,
    failures: u32,
    /// Since when the server has not answered.
    away: Option<Instant>,
    /// When it was heard last.
    heard: Instant,
    /// Whether the last watch ended because nothing came.
    was_silent: bool,
    /// Whether it was told that the server is away.
    was_told: bool,
    may_watch: bool,
}

impl<'a, K> Watch<'a, K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    K: 'static,
{
    /// Begins after `version`; without one with a list.
    pub(super) fn new(cluster: &'a Cluster, selection: Selection, version: Option<String>) -> Self {
        let (api, heard) = (Api::namespaced(cluster.client.clone(), &selection.namespace), Instant::now());
        Self {
            cluster,
            api,
            selection,
            version,
            events: None,
            failures: 0,
            away: None,
            heard,
            was_silent: false,
            was_told: false,
            may_watch: true,
        }
    }

    /// Whether the last thing heard is that the server does not answer.
    pub(super) fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// For how long nothing has been heard of the server.
    pub(super) fn silence(&self) -> Duration {
        self.heard.elapsed()
    }

    /// Lists the objects, before anything else: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub(super) async fn first(&mut self) -> Result<Vec<K>> {
        let Cluster { place, observer, .. } = self.cluster;
        let parameters = self.list_parameters();
        let list = repeatable(&self.doing("list"), place, observer, || self.api.list(&parameters)).await?;
        self.heard = Instant::now();
        self.version = list.metadata.resource_version.or_else(|| Some("0".to_owned()));
        Ok(list.items)
    }

    /// Looks at the objects now, whatever the watch has told; `None` when the server does not answer, and that was said.
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub(super) async fn look(&mut self) -> Result<Option<Seen<K>>> {
        self.version = None;
        self.events = None;
        self.list().await
    }

    /// The next thing seen. Can be dropped and called again at any time.
    ///
    /// # Errors
    /// When the objects may not be listed, or the server has been away for too long.
    pub(super) async fn next(&mut self) -> Result<Seen<K>> {
        loop {
            let seen = match (&self.version, &mut self.events) {
                _ if !self.may_watch => {
                    sleep(self.selection.look).await;
                    self.list().await?
                }
                (None, _) => self.list().await?,
                (Some(version), None) => {
                    let parameters = self.watch_parameters();
                    let Cluster { place, observer, .. } = self.cluster;
                    let watch = || self.api.watch(&parameters, version);
                    match unrepeatable(&self.doing("watch"), place, observer, watch).await {
                        Ok(Ok(events)) => {
                            self.events = Some(Box::pin(events));
                            (self.heard, self.was_silent) = (Instant::now(), false);
                            None
                        }
                        Ok(Err(failure)) => self.recover(failure).await?,
                        Err(failure) => self.stand(failure).await?,
                    }
                }
                (Some(_), Some(events)) => match timeout(self.selection.patience, events.next()).await {
                    Err(_) => {
                        (self.events, self.was_silent) = (None, true);
                        None
                    }
                    Ok(news) => {
                        if matches!(news, Some(Ok(_))) {
                            self.heard = Instant::now();
                        }
                        self.take(news).await?
                    }
                },
            };
            if let Some(seen) = seen {
                return Ok(seen);
            }
        }
    }

    /// What the watch brought.
    async fn take(&mut self, news: Option<Result<WatchEvent<K>, KubeError>>) -> Result<Option<Seen<K>>> {
        Ok(match news {
            Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                self.is_back();
                self.version = object.resource_version().or(self.version.take());
                Some(Seen::One(Box::new(object)))
            }
            Some(Ok(WatchEvent::Deleted(object))) => {
                self.version = object.resource_version().or(self.version.take());
                Some(Seen::Gone(Box::new(object)))
            }
            Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                self.version = Some(bookmark.metadata.resource_version);
                None
            }
            Some(Ok(WatchEvent::Error(status))) => self.recover(KubeError::Api(status)).await?,
            Some(Err(failure)) => self.recover(failure).await?,
            // Its time was over.
            None => {
                self.events = None;
                sleep(PAUSE).await;
                None
            }
        })
    }

    fn doing(&self, verb: &str) -> String {
        format!("{verb} {}", self.selection.what)
    }

    fn watch_parameters(&self) -> WatchParams {
        let Selection { labels, fields, .. } = &self.selection;
        let mut parameters = WatchParams::default().timeout(WATCH_SECONDS);
        parameters.label_selector.clone_from(labels);
        parameters.field_selector.clone_from(fields);
        parameters
    }

    fn list_parameters(&self) -> ListParams {
        let Selection { labels, fields, .. } = &self.selection;
        let mut parameters = ListParams::default();
        parameters.label_selector.clone_from(labels);
        parameters.field_selector.clone_from(fields);
        parameters
    }

    /// Lists the objects. The watch goes on from the list's version; an object's own may be so old that the server has
    /// forgotten it.
    async fn list(&mut self) -> Result<Option<Seen<K>>> {
        let parameters = self.list_parameters();
        let Cluster { place, observer, .. } = self.cluster;
        let asked = unrepeatable(&self.doing("list"), place, observer, || self.api.list(&parameters)).await;
        let list = match asked {
            Ok(Ok(list)) => list,
            Ok(Err(failure @ KubeError::Api(_))) if is_forbidden(&failure) => {
                return Err(error::explain(failure, &self.doing("list"), place));
            }
            Ok(Err(failure)) => return self.recover(failure).await,
            Err(failure) => return self.stand(failure).await,
        };
        self.is_back();
        self.version = list.metadata.resource_version.or_else(|| Some("0".to_owned()));
        Ok(Some(Seen::All(list.items)))
    }

    fn is_back(&mut self) {
        self.failures = 0;
        self.away = None;
        (self.heard, self.was_silent, self.was_told) = (Instant::now(), false, false);
    }

    /// After a failure: the next round lists again.
    async fn recover(&mut self, failure: KubeError) -> Result<Option<Seen<K>>> {
        self.events = None;
        let what = self.doing("watch");
        match &failure {
            KubeError::Api(status) if status.code == 410 => {
                self.version = None;
                sleep(PAUSE).await;
                Ok(None)
            }
            // Whoever may not watch looks now and then.
            KubeError::Api(_) if is_forbidden(&failure) => {
                self.may_watch = false;
                Ok(None)
            }
            KubeError::Api(status) if status.code < 500 && !matches!(status.code, 401 | 429) => {
                Err(error::explain(failure, &what, &self.cluster.place))
            }
            _ => self.stand(error::explain(failure, &what, &self.cluster.place)).await,
        }
    }

    /// Bears with a server that is away: not for ever.
    async fn stand(&mut self, failure: Error) -> Result<Option<Seen<K>>> {
        // After a long silence a failure is the second.
        self.failures += 1 + u32::from(mem::take(&mut self.was_silent));
        if self.away.get_or_insert_with(Instant::now).elapsed() > AWAY_LIMIT {
            return Err(failure);
        }
        self.version = None;
        self.events = None;
        sleep((PAUSE * self.failures).min(LONGEST_PAUSE)).await;
        // A watch that broke once is nothing to speak of, and one word is enough of a server that is away.
        let is_first = self.failures >= 2 && !mem::replace(&mut self.was_told, true);
        Ok(is_first.then(|| Seen::Away(failure.to_string())))
    }
}

fn is_forbidden(failure: &KubeError) -> bool {
    matches!(failure, KubeError::Api(status) if status.code == 403)
}

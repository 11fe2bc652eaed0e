//! The objects as they change, and the status that is made of them anew.

use std::{fmt::Debug, pin::Pin, time::Duration};

use futures::{Stream, StreamExt, stream};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, ReplicaSet, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::{Event, Pod},
    },
    jiff::Timestamp,
};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    super::{
        Cluster,
        target::Roles,
        watch::{Seen, Selection, Watch},
    },
    Objects, Place, State, by_name,
};
use crate::{
    environment::Environment,
    error::{Error, Result},
    status::{Link, Status},
};

/// What changes within this is one change.
const TOGETHER: Duration = Duration::from_millis(200);
/// How often the conclusions are drawn anew though nothing changed: ages grow, and what takes too long is trouble.
const TICK: Duration = Duration::from_secs(10);

/// What a watch tells, and whether the server does not answer.
type News<'a, K> = Pin<Box<dyn Stream<Item = (Result<Seen<K>>, bool)> + 'a>>;

/// A watch on one kind of objects; none where they may not be listed.
struct Feed<'a, K> {
    cluster: &'a Cluster,
    kind: &'static str,
    selection: Selection,
    news: Option<News<'a, K>>,
    away: Option<String>,
}

impl<'a, K> Feed<'a, K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + 'static,
{
    fn new(cluster: &'a Cluster, kind: &'static str, selection: Selection) -> Self {
        Self { cluster, kind, selection, news: None, away: None }
    }

    /// The list that the watch goes on from.
    async fn first(&mut self) -> Result<Objects<K>> {
        let mut watch = Watch::new(self.cluster, self.selection.clone(), None);
        let listed = watch.first().await?;
        self.news = Some(news(watch));
        Ok(by_name(listed))
    }

    /// The next thing seen; never without a watch. Can be dropped and called again: what the watch is at goes on.
    async fn next(&mut self) -> (Result<Seen<K>>, bool) {
        match &mut self.news {
            Some(news) => match news.next().await {
                Some(news) => news,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Takes in what was seen. Whatever is wrong with one kind of objects, the others go on.
    fn take(&mut self, (seen, is_away): (Result<Seen<K>>, bool), objects: &mut Objects<K>) -> Option<Error> {
        self.away = None;
        match seen {
            Ok(Seen::All(all)) => *objects = by_name(all),
            Ok(Seen::One(object)) => {
                objects.insert(object.name_any(), *object);
            }
            Ok(Seen::Gone(object)) => {
                objects.remove(&object.name_any());
            }
            Ok(Seen::Away(why)) => self.away = Some(why),
            // The server has been away for long: whoever watches wants to see it come back.
            Err(error) if is_away => {
                self.away = Some(error.to_string());
                self.news = Some(news(Watch::new(self.cluster, self.selection.clone(), None)));
            }
            Err(error) => {
                self.news = None;
                return Some(error);
            }
        }
        None
    }
}

/// A watch as a stream: a request on its way stays so while other watches are heard.
fn news<'a, K>(watch: Watch<'a, K>) -> News<'a, K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + 'static,
{
    Box::pin(stream::unfold(watch, |mut watch| async move {
        let seen = watch.next().await;
        let is_away = watch.is_away();
        Some(((seen, is_away), watch))
    }))
}

/// All that is watched of an environment.
struct Feeds<'a> {
    pods: Feed<'a, Pod>,
    deployments: Feed<'a, Deployment>,
    stateful_sets: Feed<'a, StatefulSet>,
    autoscalers: Feed<'a, HorizontalPodAutoscaler>,
    replica_sets: Feed<'a, ReplicaSet>,
    events: Feed<'a, Event>,
}

impl Cluster {
    /// Keeps `statuses` up to date with the environment: one list and one watch of each kind of objects, and a new status
    /// within 200 ms of a change, at most five a second. When the cluster does not answer, the last one is told to be old,
    /// and the cluster is asked again for as long as somebody wants to know. Ends when nobody does.
    ///
    /// # Errors
    /// When the cluster cannot be reached at the beginning, or neither pods nor workloads may be listed.
    pub async fn follow_status(
        &self,
        environment: &Environment,
        statuses: &watch::Sender<Option<Status>>,
    ) -> Result<()> {
        let roles = Roles::new(environment, None)?;
        let mut feeds = Feeds::new(self, environment, &roles);
        let mut state = feeds.first().await?;
        let mut lost: Option<Timestamp> = None;
        loop {
            if state.is_empty() {
                state.place = self.place_of(&environment.namespace, &mut State::default()).await;
            } else if state.place == Place::None {
                state.place = Place::Unknown;
            }
            let link = match feeds.away() {
                Some(why) => Link::Lost { since: *lost.get_or_insert_with(Timestamp::now), why },
                None => {
                    lost = None;
                    Link::Live
                }
            };
            statuses.send_replace(Some(state.status(environment, &roles, link, Timestamp::now())));
            let due = Instant::now() + TICK;
            tokio::select! {
                () = feeds.change(&mut state) => {}
                () = sleep_until(due) => continue,
                () = statuses.closed() => return Ok(()),
            }
            // What comes with it is shown with it.
            let together = Instant::now() + TOGETHER;
            loop {
                tokio::select! {
                    () = feeds.change(&mut state) => {}
                    () = sleep_until(together) => break,
                    () = statuses.closed() => return Ok(()),
                }
            }
        }
    }
}

impl<'a> Feeds<'a> {
    fn new(cluster: &'a Cluster, environment: &Environment, roles: &Roles<'_>) -> Self {
        let of = |what| Selection::of(what, &environment.namespace);
        let pods = Selection { labels: roles.query(None), ..of("pods") };
        Self {
            pods: Feed::new(cluster, "pods", pods),
            deployments: Feed::new(cluster, "Deployments", of("deployments")),
            stateful_sets: Feed::new(cluster, "StatefulSets", of("statefulsets")),
            autoscalers: Feed::new(cluster, "HPAs", of("horizontalpodautoscalers")),
            replica_sets: Feed::new(cluster, "ReplicaSets", of("replicasets")),
            events: Feed::new(cluster, "events", of("events")),
        }
    }

    /// The lists.
    async fn first(&mut self) -> Result<State> {
        let (pods, deployments, stateful_sets, autoscalers, replica_sets, events) = futures::join!(
            self.pods.first(),
            self.deployments.first(),
            self.stateful_sets.first(),
            self.autoscalers.first(),
            self.replica_sets.first(),
            self.events.first(),
        );
        let nothing = pods.is_err() && deployments.is_err() && stateful_sets.is_err();
        let mut state = State::default();
        match pods {
            Ok(pods) => state.pods = pods,
            Err(error) if nothing => return Err(error),
            Err(error) => self.pods.give_up(&mut state, &error),
        }
        take(&mut self.deployments, deployments, &mut state, |state| &mut state.deployments);
        take(&mut self.stateful_sets, stateful_sets, &mut state, |state| &mut state.stateful_sets);
        take(&mut self.autoscalers, autoscalers, &mut state, |state| &mut state.autoscalers);
        take(&mut self.replica_sets, replica_sets, &mut state, |state| &mut state.replica_sets);
        take(&mut self.events, events, &mut state, |state| &mut state.events);
        Ok(state)
    }

    /// Waits for the next thing seen, and takes it in. Can be dropped and called again at any time.
    async fn change(&mut self, state: &mut State) {
        let failed = tokio::select! {
            seen = self.pods.next() => (self.pods.kind, self.pods.take(seen, &mut state.pods)),
            seen = self.deployments.next() => {
                (self.deployments.kind, self.deployments.take(seen, &mut state.deployments))
            }
            seen = self.stateful_sets.next() => {
                (self.stateful_sets.kind, self.stateful_sets.take(seen, &mut state.stateful_sets))
            }
            seen = self.autoscalers.next() => {
                (self.autoscalers.kind, self.autoscalers.take(seen, &mut state.autoscalers))
            }
            seen = self.replica_sets.next() => {
                (self.replica_sets.kind, self.replica_sets.take(seen, &mut state.replica_sets))
            }
            seen = self.events.next() => (self.events.kind, self.events.take(seen, &mut state.events)),
        };
        if let (kind, Some(error)) = failed {
            state.lacks(kind, &error);
        }
    }

    /// Why the view is old, if it is.
    fn away(&self) -> Option<String> {
        let away = [&self.pods.away, &self.deployments.away, &self.stateful_sets.away];
        let more = [&self.autoscalers.away, &self.replica_sets.away, &self.events.away];
        away.into_iter().chain(more).flatten().next().cloned()
    }
}

impl<K> Feed<'_, K> {
    /// Watches no longer.
    fn give_up(&mut self, state: &mut State, error: &Error) {
        self.news = None;
        state.lacks(self.kind, error);
    }
}

/// Takes in a list, or does without its kind of objects.
fn take<K>(
    feed: &mut Feed<'_, K>,
    listed: Result<Objects<K>>,
    state: &mut State,
    place: impl Fn(&mut State) -> &mut Objects<K>,
) {
    match listed {
        Ok(objects) => *place(state) = objects,
        Err(error) => feed.give_up(state, &error),
    }
}

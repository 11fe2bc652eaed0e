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
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    super::{
        Cluster,
        target::Roles,
        watch::{Seen, Selection, Watch},
    },
    EVENTS, Missing, NamespaceState, Objects, State, by_name,
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
/// When objects that could not be had are asked for again.
const AGAIN: Duration = Duration::from_secs(10);
/// After how long without a word a connection is taken for dead: bookmarks come every minute.
const PATIENCE: Duration = Duration::from_secs(100);
/// How long the namespace may take to say how it is.
const PLACE: Duration = Duration::from_secs(5);

/// Something a watch tells.
struct Told<K> {
    seen: Result<Seen<K>>,
    /// Whether the server does not answer, and for how long nothing was heard of it.
    is_away: bool,
    silence: Duration,
}

/// What a watch tells, one after the other.
type News<'a, K> = Pin<Box<dyn Stream<Item = Told<K>> + 'a>>;

/// A watch on one kind of objects.
struct Feed<'a, K> {
    cluster: &'a Cluster,
    kind: &'static str,
    selection: Selection,
    news: Option<News<'a, K>>,
    /// When the server was heard last, and why it is not any more.
    away: Option<(Timestamp, String)>,
    /// How often in a row the objects could not be had though the server answered.
    refusals: u32,
}

impl<'a, K> Feed<'a, K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + 'static,
{
    fn new(cluster: &'a Cluster, kind: &'static str, selection: Selection) -> Self {
        Self { cluster, kind, selection, news: None, away: None, refusals: 0 }
    }

    /// The list that the watch goes on from.
    async fn first(&mut self) -> Result<Objects<K>> {
        let mut watch = Watch::new(self.cluster, self.selection.clone(), None);
        let listed = watch.first().await?;
        self.news = Some(news(watch, Duration::ZERO));
        Ok(by_name(listed))
    }

    /// The next thing seen; never without a watch. Can be dropped and called again: what the watch is at goes on.
    async fn next(&mut self) -> Told<K> {
        match &mut self.news {
            Some(news) => match news.next().await {
                Some(told) => told,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Takes in what was seen. Whatever is wrong with one kind of objects, the others go on; it is asked for again.
    fn take(&mut self, told: Told<K>, objects: &mut Objects<K>, missing: &mut Missing) {
        let Told { seen, is_away, silence } = told;
        let since = self.away.take().map(|(since, _)| since);
        let away = |why| (since.unwrap_or_else(|| before(silence)), why);
        match seen {
            Ok(Seen::Away(why)) => {
                self.away = Some(away(why));
                return;
            }
            // The server has been away for long: whoever watches wants to see it come back.
            Err(error) if is_away && !error.is_forbidden() => {
                self.away = Some(away(error.to_string()));
                self.begin(Duration::ZERO);
                return;
            }
            Err(error) => return self.give_up(&error, objects, missing),
            Ok(Seen::All(all)) => *objects = by_name(all),
            Ok(Seen::One(object)) => drop(objects.insert(object.name_any(), *object)),
            Ok(Seen::Gone(object)) => drop(objects.remove(&object.name_any())),
        }
        self.refusals = 0;
        missing.remove(self.kind);
    }

    /// Does without the objects for a while. A server that has just been started may refuse what it allows a moment later:
    /// what was seen goes when it is refused once more.
    fn give_up(&mut self, error: &Error, objects: &mut Objects<K>, missing: &mut Missing) {
        self.refusals += 1;
        if self.refusals > 1 {
            objects.clear();
        }
        missing.insert(self.kind, error.message().to_owned());
        self.begin(AGAIN);
    }

    /// Lists and watches anew.
    fn begin(&mut self, pause: Duration) {
        self.news = Some(news(Watch::new(self.cluster, self.selection.clone(), None), pause));
    }

    /// Takes in the first list, or does without it for a while.
    fn start(&mut self, listed: Result<Objects<K>>, objects: &mut Objects<K>, missing: &mut Missing) {
        match listed {
            Ok(listed) => *objects = listed,
            Err(error) => self.give_up(&error, objects, missing),
        }
    }
}

/// The time that long ago.
fn before(silence: Duration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_sub(silence).unwrap_or(now)
}

/// A watch as a stream: a request on its way stays so while other watches are heard. Begins after a pause.
fn news<'a, K>(watch: Watch<'a, K>, pause: Duration) -> News<'a, K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + 'static,
{
    Box::pin(stream::unfold((watch, pause), |(mut watch, pause)| async move {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        let seen = watch.next().await;
        let told = Told { seen, is_away: watch.is_away(), silence: watch.silence() };
        Some((told, (watch, Duration::ZERO)))
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
        self.tell_names(&state, &state.status(environment, &roles, Link::Live, Timestamp::now()), &roles);
        let mut asked: Option<Instant> = None;
        loop {
            if !state.is_empty() {
                (state.place, asked) = (NamespaceState::Unknown, None);
            } else if asked.is_none_or(|asked| asked.elapsed() >= TICK) {
                let mut unsaid = State::default();
                // What is not known now is as it was.
                match timeout(PLACE, self.place_of(&environment.namespace, &mut unsaid)).await.unwrap_or_default() {
                    NamespaceState::Unknown => {}
                    place => state.place = place,
                }
                asked = Some(Instant::now());
            }
            let link = feeds.away().map_or(Link::Live, |(since, why)| Link::Lost { since, why });
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
        let of = |what| Selection { patience: PATIENCE, ..Selection::of(what, &environment.namespace) };
        let pods = Selection { labels: roles.query(None), ..of("pods") };
        Self {
            pods: Feed::new(cluster, "pods", pods),
            deployments: Feed::new(cluster, "Deployments", of("deployments")),
            stateful_sets: Feed::new(cluster, "StatefulSets", of("statefulsets")),
            autoscalers: Feed::new(cluster, "HPAs", of("horizontalpodautoscalers")),
            replica_sets: Feed::new(cluster, "ReplicaSets", of("replicasets")),
            events: Feed::new(cluster, "events", Selection { fields: Some(EVENTS.to_owned()), ..of("events") }),
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
        let mut state = State::default();
        let pods = match pods {
            Err(error) if deployments.is_err() && stateful_sets.is_err() => return Err(error),
            pods => pods,
        };
        let missing = &mut state.missing;
        self.pods.start(pods, &mut state.pods, missing);
        self.deployments.start(deployments, &mut state.deployments, missing);
        self.stateful_sets.start(stateful_sets, &mut state.stateful_sets, missing);
        self.autoscalers.start(autoscalers, &mut state.autoscalers, missing);
        self.replica_sets.start(replica_sets, &mut state.replica_sets, missing);
        self.events.start(events, &mut state.events, missing);
        Ok(state)
    }

    /// Waits for the next thing seen, and takes it in. Can be dropped and called again at any time.
    async fn change(&mut self, state: &mut State) {
        let missing = &mut state.missing;
        tokio::select! {
            told = self.pods.next() => self.pods.take(told, &mut state.pods, missing),
            told = self.deployments.next() => self.deployments.take(told, &mut state.deployments, missing),
            told = self.stateful_sets.next() => self.stateful_sets.take(told, &mut state.stateful_sets, missing),
            told = self.autoscalers.next() => self.autoscalers.take(told, &mut state.autoscalers, missing),
            told = self.replica_sets.next() => self.replica_sets.take(told, &mut state.replica_sets, missing),
            told = self.events.next() => self.events.take(told, &mut state.events, missing),
        }
    }

    /// Since when and why the view is old, if it is.
    fn away(&self) -> Option<(Timestamp, String)> {
        let away = [&self.pods.away, &self.deployments.away, &self.stateful_sets.away];
        let more = [&self.autoscalers.away, &self.replica_sets.away, &self.events.away];
        away.into_iter().chain(more).flatten().min_by_key(|(since, _)| *since).cloned()
    }
}

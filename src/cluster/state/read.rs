//! The objects, listed once.

use std::time::Duration;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, ReplicaSet, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::{Event, Pod},
    },
    jiff::Timestamp,
};
use kube::api::ListParams;
use tokio::time::timeout;

use super::{
    super::{
        Cluster,
        target::{Roles, group},
    },
    EVENTS, NamespaceState, State, by_name,
};
use crate::{
    environment::Environment,
    error::{Error, Result},
    status::{Link, Status},
};

/// How many events are read at most: a namespace in trouble has thousands.
const MOST_EVENTS: u32 = 500;
/// How long an environment may take once its credentials are there.
const LIMIT: Duration = Duration::from_secs(15);
/// How long each thing may take that tells why something is wrong: without it the rest is still worth showing.
const EVIDENCE_LIMIT: Duration = Duration::from_secs(5);

impl Cluster {
    /// The state of an environment: four requests, all at once, and as many again when something is wrong. When
    /// `thorough` also what may explain it further: what its pods' configuration is from, and the log of a container that
    /// ends again and again: two requests, and one for each broken role. What is known of the namespace already is not asked
    /// for again.
    ///
    /// # Errors
    /// When the cluster cannot be reached or does not answer within 15 s, neither pods nor workloads may be listed, or a
    /// configured selector is malformed.
    pub async fn status(
        &self,
        environment: &Environment,
        thorough: bool,
        namespace: Option<NamespaceState>,
    ) -> Result<Status> {
        let roles = Roles::new(environment, None)?;
        let Ok(state) = timeout(LIMIT, self.read(environment, &roles)).await else {
            let name = &environment.name;
            return Err(Error::failed(format!("no answer for `{name}` within {} s", LIMIT.as_secs())));
        };
        let mut state = state?;
        let mut status = state.status(environment, &roles, Link::Live, Timestamp::now());
        self.tell_names(&state, &status, &roles);
        if !status.wants_evidence() {
            return Ok(status);
        }
        self.read_evidence(environment, namespace, &mut state).await;
        status = state.status(environment, &roles, Link::Live, Timestamp::now());
        if thorough {
            self.read_sources(&state, &mut status).await;
            self.read_last_words(&mut status).await;
        }
        Ok(status)
    }

    /// Lists what the state is read from. What may not be listed is left out, and said to be.
    async fn read(&self, environment: &Environment, roles: &Roles<'_>) -> Result<State> {
        let namespace = &environment.namespace;
        let query = roles.query(None);
        let (pods, deployments, stateful_sets, autoscalers) = futures::join!(
            self.list::<Pod>(namespace, query.as_deref()),
            self.list::<Deployment>(namespace, None),
            self.list::<StatefulSet>(namespace, None),
            self.list::<HorizontalPodAutoscaler>(namespace, None),
        );
        let mut state = State::default();
        let nothing = pods.is_err() && deployments.is_err() && stateful_sets.is_err();
        // What may not be seen is done without. What failed otherwise would leave a picture that is wrong.
        let is_vital = |error: &Error| nothing || !error.is_forbidden();
        match pods {
            Ok(pods) => state.pods = by_name(pods),
            Err(error) if is_vital(&error) => return Err(error),
            Err(error) => state.lacks("pods", &error),
        }
        match deployments {
            Ok(deployments) => state.deployments = by_name(deployments),
            Err(error) if is_vital(&error) => return Err(error),
            Err(error) => state.lacks("Deployments", &error),
        }
        match stateful_sets {
            Ok(sets) => state.stateful_sets = by_name(sets),
            Err(error) if is_vital(&error) => return Err(error),
            Err(error) => state.lacks("StatefulSets", &error),
        }
        match autoscalers {
            Ok(autoscalers) => state.autoscalers = by_name(autoscalers),
            Err(error) => state.lacks("HPAs", &error),
        }
        Ok(state)
    }

    /// Tells of the names of what was listed.
    pub(super) fn tell_names(&self, state: &State, status: &Status, roles: &Roles<'_>) {
        let has = |kind: &str| !state.missing.contains_key(kind);
        if has("pods") {
            self.tell_pods(&group(state.pods.values().cloned().collect(), roles));
        }
        if has("Deployments") && has("StatefulSets") {
            self.tell_roles(status.roles.iter().map(|role| (role.kind, role.name.as_str())));
        }
    }

    /// Asks for what tells why something is wrong: events, revisions, the namespace itself. Where there is nothing, only
    /// the last.
    async fn read_evidence(&self, environment: &Environment, known: Option<NamespaceState>, state: &mut State) {
        let namespace = &environment.namespace;
        if state.is_empty() {
            state.place = match known {
                // Where there is nothing else to tell, it is told why it is not known.
                None | Some(NamespaceState::Unknown) => {
                    timeout(EVIDENCE_LIMIT, self.place_of(namespace, state)).await.unwrap_or_default()
                }
                Some(known) => known,
            };
            return;
        }
        let limited = ListParams::default().limit(MOST_EVENTS).fields(EVENTS);
        let place = async {
            match known {
                None => in_time(self.namespace_state(namespace)).await.unwrap_or_default(),
                Some(known) => known,
            }
        };
        let (events, sets, place) = futures::join!(
            in_time(self.list_matching::<Event>(namespace, &limited)),
            in_time(self.list::<ReplicaSet>(namespace, None)),
            place,
        );
        state.place = place;
        match events {
            Ok(events) => {
                if u32::try_from(events.len()).is_ok_and(|read| read >= MOST_EVENTS) {
                    state.missing.insert("events", format!("there are more than the {MOST_EVENTS} that were read"));
                }
                state.events = by_name(events);
            }
            Err(error) => state.lacks("events", &error),
        }
        match sets {
            Ok(sets) => state.replica_sets = by_name(sets),
            Err(error) => state.lacks("ReplicaSets", &error),
        }
    }

    /// How the namespace is. Who may not read it is told so: where this is asked there is nothing else to tell.
    pub(super) async fn place_of(&self, namespace: &str, state: &mut State) -> NamespaceState {
        self.namespace_state(namespace).await.unwrap_or_else(|error| {
            state.lacks("the namespace", &error);
            NamespaceState::Unknown
        })
    }
}

/// What tells why something is wrong, if it comes in time.
pub(super) async fn in_time<T>(asking: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout(EVIDENCE_LIMIT, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::failed(format!("no answer within {} s", EVIDENCE_LIMIT.as_secs()))),
    }
}

//! A workload and its pods as they change.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        core::v1::Pod,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{
    super::{
        Cluster,
        manager::{last_changed, last_to_set_replicas},
        rollout::RolloutState,
        target::{Controller, Owner, describe, is_ready, phase},
        watch::{Seen, Selection, Watch},
    },
    Operated,
    change::Changed,
    trouble::{PodTrouble, trouble},
};
use crate::error::Result;

/// A pod of the workload.
#[derive(Clone, Debug)]
pub struct PodView {
    /// Its name.
    pub name: String,
    /// Whether it is ready and stays.
    pub ready: bool,
    /// Whether it is going.
    pub going: bool,
    /// Whether it was there before the change.
    pub old: bool,
    /// How it is: `CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts`.
    pub state: String,
    /// Why it hardly becomes ready as it is: it crashes again and again, or its container cannot be made.
    pub trouble: Option<PodTrouble>,
    /// What tells it from one of the same name.
    pub uid: String,
}

/// What is known of the workload and its pods.
#[derive(Clone, Debug)]
pub struct View {
    /// How far it is.
    pub rollout: RolloutState,
    /// Who set the replicas last, in the word of managedFields.
    pub replicas_by: Option<String>,
    /// When the workload was changed last, by the server's clock.
    pub changed: Option<Timestamp>,
    /// Its pods, by name.
    pub pods: Vec<PodView>,
}

/// What is told of it.
#[derive(Debug)]
pub enum Told {
    /// It is so now.
    View(Box<View>),
    /// The workload was deleted.
    Gone,
    /// The server does not answer; it is asked again.
    Away(String),
}

enum Objects<'a> {
    Deployments(Watch<'a, Deployment>),
    StatefulSets(Watch<'a, StatefulSet>),
}

/// A workload that is watched, and its pods.
pub struct Follow<'a> {
    cluster: &'a Cluster,
    workload: &'a Operated,
    objects: Objects<'a>,
    watched: Watch<'a, Pod>,
    pods: BTreeMap<String, Pod>,
    /// The uids of the pods that were there before the change.
    before: BTreeSet<String>,
    state: Option<State>,
}

impl Cluster {
    /// Begins to follow a workload, before it is changed: a LIST of its pods.
    ///
    /// # Errors
    /// When the pods may not be listed, or the cluster cannot be reached.
    pub async fn follow_workload<'a>(&'a self, workload: &'a Operated) -> Result<Follow<'a>> {
        let labels = Some(workload.selector.clone());
        let selection = Selection { labels, ..Selection::of("pods", &workload.namespace) };
        let mut watched = Watch::new(self, selection, None);
        let listed = watched.first().await?.into_iter();
        let pods: BTreeMap<_, _> = listed.filter_map(|pod| keyed(pod, &workload.owner)).collect();
        let before = pods.keys().cloned().collect();
        let objects = objects(self, workload, None);
        Ok(Follow { cluster: self, workload, objects, watched, pods, before, state: None })
    }
}

fn objects<'a>(cluster: &'a Cluster, workload: &Operated, version: Option<String>) -> Objects<'a> {
    let fields = Some(format!("metadata.name={}", workload.owner.name));
    let selection = |what| Selection { fields: fields.clone(), ..Selection::of(what, &workload.namespace) };
    match workload.owner.controller {
        Controller::StatefulSet => Objects::StatefulSets(Watch::new(cluster, selection("statefulsets"), version)),
        _ => Objects::Deployments(Watch::new(cluster, selection("deployments"), version)),
    }
}

/// The pod, if it is the owner's. One that has ended is none any more: evicted pods stay for weeks, and the Deployment
/// controller does not count them either.
fn keyed(pod: Pod, owner: &Owner) -> Option<(String, Pod)> {
    // Labels overlap: owners do not.
    let counts = Owner::of(&pod) == *owner && !matches!(phase(&pod), "Failed" | "Succeeded");
    counts.then(|| (pod.uid().unwrap_or_default(), pod))
}

impl Follow<'_> {
    /// The workload was changed: what is seen from now on is about that, and the pods seen so far are those of before.
    pub fn changed(&mut self, change: &Changed) {
        self.before = self.pods.keys().cloned().collect();
        self.objects = objects(self.cluster, self.workload, Some(change.version.clone()));
        self.state = None;
    }

    /// The pods, by name.
    pub fn pods(&self) -> Vec<PodView> {
        let now = Timestamp::now();
        let mut pods: Vec<PodView> = self.pods.iter().map(|(uid, pod)| self.view(uid, pod, now)).collect();
        pods.sort_by(|a, b| a.name.cmp(&b.name));
        pods
    }

    /// The next thing seen. Can be dropped and called again at any time.
    ///
    /// # Errors
    /// When the workload or its pods may not be listed, or the server has been away for too long.
    pub async fn next(&mut self) -> Result<Told> {
        loop {
            let seen = tokio::select! {
                seen = next_state(&mut self.objects) => One::State(seen?),
                seen = self.watched.next() => One::Pods(seen?),
            };
            match seen {
                One::State(Seen::Away(why)) | One::Pods(Seen::Away(why)) => return Ok(Told::Away(why)),
                One::State(Seen::Gone(_)) => return Ok(Told::Gone),
                One::State(Seen::One(state)) => self.state = Some(*state),
                One::State(Seen::All(mut all)) => match all.pop() {
                    Some(state) => self.state = Some(state),
                    None => return Ok(Told::Gone),
                },
                One::Pods(Seen::All(all)) => {
                    self.pods = all.into_iter().filter_map(|pod| keyed(pod, &self.workload.owner)).collect();
                }
                One::Pods(Seen::One(pod)) => {
                    self.pods.remove(&pod.uid().unwrap_or_default());
                    self.pods.extend(keyed(*pod, &self.workload.owner));
                }
                One::Pods(Seen::Gone(pod)) => drop(self.pods.remove(&pod.uid().unwrap_or_default())),
            }
            if let Some(State { rollout, replicas_by, changed }) = self.state.clone() {
                let view = View { rollout, replicas_by, changed, pods: self.pods() };
                return Ok(Told::View(Box::new(view)));
            }
        }
    }

    fn view(&self, uid: &str, pod: &Pod, now: Timestamp) -> PodView {
        PodView {
            name: pod.name_any(),
            ready: is_ready(pod),
            going: pod.metadata.deletion_timestamp.is_some(),
            old: self.before.contains(uid),
            state: describe(pod, now),
            trouble: trouble(pod),
            uid: uid.to_owned(),
        }
    }
}

/// What its own object says of a workload.
#[derive(Clone)]
struct State {
    rollout: RolloutState,
    replicas_by: Option<String>,
    changed: Option<Timestamp>,
}

impl State {
    fn of(rollout: RolloutState, object: &ObjectMeta) -> Self {
        Self { rollout, replicas_by: last_to_set_replicas(object), changed: last_changed(object) }
    }
}

enum One {
    State(Seen<State>),
    Pods(Seen<Pod>),
}

async fn next_state(objects: &mut Objects<'_>) -> Result<Seen<State>> {
    let of_deployment = |it: &Deployment| State::of(RolloutState::of_deployment(it), &it.metadata);
    let of_set = |it: &StatefulSet| State::of(RolloutState::of_stateful_set(it), &it.metadata);
    Ok(match objects {
        Objects::Deployments(watch) => watch.next().await?.map(of_deployment),
        Objects::StatefulSets(watch) => watch.next().await?.map(of_set),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::target::fixtures::object;

    fn pod(owner: &str, phase: &str) -> Pod {
        let owners =
            json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": owner, "uid": "1", "controller": true}]);
        object(json!({"metadata": {"name": "db-0", "uid": "7", "ownerReferences": owners}, "status": {"phase": phase}}))
    }

    #[test]
    fn a_pod_that_was_evicted_is_no_pod_of_the_workload_any_more() {
        let owner = Owner::new(Controller::StatefulSet, "db");
        for (pod, counts) in [
            (pod("db", "Running"), true),
            (pod("db", "Pending"), true),
            (pod("db", ""), true),
            (pod("other", "Running"), false),
            (pod("db", "Failed"), false),
            (pod("db", "Succeeded"), false),
        ] {
            assert_eq!(keyed(pod.clone(), &owner).is_some(), counts, "{pod:?}");
        }
    }
}

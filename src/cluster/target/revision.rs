//! Which revision of a workload is the newest: a rollout leaves pods of two for a while.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube::ResourceExt;

use super::workload::{Controller, TEMPLATE_HASH, Workload, controlling_reference};

/// The label of a StatefulSet's or DaemonSet's pods that names their revision.
const REVISION_HASH: &str = "controller-revision-hash";

/// The label of a DaemonSet's pods that counts its templates.
const TEMPLATE_GENERATION: &str = "pod-template-generation";

/// The annotation of a Deployment's ReplicaSets that counts them.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The number of a Deployment's ReplicaSet: the higher, the newer; a rollback counts it anew.
pub(in crate::cluster) fn revision_number(set: &ReplicaSet) -> Option<u64> {
    set.annotations().get(REVISION)?.parse().ok()
}

/// The revision of a pod: the hash of the template it was made from.
pub(in crate::cluster) fn revision_of(pod: &Pod) -> Option<&str> {
    pod.labels().get(TEMPLATE_HASH).or_else(|| pod.labels().get(REVISION_HASH)).map(String::as_str)
}

/// What has to be known to tell the newest revision of a workload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Newest {
    /// Nothing: all live pods are of one, or the workload has no revisions.
    Any,
    /// It is this.
    Known(String),
    /// The ReplicaSets this label selector finds.
    AskReplicaSets(String),
    /// The StatefulSet's status.
    AskStatefulSet,
}

/// What has to be known to tell the newest revision of `workload`.
pub(super) fn newest(workload: &Workload) -> Newest {
    let revisions: BTreeSet<&str> = workload.live_pods().filter_map(revision_of).collect();
    if revisions.len() < 2 {
        return Newest::Any;
    }
    match workload.owner.controller {
        Controller::Deployment => {
            let hashes: Vec<&str> = revisions.into_iter().collect();
            Newest::AskReplicaSets(format!("{TEMPLATE_HASH} in ({})", hashes.join(",")))
        }
        Controller::StatefulSet => Newest::AskStatefulSet,
        Controller::DaemonSet => {
            let generation =
                |pod: &&Pod| pod.labels().get(TEMPLATE_GENERATION).and_then(|text| text.parse::<u64>().ok());
            let newest = workload.live_pods().max_by_key(generation).and_then(revision_of);
            newest.map_or(Newest::Any, |revision| Newest::Known(revision.to_owned()))
        }
        _ => Newest::Any,
    }
}

/// The revision of the newest of these ReplicaSets that own the workload's pods: the highest revision number, or with
/// none or the same, the last one made.
pub(super) fn find_newest_replica_set(sets: &[ReplicaSet], workload: &Workload) -> Option<String> {
    let owners: BTreeMap<&str, &str> = workload
        .live_pods()
        .filter_map(|pod| Some((controlling_reference(pod)?.uid.as_str(), revision_of(pod)?)))
        .collect();
    let own = sets.iter().filter_map(|set| Some((set, *owners.get(set.metadata.uid.as_deref()?)?)));
    let newest = own.max_by_key(|(set, _)| (revision_number(set), set.creation_timestamp(), set.name_any()));
    newest.map(|(_, revision)| revision.to_owned())
}

/// What to say of a rollout that is under way: `rollout in progress: 1 of 2 pods are of the new revision`.
pub(super) fn rollout_note(workload: &Workload, newest: &str) -> String {
    let total = workload.live_pods().count();
    let new = workload.live_pods().filter(|pod| revision_of(pod) == Some(newest)).count();
    rollout(new, total)
}

/// That a rollout is under way, and how far it is.
pub(in crate::cluster) fn rollout(new: impl Display, total: impl Display) -> String {
    format!("rollout in progress: {new} of {total} pods are of the new revision")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::target::{
        fixtures::{PodBuilder, environment, object, pod},
        role::Roles,
        workload::group,
    };

    fn workload(pods: Vec<PodBuilder>) -> Workload {
        let pods = pods.into_iter().map(PodBuilder::build).collect();
        group(pods, &Roles::new(&environment("qa", None), None).unwrap()).remove(0)
    }

    fn replica_set(name: &str, revision: Value, created: &str) -> ReplicaSet {
        let mut metadata = json!({"name": name, "uid": format!("uid-{name}"), "creationTimestamp": created});
        if !revision.is_null() {
            metadata["annotations"] = json!({REVISION: revision});
        }
        object(json!({"metadata": metadata, "spec": {"selector": {}}}))
    }

    #[test]
    fn one_revision_needs_no_question() {
        for pods in [
            vec![pod("a").of_deployment("web", "1"), pod("b").of_deployment("web", "1")],
            vec![pod("a").of_deployment("web", "1"), pod("b").of_deployment("web", "2").terminating()],
            vec![pod("a").of_deployment("web", "1"), pod("b").of_deployment("web", "2").phase("Failed")],
            vec![pod("a").owned_by("CloneSet", "web"), pod("b").owned_by("CloneSet", "web")],
        ] {
            assert_eq!(newest(&workload(pods)), Newest::Any);
        }
    }

    #[test]
    fn several_revisions_are_asked_about() {
        let web = workload(vec![pod("a").of_deployment("web", "bb"), pod("b").of_deployment("web", "aa")]);
        assert_eq!(newest(&web), Newest::AskReplicaSets("pod-template-hash in (aa,bb)".to_owned()));

        let of = |name: &str, kind: &str, revision: &str| pod(name).owned_by(kind, "x").label(REVISION_HASH, revision);
        let stateful = workload(vec![of("x-0", "StatefulSet", "x-1"), of("x-1", "StatefulSet", "x-2")]);
        assert_eq!(newest(&stateful), Newest::AskStatefulSet);

        let daemons = [("a", "r9", "9"), ("b", "r10", "10")];
        let daemons = daemons.map(|(name, hash, n)| of(name, "DaemonSet", hash).label(TEMPLATE_GENERATION, n));
        assert_eq!(newest(&workload(daemons.into())), Newest::Known("r10".to_owned()));
    }

    #[test]
    fn the_newest_replica_set_is_the_one_of_the_highest_revision() {
        let web = workload(vec![pod("a").of_deployment("web", "old"), pod("b").of_deployment("web", "new")]);
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
        for (sets, expected) in [
            // A rollback: the older ReplicaSet has the higher revision, and 10 is more than 9.
            ([("web-old", json!("10"), early), ("web-new", json!("9"), late)], Some("old")),
            ([("web-old", json!("1"), early), ("web-new", json!("2"), late)], Some("new")),
            ([("web-old", Value::Null, early), ("web-new", Value::Null, late)], Some("new")),
            ([("web-old", json!("2"), late), ("web-new", json!("2"), early)], Some("old")),
            // The other one is of another Deployment with the same hash.
            ([("web-old", json!("2"), early), ("site-new", json!("7"), late)], Some("old")),
            ([("site-old", json!("2"), early), ("site-new", json!("7"), late)], None),
        ] {
            let sets: Vec<_> = sets.iter().map(|(name, n, at)| replica_set(name, n.clone(), at)).collect();
            assert_eq!(find_newest_replica_set(&sets, &web).as_deref(), expected);
        }
    }

    #[test]
    fn a_rollout_is_told() {
        let web = workload(vec![pod("a").of_deployment("web", "1"), pod("b").of_deployment("web", "2")]);
        assert_eq!(rollout_note(&web, "2"), "rollout in progress: 1 of 2 pods are of the new revision");
    }
}

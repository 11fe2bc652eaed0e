//! Pods grouped into workloads, by who controls them and not by their labels: labels overlap.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::ResourceExt;

use super::{
    kind::{Kind, kind_of},
    pod,
    role::Roles,
};

/// The label the Deployment controller puts on a ReplicaSet's pods.
pub(in crate::cluster) const TEMPLATE_HASH: &str = "pod-template-hash";

/// What controls a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cluster) enum Controller {
    Deployment,
    StatefulSet,
    DaemonSet,
    /// A ReplicaSet no Deployment made.
    ReplicaSet,
    /// A Job: its pods play no role.
    Job,
    /// Nothing, or the node itself: a bare pod plays no role.
    Bare,
    /// A controller of another kind, in lower case.
    Other(String),
}

/// What a pod belongs to, shown as `deployment/web`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cluster) struct Owner {
    pub(in crate::cluster) controller: Controller,
    pub(in crate::cluster) name: String,
}

impl Owner {
    /// A workload of this name.
    pub(in crate::cluster) fn new(controller: Controller, name: &str) -> Self {
        Self { controller, name: name.to_owned() }
    }

    /// The owner of `pod`, by its controlling ownerReference.
    pub(in crate::cluster) fn of(pod: &Pod) -> Self {
        let own = Self::new;
        let Some(reference) = controlling_reference(pod) else { return own(Controller::Bare, &pod.name_any()) };
        match reference.kind.as_str() {
            "ReplicaSet" => match deployment_name(pod, &reference.name) {
                Some(name) => own(Controller::Deployment, name),
                None => own(Controller::ReplicaSet, &reference.name),
            },
            "StatefulSet" => own(Controller::StatefulSet, &reference.name),
            "DaemonSet" => own(Controller::DaemonSet, &reference.name),
            "Job" => own(Controller::Job, &reference.name),
            "Node" => own(Controller::Bare, &pod.name_any()),
            other => own(Controller::Other(other.to_lowercase()), &reference.name),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.controller {
            Controller::Deployment => "deployment",
            Controller::StatefulSet => "statefulset",
            Controller::DaemonSet => "daemonset",
            Controller::ReplicaSet => "replicaset",
            Controller::Job => "job",
            Controller::Bare => "pod",
            Controller::Other(kind) => kind,
        };
        write!(f, "{kind}/{}", self.name)
    }
}

/// The reference to a pod's controller.
pub(super) fn controlling_reference(pod: &Pod) -> Option<&OwnerReference> {
    pod.owner_references().iter().find(|reference| reference.controller == Some(true))
}

/// The Deployment's name: its ReplicaSets are called after it and the hash of their template.
fn deployment_name<'a>(pod: &Pod, replica_set: &'a str) -> Option<&'a str> {
    let hash = pod.labels().get(TEMPLATE_HASH)?;
    replica_set.strip_suffix(hash.as_str())?.strip_suffix('-').filter(|name| !name.is_empty())
}

/// A workload, as far as its pods show it.
#[derive(Debug)]
pub(in crate::cluster) struct Workload {
    pub(in crate::cluster) owner: Owner,
    pub(in crate::cluster) role: String,
    /// The role its name alone would give it.
    pub(in crate::cluster) short_name: String,
    pub(in crate::cluster) kind: Kind,
    pub(in crate::cluster) pods: Vec<Pod>,
}

impl Workload {
    /// The pods that are neither going nor gone.
    pub(super) fn live_pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod::is_live(pod))
    }

    /// Whether `name` means this workload in any way: by its role, its own name, or what its name would make its role.
    pub(in crate::cluster) fn is_meant_by(&self, name: &str) -> bool {
        self.role == name || self.is_called(name) || self.short_name == name
    }

    /// Whether `name` means this workload: `web-blue`, `deployment/web-blue`.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.owner.name == name || self.owner.to_string() == name
    }
}

/// The workloads of these pods, sorted. Pods of Jobs, bare pods and kdj's own belong to none.
pub(in crate::cluster) fn group(pods: Vec<Pod>, roles: &Roles<'_>) -> Vec<Workload> {
    let mut owned = BTreeMap::<Owner, Vec<Pod>>::new();
    for pod in pods {
        let owner = Owner::of(&pod);
        if !matches!(owner.controller, Controller::Job | Controller::Bare) && !pod::is_own(&pod) {
            owned.entry(owner).or_default().push(pod);
        }
    }
    owned.into_iter().map(|(owner, pods)| workload(owner, pods, roles)).collect()
}

/// The workload of one pod, as far as the pod shows it.
pub(in crate::cluster) fn workload_of(pod: &Pod, roles: &Roles<'_>) -> Workload {
    workload(Owner::of(pod), vec![pod.clone()], roles)
}

/// One workload; its newest live pod speaks for it.
pub(in crate::cluster) fn workload(owner: Owner, pods: Vec<Pod>, roles: &Roles<'_>) -> Workload {
    let model = pods.iter().max_by_key(|pod| (pod::is_live(pod), pod::created(pod), pod.name_any()));
    let (role, short_name, kind) = model.map_or((owner.name.clone(), owner.name.clone(), Kind::Other), |pod| {
        let role = roles.role_of(&owner.name, pod.labels());
        let kind = kind_of(pod, &role);
        (role, roles.short_name(&owner.name, pod.labels()), kind)
    });
    Workload { owner, role, short_name, kind, pods }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::target::fixtures::{environment, pod};

    #[test]
    fn the_controlling_reference_names_the_workload() {
        for (pod, expected) in [
            (pod("a").of_deployment("web", "7c9d8f"), "deployment/web"),
            (pod("a").of_deployment("shop-web", "7c9d8f"), "deployment/shop-web"),
            (pod("a").owned_by("ReplicaSet", "web-7c9d8f"), "replicaset/web-7c9d8f"),
            (pod("a").owned_by("ReplicaSet", "other-1").label(TEMPLATE_HASH, "7c9d8f"), "replicaset/other-1"),
            (pod("a").owned_by("StatefulSet", "db"), "statefulset/db"),
            (pod("a").owned_by("DaemonSet", "agent"), "daemonset/agent"),
            (pod("a").owned_by("Job", "migrate"), "job/migrate"),
            (pod("a").owned_by("Node", "node-1"), "pod/a"),
            (pod("a").owned_by("CloneSet", "web"), "cloneset/web"),
            (pod("a"), "pod/a"),
        ] {
            assert_eq!(Owner::of(&pod.build()).to_string(), expected);
        }
    }

    #[test]
    fn the_same_labels_do_not_make_the_same_workload() {
        let qa = environment("qa", None);
        let same = |pod: crate::cluster::target::fixtures::PodBuilder| {
            pod.label("app", "shop").label("component", "web").build()
        };
        let pods = vec![
            same(pod("web-1").of_deployment("web", "aaa")),
            same(pod("old-1").of_deployment("old", "aaa")),
            same(pod("debug")),
            same(pod("migrate-1").owned_by("Job", "migrate")),
            same(pod("kdj-1").of_deployment("web", "aaa").label("app.kubernetes.io/managed-by", "kdj")),
        ];
        let workloads = group(pods, &Roles::new(&qa, None).unwrap());
        let named: Vec<_> = workloads.iter().map(|w| (w.owner.to_string(), w.role.as_str(), w.pods.len())).collect();
        assert_eq!(named, [("deployment/old".to_owned(), "web", 1), ("deployment/web".to_owned(), "web", 1)]);
    }

    #[test]
    fn the_newest_live_pod_tells_the_role() {
        let qa = environment("qa", None);
        let pods = vec![
            pod("a").of_deployment("x", "1").label("component", "old").created("2026-01-01T00:00:00Z").build(),
            pod("b").of_deployment("x", "2").label("component", "new").created("2026-01-02T00:00:00Z").build(),
            pod("c")
                .of_deployment("x", "3")
                .label("component", "c")
                .created("2026-01-03T00:00:00Z")
                .terminating()
                .build(),
        ];
        assert_eq!(group(pods, &Roles::new(&qa, None).unwrap())[0].role, "new");
    }
}

//! How an environment, or the instances of a pattern, are doing: from one LIST of pods.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::ResourceExt;
use serde::Serialize;

use super::{
    super::Cluster,
    kind::Kind,
    pod::{is_live, is_own, is_ready},
    role::{INSTANCE, Roles},
    state::describe,
    workload::{Controller, Owner, Workload, group},
};
use crate::{environment::Environment, error::Result};

/// How many pods are ready, of those there should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// The pods that are ready.
    pub ready: usize,
    /// All pods but those going or gone.
    pub total: usize,
    /// The state of the first pod that is not ready: `web-7c9d: CrashLoopBackOff, …`.
    pub problem: Option<String>,
}

/// One instance of an app that has many in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// The value of `app.kubernetes.io/instance`.
    pub name: String,
    /// Its pods.
    #[serde(flatten)]
    pub readiness: Readiness,
}

/// One role of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleSummary {
    /// The role's name.
    pub role: String,
    /// Its kind.
    pub kind: Kind,
    /// Its pods.
    #[serde(flatten)]
    pub readiness: Readiness,
}

/// An environment at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The pods of all roles.
    #[serde(flatten)]
    pub readiness: Readiness,
    /// Its roles, by kind and name.
    pub roles: Vec<RoleSummary>,
}

impl Cluster {
    /// The instances in a namespace that have pods, by name: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn instances(&self, namespace: &str) -> Result<Vec<Instance>> {
        let pods = self.list::<Pod>(namespace, Some(INSTANCE)).await?;
        Ok(group_instances(&pods, Timestamp::now()))
    }

    /// The roles of an environment and their pods: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses, or a configured selector is malformed.
    pub async fn summary(&self, environment: &Environment) -> Result<Summary> {
        let roles = Roles::new(environment, None)?;
        let pods = self.list::<Pod>(&environment.namespace, roles.query(None).as_deref()).await?;
        let workloads = group(pods, &roles);
        self.tell_pods(&workloads);
        Ok(summarize(&workloads, Timestamp::now()))
    }
}

fn group_instances(pods: &[Pod], now: Timestamp) -> Vec<Instance> {
    let mut instances = BTreeMap::<&str, Vec<&Pod>>::new();
    for pod in pods {
        let plays_a_role = !matches!(Owner::of(pod).controller, Controller::Job | Controller::Bare) && !is_own(pod);
        if let Some(instance) = pod.labels().get(INSTANCE).filter(|_| plays_a_role) {
            instances.entry(instance).or_default().push(pod);
        }
    }
    let instance = |(name, pods): (&str, Vec<&Pod>)| Instance { name: name.to_owned(), readiness: count(pods, now) };
    instances.into_iter().map(instance).filter(|instance| instance.readiness.total > 0).collect()
}

fn summarize(workloads: &[Workload], now: Timestamp) -> Summary {
    let mut roles = BTreeMap::<(Kind, &str), Vec<&Pod>>::new();
    for workload in workloads {
        roles.entry((workload.kind, &workload.role)).or_default().extend(&workload.pods);
    }
    let readiness = count(workloads.iter().flat_map(|workload| &workload.pods), now);
    let roles = roles.into_iter().map(|((kind, role), pods)| RoleSummary {
        role: role.to_owned(),
        kind,
        readiness: count(pods, now),
    });
    Summary { readiness, roles: roles.collect() }
}

fn count<'a>(pods: impl IntoIterator<Item = &'a Pod>, now: Timestamp) -> Readiness {
    let mut counted = Readiness::default();
    for pod in pods.into_iter().filter(|pod| is_live(pod)) {
        counted.total += 1;
        if is_ready(pod) {
            counted.ready += 1;
        } else if counted.problem.is_none() {
            counted.problem = Some(format!("{}: {}", pod.name_any(), describe(pod, now)));
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::target::fixtures::{PodBuilder, environment, now, pod};

    fn build(pods: Vec<PodBuilder>) -> Vec<Pod> {
        pods.into_iter().map(PodBuilder::build).collect()
    }

    #[test]
    fn instances_are_told_apart_by_their_label() {
        let of = |name: &str, instance: &str| pod(name).of_deployment(instance, "1").label(INSTANCE, instance);
        let instances = group_instances(
            &build(vec![
                of("a", "car1-qa"),
                of("b", "car2-qa").crash_looping(),
                of("c", "car2-qa"),
                of("d", "car2-qa").terminating(),
                of("e", "car2-qa").owned_by("Job", "migrate"),
                of("f", "gone-qa").terminating(),
                pod("g").of_deployment("x", "1"),
            ]),
            now(),
        );
        let seen: Vec<_> = instances.iter().map(|i| (i.name.as_str(), i.readiness.ready, i.readiness.total)).collect();
        assert_eq!(seen, [("car1-qa", 1, 1), ("car2-qa", 1, 2)]);
        assert_eq!(
            instances[1].readiness.problem.as_deref(),
            Some("b: CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts")
        );
    }

    #[test]
    fn roles_are_counted_by_kind() {
        let qa = environment("qa", None);
        let pods = build(vec![
            pod("a").of_deployment("web", "1"),
            pod("b").of_deployment("web", "2").phase("Pending"),
            pod("c").of_deployment("celeryd", "1"),
            pod("d").owned_by("StatefulSet", "postgres"),
        ]);
        let summary = summarize(&group(pods, &Roles::new(&qa, None).unwrap()), now());
        assert_eq!((summary.readiness.ready, summary.readiness.total), (3, 4));
        let roles: Vec<_> =
            summary.roles.iter().map(|r| (r.role.as_str(), r.readiness.ready, r.readiness.total)).collect();
        assert_eq!(roles, [("web", 1, 2), ("celeryd", 1, 1), ("postgres", 1, 1)]);
        let json = serde_json::to_value(&summary.roles[1]).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"role": "celeryd", "kind": "worker", "ready": 1, "total": 1, "problem": null})
        );
    }
}

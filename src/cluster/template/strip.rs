//! A template without what belongs to the workload: probes, ports, lifecycle hooks, sidecars, the places it keeps away
//! from its siblings, and the labels it is selected by.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{
    api::core::v1::{Affinity, Container, Pod, PodSpec},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{super::target::words, labels::Selectors};

/// Annotations that are about a pod of the workload, and not about what an admission webhook should add to it.
const LEFT_OUT: [&str; 6] = [
    "kubectl.kubernetes.io/",
    "deployment.kubernetes.io/",
    "prometheus.io/",
    "cluster-autoscaler.kubernetes.io/",
    "karpenter.sh/",
    "ad.datadoghq.com/",
];

/// Annotations and labels that keep the known meshes from adding a sidecar that never ends.
const NO_SIDECARS: [(&str, &str); 3] = [
    ("sidecar.istio.io/inject", "false"),
    ("linkerd.io/inject", "disabled"),
    ("vault.hashicorp.com/agent-pre-populate-only", "true"),
];

/// Annotations that keep a pod from being moved while it works.
const STAY: [(&str, &str); 2] =
    [("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"), ("karpenter.sh/do-not-disrupt", "true")];

/// What is left of a template.
#[derive(Clone, Debug)]
pub(in crate::cluster) struct Stripped {
    /// Labels and annotations.
    pub(in crate::cluster) metadata: ObjectMeta,
    /// The pod; its first container is the app's.
    pub(in crate::cluster) spec: PodSpec,
    /// What the user should know of what was left out.
    pub(in crate::cluster) notes: Vec<String>,
}

/// Strips `model`; `app` is the name of its app's container.
pub(super) fn strip(model: &Pod, app: &str, selectors: &Selectors, with_sidecars: bool) -> Stripped {
    let mut notes = Vec::new();
    let spec = model.spec.clone().unwrap_or_default();
    let volumes: BTreeSet<String> = spec.volumes.iter().flatten().map(|volume| volume.name.clone()).collect();
    let mut containers: Vec<Container> = spec.containers.iter().map(|it| strip_container(it, &volumes)).collect();
    let at = containers.iter().position(|container| container.name == app).unwrap_or_default();
    let lost = lost_mounts(spec.containers.get(at), &volumes);
    if !lost.is_empty() {
        notes.push(format!("left out: {}, which each pod of a StatefulSet has of its own", lost.join(", ")));
    }
    let app = containers.remove(at);
    if !with_sidecars {
        containers.clear();
    }
    let init: Vec<Container> = spec
        .init_containers
        .iter()
        .flatten()
        .filter(|container| {
            let sidecar = container.restart_policy.as_deref() == Some("Always");
            let migrates = words(container).iter().any(|word| word == "migrate");
            if migrates {
                notes.push(format!("left out: init container `{}`, which migrates", container.name));
            }
            !migrates && (with_sidecars || !sidecar)
        })
        .map(|container| strip_container(container, &volumes))
        .collect();
    containers.insert(0, app);
    let spec = PodSpec {
        containers,
        init_containers: Some(init).filter(|init| !init.is_empty()),
        ephemeral_containers: None,
        affinity: spec
            .affinity
            .and_then(|affinity| affinity.node_affinity)
            .map(|node_affinity| Affinity { node_affinity: Some(node_affinity), ..Affinity::default() }),
        topology_spread_constraints: None,
        node_name: None,
        hostname: None,
        subdomain: None,
        scheduling_gates: None,
        readiness_gates: None,
        restart_policy: Some("Never".to_owned()),
        active_deadline_seconds: None,
        ..spec
    };
    let empty = BTreeMap::new();
    let mut labels = selectors.keep_unselected(model.metadata.labels.as_ref().unwrap_or(&empty));
    let mut annotations = model.metadata.annotations.clone().unwrap_or_default();
    annotations.retain(|key, _| !LEFT_OUT.iter().any(|start| key.starts_with(start)));
    let set = |map: &mut BTreeMap<String, String>, pairs: &[(&str, &str)]| {
        map.extend(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    };
    set(&mut annotations, &STAY);
    if !with_sidecars {
        set(&mut annotations, &NO_SIDECARS);
        // Istio looks at the label first.
        set(&mut labels, &NO_SIDECARS[..1]);
    }
    let metadata = ObjectMeta { labels: Some(labels), annotations: Some(annotations), ..ObjectMeta::default() };
    Stripped { metadata, spec, notes }
}

fn strip_container(container: &Container, volumes: &BTreeSet<String>) -> Container {
    let mut container = Container {
        liveness_probe: None,
        readiness_probe: None,
        startup_probe: None,
        lifecycle: None,
        ports: None,
        resize_policy: None,
        stdin: None,
        stdin_once: None,
        tty: None,
        ..container.clone()
    };
    if let Some(mounts) = &mut container.volume_mounts {
        mounts.retain(|mount| volumes.contains(&mount.name));
    }
    container
}

/// The mounts of volumes that are in no template: a StatefulSet's claims.
fn lost_mounts(container: Option<&Container>, volumes: &BTreeSet<String>) -> Vec<String> {
    let mounts = container.iter().flat_map(|container| container.volume_mounts.iter().flatten());
    mounts.filter(|mount| !volumes.contains(&mount.name)).map(|mount| mount.mount_path.clone()).collect()
}

#[cfg(test)]
mod tests;

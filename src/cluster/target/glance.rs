//! The pods of an environment by name, for who completes names.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::{container::container_names, kind::Kind, pod::is_ready, workload::Workload};

/// A pod at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodGlance {
    /// Its name.
    pub name: String,
    /// The role of its workload.
    pub role: String,
    /// The kind of that role.
    pub kind: Kind,
    /// Whether it is ready.
    pub ready: bool,
    /// Its containers.
    pub containers: Vec<String>,
}

/// The live pods of these workloads.
pub(in crate::cluster) fn glance(workloads: &[Workload]) -> Vec<PodGlance> {
    let of = |workload: &Workload| {
        let one = |pod: &Pod| PodGlance {
            name: pod.name_any(),
            role: workload.role.clone(),
            kind: workload.kind,
            ready: is_ready(pod),
            containers: container_names(pod),
        };
        workload.live_pods().map(one).collect::<Vec<_>>()
    };
    workloads.iter().flat_map(of).collect()
}

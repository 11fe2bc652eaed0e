//! The pods of an environment by name, for who completes names.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::{
    super::{Cluster, request::Notice},
    container::container_names,
    kind::Kind,
    pod::is_ready,
    role::Roles,
    workload::{Workload, group},
};
use crate::{environment::Environment, error::Result};

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

impl Cluster {
    /// The live pods of the environment's roles: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses, or a configured selector is malformed.
    pub async fn glance(&self, environment: &Environment) -> Result<Vec<PodGlance>> {
        let roles = Roles::new(environment, None)?;
        let pods = self.list::<Pod>(&environment.namespace, roles.query(None).as_deref()).await?;
        Ok(glance(&group(pods, &roles)))
    }

    /// Tells the observer which pods there are, where all were listed anyway.
    pub(super) fn tell_pods(&self, workloads: &[Workload]) {
        (self.observer)(Notice::Pods(glance(workloads)));
    }
}

fn glance(workloads: &[Workload]) -> Vec<PodGlance> {
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

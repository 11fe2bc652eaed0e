//! What there is to forward in an environment: the ports of its roles and Services.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;
use serde::Serialize;

use super::{
    super::{
        Glimpse, Kind,
        target::{Roles, group},
    },
    Cluster,
    choose::of_pod,
    service,
};
use crate::{environment::Environment, error::Result};

/// Something that has ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reachable {
    /// What to type: `web`, `svc/web`.
    pub target: String,
    /// What it is: the role's kind, or `Service`.
    pub kind: String,
    /// Its ports; a role's may be unknown.
    pub ports: Vec<ReachablePort>,
    /// Why it cannot be forwarded to, if it cannot.
    pub problem: Option<String>,
}

/// One port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReachablePort {
    /// Its number.
    pub port: u16,
    /// Its name.
    pub name: Option<String>,
}

impl Cluster {
    /// The roles and Services of the environment: two requests. Services that may not be listed are left out.
    ///
    /// # Errors
    /// When the pods cannot be listed.
    pub async fn reachable(&self, environment: &Environment) -> Result<Vec<Reachable>> {
        let roles = Roles::new(environment, None)?;
        let namespace = &environment.namespace;
        let pods = self.list::<Pod>(namespace, roles.query(None).as_deref()).await?;
        let services = self.list::<Service>(namespace, None).await.unwrap_or_default();
        let workloads = group(pods, &roles);
        self.tell_pods(&workloads);
        let mut names: Vec<(Kind, &str)> = workloads.iter().map(|it| (it.kind, it.role.as_str())).collect();
        names.sort_unstable();
        names.dedup();
        let of_role = |(kind, role): (Kind, &str)| {
            let pods = workloads.iter().filter(|workload| workload.role == role).flat_map(|workload| &workload.pods);
            let declared = |(port, name)| ReachablePort { port, name };
            let ports: BTreeSet<_> = pods
                .flat_map(|pod| match of_pod(pod) {
                    ports if ports.is_empty() => service::port_for(&services, pod).into_iter().collect(),
                    ports => ports,
                })
                .map(declared)
                .collect();
            Reachable {
                target: role.to_owned(),
                kind: kind.to_string(),
                ports: ports.into_iter().collect(),
                problem: None,
            }
        };
        let roles = names.into_iter().map(of_role);
        let reachable: Vec<_> = roles.chain(services.iter().map(of_service)).collect();
        self.tell(Glimpse::Targets(reachable.iter().map(|one| one.target.clone()).collect()));
        Ok(reachable)
    }
}

fn of_service(service: &Service) -> Reachable {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten()).filter_map(|port| {
        let is_tcp = port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP");
        let number = u16::try_from(port.port).ok().filter(|_| is_tcp)?;
        Some(ReachablePort { port: number, name: port.name.clone() })
    });
    let ports: Vec<_> = ports.collect();
    let problem = match ports.first() {
        Some(first) => service::read(service, Some(&super::Port::Number(first.port))).err(),
        None => None,
    };
    Reachable {
        target: format!("svc/{}", service.name_any()),
        kind: "Service".to_owned(),
        ports,
        problem: problem.map(|error| error.causes().first().cloned().unwrap_or_else(|| error.message().to_owned())),
    }
}

//! Ports to forward to: which pod has them, and what they are called there.

mod choose;
mod health;
mod list;
mod service;

use std::fmt;

use k8s_openapi::api::core::v1::{Pod, Service};

use self::choose::{choose_port, of_pod};
pub use self::{
    health::{PodHealth, Trouble},
    list::{Reachable, ReachablePort},
};
use super::{Cluster, Involved, Kind, Target, Wanted};
use crate::{
    environment::Environment,
    error::{Error, Result},
};

/// A port as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// By number.
    Number(u16),
    /// By the name its container or its Service gives it.
    Name(String),
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Number(number) => write!(f, "{number}"),
            Port::Name(name) => f.write_str(name),
        }
    }
}

/// Whose port it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortOwner {
    /// A pod of a role, chosen as for sessions.
    Role(String),
    /// A ready pod that the Service selects.
    Service(String),
    /// This pod and no other.
    Pod(String),
}

/// A pod, and one of its ports.
#[derive(Clone, Debug)]
pub struct PortOfPod {
    /// The namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid: a StatefulSet's next pod has the same name.
    pub pod_uid: String,
    /// The port in the pod.
    pub port: u16,
    /// Its name there, or in the Service.
    pub port_name: Option<String>,
    /// The port of the Service, where it was asked for by that.
    pub service_port: Option<u16>,
    /// Whether it belongs to a role of the kind web.
    pub is_web: bool,
    /// What the user should know of the choice.
    pub notes: Vec<String>,
}

impl From<&PortOfPod> for Involved {
    fn from(found: &PortOfPod) -> Self {
        Involved::Pod { name: found.pod.clone(), uid: found.pod_uid.clone() }
    }
}

impl Cluster {
    /// Finds the pod and its port. `exclude` are pods not to take, as they turned out to be gone or going.
    ///
    /// # Errors
    /// When there is none, or none for sure; the error lists what there is.
    pub async fn find_port(
        &self,
        environment: &Environment,
        owner: &PortOwner,
        port: Option<&Port>,
        exclude: &[String],
    ) -> Result<PortOfPod> {
        match owner {
            PortOwner::Role(role) => self.port_of_role(environment, role, port, exclude).await,
            PortOwner::Service(name) => self.port_of_service(environment, name, port, exclude).await,
            PortOwner::Pod(name) => self.port_of_pod(environment, name, port).await,
        }
    }

    async fn port_of_role(
        &self,
        environment: &Environment,
        role: &str,
        asked: Option<&Port>,
        exclude: &[String],
    ) -> Result<PortOfPod> {
        let wanted = Wanted { role: Some(role.to_owned()), exclude: exclude.to_vec(), ..Wanted::default() };
        let target = self.target(environment, &wanted).await?;
        let number = match asked {
            Some(Port::Number(number)) => (*number, None),
            _ => {
                let pod = self.get::<Pod>(&target.namespace, &target.pod).await?.ok_or_else(|| {
                    Error::failed(format!("pod {} went away just now", target.pod))
                        .hint("try again: another one is chosen")
                })?;
                match choose_port(&of_pod(&pod), asked) {
                    Ok(Some(chosen)) => chosen,
                    // The pod declares none: its Service may know.
                    Ok(None) if asked.is_none() => {
                        let services = self.list::<Service>(&target.namespace, None).await?;
                        service::port_for(&services, &pod).ok_or_else(|| choose::none_declared(role))?
                    }
                    Ok(None) => return Err(choose::no_such(role, asked, &of_pod(&pod))),
                    Err(several) => return Err(choose::several(role, &several)),
                }
            }
        };
        let Target { namespace, pod, pod_uid, notes, kind, .. } = target;
        let (port, port_name) = number;
        // Another port than its usual one may be anything.
        let is_web = kind == Kind::Web && asked.is_none();
        Ok(PortOfPod { namespace, pod, pod_uid, port, port_name, service_port: None, is_web, notes })
    }

    async fn port_of_pod(&self, environment: &Environment, name: &str, port: Option<&Port>) -> Result<PortOfPod> {
        let pod = self.usable_pod(environment, name).await?;
        let asked = format!("pod/{name}");
        let (port, port_name) = match port {
            Some(Port::Number(number)) => (*number, None),
            _ => match choose_port(&of_pod(&pod), port) {
                Ok(Some(chosen)) => chosen,
                Ok(None) if port.is_none() => return Err(choose::none_declared(&asked)),
                Ok(None) => return Err(choose::no_such(&asked, port, &of_pod(&pod))),
                Err(several) => return Err(choose::several(&asked, &several)),
            },
        };
        Ok(PortOfPod {
            namespace: environment.namespace.clone(),
            pod: name.to_owned(),
            pod_uid: pod.metadata.uid.unwrap_or_default(),
            port,
            port_name,
            service_port: None,
            is_web: false,
            notes: Vec::new(),
        })
    }

    async fn port_of_service(
        &self,
        environment: &Environment,
        name: &str,
        port: Option<&Port>,
        exclude: &[String],
    ) -> Result<PortOfPod> {
        let namespace = &environment.namespace;
        let Some(service) = self.get::<Service>(namespace, name).await? else {
            let all = self.list::<Service>(namespace, None).await.unwrap_or_default();
            return Err(service::unknown(environment, name, &all));
        };
        let asked = service::read(&service, port)?;
        let pods = self.list::<Pod>(namespace, Some(&asked.selector)).await?;
        let pod = service::choose(environment, name, &asked, &pods, exclude)?;
        let found = service::target_port(name, &asked, pod)?;
        Ok(PortOfPod {
            namespace: namespace.clone(),
            pod: pod.metadata.name.clone().unwrap_or_default(),
            pod_uid: pod.metadata.uid.clone().unwrap_or_default(),
            port: found,
            port_name: asked.name.clone(),
            service_port: Some(asked.port),
            is_web: false,
            notes: Vec::new(),
        })
    }

    /// Whether the pod is still there, and neither going nor gone. In doubt it is.
    pub async fn is_usable(&self, found: &PortOfPod) -> bool {
        match self.get::<Pod>(&found.namespace, &found.pod).await {
            Ok(Some(pod)) => health::trouble_of(&pod, &found.pod_uid).is_none(),
            Ok(None) => false,
            Err(_) => true,
        }
    }
}

/// An error about what was asked for, in the words of the command line.
fn refused(message: String) -> Error {
    Error::usage(message)
}

//! From a Service to one of its pods, as its clients would get there.

use k8s_openapi::{
    api::core::v1::{Pod, Service, ServicePort},
    apimachinery::pkg::util::intstr::IntOrString,
};
use kube::ResourceExt;

use super::{
    super::target::{choose_pod, is_ready},
    Port,
    choose::{Declared, of_pod},
    refused,
};
use crate::{
    environment::Environment,
    error::{Error, Result},
    names,
};

/// A Service, as far as forwarding needs it.
#[derive(Debug)]
pub(super) struct Asked {
    /// The selector of its pods.
    pub(super) selector: String,
    /// Its port.
    pub(super) port: u16,
    /// That port's name.
    pub(super) name: Option<String>,
    /// Where that leads in the pod; a headless Service's clients go to the very port.
    target: IntOrString,
    headless: bool,
}

/// Reads a Service, and chooses its port: the asked-for one, the only one, or the one called `http`.
///
/// # Errors
/// When it has no pods by its nature, or the port is unclear or not TCP.
pub(super) fn read(service: &Service, port: Option<&Port>) -> Result<Asked> {
    let name = service.name_any();
    let spec = service.spec.clone().unwrap_or_default();
    let other = |why: &str| {
        refused(format!("Service `{name}` has no pods to forward to")).caused_by(why).hint(format!(
            "what the app reaches can be reached through it: `[forwards.{name}]` with `host = \"{name}\"` and `port` in kdj.toml"
        ))
    };
    if spec.type_.as_deref() == Some("ExternalName") {
        return Err(other("it is an ExternalName: another name for a host outside"));
    }
    let Some(selector) = spec.selector.filter(|selector| !selector.is_empty()) else {
        return Err(other("it has no selector: its addresses are outside, or somebody else's to manage"));
    };
    let selector: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let ports = spec.ports.unwrap_or_default();
    let chosen = choose_port(&name, &ports, port)?;
    if chosen.protocol.as_deref().is_some_and(|protocol| protocol != "TCP") {
        let protocol = chosen.protocol.unwrap_or_default();
        return Err(refused(format!("port {} of Service `{name}` is {protocol}", chosen.port))
            .caused_by("only TCP can be forwarded"));
    }
    let number = u16::try_from(chosen.port).unwrap_or_default();
    let headless = spec.cluster_ip.as_deref() == Some("None");
    let target = chosen.target_port.unwrap_or(IntOrString::Int(chosen.port));
    Ok(Asked { selector: selector.join(","), port: number, name: chosen.name, target, headless })
}

fn choose_port(service: &str, ports: &[ServicePort], asked: Option<&Port>) -> Result<ServicePort> {
    let all = || {
        let one = |port: &ServicePort| match &port.name {
            Some(name) => format!("{} ({name})", port.port),
            None => port.port.to_string(),
        };
        ports.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let found = match asked {
        Some(Port::Number(number)) => ports.iter().find(|port| port.port == i32::from(*number)),
        Some(Port::Name(name)) => ports.iter().find(|port| port.name.as_ref() == Some(name)),
        None => match ports {
            [only] => Some(only),
            _ => ports.iter().find(|port| port.name.as_deref() == Some("http")),
        },
    };
    found.cloned().ok_or_else(|| match asked {
        Some(asked) => refused(format!("Service `{service}` has no port `{}`", names::shown(&asked.to_string())))
            .caused_by(format!("its ports are {}", all())),
        None if ports.is_empty() => refused(format!("Service `{service}` has no ports")),
        None => refused(format!("Service `{service}` has several ports"))
            .caused_by(format!("they are {}", all()))
            .hint(format!("name the one you mean: `svc/{service}:{}`", ports[0].port)),
    })
}

/// A ready pod of the Service; of a headless one, whose clients choose themselves, only where there is no choice.
///
/// # Errors
/// When there is none, or a headless Service has several.
pub(super) fn choose<'a>(
    environment: &Environment,
    service: &str,
    asked: &Asked,
    pods: &'a [Pod],
    exclude: &[String],
) -> Result<&'a Pod> {
    let pods: Vec<&Pod> = pods.iter().collect();
    let ready: Vec<String> = pods.iter().filter(|pod| is_ready(pod)).map(|pod| pod.name_any()).collect();
    if let (true, [first, _, ..]) = (asked.headless, ready.as_slice()) {
        return Err(refused(format!("Service `{service}` is headless, and has {} ready pods", ready.len()))
            .caused_by(format!("its clients choose one themselves: {}", ready.join(", ")))
            .hint(format!("choose one, too: `pod/{first}:{}`", asked.port)));
    }
    choose_pod(&pods, exclude).ok_or_else(|| {
        Error::failed(format!("no ready pod of Service `{service}` in `{}`", environment.name)).caused_by(format!(
            "{} pods match its selector `{}`, and none is ready",
            pods.len(),
            asked.selector
        ))
    })
}

/// The port of the pod that the Service's port leads to.
///
/// # Errors
/// When it is a name that the pod does not have.
pub(super) fn target_port(service: &str, asked: &Asked, pod: &Pod) -> Result<u16> {
    match &asked.target {
        IntOrString::Int(number) => Ok(u16::try_from(*number).unwrap_or(asked.port)),
        IntOrString::String(name) => {
            let ports = of_pod(pod);
            ports.iter().find(|(_, known)| known.as_ref() == Some(name)).map(|(number, _)| *number).ok_or_else(|| {
                refused(format!("port {} of Service `{service}` leads to a port `{name}`", asked.port))
                    .caused_by(format!("pod {} has none of that name", pod.name_any()))
            })
        }
    }
}

/// No Service has the name.
pub(super) fn unknown(environment: &Environment, name: &str, all: &[Service]) -> Error {
    let error = refused(format!("no Service `{}` in `{}`", names::shown(name), environment.name));
    let all: Vec<String> = all.iter().map(ResourceExt::name_any).collect();
    let error = match all.as_slice() {
        [] => error,
        all => error.caused_by(format!("its Services are {}", names::quoted(all.iter().map(String::as_str), ", "))),
    };
    match names::find_nearest(name, all.iter().map(String::as_str)) {
        Some(nearest) => error.hint(format!("did you mean `svc/{nearest}`?")),
        None => error,
    }
}

/// The port that the Services have for this pod, where they agree.
pub(super) fn port_for(services: &[Service], pod: &Pod) -> Option<Declared> {
    let selects = |service: &&Service| {
        let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        selector.is_some_and(|selector| {
            !selector.is_empty() && selector.iter().all(|(key, value)| pod.labels().get(key) == Some(value))
        })
    };
    let mut found = services.iter().filter(selects).filter_map(|service| {
        let asked = read(service, None).ok()?;
        Some((target_port("", &asked, pod).ok()?, asked.name))
    });
    let first = found.next()?;
    found.all(|(number, _)| number == first.0).then_some(first)
}

//! Which of a pod's declared ports is meant.

use k8s_openapi::api::core::v1::Pod;

use super::{Port, refused};
use crate::{error::Error, names};

/// A declared port: its number and its name.
pub(super) type Declared = (u16, Option<String>);

/// The TCP ports that a pod's containers declare, in their order, once each.
pub(super) fn of_pod(pod: &Pod) -> Vec<Declared> {
    let containers = pod.spec.iter().flat_map(|spec| {
        // Sidecars that start first are init containers that stay.
        let stays = |policy: &Option<String>| policy.as_deref() == Some("Always");
        let early = spec.init_containers.iter().flatten().filter(move |container| stays(&container.restart_policy));
        spec.containers.iter().chain(early)
    });
    let mut ports: Vec<Declared> = Vec::new();
    for port in containers.flat_map(|container| container.ports.iter().flatten()) {
        let is_tcp = port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP");
        if let (true, Ok(number)) = (is_tcp, u16::try_from(port.container_port))
            && !ports.iter().any(|(known, _)| *known == number)
        {
            ports.push((number, port.name.clone()));
        }
    }
    ports
}

/// The port asked for by name; without a name the only one, or the one that is called `http`, or begins so.
///
/// # Errors
/// With all there are, when more than one could be meant.
pub(super) fn choose_port(ports: &[Declared], asked: Option<&Port>) -> Result<Option<Declared>, Vec<Declared>> {
    let named = |wanted: &str| ports.iter().find(|(_, name)| name.as_deref() == Some(wanted)).cloned();
    match asked {
        Some(Port::Number(number)) => Ok(Some((*number, None))),
        Some(Port::Name(name)) => Ok(named(name)),
        None => match ports {
            [] => Ok(None),
            [only] => Ok(Some(only.clone())),
            _ => named("http")
                .or_else(|| {
                    let begins = |(_, name): &&Declared| name.as_deref().is_some_and(|name| name.starts_with("http-"));
                    ports.iter().find(begins).cloned()
                })
                .map(Some)
                .ok_or_else(|| ports.to_vec()),
        },
    }
}

/// `8000 (http), 9000`
pub(super) fn listed(ports: &[Declared]) -> String {
    let one = |(number, name): &Declared| match name {
        Some(name) => format!("{number} ({})", names::shown(name)),
        None => number.to_string(),
    };
    ports.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Nothing says which port `asked` has.
pub(super) fn none_declared(asked: &str) -> Error {
    let asked = names::shown(asked);
    refused(format!("`{asked}` has no port that is known"))
        .caused_by("its pod declares none, and no Service has one for it")
        .hint(format!("name the port: `{asked}:PORT`"))
}

/// Several ports could be meant.
pub(super) fn several(asked: &str, ports: &[Declared]) -> Error {
    let asked = names::shown(asked);
    let first = ports.first().map_or(0, |(number, _)| *number);
    refused(format!("`{asked}` has several ports"))
        .caused_by(format!("they are {}", listed(ports)))
        .hint(format!("name the one you mean: `{asked}:{first}`"))
}

/// No port has the name that was asked for.
pub(super) fn no_such(asked: &str, port: Option<&Port>, ports: &[Declared]) -> Error {
    let name = port.map(ToString::to_string).unwrap_or_default();
    let error = refused(format!("`{}` has no port `{}`", names::shown(asked), names::shown(&name)));
    match ports {
        [] => error.caused_by("its pod declares none").hint(format!("use a number: `{}:8000`", names::shown(asked))),
        _ => error.caused_by(format!("its ports are {}", listed(ports))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(text: &str) -> Vec<Declared> {
        let one = |word: &str| match word.split_once('=') {
            Some((name, number)) => (number.parse().unwrap(), Some(name.to_owned())),
            None => (word.parse().unwrap(), None),
        };
        text.split_whitespace().map(one).collect()
    }

    #[test]
    fn the_only_port_or_the_one_called_http_is_meant() {
        for (declared, expected) in [
            ("", Ok(None)),
            ("5555", Ok(Some(5555))),
            ("metrics=9000 http=8000", Ok(Some(8000))),
            ("metrics=9000 http-web=8000", Ok(Some(8000))),
            ("metrics=9000 8000", Err(2)),
        ] {
            let chosen = choose_port(&ports(declared), None);
            let chosen = chosen.map(|port| port.map(|(number, _)| number)).map_err(|ports| ports.len());
            assert_eq!(chosen, expected, "{declared}");
        }
    }

    #[test]
    fn a_port_is_found_by_its_name() {
        let declared = ports("metrics=9000 http=8000");
        let by_name = |name: &str| choose_port(&declared, Some(&Port::Name(name.into()))).unwrap();
        assert_eq!(by_name("metrics"), Some((9000, Some("metrics".into()))));
        assert_eq!(by_name("grpc"), None);
        assert_eq!(listed(&declared), "9000 (metrics), 8000 (http)");
    }
}

//! From what was asked for to what is at the other end: the app's settings say where its database is.

use std::num::NonZeroU16;

use super::{
    Place,
    link::End,
    redis,
    target::{Asked, Local, What},
    usage::{Login, Protocol, socket},
};
use crate::{
    cluster::{PortOfPod, PortOwner, Target, Wanted},
    config::ForwardConfig,
    database::{self, Connection, Vendor},
    error::{Error, Result},
    names,
};

/// The local port of a database or a Redis is its usual one and this.
const SHIFT: u16 = 10_000;
/// The local port for a privileged one is that and this: 80 is at 8080.
const UNPRIVILEGED: u16 = 8000;

/// A target whose other end is known.
#[derive(Debug)]
pub struct Resolved {
    /// As it was typed.
    pub name: String,
    /// The other end.
    pub end: End,
    /// What is spoken there; of a port that is only known once its pod is.
    pub protocol: Option<Protocol>,
    /// Where to listen.
    pub local: Local,
    /// The usual local port, where it does not follow from the pod's.
    pub usual: Option<u16>,
    /// The other end in words, where it is no pod.
    pub to: Option<String>,
}

impl Resolved {
    /// The ports, in kubectl's words.
    pub fn ports(&self, remote: u16) -> String {
        match self.local {
            Local::Usual => format!("{}:{remote}", self.usual.unwrap_or_else(|| usual(remote))),
            Local::Given(local) => format!("{local}:{remote}"),
            Local::Any => format!(":{remote}"),
        }
    }
}

/// Finds out what is at the other end of each, with passwords if they are needed. The settings are asked at most once for
/// each database, and once for Redis.
///
/// # Errors
/// When there is no such thing, or it cannot be forwarded to.
pub async fn resolve(
    place: &Place<'_>,
    asked: Vec<Asked>,
    configured: impl Fn(&str) -> Option<ForwardConfig>,
    with_password: bool,
) -> Result<Vec<Resolved>> {
    let mut target = None;
    let mut known = None;
    let mut all = Vec::new();
    for Asked { name, what, local } in asked {
        let resolved = |end, protocol, usual, to| Resolved { name: name.clone(), end, protocol, local, usual, to };
        all.push(match what {
            What::Role(role, port) => resolved(End::Port(PortOwner::Role(role), port), None, None, None),
            What::Service(service, port) => resolved(End::Port(PortOwner::Service(service), port), None, None, None),
            What::Pod(pod, port) => resolved(End::Port(PortOwner::Pod(pod), port), None, None, None),
            What::Configured(name) => {
                let Some(forward) = configured(&name) else { continue };
                let usual = forward.local.as_ref().map(|port| port.value.get());
                let (end, to) = configured_end(&name, forward)?;
                resolved(end, None, usual, to)
            }
            What::Database(alias) => {
                let target = app(place, &mut target).await?;
                let asking =
                    database::connection(place.cluster, target, place.environment, Some(&alias), with_password);
                let connection = place.ui.waiting("reading the app's settings", asking).await?;
                let (host, port) = address(&connection, &place.environment.name)?;
                let protocol = protocol(connection, &host);
                let usual = match &protocol {
                    Protocol::Postgresql(_) => 5432,
                    Protocol::Mysql(_) => 3306,
                    _ => port,
                };
                let to = Some(socket(&host, port));
                resolved(End::Relayed { host, port, role: None }, Some(protocol), Some(shifted(usual)), to)
            }
            What::Redis(usage) => {
                if known.is_none() {
                    let target = app(place, &mut target).await?;
                    let asking = redis::find(place, target, with_password);
                    known = Some(place.ui.waiting("reading the app's settings", asking).await?);
                }
                let found = known.as_deref().unwrap_or_default();
                let redis = redis::choose(found, usage.as_deref(), &place.environment.name)?;
                let (host, port) = (redis.host.unwrap_or_else(|| "localhost".to_owned()), redis.port);
                let login = Login {
                    host: host.clone(),
                    user: redis.user,
                    password: redis.password,
                    database: Some(redis.database.to_string()),
                    ..Login::default()
                };
                let to = Some(socket(&host, port));
                let protocol = Some(Protocol::Redis(login, redis.tls));
                resolved(End::Relayed { host, port, role: None }, protocol, Some(shifted(6379)), to)
            }
        });
    }
    Ok(all)
}

/// The pod whose settings are asked: chosen once, as for a session.
async fn app<'a>(place: &Place<'_>, target: &'a mut Option<Target>) -> Result<&'a Target> {
    if target.is_none() {
        let wanted = Wanted::default();
        let choosing = place.cluster.target(place.environment, &wanted);
        let chosen = place.ui.waiting("choosing a pod", choosing).await?;
        return Ok(target.insert(chosen));
    }
    target.as_ref().ok_or_else(|| Error::failed("no pod was chosen"))
}

fn configured_end(name: &str, forward: ForwardConfig) -> Result<(End, Option<String>)> {
    let port = forward.port.map(|port| port.value).map_or(0, NonZeroU16::get);
    let role = forward.role.map(|role| role.value);
    match (forward.host, role) {
        (Some(host), role) => {
            let to = socket(&host.value, port);
            Ok((End::Relayed { host: host.value, port, role }, Some(to)))
        }
        (None, Some(role)) => Ok((End::Port(PortOwner::Role(role), Some(crate::cluster::Port::Number(port))), None)),
        (None, None) => Err(Error::usage(format!("the forward `{}` has no `role`", names::shown(name)))),
    }
}

/// Where the database is, if TCP leads there.
///
/// # Errors
/// When it is a file, a Unix socket, or nobody says where it is.
pub fn address(connection: &Connection, environment: &str) -> Result<(String, u16)> {
    let Connection { alias, vendor, host, port, options, .. } = connection;
    let error = |what: &str| Error::failed(format!("the database `{alias}` of `{environment}` {what}"));
    if *vendor == Vendor::Sqlite {
        return Err(error("is SQLite")
            .caused_by("it is a file in the container: there is no port to forward")
            .hint(format!("open it there: `kdj dbshell {environment}`")));
    }
    let socket = options.get("unix_socket").or(host.as_ref().filter(|host| host.starts_with('/')));
    if let Some(socket) = socket {
        let cause = format!("`{}` is a file in the container: only TCP can be forwarded", names::shown(socket));
        return Err(error("is on a Unix socket")
            .caused_by(cause)
            .hint(format!("open it there: `kdj dbshell {environment}`")));
    }
    // Of several hosts the first; its address, where the settings have that too.
    let first = |list: &String| list.split(',').next().unwrap_or_default().trim().to_owned();
    let host = options.get("hostaddr").or(host.as_ref()).map(first).filter(|host| !host.is_empty());
    let Some(host) = host else {
        return Err(error("has no host in the settings")
            .caused_by("its client takes a Unix socket, or a service file, in the container")
            .hint(format!("open it there: `kdj dbshell {environment}`")));
    };
    let port = port.as_ref().map(first).and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    match port {
        Some(port) => Ok((host, port)),
        None => Err(error("has no port in the settings that can be read")),
    }
}

/// What the database speaks, and who logs in.
pub fn protocol(connection: Connection, host: &str) -> Protocol {
    let Connection { vendor, name, host: named, user, password, options, .. } = connection;
    // A certificate is of the name, not of the address.
    let host = named.filter(|named| !named.contains(',')).unwrap_or_else(|| host.to_owned());
    let login = Login { host, user, password, database: name, options };
    match vendor {
        Vendor::Postgresql => Protocol::Postgresql(login),
        Vendor::Mysql => Protocol::Mysql(login),
        Vendor::Redis => {
            let tls = login.options.contains_key("tls");
            Protocol::Redis(login, tls)
        }
        Vendor::Sqlite | Vendor::Other(_) => Protocol::Tcp,
    }
}

/// What a pod's port speaks, by its looks: its name, its number, its role.
pub(super) fn protocol_of_port(found: &PortOfPod) -> Protocol {
    let named = found.port_name.as_deref().is_some_and(|name| name.starts_with("http") || name == "web");
    let numbered = [found.port, found.service_port.unwrap_or_default()]
        .iter()
        .any(|port| matches!(port, 80 | 8000 | 8001 | 8080 | 5555));
    if named || numbered || found.is_web { Protocol::Http } else { Protocol::Tcp }
}

/// Where to listen for a port of a pod or a host: the same number, or one that needs no rights.
pub(super) fn usual(port: u16) -> u16 {
    if port < 1024 { port + UNPRIVILEGED } else { port }
}

fn shifted(port: u16) -> u16 {
    port.checked_add(SHIFT).unwrap_or(port)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn connection(host: Option<&str>, port: &str) -> Connection {
        Connection {
            alias: "default".into(),
            vendor: Vendor::Postgresql,
            name: Some("shop".into()),
            host: host.map(str::to_owned),
            port: Some(port.into()),
            user: None,
            password: None,
            options: BTreeMap::new(),
            client: None,
        }
    }

    #[test]
    fn a_database_has_an_address_or_none_for_a_reason() {
        let of = |connection: &Connection| address(connection, "qa").map_err(|error| error.message().to_owned());
        assert_eq!(of(&connection(Some("postgres"), "5432")), Ok(("postgres".into(), 5432)));
        assert_eq!(of(&connection(Some("a,b"), "1,2")), Ok(("a".into(), 1)));
        let failed = |what: &str| Err(format!("the database `default` of `qa` {what}"));
        assert_eq!(of(&connection(Some("/run/postgresql"), "5432")), failed("is on a Unix socket"));
        assert_eq!(of(&connection(None, "5432")), failed("has no host in the settings"));
        let sqlite = Connection { vendor: Vendor::Sqlite, ..connection(None, "") };
        assert_eq!(of(&sqlite), failed("is SQLite"));
        let options = BTreeMap::from([("hostaddr".to_owned(), "10.0.0.1".to_owned())]);
        let by_address = Connection { options, ..connection(Some("db.acme.dev"), "5432") };
        assert_eq!(of(&by_address), Ok(("10.0.0.1".into(), 5432)));
        // The name is the certificate's all the same.
        assert_eq!(protocol(by_address, "10.0.0.1").login().unwrap().host, "db.acme.dev");
    }

    #[test]
    fn local_ports_are_stable_and_need_no_rights() {
        assert_eq!([usual(80), usual(443), usual(8000), usual(5555)], [8080, 8443, 8000, 5555]);
        assert_eq!([shifted(5432), shifted(3306), shifted(6379), shifted(60_000)], [15_432, 13_306, 16_379, 60_000]);
    }
}

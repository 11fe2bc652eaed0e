//! What is asked for on the command line: `db`, `web 8080:8000`, `svc/web:http`, `pod/web-1:8000`. Pure.
//!
//! A word that begins with a digit or a colon says the ports of the target in front of it, as kubectl writes them;
//! roles, Services and pods begin with a letter. A port behind the target's own name is the remote one.

use crate::{
    cluster::Port,
    error::{Error, Result},
    names,
};

/// One thing to forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// As it was typed, without its ports: `db`, `web`, `svc/web`.
    pub name: String,
    /// What it is.
    pub what: What,
    /// Where to listen.
    pub local: Local,
}

/// What is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A database of Django's settings, by its alias.
    Database(String),
    /// A Redis of the settings, by its use where that was said.
    Redis(Option<String>),
    /// A port of a role's pod.
    Role(String, Option<Port>),
    /// A port of a Service.
    Service(String, Option<Port>),
    /// A port of this very pod.
    Pod(String, Option<Port>),
    /// An entry of `[forwards]`.
    Configured(String),
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// Where the target usually is, or the next free port.
    Usual,
    /// Here and nowhere else.
    Given(u16),
    /// At any free port.
    Any,
}

/// Reads the words behind the environment's name. `configured` knows the entries of `[forwards]`.
///
/// # Errors
/// When a word means nothing.
pub fn parse(words: &[String], configured: impl Fn(&str) -> bool) -> Result<Vec<Asked>> {
    let mut all = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if is_ports(word) {
            return Err(Error::usage(format!("`{}` has no target in front of it", names::shown(word))).hint(format!(
                "name the target first: `web {}`, `pod/NAME {}`",
                names::shown(word),
                names::shown(word)
            )));
        }
        let target = target(word, &configured)?;
        let before = all.len();
        while let Some(ports) = words.next_if(|word| is_ports(word)) {
            all.push(with_ports(&target, ports)?);
        }
        if all.len() == before {
            all.push(target);
        }
    }
    Ok(all)
}

fn is_ports(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit() || first == ':')
}

/// A target's word: `db`, `db:replica`, `celeryd:5555`, `svc/web:http`.
fn target(word: &str, configured: &impl Fn(&str) -> bool) -> Result<Asked> {
    let asked = |name: &str, what| Ok(Asked { name: name.to_owned(), what, local: Local::Usual });
    if configured(word) {
        return asked(word, What::Configured(word.to_owned()));
    }
    let (name, port) = match word.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (word, None),
    };
    let (kind, plain) = name.split_once('/').map_or(("", name), |(kind, plain)| (kind, plain));
    if plain.is_empty() || port == Some("") {
        return Err(Error::usage(format!("`{}` is no target", names::shown(word))).hint(FORMS));
    }
    match (kind, name) {
        ("", "db") => return asked(word, What::Database(port.unwrap_or("default").to_owned())),
        ("", "redis") => return asked(word, What::Redis(port.map(str::to_owned))),
        _ => {}
    }
    let port = port.map(|port| remote(port, word)).transpose()?;
    match kind {
        "" => asked(name, What::Role(name.to_owned(), port)),
        "deployment" | "statefulset" | "daemonset" => asked(name, What::Role(name.to_owned(), port)),
        "deploy" | "deployments" => asked(name, What::Role(format!("deployment/{plain}"), port)),
        "sts" | "statefulsets" => asked(name, What::Role(format!("statefulset/{plain}"), port)),
        "svc" | "service" | "services" => asked(name, What::Service(plain.to_owned(), port)),
        "pod" | "po" | "pods" => asked(name, What::Pod(plain.to_owned(), port)),
        _ => Err(Error::usage(format!("`{}` is no target", names::shown(word))).hint(FORMS)),
    }
}

const FORMS: &str = "a target is `db`, `redis`, a role, `svc/NAME`, `pod/NAME:PORT`, or a name of `[forwards]`";

/// `target` with the ports of a word behind it: `LOCAL:REMOTE`, `:REMOTE`, `LOCAL:`, or one number for both.
fn with_ports(target: &Asked, ports: &str) -> Result<Asked> {
    let (local, remote_port) = match ports.split_once(':') {
        Some(("", "")) => return Err(no_ports(ports)),
        Some(("", remote)) => (Local::Any, Some(remote)),
        Some((local, "")) => (Local::Given(number(local).ok_or_else(|| no_ports(ports))?), None),
        Some((local, remote)) => (Local::Given(number(local).ok_or_else(|| no_ports(ports))?), Some(remote)),
        None => (Local::Given(number(ports).ok_or_else(|| no_ports(ports))?), Some(ports)),
    };
    let one_number = !ports.contains(':');
    let mut asked = Asked { local, ..target.clone() };
    let (What::Role(_, port) | What::Service(_, port) | What::Pod(_, port)) = &mut asked.what else {
        // One number is the local port: the other end is where the settings say.
        return match remote_port {
            Some(_) if !one_number => {
                let name = names::shown(&target.name);
                let hint = match local {
                    Local::Given(local) => format!("give the local port alone: `{name} {local}`"),
                    _ => format!("leave the ports out, or give a local one: `{name} 15432`"),
                };
                Err(Error::usage(format!("the remote port of `{name}` is settled")).hint(hint))
            }
            _ => Ok(asked),
        };
    };
    if let Some(remote_port) = remote_port {
        let remote_port = remote(remote_port, ports)?;
        match port {
            // `celeryd:5555 15555` says where to listen, and nothing else.
            Some(_) if one_number => {}
            Some(known) if *known != remote_port => {
                let name = names::shown(&target.name);
                return Err(Error::usage(format!("`{name}:{known} {ports}` names two remote ports")));
            }
            _ => *port = Some(remote_port),
        }
    }
    Ok(asked)
}

fn no_ports(ports: &str) -> Error {
    Error::usage(format!("`{}` is no port", names::shown(ports)))
        .hint("ports are LOCAL:REMOTE, :REMOTE for any free local one, LOCAL: for the usual remote one, or one number for both")
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

/// A remote port: a number, or a name as Kubernetes has them.
fn remote(text: &str, word: &str) -> Result<Port> {
    let is_name = |text: &str| {
        text.len() <= 15
            && text.contains(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    match number(text) {
        Some(port) => Ok(Port::Number(port)),
        None if is_name(text) => Ok(Port::Name(text.to_owned())),
        None => Err(Error::usage(format!("`{}` in `{}` is no port", names::shown(text), names::shown(word)))
            .hint("a port is a number from 1 to 65535, or the name the pod or the Service gives it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<Asked>> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words, |name| name == "flower")
    }

    fn one(line: &str) -> (String, What, Local) {
        let mut all = read(line).unwrap();
        assert_eq!(all.len(), 1, "{line}");
        let Asked { name, what, local } = all.remove(0);
        (name, what, local)
    }

    fn role(name: &str, port: Option<Port>) -> What {
        What::Role(name.into(), port)
    }

    #[test]
    fn targets_are_told_by_their_looks() {
        let number = |port| Some(Port::Number(port));
        let name = |name: &str| Some(Port::Name(name.to_owned()));
        for (line, shown, what) in [
            ("db", "db", What::Database("default".into())),
            ("db:replica", "db:replica", What::Database("replica".into())),
            ("redis", "redis", What::Redis(None)),
            ("redis:broker", "redis:broker", What::Redis(Some("broker".into()))),
            ("web", "web", role("web", None)),
            ("celeryd:5555", "celeryd", role("celeryd", number(5555))),
            ("web:http", "web", role("web", name("http"))),
            ("deploy/web-blue", "deploy/web-blue", role("deployment/web-blue", None)),
            ("sts/db:5432", "sts/db", role("statefulset/db", number(5432))),
            ("svc/web", "svc/web", What::Service("web".into(), None)),
            ("service/web:http", "service/web", What::Service("web".into(), name("http"))),
            ("pod/web-1:8000", "pod/web-1", What::Pod("web-1".into(), number(8000))),
            ("flower", "flower", What::Configured("flower".into())),
        ] {
            assert_eq!(one(line), (shown.to_owned(), what, Local::Usual), "{line}");
        }
    }

    #[test]
    fn ports_are_kubectl_s() {
        let number = |port| Some(Port::Number(port));
        for (line, port, local) in [
            ("web 8080:8000", number(8000), Local::Given(8080)),
            ("web 8000", number(8000), Local::Given(8000)),
            ("web :8000", number(8000), Local::Any),
            ("web 8080:", None, Local::Given(8080)),
            ("web 8080:http", Some(Port::Name("http".into())), Local::Given(8080)),
            ("web:8000 8080", number(8000), Local::Given(8080)),
            ("web:8000 8080:8000", number(8000), Local::Given(8080)),
            ("web:8000 8080:", number(8000), Local::Given(8080)),
        ] {
            assert_eq!(one(line), ("web".to_owned(), role("web", port), local), "{line}");
        }
        for line in ["db 6000", "db 6000:"] {
            assert_eq!(one(line), ("db".to_owned(), What::Database("default".into()), Local::Given(6000)), "{line}");
        }
    }

    #[test]
    fn several_at_once() {
        let all = read("db redis 6000 web 8080:8000 8443:8443 flower").unwrap();
        let seen: Vec<_> = all.iter().map(|asked| (asked.name.as_str(), asked.local)).collect();
        assert_eq!(
            seen,
            [
                ("db", Local::Usual),
                ("redis", Local::Given(6000)),
                ("web", Local::Given(8080)),
                ("web", Local::Given(8443)),
                ("flower", Local::Usual)
            ]
        );
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_means_nothing_is_said() {
        for (line, message) in [
            ("8080:80", "`8080:80` has no target in front of it"),
            ("web :", "`:` is no port"),
            ("web 0", "`0` is no port"),
            ("web 8080:70000", "`70000` in `8080:70000` is no port"),
            ("web 99999", "`99999` is no port"),
            ("web:", "`web:` is no target"),
            ("svc/", "`svc/` is no target"),
            ("node/a", "`node/a` is no target"),
            ("web:HTTP", "`HTTP` in `web:HTTP` is no port"),
            ("web:8000 8080:9000", "`web:8000 8080:9000` names two remote ports"),
            ("db 6000:5432", "the remote port of `db` is settled"),
            ("flower :5432", "the remote port of `flower` is settled"),
        ] {
            assert_eq!(read(line).unwrap_err().message(), message, "{line}");
        }
    }
}

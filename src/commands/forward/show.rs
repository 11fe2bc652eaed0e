//! What `kdj forward` prints: what to use, what there is, what it would do.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::json;

use crate::{
    cluster::{Reachable, ReachablePort},
    commands::args::OutputFormat,
    config::Config,
    environment::Environment,
    error::Result,
    exit::Exit,
    forward::{Asked, End, Forward, Forwards, Place, Variables, resolve},
    kubectl,
    options::Options,
    ui::{Ui, table::Table},
};
use secrecy::ExposeSecret;

/// Rises when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// Prints one line for each that can be typed, opened or read; on stderr where stdout is a program's.
pub(super) fn print(
    forwards: &Forwards<'_>,
    environment: &Environment,
    format: Option<OutputFormat>,
    show_password: bool,
    for_program: bool,
    ui: &Ui,
) -> Result<()> {
    for forward in forwards.iter() {
        for note in forward.notes() {
            ui.status(&format!("{}: {note}", forward.name()));
        }
        let addresses: Vec<String> = forward.addresses().iter().map(|address| at(*address, forward.port())).collect();
        let by = if forward.relayed { "relayed by pod" } else { "pod" };
        ui.status(&format!("{}: {} -> {}, {by} {}", forward.name(), addresses.join(" "), forward.to, forward.pod()));
        if let Some(note) = forward.protocol.note() {
            ui.status(&format!("{}: {note}", forward.name()));
        }
    }
    let lines = match format {
        Some(OutputFormat::Json) => {
            let all: Vec<_> = forwards.iter().map(|forward| shape(forward, show_password)).collect();
            format!("{}\n", json!({"version": VERSION, "environment": environment.name, "forwards": all}))
        }
        Some(OutputFormat::Name) => forwards.iter().map(|it| format!("{}\n", at(first(it), it.port()))).collect(),
        Some(OutputFormat::Wide) | None => forwards
            .iter()
            .map(|it| format!("{}\n", it.protocol.command(&first(it).to_string(), it.port(), show_password)))
            .collect(),
    };
    match for_program {
        true if !show_password && format.is_none() => Ok(()),
        true => {
            lines.lines().for_each(|line| ui.status(line));
            Ok(())
        }
        false => ui.data(&lines),
    }
}

/// The variables for a program: of each sort the first counts.
pub(super) fn variables(forwards: &Forwards<'_>) -> Variables {
    let mut all = Variables::default();
    for forward in forwards.iter() {
        let address = first(forward).to_string();
        let more = forward.protocol.variables(&address, forward.port());
        let own = [("KDJ_HOST", address), ("KDJ_PORT", forward.port().to_string())];
        own.into_iter().chain(more).for_each(|(name, value)| all.set(name, value));
        all.take_away(forward.protocol.families());
    }
    all
}

/// The address to tell: one that can be connected with.
fn first(forward: &Forward<'_>) -> IpAddr {
    match forward.addresses().first() {
        Some(IpAddr::V4(address)) if address.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        Some(IpAddr::V6(address)) if address.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        Some(address) => *address,
        None => IpAddr::from([127, 0, 0, 1]),
    }
}

fn at(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

/// A forward in JSON.
#[derive(Serialize)]
struct Shape {
    target: String,
    protocol: &'static str,
    addresses: Vec<String>,
    port: u16,
    to: String,
    pod: String,
    relayed: bool,
    user: Option<String>,
    database: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    url: String,
    command: String,
}

fn shape(forward: &Forward<'_>, show_password: bool) -> Shape {
    let (address, port, protocol) = (first(forward).to_string(), forward.port(), &forward.protocol);
    let login = protocol.login();
    let password = login.and_then(|login| login.password.as_ref()).filter(|_| show_password);
    Shape {
        target: forward.name().to_owned(),
        protocol: protocol.name(),
        addresses: forward.addresses().iter().map(ToString::to_string).collect(),
        port,
        to: forward.to.clone(),
        pod: forward.pod().to_owned(),
        relayed: forward.relayed,
        user: login.and_then(|login| login.user.clone()),
        database: login.and_then(|login| login.database.clone()),
        password: password.map(|password| password.expose_secret().to_owned()),
        url: protocol.url(&address, port, show_password),
        command: protocol.command(&address, port, show_password),
    }
}

/// Lists what there is to forward.
pub(super) fn list(
    environment: &Environment,
    reachable: &[Reachable],
    config: &Config,
    format: Option<OutputFormat>,
    ui: &Ui,
) -> Result<Exit> {
    let settings = |target: &str, kind: &str| Reachable {
        target: target.to_owned(),
        kind: kind.to_owned(),
        ports: Vec::new(),
        problem: None,
    };
    let mut all = vec![settings("db", "settings"), settings("redis", "settings")];
    for (name, forward) in &config.forwards {
        let ports = forward.port.iter().map(|port| ReachablePort { port: port.value.get(), name: None }).collect();
        all.push(Reachable { ports, ..settings(name, "configured") });
    }
    all.extend_from_slice(reachable);
    match format {
        Some(OutputFormat::Json) => {
            ui.data(&format!("{}\n", json!({"version": VERSION, "environment": environment.name, "targets": all})))?;
        }
        Some(OutputFormat::Name) => {
            ui.data(&all.iter().map(|one| format!("{}\n", one.target)).collect::<String>())?;
        }
        Some(OutputFormat::Wide) | None => {
            let mut table = Table::new(["TARGET", "KIND", "PORTS"]);
            for one in &all {
                table.row([one.target.clone(), one.kind.clone(), ports(one)]);
            }
            ui.data(&table.render())?;
        }
    }
    Ok(Exit::Success)
}

fn ports(reachable: &Reachable) -> String {
    let named = |port: &ReachablePort| match &port.name {
        Some(name) => format!("{} ({name})", port.port),
        None => port.port.to_string(),
    };
    match (&reachable.problem, reachable.kind.as_str()) {
        (Some(problem), _) => format!("not to be forwarded: {problem}"),
        (None, "settings") => "as the app's settings say".to_owned(),
        _ => reachable.ports.iter().map(named).collect::<Vec<_>>().join(", "),
    }
}

/// `--explain`: what would be done, in kubectl's words where it has any.
pub(super) async fn explain(place: &Place<'_>, asked: Vec<Asked>, config: &Config, options: &Options) -> Result<Exit> {
    let Place { environment, ui, .. } = place;
    if environment.protected {
        ui.status(&format!("it would ask for confirmation first, or take `--confirm {}`", environment.confirmed_by));
    }
    for target in resolve(place, asked, |name| config.forwards.get(name).cloned(), false).await? {
        match &target.end {
            End::Port(owner, port) => {
                let found = place.cluster.find_port(environment, owner, port.as_ref(), &[]).await?;
                let mut words = kubectl::prefix(options, &environment.context, Some(&found.namespace));
                let ports = target.ports(found.port);
                words.extend(["port-forward".to_owned(), format!("pod/{}", found.pod), ports]);
                ui.data(&format!("{}\n", kubectl::line(&words)))?;
            }
            End::Relayed { host, port, .. } => ui.status(&format!(
                "{}: would start a relay to {host}:{port} in a pod of the app, and forward to that; kubectl cannot",
                target.name
            )),
        }
    }
    ui.status("nothing was done");
    Ok(Exit::Success)
}

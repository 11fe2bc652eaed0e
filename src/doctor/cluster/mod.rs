//! The clusters: whether they answer, as whom they take the user, and what the user may do in them.
//!
//! Nothing is changed and nothing runs in a container. All of it, with what `application` asks, takes at most 25 requests per
//! environment.

mod rights;
mod server;
mod way;

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use super::{About, Category, Check, Context, Found, Outcome, Subject, World};
use crate::{
    cluster::{Cluster, NamespaceState},
    connection,
    environment::Environment,
    error::Result,
    ui::duration,
};

const REACHABLE: About =
    About::new("cluster.reachable", "the API server answers", "every command but `kdj envs` talks to it")
        .needs(&["credentials.plugin"]);
const LATENCY: About =
    About::new("cluster.latency", "the API server answers quickly", "each command makes two requests or more")
        .needs(&["cluster.whoami"]);
const CERTIFICATE: About = About::new(
    "cluster.certificate",
    "the API server's certificate is checked, and good for two weeks",
    "without it nothing tells the cluster from somebody in between",
)
.needs(&["kubeconfig.paths"]);
const VERSION: About = About::new(
    "cluster.version",
    "the API server is of a version that kdj is tested with",
    "older ones lack port-forwarding over WebSocket, and the end of stdin",
)
.needs(&["cluster.reachable"]);
const WHOAMI: About = About::new(
    "cluster.whoami",
    "the API server knows who you are",
    "rights and the record of changes go by that name",
)
.needs(&["cluster.reachable"]);
const NAMESPACE: About = About::new("cluster.namespace", "the namespace is there", "everything kdj does happens in it")
    .needs(&["cluster.reachable"]);
const RIGHTS: About = About::new(
    "cluster.rights",
    "you may do what kdj's commands do",
    "a command whose right is missing ends with an error",
)
.needs(&["cluster.reachable"]);
const WEBSOCKET: About = About::new(
    "cluster.websocket",
    "WebSocket connections get through",
    "shell, pyshell, manage, dbshell and forward need one",
)
.needs(&["cluster.reachable"]);
const CLOCK: About = About::new(
    "cluster.clock",
    "this machine's clock agrees with the server's",
    "tokens and certificates are refused before their time, and `--since` shows other lines than you mean",
)
.needs(&["cluster.reachable"]);
const KUBECTL: About = About::new(
    "cluster.kubectl",
    "kubectl is within one minor version of the server",
    "what `--explain` prints may not work with it; kdj itself does without it",
)
.needs(&["cluster.reachable", "machine.kubectl"]);
const IDLE: About = About::new(
    "cluster.idle",
    "a connection lives for 90 s in silence",
    "a session lives as long as its connection; kdj sends a sign of life every 5 s",
)
.needs(&["cluster.websocket"]);

/// The category.
pub const CATEGORY: Category = Category {
    name: "cluster",
    about: &[
        &REACHABLE,
        &LATENCY,
        &CERTIFICATE,
        &VERSION,
        &WHOAMI,
        &NAMESPACE,
        &RIGHTS,
        &WEBSOCKET,
        &IDLE,
        &CLOCK,
        &KUBECTL,
    ],
    checks,
};

/// A round trip that takes longer is felt in every command.
const SLOW: Duration = Duration::from_millis(300);
/// The oldest minor version whose API server forwards ports over WebSocket; and the newest the tests ran with.
const TESTED: (u32, u32) = (31, 35);

/// A context, or an environment in it.
struct Place {
    world: Rc<World>,
    context: Rc<Context>,
    /// How long `whoami` took.
    took: Cell<Option<Duration>>,
}

/// An environment.
struct Home {
    world: Rc<World>,
    context: Rc<Context>,
    environment: Rc<Environment>,
    found: Found,
}

impl Home {
    fn cluster(&self) -> Result<Cluster> {
        Ok(connection::reuse(&*self.context.cluster.known()?, &self.environment, &self.world.ui))
    }

    /// The environment's name, as a word of a command.
    fn word(&self) -> String {
        shell_words::quote(&self.environment.name).into_owned()
    }
}

fn checks(world: &Rc<World>) -> Vec<Check> {
    let mut checks = Vec::new();
    let kubectl = Rc::default();
    // Without an environment no cluster is asked.
    for context in world.contexts.iter().filter(|_| !world.asked.is_empty()) {
        let place = Rc::new(Place { world: Rc::clone(world), context: Rc::clone(context), took: Cell::default() });
        let subject = || Subject::Contexts(vec![context.name.clone()]);
        let server = &context.facts.server;
        checks.push(Check::new(&REACHABLE, subject(), &place, reachable).asks(server));
        checks.push(Check::new(&LATENCY, subject(), &place, latency).asks(server).only_warns());
        checks.push(Check::new(&CERTIFICATE, subject(), &place, certificate).asks(server));
        checks.push(Check::new(&VERSION, subject(), &place, version));
        checks.push(Check::new(&WHOAMI, subject(), &place, whoami).asks(server));
        checks.push(Check::new(&CLOCK, subject(), context, server::clock));
        let beside = Rc::new(server::Beside { context: Rc::clone(context), kubectl: Rc::clone(&kubectl) });
        let limit = server::KUBECTL_LIMIT * 2;
        checks.push(Check::new(&KUBECTL, subject(), &beside, server::fits).within(limit).only_warns());
    }
    for (environment, context, found) in world.environments() {
        let name = environment.name.clone();
        let subject = || Subject::Environment { name: name.clone(), context: Some(context.name.clone()) };
        let home = Rc::new(Home { world: Rc::clone(world), context: Rc::clone(&context), environment, found });
        let server = &context.facts.server;
        checks.push(Check::new(&NAMESPACE, subject(), &home, namespace).asks(server));
        checks.push(Check::new(&RIGHTS, subject(), &home, rights::check).asks(server));
        checks.push(Check::new(&WEBSOCKET, subject(), &home, way::websocket).asks(server));
        checks.push(Check::new(&IDLE, subject(), &home, way::idle).within(way::IDLE_LIMIT));
    }
    checks
}

async fn reachable(place: Rc<Place>) -> Result<Outcome> {
    let server = place.context.cluster.known()?.server().await?;
    let took = duration(server.took);
    place.context.server.set(server);
    Ok(Outcome::pass(format!("in {took}")))
}

async fn latency(place: Rc<Place>) -> Result<Outcome> {
    // The connection was open then: a round trip was timed. One that was slow may have had bad luck.
    let mut took = place.took.get().unwrap_or(Duration::MAX);
    if took > SLOW {
        took = took.min(place.context.cluster.known()?.server().await?.took);
    }
    Ok(judge_latency(took))
}

fn judge_latency(took: Duration) -> Outcome {
    let text = format!("{} for a request", duration(took));
    if took <= SLOW {
        return Outcome::pass(text);
    }
    Outcome::warn(format!("{text}: each command takes some {} longer than it need", duration(took * 3)))
        .fix("a VPN or a proxy may lead a long way round: try another of its gateways, or none")
}

async fn certificate(place: Rc<Place>) -> Result<Outcome> {
    let shown = place.world.kubeconfig()?.server_certificate(&place.context.name).await?;
    Ok(way::judge_certificate(&shown, &place.context, jiff::Timestamp::now()))
}

async fn version(place: Rc<Place>) -> Result<Outcome> {
    Ok(match &place.context.server.known()?.release {
        Some(release) => judge_version(&release.version, release.minor),
        None => Outcome::skip("you may not see it"),
    })
}

fn judge_version(version: &str, minor: u32) -> Outcome {
    let (oldest, newest) = TESTED;
    let cluster = "the cluster's owners can upgrade it";
    match minor {
        ..30 => {
            Outcome::warn(format!("{version}: `kdj forward` needs 1.31, and a pipe into a command 1.30")).fix(cluster)
        }
        30 => Outcome::warn(format!("{version}: `kdj forward` needs 1.31")).fix(cluster),
        _ if minor > newest => {
            Outcome::pass(format!("{version}, newer than what kdj was tested with (1.{oldest} to 1.{newest})"))
        }
        _ => Outcome::pass(version),
    }
}

async fn whoami(place: Rc<Place>) -> Result<Outcome> {
    let cluster = place.context.cluster.known()?;
    let begin = Instant::now();
    let who = cluster.user().await?;
    place.took.set(Some(begin.elapsed()));
    let Some(who) = who else {
        // Before 1.28, or forbidden.
        let asked = place.world.options.impersonation.user.clone();
        let user = asked.or_else(|| place.world.kubeconfig().ok()?.user(&place.context.name).map(str::to_owned));
        let user = user.map_or("nobody: it has no user".to_owned(), |user| format!("`{user}` by the kubeconfig"));
        return Ok(Outcome::pass(format!("it does not say; {user}")));
    };
    if who.name == ANONYMOUS {
        return Ok(Outcome::fail("it takes you for nobody: `system:anonymous`")
            .caused_by(format!("no credentials are sent for context `{}`", place.context.name))
            .fix("give the context a user in the kubeconfig, or fetch the kubeconfig anew"));
    }
    let groups = who.groups.iter().filter(|group| *group != "system:authenticated").map(String::as_str);
    let groups = crate::names::quoted(groups, ", ");
    let text = if groups.is_empty() { format!("`{}`", who.name) } else { format!("`{}`, of {groups}", who.name) };
    Ok(Outcome::pass(text))
}

/// Whom Kubernetes takes somebody for who shows nothing.
const ANONYMOUS: &str = "system:anonymous";

async fn namespace(home: Rc<Home>) -> Result<Outcome> {
    let Environment { name, namespace, context, .. } = &*home.environment;
    let envs = "`kdj envs --live` shows where your environments are";
    let state = match home.cluster()?.namespace_state(namespace).await {
        Err(error) if error.is_forbidden() => NamespaceState::Unknown,
        state => state?,
    };
    home.found.namespace.set(state);
    Ok(match state {
        NamespaceState::Active => Outcome::pass(format!("`{namespace}`")),
        NamespaceState::Unknown => Outcome::pass(format!("`{namespace}`; you may not look at it, only into it")),
        NamespaceState::Terminating => Outcome::fail(format!("`{namespace}` is being deleted"))
            .caused_by("everything in it goes, and nothing new can be made")
            .fix(envs),
        NamespaceState::Missing => Outcome::fail(format!("there is no namespace `{namespace}` in context `{context}`"))
            .fix(format!("correct `namespace` of `{name}` in kdj.toml ({})", home.environment.resolved_by))
            .fix(envs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn more_than_300_ms_is_slow() {
        assert_eq!(judge_latency(Duration::from_millis(300)).status, Status::Pass);
        let slow = judge_latency(Duration::from_millis(420));
        assert_eq!((slow.status, slow.fixes.len()), (Status::Warn, 1));
        assert_eq!(slow.text, "420 ms for a request: each command takes some 1.3 s longer than it need");
    }

    #[test]
    fn old_servers_lack_something() {
        assert_eq!(judge_version("v1.34.2", 34).status, Status::Pass);
        assert_eq!(judge_version("v1.99.0", 99).status, Status::Pass);
        assert_eq!(judge_version("v1.30.1", 30).text, "v1.30.1: `kdj forward` needs 1.31");
        assert_eq!(judge_version("v1.27.1", 27).status, Status::Warn);
    }
}

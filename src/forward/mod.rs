//! Forwarding: local ports that lead to the ports of pods, and through the app to what it reaches.
//!
//! `target` reads what was asked for, `resolve` finds out what that is, `listen` has the local port. A `way` leads there
//! over one `link` after the other: a tunnel to a ready pod, and for what is not in a pod a `relay` in the app's container.
//! Each local connection is a `connection`, copied by `copy`. `usage` says how to use it all.
//!
//! One way in for the command, [`open`] and [`Forwards::serve`], and one for who needs a port for a while: [`beside_port`].

mod child;
mod connection;
mod copy;
mod framed;
mod link;
mod listen;
mod owner;
mod redis;
mod relay;
mod resolve;
mod room;
mod target;
mod usage;
mod variables;
mod way;

use std::{convert::Infallible, net::IpAddr};

use futures::{
    StreamExt,
    future::{select_all, try_join_all},
    stream::FuturesUnordered,
};
use tokio::{
    net::TcpListener,
    time::{Duration, Instant, sleep_until},
};

pub use self::{
    child::{code as exit_code, run as run_child},
    link::End,
    listen::{LOOPBACK, Listeners, listen},
    redis::{Redis, redis},
    resolve::{Resolved, address, protocol, resolve},
    target::{Asked, Local, parse},
    usage::Protocol,
    variables::Variables,
};
use self::{link::Keep, resolve::protocol_of_port, way::Way};
use crate::{
    cluster::{Cluster, Involved},
    environment::Environment,
    error::Result,
    ui::Ui,
};

/// How long to wait when the system has no descriptor for another connection.
const NO_ROOM: Duration = Duration::from_millis(200);

/// Where to forward from, and whom to tell.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The connection to the cluster.
    pub cluster: &'a Cluster,
    /// The environment.
    pub environment: &'a Environment,
    /// Where events are told.
    pub ui: &'a Ui,
}

/// Ways that are open, and their local ports.
pub struct Forwards<'a> {
    all: Vec<Forward<'a>>,
}

/// One of them.
pub struct Forward<'a> {
    way: Way<'a>,
    keep: Keep<'a>,
    listeners: Listeners,
    /// What is spoken at the other end.
    pub protocol: Protocol,
    /// The other end: `postgres:5432`, `port 8000`.
    pub to: String,
    /// Whether it is the app that connects there.
    pub relayed: bool,
}

/// Takes the local ports that were typed, before anything is asked of the cluster.
///
/// # Errors
/// When one of them is in use, privileged, or an address is not this machine's.
pub fn reserve(asked: &[Asked], addresses: &[IpAddr]) -> Result<Reserved> {
    let typed = asked.iter().filter_map(|asked| match asked.local {
        Local::Given(port) => Some(listen::listen(addresses, asked.local, port)),
        Local::Usual | Local::Any => None,
    });
    typed.collect::<Result<_>>().map(Reserved)
}

/// Local ports that listen already.
pub struct Reserved(Vec<Listeners>);

/// Opens the ways, then the other local ports on `addresses`. `begin` is told the first pod before anything is done there.
///
/// # Errors
/// When one of them cannot be opened.
pub async fn open<'a>(
    place: Place<'a>,
    targets: Vec<Resolved>,
    mut reserved: Reserved,
    addresses: &[IpAddr],
    begin: &dyn Fn(Involved),
) -> Result<Forwards<'a>> {
    room::make();
    let ways: Vec<Way<'a>> =
        targets.iter().map(|target| Way::new(place, target.name.clone(), target.end.clone())).collect();
    let choosing = try_join_all(ways.iter().map(Way::choose));
    let chosen = place.ui.waiting("choosing a pod", choosing).await?;
    if let Some((first, _)) = chosen.first() {
        begin(first.into());
    }
    let opening = try_join_all(ways.iter().zip(chosen).map(|(way, chosen)| way.open(Some(chosen))));
    let keeps = place.ui.waiting("opening the way to a pod", opening).await?;
    let mut all = Vec::new();
    for ((target, way), keep) in targets.into_iter().zip(ways).zip(keeps) {
        let found = &keep.link.found;
        let usual = target.usual.unwrap_or_else(|| resolve::usual(found.port));
        let is_typed = |listeners: &Listeners| matches!(target.local, Local::Given(port) if port == listeners.port);
        let listeners = match reserved.0.iter().position(is_typed) {
            Some(place) => reserved.0.swap_remove(place),
            None => listen::listen(addresses, target.local, usual)?,
        };
        let relayed = matches!(target.end, End::Relayed { .. });
        let protocol = target.protocol.unwrap_or_else(|| protocol_of_port(found));
        let to = target.to.unwrap_or_else(|| format!("port {}", found.port));
        all.push(Forward { way, keep, listeners, protocol, to, relayed });
    }
    Ok(Forwards { all })
}

/// Does `work` with a local port that leads to `end`, on 127.0.0.1 and at any free number; it is gone afterwards. The
/// terminal is left to `work`: what happens to the way is told under `--verbose` only.
///
/// # Errors
/// When the way cannot be opened.
pub async fn beside_port<T>(place: Place<'_>, name: &str, end: End, work: impl AsyncFnOnce(u16) -> T) -> Result<T> {
    let way = Way::new(place, name.to_owned(), end);
    way.hush();
    let keep = place.ui.waiting("opening the way to a pod", way.open(None)).await?;
    let Listeners { all, port, .. } = listen::listen(&LOOPBACK[..1], Local::Any, 0)?;
    tokio::select! {
        done = work(port) => Ok(done),
        never = serve(&way, keep, &all) => match never {},
    }
}

impl<'a> Forwards<'a> {
    /// All of them, in the order they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = &Forward<'a>> {
        self.all.iter()
    }

    /// Leaves the terminal to a program: what happens to the ways is told under `--verbose` only.
    pub fn hush(&self) {
        self.all.iter().for_each(|forward| forward.way.hush());
    }

    /// Serves all that come, until this is dropped.
    pub async fn serve(self) -> Infallible {
        let (mut ways, mut kept) = (Vec::new(), Vec::new());
        for Forward { way, keep, listeners, .. } in self.all {
            ways.push(way);
            kept.push((keep, listeners));
        }
        let serving = ways
            .iter()
            .zip(kept)
            .map(|(way, (keep, listeners))| Box::pin(async move { serve(way, keep, &listeners.all).await }));
        match select_all(serving).await.0 {}
    }
}

impl Forward<'_> {
    /// As it was typed.
    pub fn name(&self) -> &str {
        &self.way.name
    }

    /// The local port.
    pub fn port(&self) -> u16 {
        self.listeners.port
    }

    /// The local addresses.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let all = self.listeners.all.iter();
        all.filter_map(|listener| listener.local_addr().ok()).map(|address| address.ip()).collect()
    }

    /// The pod it goes by just now.
    pub fn pod(&self) -> &str {
        &self.keep.link.found.pod
    }

    /// What the user should know of the choice of the pod and of the port.
    pub fn notes(&self) -> impl Iterator<Item = &String> {
        self.keep.link.found.notes.iter().chain(&self.listeners.note)
    }
}

/// Serves one target: accepts, copies, keeps the way open.
async fn serve<'a>(way: &Way<'a>, keep: Keep<'a>, listeners: &[TcpListener]) -> Infallible {
    let mut connections = FuturesUnordered::new();
    let mut keeping = std::pin::pin!(way.keep(keep));
    let mut paused: Option<Instant> = None;
    loop {
        tokio::select! {
            accepted = listen::accept(listeners), if paused.is_none() => match accepted {
                Ok(local) => connections.push(connection::serve(way, local)),
                Err(error) => {
                    way.report(format!("cannot accept a connection: {error}"));
                    paused = Some(Instant::now() + NO_ROOM);
                }
            },
            // Those that are open go on meanwhile.
            () = sleep_until(paused.unwrap_or_else(Instant::now)), if paused.is_some() => paused = None,
            Some(()) = connections.next() => {}
            never = &mut keeping => match never {},
        }
    }
}

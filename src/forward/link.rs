//! A tunnel to one pod, as long as it holds, and what may happen to it.

use std::{cell::Cell, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    time::timeout,
};

use super::{
    Place,
    copy::Far,
    framed::Framed,
    relay::{Relay, Secret},
};
use crate::{
    cluster::{NotOpened, PodHealth, Port, PortOfPod, PortOwner, Target, Trouble, Tunnel, TunnelStream, Wanted},
    error::{Error, Result},
};

/// How long the relay may take to connect: longer than it gives itself.
const RELAY_LIMIT: Duration = Duration::from_secs(20);
/// How long its reason for not connecting may be.
const LONGEST_REASON: u32 = 1000;

/// What is at the other end.
#[derive(Clone, Debug)]
pub enum End {
    /// A port of a pod.
    Port(PortOwner, Option<Port>),
    /// An address that the app reaches, by a relay in its container.
    Relayed {
        /// The host, as the app names it.
        host: String,
        /// The port there.
        port: u16,
        /// The role whose pod has the relay; by default the one where sessions go.
        role: Option<String>,
    },
}

/// A pod that was chosen, and its container where a relay is to run.
pub(super) type Chosen = (PortOfPod, Option<Target>);

/// A standing tunnel.
pub(super) struct Link {
    /// Rises with each link of a way.
    pub(super) number: u64,
    /// The pod it leads to.
    pub(super) found: PortOfPod,
    tunnel: Tunnel,
    port: u16,
    secret: Option<Secret>,
    over: Cell<bool>,
    ended: Notify,
}

/// Why there is no connection.
pub(super) enum NotConnected {
    /// Nothing listens, or nothing answers, where it leads.
    Refused(String),
    /// The tunnel does not hold.
    Broken(String),
}

/// What keeps a link, and tells what happens to it.
pub(super) struct Keep<'a> {
    pub(super) link: std::rc::Rc<Link>,
    relay: Option<Relay>,
    health: PodHealth<'a>,
}

/// What happened to a link.
pub(super) enum Event {
    /// The connection is gone, and the pod may be well.
    Cut(String),
    /// Something is wrong with the pod.
    Pod(Trouble),
}

impl End {
    /// Opens a tunnel to the pod that was chosen, or chooses one. Pods that turn out to be gone are left out.
    ///
    /// # Errors
    /// When there is no pod, or it cannot be reached.
    pub(super) async fn open<'a>(
        &self,
        place: &Place<'a>,
        number: u64,
        mut chosen: Option<Chosen>,
    ) -> Result<Keep<'a>> {
        let mut exclude = Vec::new();
        loop {
            let chosen = match chosen.take() {
                Some(chosen) => chosen,
                None => self.choose(place, &exclude).await?,
            };
            let pod = chosen.0.pod.clone();
            match self.open_at(place, number, chosen).await {
                Err(NotOpened::Gone(_)) if !exclude.contains(&pod) => exclude.push(pod),
                opened => return opened.map_err(Error::from),
            }
        }
    }

    /// As [`End::open`], but only when another pod than `than` is chosen; it is not opened again.
    ///
    /// # Errors
    /// When there is no pod, or it cannot be reached.
    pub(super) async fn open_other<'a>(
        &self,
        place: &Place<'a>,
        number: u64,
        than: &PortOfPod,
    ) -> Result<Option<Keep<'a>>> {
        let chosen = self.choose(place, &[]).await?;
        match chosen.0.pod_uid == than.pod_uid {
            true => Ok(None),
            false => Ok(Some(self.open_at(place, number, chosen).await?)),
        }
    }

    async fn open_at<'a>(
        &self,
        place: &Place<'a>,
        number: u64,
        (found, target): Chosen,
    ) -> Result<Keep<'a>, NotOpened> {
        let tunnel = place.cluster.tunnel(&found.namespace, &found.pod).await?;
        let relay = match (self, target) {
            (Self::Relayed { host, port, .. }, Some(target)) => {
                match Relay::start(place, &target, host, *port).await {
                    Ok(relay) => Some(relay),
                    // Nothing starts in a pod that goes.
                    Err(error) if place.cluster.trouble(&found).await.is_some() => return Err(NotOpened::Gone(error)),
                    Err(error) => return Err(NotOpened::Failed(error)),
                }
            }
            _ => None,
        };
        let health = place.cluster.watch_health(&found);
        let port = relay.as_ref().map_or(found.port, |relay| relay.port);
        let secret = relay.as_ref().map(|relay| relay.secret);
        let (over, ended) = (Cell::new(false), Notify::new());
        let link = Link { number, found, tunnel, port, secret, over, ended };
        Ok(Keep { link: link.into(), relay, health })
    }

    /// The pod to open it to.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn choose(&self, place: &Place<'_>, exclude: &[String]) -> Result<Chosen> {
        match self {
            Self::Port(owner, port) => {
                let found = place.cluster.find_port(place.environment, owner, port.as_ref(), exclude).await?;
                Ok((found, None))
            }
            Self::Relayed { port, role, .. } => {
                let wanted = Wanted { role: role.clone(), exclude: exclude.to_vec(), ..Wanted::default() };
                let target = place.cluster.target(place.environment, &wanted).await?;
                let found = PortOfPod {
                    namespace: target.namespace.clone(),
                    pod: target.pod.clone(),
                    pod_uid: target.pod_uid.clone(),
                    port: *port,
                    port_name: None,
                    service_port: None,
                    is_web: false,
                    notes: target.notes.clone(),
                };
                Ok((found, Some(target)))
            }
        }
    }
}

impl Link {
    /// Opens a connection.
    ///
    /// # Errors
    /// When it does not come about. That nothing listens in the pod itself shows on the stream.
    pub(super) async fn connect(&self) -> Result<Box<dyn Far>, NotConnected> {
        let broken = |error: Error| NotConnected::Broken(error.to_string());
        let mut stream = self.tunnel.connect(self.port).await.map_err(broken)?;
        let Some(secret) = &self.secret else { return Ok(Box::new(stream)) };
        match timeout(RELAY_LIMIT, introduce(&mut stream, secret)).await {
            Ok(Ok(())) => Ok(Box::new(Framed::new(stream))),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(NotConnected::Broken("the relay does not answer".to_owned())),
        }
    }

    /// Ends the link: its connections are reset.
    pub(super) fn end(&self) {
        self.over.set(true);
        self.ended.notify_waiters();
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over.get() || self.tunnel.is_closed()
    }

    /// Resolves when the link has ended.
    pub(super) async fn ended(&self) {
        let notified = self.ended.notified();
        if !self.over.get() {
            notified.await;
        }
    }
}

/// Shows the secret, and reads what the relay says to that: a zero, or why not.
async fn introduce(stream: &mut TunnelStream, secret: &Secret) -> Result<(), NotConnected> {
    let broken = |error: std::io::Error| NotConnected::Broken(error.to_string());
    stream.write_all(secret).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut answer = [0];
    match stream.read(&mut answer).await.map_err(broken)? {
        0 => Err(NotConnected::Broken(stream.failure().unwrap_or_else(|| "the relay has ended".to_owned()))),
        _ if answer == [0] => Ok(()),
        _ => {
            let length = stream.read_u32().await.map_err(broken)?.min(LONGEST_REASON);
            let mut reason = vec![0; usize::try_from(length).unwrap_or_default()];
            stream.read_exact(&mut reason).await.map_err(broken)?;
            Err(NotConnected::Refused(String::from_utf8_lossy(&reason).into_owned()))
        }
    }
}

impl Keep<'_> {
    /// Keeps the link alive until something happens to it. Can be dropped and called again.
    pub(super) async fn event(&mut self) -> Event {
        let Self { link, relay, health } = self;
        tokio::select! {
            error = link.tunnel.closed() => Event::Cut(error.to_string()),
            why = relay_ended(relay) => Event::Cut(why),
            trouble = health.trouble() => Event::Pod(trouble),
        }
    }
}

async fn relay_ended(relay: &mut Option<Relay>) -> String {
    match relay {
        Some(relay) => format!("the relay has ended: {}", relay.ended().await),
        None => std::future::pending().await,
    }
}

//! Port-forward: connections to the ports of a pod.
//!
//! The protocol is kubectl's since 1.31: a WebSocket whose messages carry a SPDY/3.1 connection, which ends in the
//! container runtime or the kubelet. On it every forwarded connection has two streams: one for its data, one that says what
//! went wrong. Sources: KEP-4006; `k8s.io/client-go/tools/portforward`, `k8s.io/kubelet/pkg/cri/streaming/portforward`;
//! moby/spdystream.
//!
//! What that server does, read and tried (Kubernetes 1.34, containerd 1.6 and 2), and what is made of it:
//!
//! * There is no flow control: a stream that is not read, here or in the pod, stops the whole connection. So each forwarded
//!   connection has a [`lane`] of its own for as long as it lasts, and TCP's own flow control does the rest. Lanes are used
//!   again, and one is kept ready.
//! * A half-closed connection is not passed on to the pod: the runtime just ends the whole connection a second later,
//!   whatever is still on its way. So the end of what the user sends is held back until the pod has answered (for five
//!   seconds at most), and while it still sends; after that the connection does not keep its lane from others any more.
//! * When the pod closes a connection first, its end is told a second late, to kubectl as well.

mod frame;
mod header;
mod lane;
mod open;
mod stream;

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

pub use self::stream::TunnelStream;
use self::{lane::Lane, open::Door, stream::Order};
use super::{
    Cluster,
    request::{Io, WebSocket},
    session::NotOpened,
};
use crate::error::{Error, Result};

/// How long the server may take to accept a stream.
const ACCEPT_LIMIT: Duration = Duration::from_secs(15);
/// The same on a lane that has rested: it may be dead, and another one will do.
const RESTED_LIMIT: Duration = Duration::from_secs(3);
/// How many lanes without a stream are kept.
const IDLE_LANES: usize = 8;

/// A way to the ports of one pod. Clones share it. Once the last is dropped no new connections can be made; those that are
/// open live until they end or are dropped.
#[derive(Clone)]
pub struct Tunnel {
    shared: Arc<Shared>,
}

/// What the tunnel and its lanes share.
struct Shared {
    door: Door,
    lanes: Mutex<Lanes>,
    /// Why the connection is gone.
    lost: watch::Sender<Option<String>>,
}

#[derive(Default)]
struct Lanes {
    idle: Vec<oneshot::Sender<Order>>,
    /// Those with a stream, too.
    alive: usize,
    /// One is being opened to be kept ready.
    opening: bool,
}

impl Cluster {
    /// Opens a way to the ports of a pod: one request, and another one when it is first used.
    ///
    /// # Errors
    /// [`NotOpened::Gone`] when the pod is not there any more, [`NotOpened::Failed`] otherwise.
    pub async fn tunnel(&self, namespace: &str, pod: &str) -> Result<Tunnel, NotOpened> {
        let door = Door {
            client: self.client.clone(),
            place: self.place.clone(),
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
        };
        let socket = door.open().await?;
        let shared = Arc::new(Shared { door, lanes: Mutex::default(), lost: watch::Sender::default() });
        shared.start(socket, None);
        Ok(Tunnel { shared })
    }
}

impl Tunnel {
    /// Opens a connection to a port. Whether anything listens there shows only afterwards: a refused connection is
    /// a stream that fails.
    ///
    /// # Errors
    /// When the connection is gone, or the server does not answer.
    pub async fn connect(&self, port: u16) -> Result<TunnelStream> {
        loop {
            if let Some(why) = self.shared.lost.borrow().clone() {
                return Err(self.gone(&why));
            }
            let (stream, order, accepted) = TunnelStream::new(port);
            let idle = self.shared.lanes().idle.pop();
            let fresh = idle.is_none();
            match idle {
                // A lane that is just ending leaves the order untouched.
                Some(lane) => drop(lane.send(order)),
                None => {
                    let socket = self.shared.door.open().await.inspect_err(|error| {
                        if let NotOpened::Gone(error) = error {
                            self.shared.lose(&error.to_string());
                        }
                    })?;
                    self.shared.start(socket, Some(order));
                }
            }
            self.shared.keep_one_ready();
            match timeout(if fresh { ACCEPT_LIMIT } else { RESTED_LIMIT }, accepted).await {
                Ok(Ok(())) => return Ok(stream),
                // Nothing was sent on it: another lane will do.
                Ok(Err(_)) | Err(_) if !fresh => {}
                Ok(Err(_)) => {
                    let why = stream.failure().unwrap_or_else(|| "the server closed the connection".to_owned());
                    return Err(self.refused().caused_by(why));
                }
                Err(_) => {
                    return Err(self.refused().caused_by(format!("no answer within {} s", ACCEPT_LIMIT.as_secs())));
                }
            }
        }
    }

    /// Resolves when the connection is gone, with why: the pod is, or no way to it is left.
    pub async fn closed(&self) -> Error {
        let mut lost = self.shared.lost.subscribe();
        match lost.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(why)) => self.gone(why),
            _ => self.gone("it was closed"),
        }
    }

    /// Whether the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.shared.lost.borrow().is_some()
    }

    fn gone(&self, why: &str) -> Error {
        Error::failed(format!("the connection to pod `{}` is gone", self.shared.door.pod)).caused_by(why)
    }

    fn refused(&self) -> Error {
        Error::failed(format!("cannot open a connection to pod `{}`", self.shared.door.pod))
    }
}

impl Shared {
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a lane, with a stream at once or idle.
    fn start(self: &Arc<Self>, socket: WebSocket, order: Option<Order>) {
        self.lanes().alive += 1;
        let next = match order {
            Some(order) => Next::Stream(order),
            None => Next::Idle(self.wait_for_order()),
        };
        tokio::spawn(run(Lane::new(socket), next, Arc::downgrade(self)));
    }

    fn wait_for_order(&self) -> oneshot::Receiver<Order> {
        let (sender, receiver) = oneshot::channel();
        self.lanes().idle.push(sender);
        receiver
    }

    /// So that the next connection need not wait for a new lane.
    fn keep_one_ready(self: &Arc<Self>) {
        let mut lanes = self.lanes();
        lanes.idle.retain(|lane| !lane.is_closed());
        if !lanes.idle.is_empty() || mem::replace(&mut lanes.opening, true) {
            return;
        }
        drop(lanes);
        let shared = Arc::downgrade(self);
        let opening = Arc::clone(self);
        tokio::spawn(async move {
            let socket = opening.door.open().await;
            drop(opening);
            let Some(shared) = shared.upgrade() else { return };
            match socket {
                Ok(socket) => shared.start(socket, None),
                // Else it is told to the connection that needs one.
                Err(error) if shared.lanes().alive == 0 => shared.lose(&Error::from(error).to_string()),
                Err(_) => {}
            }
            shared.lanes().opening = false;
        });
    }

    /// The place of a lane whose stream has ended; `None` when there are enough.
    fn take_back(&self) -> Option<oneshot::Receiver<Order>> {
        let enough = self.lanes().idle.len() >= IDLE_LANES;
        (!enough).then(|| self.wait_for_order())
    }

    fn ended(&self, lost: Option<&str>) {
        let mut lanes = self.lanes();
        lanes.alive -= 1;
        lanes.idle.retain(|lane| !lane.is_closed());
        let none_left = lanes.alive == 0 && !lanes.opening;
        drop(lanes);
        if let (true, Some(why)) = (none_left, lost) {
            self.lose(why);
        }
    }

    fn lose(&self, why: &str) {
        self.lost.send_if_modified(|lost| {
            let first = lost.is_none();
            lost.get_or_insert_with(|| why.to_owned());
            first
        });
    }
}

/// What a lane does next.
enum Next {
    Stream(Order),
    Idle(oneshot::Receiver<Order>),
}

/// A lane's life: one stream after the other, until it is lost or not needed any more.
async fn run(mut lane: Lane<Io>, mut next: Next, shared: Weak<Shared>) {
    let lost = loop {
        let outcome = match next {
            Next::Stream(order) => lane.carry(order).await,
            Next::Idle(mut orders) => match lane.rest(&mut orders).await {
                Ok(Some(order)) => {
                    next = Next::Stream(order);
                    continue;
                }
                Ok(None) => break None,
                Err(lost) => Err(lost),
            },
        };
        let reusable = match outcome {
            Ok(reusable) => reusable,
            Err(why) => break Some(why),
        };
        match shared.upgrade().filter(|_| reusable).and_then(|shared| shared.take_back()) {
            Some(orders) => next = Next::Idle(orders),
            None => break None,
        }
    };
    if let Some(shared) = shared.upgrade() {
        shared.ended(lost.as_deref());
    }
    lane.close().await;
}

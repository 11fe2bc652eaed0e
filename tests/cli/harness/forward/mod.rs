//! The server's side of port-forward: the WebSocket, the SPDY/3.1 connection in it, and what each connection to a port
//! meets there, said as a container runtime (containerd) says it.
//!
//! * [`spdy`] reads and writes SPDY frames.
//! * [`session`] upgrades and serves.

mod session;
mod spdy;

use std::time::Duration;

pub use self::session::{Ended, Session};
use super::{Refusal, api_server::http::Response};

/// What connections to a port meet.
#[derive(Clone, Debug)]
pub enum Service {
    /// All that comes is sent back; the connection ends when the client ends it.
    Echo,
    /// These bytes come at once, and the pod ends the connection.
    Send(Vec<u8>),
    /// So many bytes of a [`Flood`](super::Flood) come once the client has said something, and the pod ends the connection.
    Flood(u64),
    /// All that comes is taken; when the client ends, the answer is how many bytes came: `5 bytes\n`.
    Count,
    /// The pod resets the connection once the client has said something.
    Reset,
    /// The connection to the API server is cut once the client has said something.
    Cut,
    /// The connection to the API server falls silent, pings and all, once the client has said something.
    Silence,
}

/// Port-forwards that a test expects, and what they meet. One serves any number of requests and connections.
#[derive(Clone, Debug)]
pub struct PortForward {
    pod: Option<String>,
    refusal: Option<Response>,
    services: Vec<(u16, Service)>,
    idle_cut: Option<Duration>,
}

impl PortForward {
    /// These ports; nothing listens on others.
    pub fn serves(services: impl IntoIterator<Item = (u16, Service)>) -> Self {
        Self { pod: None, refusal: None, services: services.into_iter().collect(), idle_cut: None }
    }

    /// No port-forward. (The text of [`Refusal::forbidden`] speaks of exec; use [`Refusal::Response`].)
    pub fn refused(refusal: &Refusal) -> Self {
        Self { refusal: Some(refusal.response()), ..Self::serves([]) }
    }

    /// What an API server before 1.31 says to it.
    pub fn too_old() -> Self {
        let text = "query parameter \"port\" is required\n";
        Self::refused(&Refusal::Response(Response::new(400, "text/plain; charset=utf-8", text)))
    }

    /// In this pod only.
    pub fn in_pod(mut self, pod: &str) -> Self {
        self.pod = Some(pod.to_owned());
        self
    }

    /// Through a proxy that cuts when nothing came from the client for so long.
    pub fn idle_cut(mut self, after: Duration) -> Self {
        self.idle_cut = Some(after);
        self
    }

    /// Whether it is for this pod.
    pub fn matches(&self, pod: &str) -> bool {
        self.pod.as_deref().is_none_or(|wanted| wanted == pod)
    }
}

/// A connection to a port, as far as it got.
#[derive(Clone, Debug)]
pub struct Forwarded {
    /// Which WebSocket it is on, and which of its streams.
    pub id: (usize, u32),
    /// The pod.
    pub pod: String,
    /// The port.
    pub port: u16,
    /// What came.
    pub received: Vec<u8>,
    /// Whether the client said that nothing more comes.
    pub ended: bool,
    /// Whether the client gave it up, or the WebSocket ended before it.
    pub reset: bool,
}

//! Whether WebSocket connections get through to the API server, and how long they live when nothing is said.
//!
//! A watch of the pods over WebSocket, of a pod that does not exist, proves that: it only reads, starts nothing in any
//! container, and is a `watch` in the audit log. The server itself ends it after the time that is asked for.

use std::time::{Duration, Instant};

use futures::StreamExt;
use http::{
    Request, StatusCode,
    header::{CONNECTION, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Resource,
    client::{Body, UpgradeConnectionError},
};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::client::generate_key, protocol::Role},
};

use super::super::{Cluster, request::unrepeatable};
use crate::{cluster::request::error, error::Result};

type WebSocket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// A name no pod has: nothing is ever said on this watch.
const NOBODY: &str = "kdj-doctor-looks-for-nobody";
/// How much earlier or later than asked for the server may end a watch.
const GRACE: Duration = Duration::from_secs(5);

impl Cluster {
    /// Opens a WebSocket to the API server, and leaves it: one request, for which the user must be allowed to watch pods.
    ///
    /// # Errors
    /// When it does not open; the error says who is in the way.
    pub async fn websocket(&self, namespace: &str) -> Result<()> {
        self.silent_watch(namespace, Duration::from_secs(1)).await.map(drop)
    }

    /// How long a WebSocket lives in silence: `None` when it lived for as long as asked, else after which time it ended.
    /// One request.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn idle_cut(&self, namespace: &str, limit: Duration) -> Result<Option<Duration>> {
        let mut socket = self.silent_watch(namespace, limit).await?;
        let started = Instant::now();
        let ended = async { while let Some(Ok(_)) = socket.next().await {} };
        // The server itself ends it, when the time is over.
        let _ = timeout(limit + GRACE, ended).await;
        let lived = started.elapsed();
        Ok((lived + GRACE < limit).then_some(lived))
    }

    async fn silent_watch(&self, namespace: &str, limit: Duration) -> Result<WebSocket> {
        let pods = Pod::url_path(&(), Some(namespace));
        let path = format!(
            "{pods}?watch=true&resourceVersion=0&timeoutSeconds={}&fieldSelector=metadata.name%3D{NOBODY}",
            limit.as_secs()
        );
        let attempt = || async {
            let request = Request::get(&path)
                .header(CONNECTION, "Upgrade")
                .header(UPGRADE, "websocket")
                .header(SEC_WEBSOCKET_VERSION, "13")
                .header(SEC_WEBSOCKET_KEY, generate_key())
                // For a watch the server insists on one, whatever it says.
                .header(ORIGIN, "http://localhost")
                .body(Body::empty())
                .map_err(kube::Error::HttpError)?;
            let answer = self.client.send(request).await?;
            let status = answer.status();
            if status != StatusCode::SWITCHING_PROTOCOLS {
                if status.is_client_error() || status.is_server_error() {
                    let body = answer.into_body().collect_bytes().await?;
                    return Err(super::refusal(status, &body));
                }
                // The upgrade was taken out on the way: what comes is an ordinary watch.
                return Err(kube::Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(status)));
            }
            let upgraded = hyper::upgrade::on(answer).await;
            let upgraded = upgraded
                .map_err(|error| kube::Error::UpgradeConnection(UpgradeConnectionError::GetPendingUpgrade(error)))?;
            Ok(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await)
        };
        let what = "watch pods over WebSocket";
        let answer = unrepeatable(what, &self.place, &self.observer, attempt).await?;
        answer.map_err(|failure| error::explain(failure, what, &self.place))
    }
}

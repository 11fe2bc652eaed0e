//! Whether WebSocket connections get through to the API server, and how long they live when nothing is said.
//!
//! A watch of the pods over WebSocket, of a pod that does not exist, proves that: it only reads, starts nothing in any
//! container, and is a `watch` in the audit log. The server itself ends it after the time that is asked for.

use std::time::{Duration, Instant};

use futures::StreamExt;
use http::{Request, header::ORIGIN};
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::super::{
    Cluster,
    request::{WebSocket, error, unrepeatable, upgrade},
};
use crate::error::Result;

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
                // For a watch the server insists on one, whatever it says.
                .header(ORIGIN, "http://localhost")
                .body(())
                .map_err(kube::Error::HttpError)?;
            upgrade(&self.client, request, &[], WebSocketConfig::default()).await.map(|(socket, _)| socket)
        };
        let what = "watch pods over WebSocket";
        let answer = unrepeatable(what, &self.place, &self.observer, attempt).await?;
        answer.map_err(|failure| error::explain(failure, what, &self.place))
    }
}

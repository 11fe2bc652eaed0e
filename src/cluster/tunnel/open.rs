//! Opens a lane: one request, the WebSocket upgrade.

use std::time::Duration;

use http::Request;
use k8s_openapi::api::core::v1::Pod;
use kube::{Client, Error as KubeError, Resource, client::UpgradeConnectionError};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::super::{
    Place,
    request::{WebSocket, error, upgrade},
    session::{NotOpened, is_gone},
};
use crate::error::Error;

/// What kubectl speaks since 1.31: a SPDY/3.1 connection in binary messages (KEP-4006). Older API servers know nothing of
/// it.
const PROTOCOL: &str = "SPDY/3.1+portforward.k8s.io";
/// How long the upgrade may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// A TLS record. tungstenite fills its buffer with zeros to read into it, so a hundred idle lanes pay for all of it.
const READ_BUFFER: usize = 16 * 1024;

/// Where a tunnel leads, and by which way.
pub(super) struct Door {
    pub(super) client: Client,
    pub(super) place: Place,
    pub(super) namespace: String,
    pub(super) pod: String,
}

impl Door {
    /// Opens a WebSocket to the pod's port-forward.
    ///
    /// # Errors
    /// [`NotOpened::Gone`] when the pod is not there any more, [`NotOpened::Failed`] otherwise.
    pub(super) async fn open(&self) -> Result<WebSocket, NotOpened> {
        let what = format!("forward to pod `{}`", self.pod);
        let mut renewed = false;
        loop {
            let sent = self.place.credentials.prepare().await.map_err(NotOpened::Failed)?;
            let answer = timeout(TIME_LIMIT, self.upgrade()).await;
            let failure = match answer {
                Ok(Ok(socket)) => return Ok(socket),
                Ok(Err(failure)) => failure,
                Err(_) => return Err(NotOpened::Failed(error::too_slow(&what, &self.place, TIME_LIMIT.as_secs()))),
            };
            let unauthorized = matches!(&failure, KubeError::Api(status) if status.code == 401);
            let renew = self.place.credentials.renew_after(sent.as_ref());
            if unauthorized && !renewed && renew.await.map_err(NotOpened::Failed)? {
                renewed = true;
                continue;
            }
            return Err(self.explain(failure, &what));
        }
    }

    async fn upgrade(&self) -> Result<WebSocket, KubeError> {
        let pods = Pod::url_path(&(), Some(&self.namespace));
        let request =
            Request::get(format!("{pods}/{}/portforward", self.pod)).body(()).map_err(KubeError::HttpError)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
        upgrade(&self.client, request, &[PROTOCOL], config).await.map(|(socket, _)| socket)
    }

    fn explain(&self, failure: KubeError, what: &str) -> NotOpened {
        if is_too_old(&failure) {
            let error = Error::failed(format!("cannot {what}: its API server is too old"))
                .caused_by(&failure)
                .hint("kdj forwards ports with Kubernetes 1.31 or later; with an older one use `kubectl port-forward`");
            return NotOpened::Failed(error);
        }
        let gone = is_gone(&failure);
        let error = error::explain(failure, what, &self.place);
        if gone { NotOpened::Gone(error) } else { NotOpened::Failed(error) }
    }
}

/// An API server that does not know [`PROTOCOL`] hands the request to the kubelet, which takes it for the old form over
/// WebSocket, and misses its ports or its protocol.
fn is_too_old(failure: &KubeError) -> bool {
    match failure {
        KubeError::Api(status) => {
            matches!(status.code, 400 | 403 | 500)
                && (status.message.contains("\"port\" is required") || status.message.contains("rotocol(s)"))
        }
        KubeError::UpgradeConnection(error) => matches!(error, UpgradeConnectionError::SecWebSocketProtocolMismatch),
        _ => false,
    }
}

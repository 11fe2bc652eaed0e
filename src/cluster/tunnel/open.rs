//! Opens a lane: one request, the WebSocket upgrade.

use std::time::Duration;

use http::{
    HeaderMap, Request, Response, StatusCode,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Client, Error as KubeError, Resource,
    client::{Body, UpgradeConnectionError},
    core::Status,
};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use super::super::{
    Place,
    request::error,
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

pub(super) type Io = TokioIo<hyper::upgrade::Upgraded>;
pub(super) type WebSocket = WebSocketStream<Io>;

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
        let key = generate_key();
        let pods = Pod::url_path(&(), Some(&self.namespace));
        let request = Request::get(format!("{pods}/{}/portforward", self.pod))
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key)
            .header(SEC_WEBSOCKET_PROTOCOL, PROTOCOL)
            .body(Body::empty())
            .map_err(KubeError::HttpError)?;
        let answer = self.client.send(request).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(answer).await);
        }
        verify(answer.headers(), &key).map_err(KubeError::UpgradeConnection)?;
        let upgraded = hyper::upgrade::on(answer).await;
        let upgraded =
            upgraded.map_err(|error| KubeError::UpgradeConnection(UpgradeConnectionError::GetPendingUpgrade(error)))?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
        Ok(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await)
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

/// Anything but 101: the Status in it, or what stands there instead of one.
async fn refusal(answer: Response<Body>) -> KubeError {
    let code = answer.status();
    if !code.is_client_error() && !code.is_server_error() {
        return KubeError::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(code));
    }
    let body = match answer.into_body().collect_bytes().await {
        Ok(body) => body,
        Err(error) => return error,
    };
    let status = serde_json::from_slice::<Status>(&body).unwrap_or_else(|_| {
        Status::failure(String::from_utf8_lossy(&body).trim(), "NoStatus").with_code(code.as_u16())
    });
    KubeError::Api(status.boxed())
}

/// RFC 6455, section 4.1.
fn verify(headers: &HeaderMap, key: &str) -> Result<(), UpgradeConnectionError> {
    let is = |name, value: &str| {
        headers.get(name).is_some_and(|header| header.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    };
    if !is(UPGRADE, "websocket") {
        Err(UpgradeConnectionError::MissingUpgradeWebSocketHeader)
    } else if !is(CONNECTION, "upgrade") {
        Err(UpgradeConnectionError::MissingConnectionUpgradeHeader)
    } else if headers.get(SEC_WEBSOCKET_ACCEPT).is_none_or(|header| *header != derive_accept_key(key.as_bytes())) {
        Err(UpgradeConnectionError::SecWebSocketAcceptKeyMismatch)
    } else if !is(SEC_WEBSOCKET_PROTOCOL, PROTOCOL) {
        Err(UpgradeConnectionError::SecWebSocketProtocolMismatch)
    } else {
        Ok(())
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

//! The upgrade of a request to a WebSocket (RFC 6455, section 4.1), in the subprotocol that is asked for: kube's own asks
//! for those of exec only, and always for all of them.

use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper_util::rt::TokioIo;
use kube::{
    Client, Error as KubeError,
    client::{Body, UpgradeConnectionError},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use super::refusal;

pub(in crate::cluster) type Io = TokioIo<hyper::upgrade::Upgraded>;
pub(in crate::cluster) type WebSocket = WebSocketStream<Io>;

/// Sends the request, which has no body, and gives the WebSocket and the one of `protocols` that the server chose; they
/// stand in the order of preference. Without any, none is asked for and the empty name is given.
///
/// # Errors
/// What the server answered instead.
pub(in crate::cluster) async fn upgrade(
    client: &Client,
    request: Request<()>,
    protocols: &[&'static str],
    config: WebSocketConfig,
) -> Result<(WebSocket, &'static str), KubeError> {
    let key = generate_key();
    let mut request = request.map(|()| Body::empty());
    let headers = request.headers_mut();
    let mut set = |name, value: &str| -> Result<(), KubeError> {
        let value = HeaderValue::from_str(value).map_err(|error| KubeError::HttpError(error.into()))?;
        headers.insert(name, value);
        Ok(())
    };
    set(CONNECTION, "Upgrade")?;
    set(UPGRADE, "websocket")?;
    set(SEC_WEBSOCKET_VERSION, "13")?;
    set(SEC_WEBSOCKET_KEY, &key)?;
    if !protocols.is_empty() {
        // One header: servers read no second one.
        set(SEC_WEBSOCKET_PROTOCOL, &protocols.join(", "))?;
    }
    let answer = client.send(request).await?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(not_switched(answer).await);
    }
    let protocol = verify(answer.headers(), &key, protocols).map_err(KubeError::UpgradeConnection)?;
    let upgraded = hyper::upgrade::on(answer).await;
    let upgraded =
        upgraded.map_err(|error| KubeError::UpgradeConnection(UpgradeConnectionError::GetPendingUpgrade(error)))?;
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
    Ok((socket, protocol))
}

/// Anything but 101: a refusal, or the ordinary answer of a way that took the upgrade out.
async fn not_switched(answer: Response<Body>) -> KubeError {
    let code = answer.status();
    if !code.is_client_error() && !code.is_server_error() {
        return KubeError::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(code));
    }
    match answer.into_body().collect_bytes().await {
        Ok(body) => refusal(code, &body),
        Err(error) => error,
    }
}

fn verify(headers: &HeaderMap, key: &str, protocols: &[&'static str]) -> Result<&'static str, UpgradeConnectionError> {
    let is = |name, value: &str| {
        headers.get(name).is_some_and(|header| header.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    };
    if !is(UPGRADE, "websocket") {
        return Err(UpgradeConnectionError::MissingUpgradeWebSocketHeader);
    }
    if !is(CONNECTION, "upgrade") {
        return Err(UpgradeConnectionError::MissingConnectionUpgradeHeader);
    }
    if headers.get(SEC_WEBSOCKET_ACCEPT).is_none_or(|header| *header != derive_accept_key(key.as_bytes())) {
        return Err(UpgradeConnectionError::SecWebSocketAcceptKeyMismatch);
    }
    match protocols {
        [] => Ok(""),
        asked => asked
            .iter()
            .find(|protocol| is(SEC_WEBSOCKET_PROTOCOL, protocol))
            .copied()
            .ok_or(UpgradeConnectionError::SecWebSocketProtocolMismatch),
    }
}

//! An answer that is no success, read as a Status.

use http::StatusCode;
use kube::core::Status;
use serde_json::Value;

/// An answer that is none: the Status in it, or what stands there instead of one.
pub(in crate::cluster) fn refusal(code: StatusCode, body: &[u8]) -> kube::Error {
    let status = read_status(body).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(body);
        // What others send: `{"type":"error","status":"401","message":"must authenticate"}`.
        let message = serde_json::from_slice::<Value>(body).ok();
        let message = message.as_ref().and_then(|body| body.get("message")?.as_str()).unwrap_or(text.trim());
        Status::failure(message, "NoStatus").with_code(code.as_u16())
    });
    kube::Error::Api(status.boxed())
}

/// Whether Kubernetes itself says this.
pub(in crate::cluster) fn is_status(body: &[u8]) -> bool {
    read_status(body).is_some()
}

/// Any object can be read as a Status, for all of its fields may be missing.
fn read_status(body: &[u8]) -> Option<Status> {
    serde_json::from_slice::<Status>(body).ok().filter(|status| status.code != 0)
}

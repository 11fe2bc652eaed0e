//! What `kdj doctor` asks the API server about itself and about the user: reads only, a few small requests.
//!
//! * `user`: whom the server takes the user for. * `rights`: what the user may do. * `namespace`: whether it is there.
//! * `websocket`: whether the way lets WebSocket connections through, and for how long in silence.
//! * `certificate`: what the server shows of itself in TLS.

mod certificate;
mod namespace;
mod rights;
mod user;
mod websocket;

pub use self::{certificate::ServerCertificate, namespace::NamespaceState, rights::Allowed};

use http::StatusCode;
use kube::core::Status;

/// An answer that is none: the Status in it, or what stands there instead of one.
fn refusal(code: StatusCode, body: &[u8]) -> kube::Error {
    let status = serde_json::from_slice::<Status>(body).ok().filter(|status| status.code != 0);
    let text = String::from_utf8_lossy(body);
    let status = status.unwrap_or_else(|| Status::failure(text.trim(), "NoStatus").with_code(code.as_u16()));
    kube::Error::Api(status.boxed())
}

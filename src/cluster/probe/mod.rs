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

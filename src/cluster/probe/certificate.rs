//! What the API server shows of itself in TLS. A connection of its own, which is closed after the handshake: the one that
//! requests go over does not tell.

use std::{io, time::Duration};

use jiff::Timestamp;
use kube::{client::ConfigExt, config::AuthInfo};
use rustls::{ClientConnection, pki_types::ServerName};
use tokio::{net::TcpStream, task::spawn_blocking, time::timeout};

use super::super::{
    Kubeconfig,
    access::{client, validity::not_after},
};
use crate::error::{Error, Result};

/// How long the handshake may take.
const LIMIT: Duration = Duration::from_secs(4);

/// What is known of an API server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerCertificate {
    /// It was checked, and lasts until then, as far as it can be read.
    Checked {
        /// When it expires.
        until: Option<Timestamp>,
    },
    /// Nobody checks it: `insecure-skip-tls-verify`.
    Unchecked,
    /// The connection is plain HTTP.
    Plain,
    /// A proxy leads to the server, and opens the connection.
    BehindProxy,
    /// No connection leads to the server, or it ends before anything is shown.
    Unreachable,
}

impl Kubeconfig {
    /// What the API server of a context shows of itself: one connection, no request. The user's certificate is shown where
    /// it stands in the kubeconfig.
    ///
    /// # Errors
    /// When the context's cluster cannot be used, or what the server shows is not accepted.
    pub async fn server_certificate(&self, context: &str) -> Result<ServerCertificate> {
        let (cluster, user) = self.connection(context)?;
        let config = client::config(&cluster, only_certificate(user))?;
        if config.cluster_url.scheme_str() != Some("https") {
            return Ok(ServerCertificate::Plain);
        }
        if config.accept_invalid_certs {
            return Ok(ServerCertificate::Unchecked);
        }
        if config.proxy_url.is_some() {
            return Ok(ServerCertificate::BehindProxy);
        }
        let host = config.cluster_url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = config.cluster_url.port_u16().unwrap_or(443);
        let name = config.tls_server_name.clone().unwrap_or_else(|| host.clone());
        let failed =
            |cause: String| Error::failed(format!("cannot see the certificate of {host}:{port}")).caused_by(cause);
        let name = ServerName::try_from(name).map_err(|error| failed(error.to_string()))?;
        let tls = config.rustls_client_config().map_err(|error| failed(error.to_string()))?;
        let connection = ClientConnection::new(tls.into(), name).map_err(|error| failed(error.to_string()))?;
        let handshake = async {
            let stream = TcpStream::connect((host.as_str(), port)).await?.into_std()?;
            spawn_blocking(move || shake_hands(connection, stream)).await.map_err(io::Error::other)?
        };
        match timeout(LIMIT, handshake).await {
            Ok(Ok(leaf)) => Ok(ServerCertificate::Checked { until: leaf.and_then(|der| not_after(&der)) }),
            // So rustls' own errors come; all others are the network's.
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData && !is_alert(&error) => Err(failed(
                error.to_string(),
            )
            .hint("compare `date` with a clock: a certificate looks expired, or not valid yet, when that is wrong")
            .hint("else the cluster's owners have to renew it, or the kubeconfig's authority is another cluster's")),
            Ok(Err(_)) | Err(_) => Ok(ServerCertificate::Unreachable),
        }
    }
}

/// The handshake, on a thread of its own: rustls' is of the blocking kind. What it shows, in DER.
fn shake_hands(mut connection: ClientConnection, mut stream: std::net::TcpStream) -> io::Result<Option<Vec<u8>>> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    while connection.is_handshaking() {
        match connection.complete_io(&mut stream) {
            // It wants to see a certificate, which a plugin may have. Its own was accepted before that.
            Err(error) if is_alert(&error) && connection.peer_certificates().is_some() => break,
            done => drop(done?),
        }
    }
    Ok(connection.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.as_ref().to_vec()))
}

/// Whether the server, and not this side, has ended the handshake.
fn is_alert(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::AlertReceived(_)))
}

/// The user's certificate and key, without what else there is of credentials.
fn only_certificate(user: AuthInfo) -> AuthInfo {
    AuthInfo {
        client_certificate: user.client_certificate,
        client_certificate_data: user.client_certificate_data,
        client_key: user.client_key,
        client_key_data: user.client_key_data,
        ..AuthInfo::default()
    }
}

//! What the API server shows of itself in TLS. A connection of its own, which is closed after the handshake: the one that
//! requests go over does not tell.

use std::{io, time::Duration};

use jiff::Timestamp;
use kube::client::ConfigExt;
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
    /// What the API server of a context shows of itself: one connection, no request.
    ///
    /// # Errors
    /// When the context's cluster cannot be used, or what the server shows is not accepted.
    pub async fn server_certificate(&self, context: &str) -> Result<ServerCertificate> {
        let (cluster, _) = self.connection(context)?;
        let config = client::config(&cluster, kube::config::AuthInfo::default())?;
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
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(failed(error.to_string())
                .hint("compare `date` with a clock: a certificate looks expired, or not valid yet, when that is wrong")
                .hint(
                    "else the cluster's owners have to renew it, or the kubeconfig's authority is another cluster's",
                )),
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
        connection.complete_io(&mut stream)?;
    }
    Ok(connection.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.as_ref().to_vec()))
}

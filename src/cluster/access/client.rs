//! The HTTP stack: TCP_NODELAY and keepalive, which kube's own lacks; the proxy; the token of [`Credentials`] on every
//! request; a `Retry-After` that kube overlooks. kube's blind retries, which repeat a POST too, are left out.

use std::{
    env, fmt, mem,
    task::{Context, Poll},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use futures::future::BoxFuture;
use http::{
    Request, Response, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use hyper_util::{
    client::legacy::{
        Client as HttpClient,
        connect::{
            Connection, HttpConnector,
            proxy::{SocksV5, Tunnel},
        },
    },
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt},
    config::{AuthInfo, Cluster},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tower::{BoxError, Service, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use super::{
    credentials::Credentials,
    plugin::Manner,
    proxy::{self, proxy_for},
};
use crate::error::{Error, Result};

/// How long a TCP connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How soon a silent TCP connection is probed.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Whom to act as, from `--as` and `--as-group`.
#[derive(Clone, Debug, Default)]
pub struct Impersonation {
    /// The user.
    pub user: Option<String>,
    /// The groups.
    pub groups: Vec<String>,
}

/// Builds the client of a context. Runs the credential plugin, and opens no connection.
pub(in crate::cluster) async fn build(
    cluster: &Cluster,
    mut user: AuthInfo,
    impersonation: &Impersonation,
    manner: Manner,
) -> Result<(Client, Credentials)> {
    let credentials = Credentials::take_from(&mut user, manner).await?;
    Ok((with_credentials(cluster, user, impersonation, credentials.clone())?, credentials))
}

/// Builds the client of a context from credentials that are there; opens no connection.
pub(in crate::cluster) fn with_credentials(
    cluster: &Cluster,
    mut user: AuthInfo,
    impersonation: &Impersonation,
    credentials: Credentials,
) -> Result<Client> {
    if let Some(name) = &impersonation.user {
        user.impersonate = Some(name.clone());
        user.impersonate_groups = Some(impersonation.groups.clone()).filter(|groups| !groups.is_empty());
    }
    let config = config(cluster, user)?;
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_keepalive(Some(KEEPALIVE));
    http.set_keepalive_interval(Some(KEEPALIVE));
    http.set_connect_timeout(Some(CONNECT_LIMIT));
    connect_through(config.proxy_url.clone(), http, &config, credentials)
}

/// The client over a direct connection or the proxy.
fn connect_through(
    proxy: Option<Uri>,
    http: HttpConnector,
    config: &Config,
    credentials: Credentials,
) -> Result<Client> {
    let Some(proxy) = proxy else { return assemble(http, config, credentials) };
    let login = proxy::login(&proxy);
    match proxy.scheme_str() {
        Some("socks5") => {
            let socks = SocksV5::new(proxy, http);
            let socks = match login {
                Some((user, password)) => socks.with_auth(user, password),
                None => socks,
            };
            assemble(socks, config, credentials)
        }
        Some("https") => {
            let tls = config.rustls_https_connector_with_connector(http).map_err(|error| unusable(&error))?;
            assemble(with_login(login, Tunnel::new(proxy, tls)), config, credentials)
        }
        _ => assemble(with_login(login, Tunnel::new(proxy, http)), config, credentials),
    }
}

/// kube's own loader reads the environment's proxies and fails on what client-go accepts, so the fields are filled here.
pub(in crate::cluster) fn config(cluster: &Cluster, user: AuthInfo) -> Result<Config> {
    let server = cluster.server.as_deref().unwrap_or_default();
    let uri: Uri = server
        .parse()
        .ok()
        .filter(|uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
        .ok_or_else(|| Error::usage(format!("the cluster's `server` is no URL: `{server}`")))?;
    let mut config = Config::new(uri);
    config.proxy_url = proxy_for(&config.cluster_url, cluster.proxy_url.as_deref(), |name| env::var(name).ok())?;
    config.root_cert = authority(cluster)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name.clone().filter(|name| !name.is_empty());
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.auth_info = user;
    Ok(config)
}

/// The cluster's certificate authority in DER; `None` means the operating system's.
fn authority(cluster: &Cluster) -> Result<Option<Vec<Vec<u8>>>> {
    let unusable = |cause: String| Error::usage("the cluster's certificate authority cannot be read").caused_by(cause);
    let pem = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (Some(data), _) if !data.is_empty() => BASE64.decode(data).map_err(|error| unusable(error.to_string()))?,
        (_, Some(path)) if !path.is_empty() => {
            std::fs::read(path).map_err(|error| unusable(format!("`{path}`: {error}")))?
        }
        _ => return Ok(None),
    };
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(Some(certificates.into_iter().map(|certificate| certificate.to_vec()).collect()))
}

/// The proxy's login, as HTTP's Basic one.
fn with_login<C>(login: Option<(String, String)>, tunnel: Tunnel<C>) -> Tunnel<C> {
    let Some((user, password)) = login else { return tunnel };
    match http::HeaderValue::from_str(&format!("Basic {}", BASE64.encode(format!("{user}:{password}")))) {
        Ok(header) => tunnel.with_auth(header),
        Err(_) => tunnel,
    }
}

fn assemble<C>(connector: C, config: &Config, credentials: Credentials) -> Result<Client>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Connection + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let https = config.rustls_https_connector_with_connector(connector).map_err(|error| unusable(&error))?;
    let http: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new()).build(https);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .layer_fn(|inner| Authorize { inner, credentials: credentials.clone() })
        .option_layer(config.auth_layer().map_err(|error| unusable(&error))?)
        .layer(config.extra_headers_layer().map_err(|error| unusable(&error))?)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace.clone()))
}

fn unusable(error: &kube::Error) -> Error {
    Error::failed("the kubeconfig's credentials cannot be used").caused_by(error)
}

/// An overloaded server, or what stands before it, asks in plain text for a pause: API Priority and Fairness does, and
/// kube does not look at `Retry-After`.
#[derive(Debug)]
pub(in crate::cluster) struct Overloaded {
    status: StatusCode,
    /// The pause it asks for.
    pub(in crate::cluster) pause: Duration,
}

impl Overloaded {
    /// What only the answer's header tells; a Status tells it itself.
    fn of<B>(answer: &Response<B>) -> Option<Self> {
        let status = answer.status();
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let is_status = header(CONTENT_TYPE).is_some_and(|kind| kind.contains("json"));
        if is_status || !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return None;
        }
        let pause = Duration::from_secs(header(RETRY_AFTER)?.trim().parse().ok()?);
        Some(Self { status, pause })
    }
}

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, to be tried again after {} s", self.status, self.pause.as_secs())
    }
}

impl std::error::Error for Overloaded {}

/// Puts the bearer token on each request, and turns an answer that asks for a pause into [`Overloaded`].
#[derive(Clone)]
struct Authorize<S> {
    inner: S,
    credentials: Credentials,
}

impl<S, B> Service<Request<Body>> for Authorize<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone is not ready; the one that was polled is.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let credentials = self.credentials.clone();
        Box::pin(async move {
            if let Some(header) = credentials.current().await? {
                request.headers_mut().insert(AUTHORIZATION, header);
            }
            let answer = inner.call(request).await?;
            match Overloaded::of(&answer) {
                Some(overloaded) => Err(overloaded.into()),
                None => Ok(answer),
            }
        })
    }
}

//! Turns what went wrong between kdj and the API server into an error with a next step.

use std::{error::Error as StdError, io};

use kube::core::Status;

use super::{super::access::client::Overloaded, Place};
use crate::{error::Error, explained::Explained};

/// What was asked of the API server, for the error's first line: `list pods`.
pub(in crate::cluster) fn explain(error: kube::Error, what: &str, place: &Place) -> Error {
    let (error, check) = match error {
        kube::Error::Api(status) => (refused(&status, what, place), check_of(&status)),
        kube::Error::Service(error) => match error.downcast::<Error>() {
            Ok(own) => (*own, Some(Explained::Credentials)),
            Err(error) => match error.downcast_ref::<Overloaded>() {
                Some(overloaded) => {
                    (overloaded_server(failed(what, place).caused_by(overloaded)), Some(Explained::Latency))
                }
                None => (unreachable(error.as_ref(), place), Some(Explained::Reachable)),
            },
        },
        kube::Error::HyperError(error) => (unreachable(&error, place), Some(Explained::Reachable)),
        kube::Error::UpgradeConnection(error) => {
            (not_upgraded(&error.to_string(), what, place), Some(Explained::WebSocket))
        }
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            (not_kubernetes(failed(what, place)), Some(Explained::Reachable))
        }
        other => (failed(what, place).caused_by(other), None),
    };
    match check {
        Some(check) => error.explained_by(check, &place.environment),
        None => error,
    }
}

/// The check that looks into a refusal of the API server's, or of what stands before it.
fn check_of(status: &Status) -> Option<Explained> {
    match status.code {
        401 => Some(Explained::Credentials),
        _ if status.message.contains("pgrade request required") => Some(Explained::WebSocket),
        403 if status.message.contains("User \"") => Some(Explained::Rights),
        429 => Some(Explained::Latency),
        500..=599 => Some(Explained::Cluster),
        _ if status.message.trim_start().starts_with('<') => Some(Explained::Reachable),
        _ => None,
    }
}

/// The error of a request that got no answer in time.
pub(in crate::cluster) fn too_slow(what: &str, place: &Place, seconds: u64) -> Error {
    failed(what, place)
        .caused_by(format!("no answer from {} within {seconds} s", place.server))
        .hint("is the VPN up? the server may also be overloaded: try again")
        .explained_by(Explained::Latency, &place.environment)
}

fn failed(what: &str, place: &Place) -> Error {
    Error::failed(format!("cannot {what} in `{}` (context `{}`)", place.namespace, place.context))
}

fn refused(status: &Status, what: &str, place: &Place) -> Error {
    let message = status.message.trim();
    let message = if message.is_empty() { "the API server gave no reason" } else { message };
    let error = failed(what, place);
    if message.starts_with('<') {
        return not_kubernetes(error);
    }
    if message.contains("pgrade request required") {
        return not_upgraded(message, what, place);
    }
    match status.code {
        401 => Error::failed(format!("the API server of context `{}` does not accept your credentials", place.context))
            .caused_by(message)
            .hint("your login has probably expired: log in again, the way your team does for this context"),
        403 => forbidden(message, error, place).forbidden(),
        429 => overloaded_server(error.caused_by(message)),
        500..=599 => {
            error.caused_by(message).hint("the API server, or what stands before it, is in trouble: try again")
        }
        _ => error.caused_by(message),
    }
}

fn overloaded_server(error: Error) -> Error {
    error.hint("the API server is overloaded: try again in a minute")
}

/// `User "viewer" cannot create resource "pods/exec" in API group "" in the namespace "shop"`, as Kubernetes words it.
fn forbidden(message: &str, error: Error, place: &Place) -> Error {
    let quoted = |before: &str| message.split_once(before).and_then(|(_, rest)| rest.split('"').next());
    let (Some(user), Some(resource)) = (quoted("User \""), quoted("resource \"")) else {
        return error
            .caused_by(message)
            .hint("an admission policy, or your rights, forbid it: ask whoever runs the cluster");
    };
    let verb = message.split_once("cannot ").and_then(|(_, rest)| rest.split(' ').next()).unwrap_or("use");
    let group = quoted("API group \"").unwrap_or_default();
    let first = format!(
        "`{user}` may not `{verb}` `{resource}` in namespace `{}` (context `{}`)",
        place.namespace, place.context
    );
    let error = Error::failed(first).caused_by(message);
    let streams = ["pods/exec", "pods/attach", "pods/portforward"].contains(&resource);
    let verbs = if streams { r#""get", "create""#.to_owned() } else { format!("\"{verb}\"") };
    let rule =
        format!(r#"a Role needs the rule {{apiGroups: ["{group}"], resources: ["{resource}"], verbs: [{verbs}]}}"#);
    if streams {
        error.hint(format!(
            "{rule}\nover WebSocket the API server asks for `get`, and from Kubernetes 1.35 for `create` too"
        ))
    } else {
        error.hint(rule)
    }
}

/// A page instead of an object; the page itself says nothing that helps.
fn not_kubernetes(error: Error) -> Error {
    error
        .caused_by("the answer is not what Kubernetes sends: a proxy or a login page stands in the way")
        .hint("check HTTPS_PROXY, NO_PROXY and the cluster's `proxy-url` and `server` in the kubeconfig")
}

fn not_upgraded(error: &str, what: &str, place: &Place) -> Error {
    failed(what, place)
        .caused_by(error)
        .caused_by("a proxy between you and the API server does not let WebSocket connections through")
        .hint("ask for `Upgrade: websocket` to be passed on, or go round the proxy with NO_PROXY")
}

/// Nothing came back: names the step that failed, from the errors below.
fn unreachable(error: &(dyn StdError + 'static), place: &Place) -> Error {
    let chain: Vec<&(dyn StdError + 'static)> =
        std::iter::successors(Some(error), |error| StdError::source(*error)).collect();
    let root = chain.last().map(ToString::to_string).unwrap_or_default();
    let first = format!("cannot reach the API server of context `{}` at {}", place.context, place.server);
    let error = Error::failed(first);
    if let Some(tls) = chain.iter().find_map(|error| tls_error(*error)) {
        return certificate(error, tls);
    }
    let text = chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if text.contains("dns error") || text.contains("failed to lookup") {
        return error
            .caused_by(format!("its name cannot be resolved: {root}"))
            .hint("is the VPN up? is the `server` in the kubeconfig right?");
    }
    if text.contains("proxy") || text.contains("tunnel") {
        return error
            .caused_by(text)
            .hint("check HTTPS_PROXY, NO_PROXY and the cluster's `proxy-url` in the kubeconfig");
    }
    if text.contains("deadline has elapsed") || text.contains("timed out") {
        return error.caused_by("the connection timed out").hint("is the VPN up? does a firewall stand in the way?");
    }
    error.caused_by(root).hint("is the VPN up? is the cluster running?")
}

/// The TLS error below `error`: rustls hides it in an io error, twice at times.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    tls_error(error.downcast_ref::<io::Error>()?.get_ref()?)
}

fn certificate(error: Error, tls: &rustls::Error) -> Error {
    use rustls::CertificateError as Certificate;
    let error = error.caused_by(format!("TLS: {tls}"));
    match tls {
        // Clusters' authorities are all called `kubernetes`: the wrong one is found by its name and does not fit.
        rustls::Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => {
            error.hint("the kubeconfig's `certificate-authority` is not the one that signed the server's certificate: fetch the kubeconfig anew; a corporate proxy that opens TLS does this too")
        }
        rustls::Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            error.hint("the server's certificate has expired, or your clock is wrong: compare `date` with a clock")
        }
        rustls::Error::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
            error.hint("the server's certificate is not valid yet: your clock may be wrong: compare `date` with a clock")
        }
        rustls::Error::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => {
            error.hint("the certificate is for another name: set `tls-server-name` in the kubeconfig's cluster")
        }
        rustls::Error::AlertReceived(_) => error.hint("the server refused your client certificate: it may have expired"),
        _ => error,
    }
}

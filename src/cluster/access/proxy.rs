//! Which proxy leads to the API server: the cluster's `proxy-url`, else the environment's, as kubectl decides it.
//!
//! kube would match `NO_PROXY` against the proxy's host instead of the server's, so this is decided here. The rules are
//! those of Go's `net/http` (`golang.org/x/net/http/httpproxy`).

use std::net::IpAddr;

use http::Uri;

use crate::error::{Error, Result};

/// The proxy for `server`, if one is needed.
///
/// # Errors
/// When the proxy's URL cannot be read, or its scheme is none of http, https, socks5, socks5h.
pub(super) fn proxy_for(
    server: &Uri,
    configured: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>> {
    if let Some(url) = configured.filter(|url| !url.is_empty()) {
        return parse(url, "the cluster's `proxy-url`").map(Some);
    }
    let variable = |upper: &str| {
        [upper.to_owned(), upper.to_lowercase()]
            .iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()))
    };
    let name = if server.scheme_str() == Some("http") { "HTTP_PROXY" } else { "HTTPS_PROXY" };
    let Some(url) = variable(name) else { return Ok(None) };
    if bypassed(server, &variable("NO_PROXY").unwrap_or_default()) {
        return Ok(None);
    }
    parse(&url, name).map(Some)
}

fn parse(url: &str, origin: &str) -> Result<Uri> {
    let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    // In Go socks5 resolves names at the proxy, as socks5h says elsewhere.
    let url = url.replacen("socks5h://", "socks5://", 1);
    // The text may hold a password: it is not repeated.
    let unusable = || {
        Error::usage(format!("{origin} is no usable proxy URL")).hint("it looks like `http://proxy.example.com:3128`")
    };
    let uri: Uri = url.parse().map_err(|_| unusable())?;
    match uri.scheme_str() {
        Some("http" | "https" | "socks5") if uri.host().is_some() => with_port(uri).ok_or_else(unusable),
        _ => Err(unusable()),
    }
}

/// The URL with its port: the connector would take 80 for any scheme it does not know.
fn with_port(uri: Uri) -> Option<Uri> {
    let default = match (uri.port_u16(), uri.scheme_str()) {
        (Some(_), _) => return Some(uri),
        (None, Some("socks5")) => 1080,
        (None, Some("https")) => 443,
        (None, _) => 80,
    };
    let mut parts = uri.into_parts();
    let authority = parts.authority?;
    parts.authority = Some(format!("{}:{default}", authority.as_str().trim_end_matches(':')).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// `user:password@` of the proxy's URL, decoded.
pub(super) fn login(proxy: &Uri) -> Option<(String, String)> {
    let (login, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decoded(user), decoded(password)))
}

/// Whether `NO_PROXY` excludes the server. Loopback addresses never go through a proxy of the environment.
fn bypassed(server: &Uri, no_proxy: &str) -> bool {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']).to_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let default = if server.scheme_str() == Some("http") { 80 } else { 443 };
    let port = server.port_u16().unwrap_or(default).to_string();
    no_proxy.split(',').map(str::trim).filter(|rule| !rule.is_empty()).any(|rule| matches(rule, &host, &port, address))
}

fn matches(rule: &str, host: &str, port: &str, address: Option<IpAddr>) -> bool {
    let rule = rule.to_lowercase();
    if rule == "*" {
        return true;
    }
    if let (Some((network, bits)), Some(address)) = (rule.split_once('/'), address) {
        return in_network(address, network, bits);
    }
    let (name, wanted_port) = match rule.rsplit_once(':') {
        Some((name, wanted)) if wanted.parse::<u16>().is_ok() && !name.contains(':') => (name, Some(wanted)),
        _ => (rule.as_str(), None),
    };
    if wanted_port.is_some_and(|wanted| wanted != port) {
        return false;
    }
    let name = name.strip_prefix('*').unwrap_or(name);
    match name.strip_prefix('.') {
        Some(domain) => host.ends_with(&format!(".{domain}")),
        None => host == name.trim_matches(['[', ']']) || host.ends_with(&format!(".{name}")),
    }
}

fn in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(server: &str, configured: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        proxy_for(&server.parse().unwrap(), configured, variable).unwrap().map(|uri| uri.to_string())
    }

    #[test]
    fn the_clusters_own_proxy_beats_the_environment_and_no_proxy() {
        let variables = [("HTTPS_PROXY", "http://other:1"), ("NO_PROXY", "*")];
        let proxy = decide("https://k8s.example.com", Some("socks5h://proxy:1080"), &variables);
        assert_eq!(proxy.as_deref(), Some("socks5://proxy:1080/"));
    }

    #[test]
    fn no_proxy_is_matched_against_the_server() {
        let cases = [
            ("k8s.example.com", "k8s.example.com", true),
            ("k8s.example.com", "example.com", true),
            ("k8s.example.com", ".example.com", true),
            ("example.com", ".example.com", false),
            ("k8s.example.com", "*.example.com", true),
            ("k8s.example.com", "proxy", false),
            ("k8s.example.com", "a,,k8s.example.com:443", true),
            ("k8s.example.com", "k8s.example.com:6443", false),
            ("notexample.com", "example.com", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("127.0.0.1", "", true),
        ];
        for (host, no_proxy, expected) in cases {
            let proxy =
                decide(&format!("https://{host}"), None, &[("HTTPS_PROXY", "proxy:3128"), ("no_proxy", no_proxy)]);
            assert_eq!(proxy.is_none(), expected, "{host} against {no_proxy}");
        }
    }

    #[test]
    fn an_empty_variable_does_not_hide_the_other_one() {
        let variables = [("HTTPS_PROXY", ""), ("https_proxy", "proxy:3128"), ("NO_PROXY", ""), ("no_proxy", "b.org")];
        assert_eq!(decide("https://a.org", None, &variables).as_deref(), Some("http://proxy:3128/"));
        assert_eq!(decide("https://b.org", None, &variables), None);
    }

    #[test]
    fn each_scheme_has_its_port() {
        for (url, expected) in [
            ("proxy", "http://proxy:80/"),
            ("https://proxy", "https://proxy:443/"),
            ("socks5://u:p@proxy", "socks5://u:p@proxy:1080/"),
            ("socks5h://[::1]", "socks5://[::1]:1080/"),
            ("http://proxy:3128", "http://proxy:3128/"),
        ] {
            assert_eq!(decide("https://a.org", Some(url), &[]).as_deref(), Some(expected));
        }
    }

    #[test]
    fn the_login_is_decoded() {
        let login = |url: &str| login(&url.parse().unwrap());
        assert_eq!(login("socks5://dev:a%40b%3Ac@proxy:1080"), Some(("dev".to_owned(), "a@b:c".to_owned())));
        assert_eq!(login("http://dev@proxy"), Some(("dev".to_owned(), String::new())));
        assert_eq!(login("http://proxy"), None);
    }

    #[test]
    fn an_unusable_url_is_named_but_its_password_is_not_shown() {
        let error = proxy_for(&"https://a".parse().unwrap(), Some("ftp://user:hunter2@proxy"), |_| None).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

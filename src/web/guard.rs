//! Who may ask, and for what: every request is looked at here before anything is done.
//!
//! * Other users of this machine don't know the token.
//! * Pages of other origins don't know it either, and what they send says where it comes from (`Origin`,
//!   `Sec-Fetch-Site`).
//! * A name of theirs that leads to 127.0.0.1 (DNS rebinding) stands in `Host`.

use hyper::{
    HeaderMap, Method, StatusCode, Uri,
    header::{HOST, HeaderName, ORIGIN},
};
use percent_encoding::percent_decode_str;

use super::{log::LogWanted, token::Token};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What lets requests in.
pub(super) struct Guard {
    pub(super) token: Token,
    pub(super) port: u16,
}

/// What there is to ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The page.
    Page,
    /// What goes on, as a stream.
    Events,
    /// The log of a container, as a stream.
    Log(LogWanted),
}

/// Why a request gets nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) why: &'static str,
}

impl Refusal {
    fn forbidden(why: &'static str) -> Self {
        Self { status: StatusCode::FORBIDDEN, why }
    }

    /// There is no such thing.
    pub(super) fn unknown(why: &'static str) -> Self {
        Self { status: StatusCode::NOT_FOUND, why }
    }

    /// Too much is open already.
    pub(super) fn busy() -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, why: "too many pages are open" }
    }

    /// kdj itself cannot.
    pub(super) fn failed(why: &'static str) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, why }
    }
}

impl Guard {
    /// What the request asks for.
    ///
    /// # Errors
    /// When it may not have it, or there is no such thing.
    pub(super) fn route(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Route, Refusal> {
        let host = self.host(uri, headers).ok_or(Refusal::forbidden("this is not the address of the page"))?;
        if method != Method::GET {
            return Err(Refusal { status: StatusCode::METHOD_NOT_ALLOWED, why: "this page can be read only" });
        }
        let origins_are_fine =
            headers.get_all(ORIGIN).iter().all(|it| it.as_bytes() == format!("http://{host}").as_bytes());
        let is_own = |site: &[u8]| matches!(site, b"same-origin" | b"none");
        if !origins_are_fine || !headers.get_all(SEC_FETCH_SITE).iter().all(|it| is_own(it.as_bytes())) {
            return Err(Refusal::forbidden("another page may not ask; type or paste the address instead"));
        }
        let mut parts = uri.path().strip_prefix('/').unwrap_or_default().splitn(2, '/');
        if !self.token.is(parts.next().unwrap_or_default()) {
            return Err(Refusal::forbidden("this is `kdj status --web`; open the whole address it printed"));
        }
        match parts.next().unwrap_or_default() {
            "" => Ok(Route::Page),
            "events" => Ok(Route::Events),
            "log" => log_wanted(uri.query().unwrap_or_default()).map(Route::Log),
            _ => Err(Refusal::unknown("there is no such page")),
        }
    }

    /// The one `Host` of the request, if it is a name of this page.
    fn host<'a>(&self, uri: &Uri, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().filter(|_| hosts.next().is_none())?.to_str().ok()?;
        let is_name = |name: &str| format!("{name}:{}", self.port) == host;
        let is_absolute_elsewhere = uri.authority().is_some_and(|authority| authority.as_str() != host);
        (!is_absolute_elsewhere && ["127.0.0.1", "localhost", "[::1]"].into_iter().any(is_name)).then_some(host)
    }
}

/// `environment=qa&pod=web-1&container=django`, each once, nothing else.
fn log_wanted(query: &str) -> Result<LogWanted, Refusal> {
    const BAD: Refusal =
        Refusal { status: StatusCode::BAD_REQUEST, why: "a log is asked for by `environment`, `pod` and `container`" };
    let mut wanted = LogWanted::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').ok_or(BAD)?;
        let field = match name {
            "environment" => &mut wanted.environment,
            "pod" => &mut wanted.pod,
            "container" => &mut wanted.container,
            _ => return Err(BAD),
        };
        // As a browser writes a blank.
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8().map_err(|_| BAD)?;
        if value.is_empty() || !field.is_empty() {
            return Err(BAD);
        }
        *field = value.into_owned();
    }
    let is_whole = [&wanted.environment, &wanted.pod, &wanted.container].into_iter().all(|field| !field.is_empty());
    if is_whole { Ok(wanted) } else { Err(BAD) }
}

#[cfg(test)]
mod tests;

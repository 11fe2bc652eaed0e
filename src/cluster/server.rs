//! What the API server says of itself: its version, and by the `Date` of its answer what time it is there.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use http::{Request, StatusCode, header::DATE};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use kube::client::Body;
use serde::Deserialize;

use super::{Cluster, request};
use crate::error::{Error, Result};

/// An API server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its version; nothing when the user may not see it.
    pub release: Option<Release>,
    /// Its clock, to the second, and the clock of this machine in the middle of the request.
    pub clock: Option<(Timestamp, Timestamp)>,
    /// How long the request took; the first one also opens the connection.
    pub took: Duration,
}

/// A version of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// As it calls itself: `v1.34.2`, `v1.33.4-eks-d96d92f`.
    pub version: String,
    /// Its minor version: 34.
    pub minor: u32,
}

impl Release {
    /// Reads a `gitVersion`. What stands beside it, `minor`, is empty at times.
    pub fn of(version: &str) -> Option<Self> {
        let minor = version.split('.').nth(1)?;
        let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
        Some(Self { version: version.to_owned(), minor: minor[..digits].parse().ok()? })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

/// A clock that differs by more is a reason to refuse credentials.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

impl Cluster {
    /// GET of `/version`, which nearly everybody may: one request.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses, or what answers is none. It says so when the clocks differ.
    pub async fn server(&self) -> Result<Server> {
        let clock = RefCell::new(None);
        let ask = || async {
            let request = Request::get("/version").body(Body::empty()).map_err(kube::Error::HttpError)?;
            let begin = (Timestamp::now(), Instant::now());
            let answer = self.client.send(request).await?;
            let took = begin.1.elapsed();
            let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
            let theirs = date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
            clock.replace(theirs.map(|theirs| (theirs, begin.0 + took / 2)));
            let status = answer.status();
            let bytes = answer.into_body().collect_bytes().await?;
            // A hardened cluster shows its version to few.
            if status.is_success() || status == StatusCode::FORBIDDEN && request::is_status(&bytes) {
                Ok((status, bytes, took))
            } else {
                Err(request::refusal(status, &bytes))
            }
        };
        let answer = request::repeatable("get the server's version", &self.place, &self.observer, ask).await;
        let clock = clock.into_inner();
        let (status, bytes, took) = answer.map_err(|error| told_of_skew(error, clock))?;
        let version = serde_json::from_slice::<Version>(&bytes).ok();
        if status.is_success() && version.is_none() {
            let message = format!("what answers at {} is no Kubernetes API server", self.place.server);
            return Err(Error::failed(message).hint(
                "a proxy or a login page may stand in the way: check HTTPS_PROXY, NO_PROXY and the cluster's `server`",
            ));
        }
        Ok(Server { release: version.and_then(|version| Release::of(&version.git_version)), clock, took })
    }
}

/// The refusal; where the clocks differ, that may be why.
fn told_of_skew(error: Error, clock: Option<(Timestamp, Timestamp)>) -> Error {
    match clock {
        Some((theirs, ours)) if ours.duration_since(theirs).abs() > SKEW => error
            .caused_by(format!("this machine's clock says {ours:.0}, the server's {theirs:.0}"))
            .hint("set this machine's clock: credentials are refused before their time and after it"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_stands_in_the_version() {
        for (version, minor) in
            [("v1.34.2", Some(34)), ("v1.30.1-eks-036c24b", Some(30)), ("v1.29+", Some(29)), ("v2", None)]
        {
            assert_eq!(Release::of(version).map(|release| release.minor), minor, "{version}");
        }
    }
}

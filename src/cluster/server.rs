//! What the API server says of itself: its version, and by the `Date` of its answer what time it is there.

use std::time::{Duration, Instant};

use http::{Request, header::DATE};
use jiff::{Timestamp, fmt::rfc2822};
use kube::{client::Body, core::Status};
use serde::Deserialize;

use super::{Cluster, request};
use crate::error::{Error, Result};

/// An API server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its version: `v1.34.2`.
    pub version: String,
    /// Its minor version: 34.
    pub minor: u32,
    /// Its clock, to the second, and the clock of this machine in the middle of the request.
    pub clock: Option<(Timestamp, Timestamp)>,
    /// How long the request took; the first one also opens the connection.
    pub took: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
    minor: String,
}

impl Cluster {
    /// GET of `/version`, which everybody may: one request.
    ///
    /// # Errors
    /// When the server cannot be reached, or what answers is none.
    pub async fn server(&self) -> Result<Server> {
        let ask = || async {
            let request = Request::get("/version").body(Body::empty()).map_err(kube::Error::HttpError)?;
            let begin = (Timestamp::now(), Instant::now());
            let answer = self.client.send(request).await?;
            let took = begin.1.elapsed();
            let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
            let is_fine = answer.status().is_success();
            let bytes = answer.into_body().collect_bytes().await?;
            match serde_json::from_slice::<Status>(&bytes) {
                Ok(status) if !is_fine => Err(kube::Error::Api(Box::new(status))),
                _ => Ok((bytes, date, begin.0, took)),
            }
        };
        let answer = request::repeatable("get the server's version", &self.place, &self.observer, ask).await?;
        let (bytes, date, begin, took) = answer;
        let Ok(version) = serde_json::from_slice::<Version>(&bytes) else {
            let message = format!("what answers at {} is no Kubernetes API server", self.place.server);
            return Err(Error::failed(message).hint(
                "a proxy or a login page may stand in the way: check HTTPS_PROXY, NO_PROXY and the cluster's `server`",
            ));
        };
        let theirs = date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
        let ours = begin + took / 2;
        let minor = version.minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or_default();
        Ok(Server { version: version.git_version, minor, clock: theirs.map(|theirs| (theirs, ours)), took })
    }
}

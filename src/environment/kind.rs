//! What a role is for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a role is for. Closed: everything kdj does not know is `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Answers requests: gunicorn, uvicorn, daphne, ...
    Web,
    /// Works off a queue: Celery, rq, dramatiq, huey.
    Worker,
    /// Starts periodic tasks: Celery beat.
    Beat,
    /// Kept for engineers, outside the traffic.
    Shell,
    /// Anything else: a database, a cache, a front end.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Web => "web",
            Kind::Worker => "worker",
            Kind::Beat => "beat",
            Kind::Shell => "shell",
            Kind::Other => "other",
        })
    }
}

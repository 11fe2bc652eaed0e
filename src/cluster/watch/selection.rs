//! What a watch looks at.

use std::time::Duration;

use super::{MARGIN, PAUSE, WATCH_SECONDS};

/// What is watched.
#[derive(Clone, Debug)]
pub(in crate::cluster) struct Selection {
    /// The objects, for messages: `the pod`, `pods`.
    pub(in crate::cluster) what: &'static str,
    /// The namespace.
    pub(in crate::cluster) namespace: String,
    /// The label selector, in kubectl's syntax.
    pub(in crate::cluster) labels: Option<String>,
    /// The field selector.
    pub(in crate::cluster) fields: Option<String>,
    /// The pause between two looks by who may not watch.
    pub(in crate::cluster) look: Duration,
    /// After how long without a word the connection is taken for dead. The server sends a bookmark every minute where it
    /// keeps a cache, which is of all kinds but events.
    pub(in crate::cluster) patience: Duration,
}

impl Selection {
    /// All objects of a namespace.
    pub(in crate::cluster) fn of(what: &'static str, namespace: &str) -> Self {
        let patience = Duration::from_secs(WATCH_SECONDS.into()) + MARGIN;
        Self { what, namespace: namespace.to_owned(), labels: None, fields: None, look: PAUSE, patience }
    }
}

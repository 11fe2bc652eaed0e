//! How an environment came to be as it is: a few numbers of each workload, as they were since the page is served.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::status::{Link, Role, Status};

/// How many points are kept of a workload; the oldest go. A point is made when a number changes.
pub(super) const MOST_POINTS: usize = 200;

/// What is drawn of each workload, by its name.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct History(BTreeMap<String, VecDeque<Point>>);

/// How a workload was from a moment on.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Point {
    /// The moment, in milliseconds since 1970.
    at: i64,
    /// `None` while the cluster did not answer.
    #[serde(flatten)]
    seen: Option<Seen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Seen {
    ready: u32,
    desired: Option<u32>,
    restarts: u32,
    rolling: bool,
}

impl History {
    /// Takes in what is new; forgets workloads that are gone.
    pub(super) fn take(&mut self, status: &Status) {
        self.0.retain(|workload, _| status.roles.iter().any(|role| role.workload == *workload));
        let (at, is_live) = match &status.link {
            Link::Live => (status.taken, true),
            Link::Lost { since, .. } => (*since, false),
        };
        for role in &status.roles {
            let points = self.0.entry(role.workload.clone()).or_default();
            let point = Point { at: at.as_millisecond(), seen: is_live.then(|| Seen::of(role)) };
            if points.back().is_none_or(|last| last.seen != point.seen) {
                points.push_back(point);
            }
            if points.len() > MOST_POINTS {
                points.pop_front();
            }
        }
    }
}

impl Seen {
    fn of(role: &Role) -> Self {
        let Role { ready, desired, restarts, .. } = *role;
        Self { ready, desired, restarts, rolling: role.rollout.is_some() }
    }
}

//! What went on lately: the cluster's events, and what was changed.

use jiff::Timestamp;
use serde::Serialize;

/// Something the cluster told of one of the app's objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The last time it happened.
    pub at: Timestamp,
    /// Whether Kubernetes calls it a warning.
    pub warning: bool,
    /// What it is about: `pod/web-1`.
    pub object: String,
    /// The role of that, if it plays one.
    pub role: Option<String>,
    /// The reason's name: `BackOff`, `ScalingReplicaSet`.
    pub reason: String,
    /// What it says, in one line.
    pub message: String,
    /// How often it happened.
    pub count: u32,
}

/// The newest revision of a workload, and what differs from the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The workload: `deployment/shop-web`.
    pub workload: String,
    /// The number of the revision.
    pub revision: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Why, as its maker says (`kubernetes.io/change-cause`).
    pub cause: Option<String>,
    /// What differs, each in a line: ``image `shop:1` → `shop:2` ``, ``new variables `A`, `B` ``. Names, never values.
    pub differences: Vec<String>,
}

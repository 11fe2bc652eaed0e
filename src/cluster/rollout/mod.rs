//! How far the rollout of a workload is, by the rules of `kubectl rollout status` and of the controllers themselves.

mod state;

pub use self::state::{Counts, Progress, RolloutState, Strategy};

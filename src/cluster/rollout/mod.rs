//! How far the rollout of a workload is, by the rules of `kubectl rollout status` and of the controllers themselves.

mod state;

#[cfg(test)]
pub use self::state::Counts;
pub use self::state::{Progress, RolloutState, Strategy};

//! A Job in an environment, from its making to its exit code: what `run`, `migrate` and `jobs` share.

mod find;
mod follow;
mod outcome;
mod render;
mod start;

use std::time::Duration;

pub use self::{
    find::{Sought, change, find},
    follow::{Followed, decide_on_signal, follow, goes_on, print_log, tell_of},
    outcome::exit_of,
    render::{Column, json, line, table},
    start::{by, create, detach, explain, start, start_named},
};
use crate::{
    cluster::{Cluster, JobHandle},
    environment::Environment,
    ui::Ui,
};

/// How long a Job may take until its container runs, when nothing else is said: an autoscaler needs a few minutes.
pub const START_LIMIT: Duration = Duration::from_secs(5 * 60);

/// A Job that exists, and where.
pub struct Place<'a> {
    /// The connection.
    pub cluster: &'a Cluster,
    /// The environment.
    pub environment: &'a Environment,
    /// Where messages go.
    pub ui: &'a Ui,
}

impl Place<'_> {
    /// The command that takes the Job up again.
    fn attach(&self, job: &JobHandle) -> String {
        format!("`kdj jobs attach {} {}`", self.environment.name, job.name)
    }

    /// The command that ends it.
    fn cancel(&self, job: &JobHandle) -> String {
        format!("`kdj jobs cancel {} {}`", self.environment.name, job.name)
    }
}

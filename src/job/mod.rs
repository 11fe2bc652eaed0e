//! A Job in an environment, from its making to its exit code: what `run`, `migrate` and `jobs` share.

mod follow;
mod outcome;
mod start;

use std::time::Duration;

use jiff::Timestamp;

pub use self::{
    follow::{Followed, decide_on_signal, follow, goes_on, print_log, tell_of},
    outcome::exit_of,
    start::{by, explain, start, start_named},
};
use crate::{
    cluster::{Cluster, JobHandle, JobSummary},
    environment::Environment,
    ui::{Ui, age},
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

/// Which Job it is, and how it is: ``job kdj-run-x7k2m: `sleep 9`, started by ada from laptop 12s ago, running``.
pub fn line(job: &JobSummary) -> String {
    let since = job.created.map(|at| age(at, Timestamp::now())).unwrap_or_default();
    let JobSummary { handle, command, user, host, state, .. } = job;
    format!("job {}: `{command}`, started by {user} from {host} {since} ago, {}", handle.name, state.word())
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

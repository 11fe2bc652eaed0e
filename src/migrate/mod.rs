//! A migration in an environment: planned on the image that will run, locked by the name of its Job, followed to its
//! receipt. What `migrate` and `jobs attach` share, and the short Jobs that `rollback` makes, too.

mod follow;
mod lock;
mod meet;
mod outcome;
mod plan;
mod show;

use std::time::Duration;

pub use self::{
    follow::follow,
    lock::{Before, Held, job_name, start},
    meet::meet,
    outcome::conclude,
    plan::{Planned, find_pod, in_short_job, make},
    show::{Shape, brief, scope},
};

/// How long a migration may run.
pub const TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long its Job, its log and its receipt stay.
pub const KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

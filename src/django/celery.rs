//! What the app's Celery has to do, asked in its container.

use serde::Serialize;

use super::{
    connection::{PASSWORDS, SETTINGS, with_code_on_stdin},
    manage::Start,
    migrations::with_parameters,
};
use crate::environment::DjangoSettings;

/// Asks the workers, and tells them; stands before the next.
const WORKERS: &str = include_str!("workers.py");
/// Asks the broker and the workers, and prints a line that begins with [`MARK`].
const CELERY: &str = include_str!("celery.py");
/// What the line begins with.
pub const MARK: &str = "kdj-celery: ";

/// What to ask.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CeleryQuestion<'a> {
    /// The app as the workers' command line names it: `shop`, `shop.celery:app`. Without it, it is looked for.
    pub app: Option<&'a str>,
    /// Queues to look at besides those of the settings and of the workers that answer.
    pub queues: &'a [String],
    /// The host names of the pods with workers: when all of them have answered, no others are waited for.
    pub hosts: &'a [String],
    /// For how many seconds an answer is waited for, of workers that are not known.
    pub limit: f64,
    /// The same of one that is known: there is an answer in milliseconds, or the worker or its node is busy.
    pub patience: f64,
    /// Whether only the names of the workers that answer are wanted.
    pub brief: bool,
    /// The host names of the pods whose workers are to stop consuming.
    pub stop: &'a [String],
    /// Workers, and the queues they are to consume again.
    pub start: Vec<(&'a str, &'a [String])>,
}

/// Asks, in the container's Python. The code goes over stdin.
pub fn celery_on_stdin(settings: &DjangoSettings, question: &CeleryQuestion<'_>) -> (Start, Vec<u8>) {
    with_code_on_stdin(settings, None, &with_parameters(&[PASSWORDS, SETTINGS, WORKERS, CELERY], question))
}

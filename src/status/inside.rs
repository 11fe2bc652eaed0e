//! What the app itself says, where it is asked: its queues, its migrations.

use serde::Serialize;

use super::{Cause, Problem, Severity, Status};

/// How many migrations are named in a line.
const MOST_NAMED: usize = 3;

/// What waits for Celery's workers, and what they are at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tasks {
    /// The broker, without user and password; `None` when the app could not be asked.
    pub broker: Option<String>,
    /// The queues.
    pub queues: Vec<Queue>,
    /// The workers that answered.
    pub workers: Vec<Worker>,
    /// Why there is no more: the broker is away, the app has no Celery.
    pub problem: Option<String>,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// How many tasks wait in it; `None` when the broker does not say.
    pub waiting: Option<u64>,
}

/// A worker that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Worker {
    /// Its name: `celery@celeryd-5f2a`.
    pub name: String,
    /// How many tasks it runs.
    pub active: u64,
    /// How many it has taken and not begun.
    pub reserved: u64,
    /// How many it runs at once.
    pub concurrency: Option<u64>,
}

/// Migrations that are not applied, by the code of the image that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Migrations {
    /// Their names, in the order of the plan: `orders.0003_total`.
    pub unapplied: Vec<String>,
    /// Why it is not known.
    pub problem: Option<String>,
}

impl Tasks {
    /// Nobody could be asked.
    pub fn unknown(why: &str) -> Self {
        Self { problem: Some(why.to_owned()), ..Self::default() }
    }

    /// `celery 12 waiting; 2 workers, 3 tasks active, 1 taken`
    pub fn line(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let queues = self.queues.iter().map(|Queue { name, waiting }| match waiting {
            Some(waiting) => format!("{name} {waiting} waiting"),
            None => format!("{name} (the broker does not say how long it is)"),
        });
        parts.extend(queues);
        if self.problem.is_none() || !self.workers.is_empty() {
            let sum = |count: fn(&Worker) -> u64| self.workers.iter().map(count).sum::<u64>();
            let (workers, active, reserved) = (self.workers.len(), sum(|it| it.active), sum(|it| it.reserved));
            let plural = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
            let workers = plural(workers.try_into().unwrap_or(u64::MAX), "worker");
            parts.push(format!("{workers} answered, {} active, {reserved} taken", plural(active, "task")));
        }
        parts.extend(self.problem.clone());
        parts.join("; ")
    }
}

impl Migrations {
    /// `2 not applied: orders.0003_total, orders.0004_index`
    pub fn line(&self) -> String {
        if let Some(problem) = &self.problem {
            return format!("unknown: {problem}");
        }
        let count = self.unapplied.len();
        if count == 0 {
            return "all applied".to_owned();
        }
        let more = if count > MOST_NAMED { format!(" and {} more", count - MOST_NAMED) } else { String::new() };
        let named: Vec<&str> = self.unapplied.iter().take(MOST_NAMED).map(String::as_str).collect();
        format!("{count} not applied: {}{more}", named.join(", "))
    }
}

impl Status {
    /// Takes in what is known of migrations; those that are not applied want a look.
    pub fn add_migrations(&mut self, migrations: Migrations) {
        if !migrations.unapplied.is_empty() {
            let environment = shell_words::quote(&self.environment);
            let cause = Cause::new(migrations.line());
            let problem = Problem::new(Severity::Warning, "the database is not migrated", cause);
            self.problems.push(problem.then(format!("kdj migrate {environment} --plan")));
            self.retell();
        }
        self.migrations = Some(migrations);
    }
}

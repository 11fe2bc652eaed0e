//! What is known of each environment. Streams that show it are told when there is more, and take it in their own time:
//! one that is slow misses what lies between, never the last.

use std::cell::RefCell;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    history::History,
    log::LogWanted,
    reply::{self, Piece},
};
use crate::{error::Error, status::Status};

/// Something new of an environment.
#[derive(Debug)]
pub enum Update {
    /// How it is.
    Status(Box<Status>),
    /// Why it cannot be seen.
    Failed {
        /// Its name.
        environment: String,
        /// Why.
        error: Error,
        /// Whether it is tried again.
        again: bool,
    },
}

/// An environment the page shows.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// What a command that is about it begins with: `kdj`, and global flags.
    pub program: String,
}

/// All environments.
pub(super) struct Board {
    environments: RefCell<Vec<Shown>>,
    /// The number of the last update.
    newest: watch::Sender<u64>,
}

/// One of them.
struct Shown {
    name: String,
    program: String,
    status: Option<Status>,
    history: History,
    /// The event that tells how it is, and the one that tells why no more is seen of it; each with the number of its update.
    told: Option<(u64, Piece)>,
    failed: Option<(u64, Piece)>,
}

impl Board {
    /// Of these environments nothing is known yet.
    pub(super) fn of(environments: Vec<Named>) -> Self {
        let shown = |Named { name, program }| {
            let history = History::default();
            Shown { name, program, status: None, history, told: None, failed: None }
        };
        Self {
            environments: RefCell::new(environments.into_iter().map(shown).collect()),
            newest: watch::Sender::new(0),
        }
    }

    /// Takes in what is new.
    pub(super) fn take(&self, update: Update) {
        let name = match &update {
            Update::Status(status) => &status.environment,
            Update::Failed { environment, .. } => environment,
        };
        let mut environments = self.environments.borrow_mut();
        let Some(shown) = environments.iter_mut().find(|shown| shown.name == *name) else { return };
        let number = *self.newest.borrow() + 1;
        match update {
            Update::Status(status) => {
                shown.history.take(&status);
                let data = json!({"status": status.json(), "history": shown.history});
                shown.told = Some((number, reply::event("status", &data.to_string())));
                shown.failed = None;
                shown.status = Some(*status);
            }
            Update::Failed { environment, error, again } => {
                let data = json!({
                    "environment": environment, "error": error.message(), "causes": error.causes(),
                    "hints": error.hints(), "again": again,
                });
                shown.failed = Some((number, reply::event("failed", &data.to_string())));
            }
        }
        self.newest.send_replace(number);
    }

    /// What to wait on for more.
    pub(super) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The environments, in the order they were asked for, as the page gets them.
    pub(super) fn names(&self) -> Value {
        self.environments.borrow().iter().map(|shown| json!({"name": shown.name, "program": shown.program})).collect()
    }

    /// The events of the updates after that number.
    pub(super) fn since(&self, number: u64) -> Vec<Piece> {
        let environments = self.environments.borrow();
        // Whoever comes late sees what was seen last, too.
        let events = environments.iter().flat_map(|shown| [&shown.told, &shown.failed]).flatten();
        events.filter(|(at, _)| *at > number).map(|(_, event)| event.clone()).collect()
    }

    /// Whether it shows this container: of others no log is read.
    pub(super) fn has(&self, wanted: &LogWanted) -> bool {
        let environments = self.environments.borrow();
        let statuses = environments.iter().filter_map(|shown| shown.status.as_ref());
        statuses.filter(|status| status.environment == wanted.environment).flat_map(|status| &status.pods).any(|pod| {
            pod.name == wanted.pod && pod.containers.iter().any(|container| container.name == wanted.container)
        })
    }
}

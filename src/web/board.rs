//! What is known of each environment. Streams that show it are told when there is more, and take it in their own time:
//! one that is slow misses what lies between, never the last.

use std::cell::RefCell;

use serde_json::json;
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
    /// Its name, and why no more will be seen of it.
    Failed(String, Error),
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
    status: Option<Status>,
    history: History,
    /// The event that tells it, and the number of its update.
    event: Option<(u64, Piece)>,
}

impl Board {
    /// Of these environments nothing is known yet.
    pub(super) fn of(environments: Vec<String>) -> Self {
        let shown = |name| Shown { name, status: None, history: History::default(), event: None };
        Self {
            environments: RefCell::new(environments.into_iter().map(shown).collect()),
            newest: watch::Sender::new(0),
        }
    }

    /// Takes in what is new.
    pub(super) fn take(&self, update: Update) {
        let name = match &update {
            Update::Status(status) => &status.environment,
            Update::Failed(name, _) => name,
        };
        let mut environments = self.environments.borrow_mut();
        let Some(shown) = environments.iter_mut().find(|shown| shown.name == *name) else { return };
        let number = *self.newest.borrow() + 1;
        let event = match update {
            Update::Status(status) => {
                shown.history.take(&status);
                let data = json!({"status": status.json(), "history": shown.history});
                shown.status = Some(*status);
                reply::event("status", &data.to_string())
            }
            Update::Failed(name, error) => {
                let data = json!({
                    "environment": name, "error": error.message(), "causes": error.causes(), "hints": error.hints(),
                });
                let failed = reply::event("failed", &data.to_string());
                // Whoever comes later sees what was seen last, too.
                shown.event.iter().map(|(_, last)| last.clone()).chain([failed]).collect::<Vec<_>>().concat().into()
            }
        };
        shown.event = Some((number, event));
        self.newest.send_replace(number);
    }

    /// What to wait on for more.
    pub(super) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The environments' names, in the order they were asked for.
    pub(super) fn names(&self) -> Vec<String> {
        self.environments.borrow().iter().map(|shown| shown.name.clone()).collect()
    }

    /// The events of the updates after that number.
    pub(super) fn since(&self, number: u64) -> Vec<Piece> {
        let environments = self.environments.borrow();
        let events = environments.iter().filter_map(|shown| shown.event.as_ref());
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

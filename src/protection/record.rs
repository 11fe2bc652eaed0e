//! The record of a change: lines in the user's journal, and Events in the namespace. Neither ever keeps the change from
//! being made: what cannot be written is warned of.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures::future::join;
use tokio::time::{sleep, timeout};

use super::{
    Permit, Who,
    journal::{self, Entry, Phase, VERSION},
    permit::quoted,
};
use crate::{
    cluster::{Cluster, Event, Involved},
    environment::Environment,
    error::Result,
    exit::{Exit, Failure},
    names,
    ui::{Ui, duration, terminal::interrupted},
};

/// How long the last Event may take; whoever waits wants the prompt back.
const LAST_EVENT: Duration = Duration::from_secs(5);

/// A change that is over sooner is told of once, at its end.
const LASTING: Duration = Duration::from_secs(1);

/// What is changed, or runs the change.
pub type Object = Involved;

/// A change under way. Begun before the change is made.
pub struct Record<'a> {
    entry: Entry,
    object: Object,
    started: Instant,
    /// Whether the journal keeps a record.
    lines: bool,
    /// Whether the cluster is to keep one as well.
    events: bool,
    /// Whether a cluster that keeps none is worth a warning.
    insists: bool,
    who: Who<'a>,
    /// Why the cluster was not told; said at the end, as the terminal may be the remote program's until then.
    untold: Option<String>,
    cluster: Cluster,
    ui: &'a Ui,
}

impl<'a> Record<'a> {
    /// Writes the first line. Nothing is written for what is neither in a protected environment nor a Job.
    pub fn begin(
        permit: &Permit,
        environment: &Environment,
        object: Object,
        who: Who<'a>,
        cluster: &Cluster,
        ui: &'a Ui,
    ) -> Self {
        let Environment { name, context, namespace, instance, .. } = environment;
        let entry = Entry {
            version: VERSION,
            id: permit.id.clone(),
            phase: Phase::Begin,
            when: permit.when,
            environment: name.clone(),
            context: context.clone(),
            namespace: namespace.clone(),
            instance: instance.clone(),
            who: who.find(),
            user: permit.user.clone(),
            host: permit.host.clone(),
            verb: permit.change.verb.to_owned(),
            command: permit.change.command.clone(),
            reason: permit.reason.clone(),
            object: Some(object.to_string()),
            exit: None,
            milliseconds: None,
        };
        let lines = permit.protected || object.is_job();
        // A migration concerns everybody who uses the database.
        let events = permit.protected || permit.change.verb == "migrate";
        let insists = permit.protected;
        // Silent, for the same reason.
        let cluster = cluster.beside(environment, Box::new(|_| ()));
        let record =
            Self { entry, object, started: Instant::now(), lines, events, insists, who, untold: None, cluster, ui };
        record.write();
        record
    }

    /// Tells the cluster of the change, where it is to be told. Beside the change, not before it.
    pub async fn announce(&mut self) {
        if self.events {
            self.entry.who = self.who.answer().await;
            self.send().await;
        }
    }

    /// Writes the second line, and tells the cluster; `None` when kdj does not know the outcome.
    pub async fn end(mut self, exit: Option<u8>) {
        self.entry.phase = Phase::End;
        self.entry.exit = exit;
        self.entry.milliseconds = u64::try_from(self.started.elapsed().as_millis()).ok();
        if let Some(who) = self.who.find() {
            self.entry.who = Some(who);
        }
        // First, and at once: what follows may be interrupted.
        self.write();
        if self.events {
            let ui = self.ui;
            tokio::select! {
                told = timeout(LAST_EVENT, ui.waiting("recording the end in the cluster", self.announce())) => {
                    if told.is_err() {
                        self.untold = Some("it did not answer in time".to_owned());
                    }
                }
                _ = interrupted() => {}
            }
        }
        if let Some(why) = self.untold {
            let text = format!("the cluster has no record of this: {why}");
            if self.insists { self.ui.warning(&text) } else { self.ui.verbose(&text) }
        }
    }

    /// Records `change` from its beginning to its end. Its own pace is not touched: what the cluster is told, it is told
    /// beside it.
    ///
    /// # Errors
    /// Those of `change`.
    pub async fn keep(mut self, change: impl Future<Output = Result<Exit>>) -> Result<Exit> {
        tokio::pin!(change);
        let over = tokio::select! {
            biased;
            outcome = &mut change => Some(outcome),
            () = self.announce_if_it_lasts() => None,
        };
        let outcome = match over {
            Some(outcome) => outcome,
            None => change.await,
        };
        let code = known(&outcome, &self.entry.verb, self.object.is_job());
        self.end(code).await;
        outcome
    }

    async fn announce_if_it_lasts(&mut self) {
        let _ = join(self.who.answer(), sleep(LASTING)).await;
        self.announce().await;
    }

    fn write(&self) {
        if !self.lines {
            return;
        }
        let Some(path) = journal::path() else {
            return self.ui.warning("there is no record of this on this machine: no home directory");
        };
        if let Err(error) = journal::append(&path, &self.entry) {
            self.ui.warning(&format!(
                "there is no record of this on this machine: cannot write {}: {error}",
                path.display()
            ));
        }
    }

    async fn send(&mut self) {
        let event = Event {
            id: &self.entry.id,
            namespace: &self.entry.namespace,
            involved: &self.object,
            verb: &self.entry.verb,
            ended: self.entry.phase == Phase::End,
            message: message(&self.entry),
            host: &self.entry.host,
            record: serde_json::to_string(&self.entry).unwrap_or_default(),
        };
        if let Err(error) = self.cluster.record_event(event).await {
            // The second Event would fail as the first one did.
            self.events = false;
            self.untold = Some(error.to_string());
        }
    }
}

/// The code that the change itself ended with, or would have; `None` where it may go on, as a Job does without kdj.
fn known(outcome: &Result<Exit>, verb: &str, is_job: bool) -> Option<u8> {
    match outcome {
        Ok(exit) => Some(exit.code()),
        Err(error) => match error.failure() {
            Failure::Lost => None,
            Failure::Signal(_) if is_job => None,
            failure => Some(failure.code(passes_on(verb))),
        },
    }
}

/// Whether the verb ends with a remote command's own code.
fn passes_on(verb: &str) -> bool {
    !matches!(verb, "migrate" | "cancel" | "dump" | "end" | "kill" | "scale" | "restart" | "rollback")
}

/// The record in one line: for who lists Events.
fn message(entry: &Entry) -> String {
    let Entry { who, user, host, verb, command, reason, exit, milliseconds, .. } = entry;
    let local = format!("{user}@{host}");
    let who = who.as_ref().map_or(local.clone(), |who| format!("{who} ({local})"));
    let command: Vec<_> = command.iter().map(|word| quoted(word)).collect();
    let command = if command.is_empty() { String::new() } else { format!(" `{}`", command.join(" ")) };
    let reason = reason.as_ref().map(|reason| format!(", because: {reason}")).unwrap_or_default();
    let took = milliseconds.map(|took| format!(" after {}", duration(Duration::from_millis(took)))).unwrap_or_default();
    let end = match (exit, entry.phase) {
        (Some(code), _) => format!("; ended with {code}{took}"),
        (None, Phase::End) => format!("; goes on without kdj, or its end is not known{took}"),
        (None, Phase::Begin) => "; begins".to_owned(),
    };
    // A line: what was typed may hold more.
    names::shown(&format!("{who}: {verb}{command}{reason}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn no_code_is_recorded_of_what_may_go_on() {
        let failed = |failure| Err(Error::new(failure, "so it is"));
        for (outcome, verb, is_job, expected) in [
            (Ok(Exit::Remote(3)), "run", true, Some(3)),
            (failed(Failure::Lost), "run", true, None),
            (failed(Failure::Lost), "shell", false, None),
            (failed(Failure::Signal(2)), "run", true, None),
            (failed(Failure::Signal(2)), "shell", false, Some(130)),
            (failed(Failure::Failed), "shell", false, Some(125)),
            (failed(Failure::Failed), "migrate", true, Some(1)),
            (failed(Failure::TimedOut), "run", true, Some(124)),
        ] {
            assert_eq!(known(&outcome, verb, is_job), expected, "{outcome:?} {verb}");
        }
    }
}

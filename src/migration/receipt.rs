//! What came of a run.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    event::{Applied, Broken, MigrationName, Session, duration},
    plan::Database,
    progress::{End, Progress, names},
};

/// What the log does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The environment's name.
    pub environment: String,
    /// The image, as the Job names it.
    pub image: Option<String>,
    /// The image as its node has it: by digest, or by its id where it was not pulled.
    pub image_id: Option<String>,
    /// Who started it.
    pub who: Option<String>,
    /// The Job.
    pub job: Option<String>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// All are applied.
    Done,
    /// One failed.
    Failed,
    /// It was ended from outside.
    Interrupted,
    /// Another one has the database.
    Busy,
    /// It never said.
    Unknown,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// In which migration.
    pub migration: Option<MigrationName>,
    /// The exception's class.
    pub exception: Option<String>,
    /// What happened.
    pub message: String,
    /// Who held the lock.
    pub blockers: Vec<Session>,
    /// In what state the migration is.
    pub state: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(migration) = &self.migration {
            write!(formatter, "{migration}: ")?;
        }
        match &self.exception {
            // What kdj says of a lock says more than the exception does.
            Some(exception) if self.blockers.is_empty() => {
                write!(formatter, "{}: {}", exception.trim_start_matches("builtins."), self.message)
            }
            _ => formatter.write_str(&self.message),
        }
    }
}

/// What came of a run; also what `-o json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Of this shape; 1.
    pub version: u32,
    /// What the log does not tell.
    #[serde(flatten)]
    pub about: About,
    /// Where.
    pub database: Option<Database>,
    /// How it ended.
    pub outcome: Outcome,
    /// Those that are done, in order.
    pub applied: Vec<Applied>,
    /// Those that are not, the one that failed first.
    pub not_applied: Vec<MigrationName>,
    /// How many there were to run.
    pub total: usize,
    /// How long it took.
    pub seconds: Option<f64>,
    /// What went wrong.
    pub failure: Option<Failure>,
    /// What to do next.
    pub next: Vec<String>,
}

impl Progress {
    /// What came of it. Without a last word of the runner's, the outcome is unknown.
    pub fn receipt(&self, about: About) -> Receipt {
        let is_applied = |name: &MigrationName| self.applied.iter().any(|applied| applied.name == *name);
        let names = self.steps.iter().map(|step| step.name.clone());
        let (outcome, failure) = match &self.end {
            Some(End::Done) => (Outcome::Done, None),
            Some(End::Failed(broken)) => (Outcome::Failed, Some(self.failure(broken))),
            Some(End::Interrupted(broken)) => (Outcome::Interrupted, Some(self.failure(broken))),
            Some(End::Busy(holder)) => (Outcome::Busy, Some(busy(holder.as_ref()))),
            None => (Outcome::Unknown, None),
        };
        let mut receipt = Receipt {
            version: 1,
            next: Vec::new(),
            database: self.database.clone(),
            outcome,
            applied: self.applied.clone(),
            not_applied: names.filter(|name| !is_applied(name)).collect(),
            total: self.steps.len(),
            seconds: self.seconds,
            failure,
            about,
        };
        receipt.next = receipt.what_next(self);
        receipt
    }

    fn failure(&self, broken: &Broken) -> Failure {
        // MySQL commits with each change of a table.
        let vendor = self.database.as_ref().and_then(|database| database.vendor.as_deref());
        Failure {
            migration: broken.migration(),
            exception: broken.exception.clone(),
            message: message(broken),
            blockers: broken.blockers.clone(),
            state: state_of(broken, matches!(vendor, Some("postgresql" | "sqlite"))),
        }
    }
}

impl Receipt {
    /// Of a plan without migrations: no Job was made.
    pub fn of_nothing(about: About, database: &Database) -> Self {
        let mut done = Progress::default();
        done.end = Some(End::Done);
        Self { database: Some(database.clone()), ..done.receipt(about) }
    }

    fn what_next(&self, progress: &Progress) -> Vec<String> {
        let environment = &self.about.environment;
        let again = format!("`kdj migrate {environment}` goes on with what is not applied");
        match (self.outcome, &progress.end) {
            (Outcome::Done, _) => Vec::new(),
            (Outcome::Busy, _) => vec![format!("`kdj migrate {environment}` once that has ended")],
            (Outcome::Unknown, _) => vec![format!("`kdj migrate {environment} --plan` tells what is not applied")],
            (_, Some(End::Failed(broken) | End::Interrupted(broken))) => vec![match broken.kind.as_deref() {
                Some("refused") => format!(
                    "a pooler may swallow settings: let migrations connect to the database itself, or \
                     `kdj migrate {environment} --lock-timeout 0`"
                ),
                Some("lock") => format!("when the lock is free, {again}"),
                Some(_) => format!("when that is repaired, {again}"),
                None => again,
            }],
            _ => vec![again],
        }
    }

    /// For who reads it.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .applied
            .iter()
            .map(|applied| {
                let verb = match (applied.reversal, applied.faked) {
                    (false, false) => "applied",
                    (true, false) => "unapplied",
                    (false, true) => "recorded as applied",
                    (true, true) => "recorded as not applied",
                };
                format!("{verb} {} in {}", applied.name, duration(applied.seconds))
            })
            .collect();
        lines.extend(self.not_applied.iter().map(|name| format!("not done: {name}")));
        let done = self.applied.len();
        let time = self.seconds.map(|seconds| format!(" in {}", duration(seconds))).unwrap_or_default();
        lines.push(match self.outcome {
            Outcome::Done if self.total == 0 => "nothing to migrate".to_owned(),
            Outcome::Done => format!("{done} of {} migrations{time}", self.total),
            Outcome::Failed => format!("failed after {done} of {} migrations{time}", self.total),
            Outcome::Interrupted => format!("interrupted after {done} of {} migrations{time}", self.total),
            Outcome::Busy if done == 0 => "nothing was done".to_owned(),
            Outcome::Busy => format!("stopped after {done} of {} migrations", self.total),
            Outcome::Unknown => format!("the outcome is unknown; {done} of {} migrations are known", self.total),
        });
        if let Some(failure) = &self.failure {
            lines.push(failure.to_string());
            lines.extend(failure.state.clone());
        }
        let About { image, image_id, who, job, .. } = &self.about;
        // The node's word begins with the repository, too.
        let id = image_id.as_ref().map(|id| id.split_once('@').map_or(id.as_str(), |(_, digest)| digest));
        let image = match (image, id) {
            (Some(image), Some(id)) if !image.contains(id) => Some(format!("{image} ({id})")),
            (Some(image), _) => Some(image.clone()),
            (None, id) => id.map(str::to_owned),
        };
        let about = [("image", &image), ("started by", who), ("Job", job)];
        lines.extend(about.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?))));
        lines
    }
}

/// What state a migration that broke off is in.
fn state_of(broken: &Broken, transactional: bool) -> Option<String> {
    let name = broken.migration()?;
    let done = broken.recorded.map(|recorded| recorded != broken.reversal);
    Some(match (done, broken.atomic) {
        (Some(true), _) => format!("{name} itself was completed and recorded"),
        (None, _) => format!(
            "whether {name} was completed is not known: `showmigrations {}` tells",
            broken.app.as_deref().unwrap_or_default()
        ),
        (Some(false), Some(true)) if transactional => format!("{name} was rolled back: it left nothing"),
        (Some(false), _) => format!(
            "{name} is no single transaction, so some of it may have been done; look at its tables and indexes first"
        ),
    })
}

fn message(broken: &Broken) -> String {
    match (broken.kind.as_deref(), &broken.signal) {
        (Some("lock"), _) => match names(&broken.blockers) {
            Some(who) => format!("it did not get its lock, which {who} holds"),
            None => "it did not get its lock".to_owned(),
        },
        (_, Some(signal)) => format!("it was ended by {signal}"),
        _ => broken.message.clone().unwrap_or_default(),
    }
}

fn busy(holder: Option<&Session>) -> Failure {
    let who = holder.map(|holder| format!(": {holder}")).unwrap_or_default();
    let message = format!("another migration is running on this database{who}");
    let blockers = holder.cloned().into_iter().collect();
    Failure { migration: None, exception: None, message, blockers, state: None }
}

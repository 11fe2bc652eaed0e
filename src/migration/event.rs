//! What the runner says.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::Database;

/// How its lines begin.
const MARK: &str = "kdj-migrate: ";

/// An app's label and a migration's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MigrationName {
    /// The app's label.
    pub app: String,
    /// The migration's name in it.
    pub name: String,
}

impl fmt::Display for MigrationName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.app, self.name)
    }
}

/// A session of the database that holds a lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its backend's process id there; 0 is a prepared transaction.
    pub pid: i64,
    /// What it calls itself.
    pub application_name: Option<String>,
    /// As whom.
    pub user: Option<String>,
    /// `active`, `idle in transaction` …
    pub state: Option<String>,
    /// How old its query is, or the last one it made.
    pub query_seconds: Option<f64>,
    /// How old its transaction is.
    pub transaction_seconds: Option<f64>,
}

impl fmt::Display for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return formatter.write_str("a prepared transaction");
        }
        write!(formatter, "pid {}", self.pid)?;
        let words = [
            self.application_name.clone().filter(|name| !name.is_empty()),
            self.user.as_ref().map(|user| format!("user {user}")),
            self.state.clone(),
            self.query_seconds.map(|age| format!("query {} old", duration(age))),
            self.transaction_seconds.map(|age| format!("transaction {} old", duration(age))),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        if words.is_empty() { Ok(()) } else { write!(formatter, " ({})", words.join(", ")) }
    }
}

/// One migration of those to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    #[serde(flatten)]
    pub name: MigrationName,
    /// Whether it is unapplied.
    pub reversal: bool,
    /// Its place, from 1.
    #[serde(default)]
    pub index: usize,
    /// Whether it is one transaction.
    #[serde(default)]
    pub atomic: Option<bool>,
}

/// One that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// Which.
    #[serde(flatten)]
    pub name: MigrationName,
    /// Whether it was unapplied.
    pub reversal: bool,
    /// How long it took, waiting included.
    pub seconds: f64,
    /// Whether it was recorded only.
    pub faked: bool,
}

/// What the runner says. [The module](super) lists it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[allow(missing_docs, reason = "the module documents them, as the interface of the script")]
pub enum Event {
    Started {
        time: f64,
        database: Database,
        total: usize,
        migrations: Vec<Step>,
    },
    Applying {
        #[serde(flatten)]
        step: Step,
        fake: bool,
    },
    Waiting {
        #[serde(flatten)]
        step: Step,
        seconds: f64,
        blockers: Vec<Session>,
    },
    Retry {
        #[serde(flatten)]
        step: Step,
        retry: u32,
        of: u32,
        pause: f64,
        blockers: Vec<Session>,
    },
    Applied {
        #[serde(flatten)]
        applied: Applied,
        index: usize,
    },
    Finishing,
    Note {
        message: String,
    },
    Busy {
        holder: Option<Session>,
        message: String,
    },
    Interrupted(Broken),
    Failed(Broken),
    Done {
        applied: Vec<Applied>,
        seconds: f64,
    },
    /// Of a later version.
    #[serde(other)]
    Other,
}

/// How a run ended early.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Broken {
    /// What was done before.
    #[serde(default)]
    pub applied: Vec<Applied>,
    /// How long it all took.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// `exception`, `lock` or `refused`.
    #[serde(default)]
    pub kind: Option<String>,
    /// The exception's class.
    #[serde(default)]
    pub exception: Option<String>,
    /// What it says.
    #[serde(default)]
    pub message: Option<String>,
    /// The signal.
    #[serde(default)]
    pub signal: Option<String>,
    /// The app of the migration that ran.
    #[serde(default)]
    pub app: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it was unapplied.
    #[serde(default)]
    pub reversal: bool,
    /// Whether it is one transaction.
    #[serde(default)]
    pub atomic: Option<bool>,
    /// Whether the database has it as applied.
    #[serde(default)]
    pub recorded: Option<bool>,
    /// Who held the lock.
    #[serde(default)]
    pub blockers: Vec<Session>,
}

impl Broken {
    /// The migration that ran.
    pub fn migration(&self) -> Option<MigrationName> {
        Some(MigrationName { app: self.app.clone()?, name: self.name.clone()? })
    }
}

/// The event in a line, and what stands before it there. Another stream may have begun the line.
pub fn find_event(line: &str) -> Option<(&str, Event)> {
    let at = line.find(MARK)?;
    let event = serde_json::from_str(&line[at + MARK.len()..]).ok()?;
    Some((&line[..at], event))
}

/// `0.03 s`, `3.2 s`, `1 min 20 s`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) if seconds < 1.0 => format!("{:.2} s", seconds.max(0.0)),
        (0, 0, _) if seconds < 10.0 => format!("{seconds:.1} s"),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

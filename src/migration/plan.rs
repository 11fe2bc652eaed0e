//! What `migrate` would do.

use serde::{Deserialize, Serialize};

use super::event::MigrationName;

/// How the line with the plan begins.
const MARK: &str = "kdj-plan: ";

/// The function that does nothing: it stands for the way back where none is needed.
const NOOP: &str = "RunPython.noop";

/// What would be done, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Of this shape; 1.
    pub version: u32,
    /// Django's version.
    pub django: String,
    /// Where.
    pub database: Database,
    /// The app whose `migrate` command it is; Django's own is `django.core`.
    #[serde(default)]
    pub command: Option<String>,
    /// The app's management commands.
    #[serde(default, skip_serializing)]
    pub commands: Vec<String>,
    /// The apps that have migrations.
    #[serde(default, skip_serializing)]
    pub apps: Vec<String>,
    /// The unapplied ones, or those to reverse.
    pub migrations: Vec<Migration>,
    /// Why there is no plan.
    pub error: Option<PlanProblem>,
}

/// A database as the settings name it, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name in the settings.
    pub alias: String,
    /// `postgresql`, `mysql`, `sqlite` …
    #[serde(default)]
    pub vendor: Option<String>,
    /// The database's own name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its server.
    #[serde(default)]
    pub host: Option<String>,
    /// The server's port.
    #[serde(default)]
    pub port: Option<String>,
    /// The same for the same vendor, server, port and name.
    #[serde(default)]
    pub identity: Option<String>,
}

impl Database {
    /// Whether it is PostgreSQL, whose SQL is linted and whose locks are watched.
    pub fn is_postgresql(&self) -> bool {
        self.vendor.as_deref() == Some("postgresql")
    }
}

/// One migration of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    /// Its app and name.
    #[serde(flatten)]
    pub name: MigrationName,
    /// Whether it would be unapplied.
    pub reversal: bool,
    /// Whether it is one transaction, where the database has that.
    pub atomic: bool,
    /// Whether it would be recorded only.
    pub faked: bool,
    /// Whether it is an app's first.
    pub initial: bool,
    /// What it does.
    pub operations: Vec<Operation>,
    /// Its statements and comments.
    pub sql: Vec<String>,
    /// Why that is not all.
    pub no_sql: Option<String>,
}

/// One operation of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its class: `AddField`, `RunPython` …
    pub kind: String,
    /// In Django's words.
    pub describe: String,
    /// Whether Django can undo it.
    pub reversible: bool,
    /// Whether it can be written as SQL.
    pub sql: bool,
    /// The function that `RunPython` calls.
    #[serde(default)]
    pub python: Option<String>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanProblem {
    /// A word for scripts.
    pub kind: String,
    /// In Django's words, or the driver's.
    pub message: String,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.migrations.is_empty()
    }

    /// A table: migration, what it does, remarks.
    pub fn rows(&self) -> Vec<[String; 3]> {
        self.migrations
            .iter()
            .map(|migration| [migration.name.to_string(), migration.summary(), migration.remarks()])
            .collect()
    }

    /// Those that Django will refuse: to be reversed, with a step that cannot be.
    pub fn impossible(&self) -> impl Iterator<Item = &Migration> {
        self.migrations.iter().filter(|migration| migration.reversal && !migration.faked && !migration.is_reversible())
    }
}

impl Migration {
    /// Whether each of its steps can be undone.
    pub fn is_reversible(&self) -> bool {
        self.operations.iter().all(|operation| operation.reversible)
    }

    /// What it does, in one line.
    pub fn summary(&self) -> String {
        match self.operations.as_slice() {
            [] => "nothing".to_owned(),
            [only] => only.in_words(),
            [first, rest @ ..] => format!("{}, and {} more", first.in_words(), rest.len()),
        }
    }

    fn remarks(&self) -> String {
        let python = self.operations.iter().any(Operation::is_python);
        let remarks = [
            (self.reversal, "reversal"),
            (self.faked, "recorded only"),
            (!self.atomic, "not atomic"),
            (python, "Python"),
            (!self.is_reversible(), "irreversible"),
        ];
        remarks.into_iter().filter(|(holds, _)| *holds).map(|(_, remark)| remark).collect::<Vec<_>>().join(", ")
    }
}

impl Operation {
    /// Whether it runs a function of the project's.
    pub fn is_python(&self) -> bool {
        self.kind == "RunPython" && self.python.as_deref() != Some(NOOP)
    }

    /// Django has no word for what a function does, but its name.
    fn in_words(&self) -> String {
        match &self.python {
            Some(function) if self.is_python() => format!("Run {function}"),
            _ => self.describe.clone(),
        }
    }
}

/// The plan among what the project printed: the last one, should there be more.
pub fn find_plan(output: &str) -> Option<Plan> {
    output.lines().rev().find_map(|line| serde_json::from_str(&line[line.find(MARK)? + MARK.len()..]).ok())
}

//! Asks a database by statements of kdj's own. They run in the app's container by Django's driver, so no client is
//! needed; each in a read-only transaction that waits neither for locks nor for long.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::problem::{Problem, no_answer};
use crate::cluster::Target;
use crate::{
    django::{self, Question},
    error::{Error, Result},
    session::{Place, capture},
};

/// Stands before the answer, on a line of its own.
const MARK: &str = "kdj-rows: ";
/// What lets the app's user in MySQL see everybody's sessions and locks.
pub const GRANT_PROCESS: &str = "as its administrator: `GRANT PROCESS ON *.* TO` the app's user";

/// What the database answered.
#[derive(Debug, Deserialize)]
pub struct Rows {
    /// The kind of server: `postgresql`, `mysql`, `mariadb`.
    pub server: String,
    /// What the user may not see, or what could not be had at once, and was had in another way.
    pub notes: Vec<String>,
    rows: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Problem { error: Problem },
    Rows(Rows),
}

impl Rows {
    /// Whether the statement was answered.
    pub fn has(&self, name: &str) -> bool {
        self.rows.contains_key(name)
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// When they are not of this kind.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Vec<T>> {
        let rows = self.rows.remove(name).unwrap_or(Value::Array(Vec::new()));
        serde_json::from_value(rows)
            .map_err(|error| Error::failed("cannot read the database's answer").caused_by(error))
    }
}

/// Asks. One exec.
///
/// # Errors
/// When it cannot be asked, or refuses.
pub async fn query(place: &Place<'_>, target: &Target, what: &str, question: &Question<'_>) -> Result<Rows> {
    let environment = place.environment;
    let (start, stdin) = django::query_on_stdin(&environment.django, question);
    let asking = capture(place.cluster, target, &start.alternatives, &stdin);
    let captured = place.ui.waiting(what, asking).await?;
    let line = captured.stdout.lines().rev().find_map(|line| line.strip_prefix(MARK));
    match line.map(serde_json::from_str) {
        Some(Ok(Answer::Rows(rows))) => {
            rows.notes.iter().for_each(|note| place.ui.verbose(note));
            Ok(rows)
        }
        Some(Ok(Answer::Problem { error })) => Err(explain(&error, question.database, place)),
        Some(Err(error)) => Err(Error::failed("cannot read the database's answer").caused_by(error)),
        None => Err(no_answer(&captured.ending, &captured.stderr, target, environment)),
    }
}

fn explain(problem: &Problem, alias: &str, place: &Place<'_>) -> Error {
    let environment = place.environment;
    let Problem { kind, message } = problem;
    match kind.as_str() {
        "connect" => Error::failed(format!("cannot connect to the database `{alias}` of `{}`", environment.name))
            .caused_by(message)
            .hint(format!("see where the settings say it is: `kdj dbshell {}`", environment.name)),
        "vendor" => Error::failed("kdj asks PostgreSQL, MySQL and MariaDB only").caused_by(message),
        "statement" => {
            let error = Error::failed(format!("the database `{alias}` of `{}` refuses", environment.name));
            let error = error.caused_by(message);
            match message {
                text if text.contains("PROCESS privilege") => error.hint(GRANT_PROCESS),
                text if text.contains("pg_signal_backend") || text.contains("must be a member of the role") => {
                    error.hint("as its administrator: `GRANT pg_signal_backend TO` the app's user")
                }
                _ => error,
            }
        }
        _ => problem.explain(alias, environment),
    }
}

//! How to reach a database of the app, read from Django's settings in the container.

use std::collections::BTreeMap;

use secrecy::{SecretString, zeroize::Zeroize};
use serde::Deserialize;

use crate::{
    cluster::{Cluster, Ending, Target},
    django,
    environment::Environment,
    error::{Error, Result},
    exit::Failure,
    session::{Captured, capture, runtime_words},
};

/// Stands before the facts, on a line of their own.
const MARK: &str = "kdj-connection: ";
/// How many lines of what the app printed are shown when there are no facts.
const LAST_LINES: usize = 12;

/// How to reach a database: what its own client needs to know.
#[derive(Clone, Debug, Deserialize)]
pub struct Connection {
    /// Its alias in the settings' DATABASES.
    pub alias: String,
    /// What kind of database it is.
    pub vendor: Vendor,
    /// The settings' ENGINE.
    pub engine: String,
    /// Its name; of SQLite the file. Absent when a service file or the client's default says it.
    pub name: Option<String>,
    /// The host's name or address, or the directory of a Unix socket; several are separated by commas. Absent where the
    /// settings have none: the client's default.
    pub host: Option<String>,
    /// The port, or the vendor's own; of several hosts one each, separated by commas.
    pub port: Option<String>,
    /// The user's name.
    pub user: Option<String>,
    /// The password, when it was asked for and there is one.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// What the settings' OPTIONS say of the connection, by their names: `sslmode`, `charset`. No secrets.
    pub options: BTreeMap<String, String>,
}

/// A kind of database, as Django calls it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// PostgreSQL.
    Postgresql,
    /// MySQL or MariaDB.
    Mysql,
    /// SQLite.
    Sqlite,
    /// Another one, which kdj knows no client of.
    #[serde(untagged)]
    Other(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Problem { error: Problem },
    Connection(Connection),
}

#[derive(Deserialize)]
struct Problem {
    kind: String,
    message: String,
}

/// Asks in the target's container how to reach a database of the settings: `alias`, or `default`. One exec.
///
/// # Errors
/// When the program cannot be started there, when the settings cannot be loaded, or have no such database.
pub async fn connection(
    cluster: &Cluster,
    target: &Target,
    environment: &Environment,
    alias: Option<&str>,
    with_password: bool,
) -> Result<Connection> {
    let alias = alias.unwrap_or("default");
    let (start, stdin) = django::connection_facts(&environment.django, alias, with_password);
    let mut captured = capture(cluster, target, &start.alternatives, &stdin).await?;
    let answer = find_answer(&captured.stdout);
    // The password may be in it.
    captured.stdout.zeroize();
    match answer {
        Some(Answer::Connection(connection)) => Ok(connection),
        Some(Answer::Problem { error }) => Err(refused(&error, alias, environment)),
        None => Err(no_answer(&captured, target, environment)),
    }
}

fn find_answer(output: &str) -> Option<Answer> {
    output.lines().rev().find_map(|line| serde_json::from_str(line.strip_prefix(MARK)?).ok())
}

fn refused(problem: &Problem, alias: &str, environment: &Environment) -> Error {
    let Environment { name, .. } = environment;
    match problem.kind.as_str() {
        "unknown-database" => Error::usage(format!("no database `{alias}` in the settings of `{name}`"))
            .caused_by(&problem.message)
            .hint("`--database` takes an alias of the settings' DATABASES"),
        _ => Error::failed(format!("cannot load the settings of `{name}`"))
            .caused_by(&problem.message)
            .hint(format!("see all that it says: `kdj manage {name} -- check`")),
    }
}

/// The app's own words, or those of the runtime.
fn no_answer(captured: &Captured, target: &Target, environment: &Environment) -> Error {
    let here = format!("pod {} (container {})", target.pod, target.container);
    let message = format!("cannot read the settings of `{}` in {here}", environment.name);
    let lines: Vec<&str> = captured.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let said = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    let (failure, cause) = match &captured.ending {
        Ending::Exited(code) if said.is_empty() => (Failure::Failed, format!("it ended with {code} and said nothing")),
        Ending::Exited(_) => (Failure::Failed, said.trim_start_matches("error: ").to_owned()),
        Ending::NotFound(why) => (Failure::NotFound, runtime_words(why).to_owned()),
        Ending::CannotExec(why) => (Failure::CannotExec, runtime_words(why).to_owned()),
        Ending::Gone(why) | Ending::Refused(why) => (Failure::Failed, runtime_words(why).to_owned()),
        Ending::Lost(why) => (Failure::Failed, format!("connection lost: {why}")),
        Ending::Left | Ending::OutputClosed | Ending::Signal(_) => (Failure::Failed, "interrupted".to_owned()),
    };
    Error::new(failure, message).caused_by(cause)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_facts_stand_on_a_line_of_their_own() {
        let output = "loading .env\nkdj-connection: {\"alias\": \"default\", \"vendor\": \"postgresql\", \"engine\": \"e\", \
                      \"name\": \"shop\", \"host\": null, \"port\": \"5432\", \"user\": \"u\", \"password\": \"hunter2\", \
                      \"options\": {\"sslmode\": \"require\"}}\nbye\n";
        let Some(Answer::Connection(found)) = find_answer(output) else { panic!("no facts") };
        assert_eq!((found.vendor.clone(), found.host.as_deref()), (Vendor::Postgresql, None));
        assert_eq!(found.password.as_ref().map(ExposeSecret::expose_secret), Some("hunter2"));
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
        assert!(find_answer("kdj-connection: {}").is_none());
    }

    #[test]
    fn what_kdj_knows_no_client_of_keeps_its_name() {
        let vendor = |text: &str| serde_json::from_str::<Vendor>(&format!("\"{text}\"")).unwrap();
        assert_eq!((vendor("sqlite"), vendor("oracle")), (Vendor::Sqlite, Vendor::Other("oracle".to_owned())));
    }
}

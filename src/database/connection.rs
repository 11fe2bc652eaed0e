//! How to reach a database of the app, read from Django's settings in the container.

use std::collections::BTreeMap;

use secrecy::{SecretString, zeroize::Zeroize};
use serde::Deserialize;

use super::problem::{Problem, no_answer};
use crate::{
    cluster::{Cluster, Target},
    django,
    environment::Environment,
    error::Result,
    forward::Redis,
    session::capture,
};

/// Stands before the facts, on a line of their own.
const MARK: &str = "kdj-connection: ";

/// How to reach a database: what its own client needs to know.
#[derive(Clone, Debug, Deserialize)]
pub struct Connection {
    /// Its alias in the settings' DATABASES.
    pub alias: String,
    /// What kind of database it is.
    pub vendor: Vendor,
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
    /// The program of its own client in the image, if that has one.
    #[serde(default)]
    pub client: Option<String>,
    /// What the settings' OPTIONS say of the connection, by their names: `sslmode`, `charset`. No secrets.
    pub options: BTreeMap<String, String>,
}

impl Connection {
    /// How to reach a Redis of the settings.
    pub(super) fn of_redis(alias: &str, redis: Redis) -> Self {
        let Redis { host, port, database, user, password, tls, .. } = redis;
        Self {
            alias: alias.to_owned(),
            vendor: Vendor::Redis,
            name: Some(database.to_string()),
            host,
            port: Some(port.to_string()),
            user,
            password,
            client: None,
            options: if tls { [("tls".to_owned(), "yes".to_owned())].into() } else { BTreeMap::new() },
        }
    }

    /// What a session in it is called in messages: `default: shop at postgres:5432 as app`.
    pub fn describe(&self) -> String {
        let Self { alias, name, host, port, user, options, .. } = self;
        let name = name.as_deref().unwrap_or("the default database");
        let user = user.as_ref().map(|user| format!(" as {user}")).unwrap_or_default();
        let host = host.as_ref().or(options.get("service")).map_or("the local socket", String::as_str);
        let port = port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
        match self.vendor {
            Vendor::Sqlite => format!("{alias}: {name}"),
            Vendor::Redis => format!("{alias}: database {name} at {host}{port}{user}"),
            _ => format!("{alias}: {name} at {host}{port}{user}"),
        }
    }
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
    /// Redis; not one of DATABASES.
    Redis,
    /// Another one, which kdj knows no client of.
    #[serde(untagged)]
    Other(String),
}

impl Vendor {
    /// As Django calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Sqlite => "sqlite",
            Self::Redis => "redis",
            Self::Other(name) => name,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Problem { error: Problem },
    Connection(Connection),
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
        Some(Answer::Problem { error }) => Err(error.explain(alias, environment)),
        None => Err(no_answer(&captured.ending, &captured.stderr, target, environment)),
    }
}

fn find_answer(output: &str) -> Option<Answer> {
    output.lines().rev().find_map(|line| serde_json::from_str(line.strip_prefix(MARK)?).ok())
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

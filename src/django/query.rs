//! Statements of kdj's own, run by Django's driver.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{connection::on_stdin, manage::Start};
use crate::environment::DjangoSettings;

/// Runs the statements and prints what they answer.
const QUERY: &str = include_str!("query.py");

/// What to ask a database.
#[derive(Debug, Serialize)]
pub struct Question<'a> {
    /// Its alias in the settings.
    pub database: &'a str,
    /// What the connection is called in the database.
    pub application: String,
    /// By the kind of server: `postgresql`, `mysql`, `mariadb`.
    pub statements: BTreeMap<&'static str, Vec<Statement>>,
    /// The values of `%(name)s` in them.
    pub values: BTreeMap<&'static str, serde_json::Value>,
}

/// What the answer is called, the SQL, and SQL to try when that fails.
pub type Statement = (&'static str, &'static str, Option<&'static str>);

/// Asks, in the container's Python. The code goes over stdin.
pub fn query_on_stdin(settings: &DjangoSettings, question: &Question<'_>) -> (Start, Vec<u8>) {
    on_stdin(settings, None, &[QUERY], question)
}

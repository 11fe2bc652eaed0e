//! What a database answered, as tables and as JSON. Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    database::{
        activity::{Session, Wait, tree},
        shown_sql,
    },
    error::{Error, Result},
    names,
    ui::{lasted, size as size_of, table::Table},
};

/// Raised when a field of the JSON changes its meaning or goes away; new fields don't raise it.
const JSON_VERSION: u32 = 1;
/// How much of a query the table shows.
const QUERY_WIDTH: usize = 60;

/// Where it was looked at.
pub(super) struct Looked {
    pub(super) environment: String,
    /// The alias in the settings.
    pub(super) database: String,
    /// The kind of server.
    pub(super) server: String,
}

/// A database as a whole.
#[derive(Deserialize)]
pub(super) struct Database {
    name: String,
    /// In bytes.
    #[serde(deserialize_with = "whole")]
    pub(super) total: u64,
}

/// A table's size: in bytes.
#[derive(Deserialize, Serialize)]
pub(super) struct TableSize {
    table: String,
    #[serde(deserialize_with = "truth")]
    pub(super) estimated: bool,
    total: Option<f64>,
    data: Option<f64>,
    indexes: Option<f64>,
    rows: Option<f64>,
    dead_rows: Option<f64>,
    vacuumed_seconds: Option<f64>,
    analyzed_seconds: Option<f64>,
}

impl Database {
    pub(super) fn shown_name(&self) -> String {
        names::shown(&self.name)
    }
}

impl TableSize {
    pub(super) fn shown_name(&self) -> String {
        names::shown(&self.table)
    }
}

/// Some drivers have sums as decimals.
fn whole<'de, D: serde::Deserializer<'de>>(value: D) -> std::result::Result<u64, D::Error> {
    f64::deserialize(value).map(|number| number.max(0.0) as u64)
}

/// MySQL's truth is a number.
fn truth<'de, D: serde::Deserializer<'de>>(value: D) -> std::result::Result<bool, D::Error> {
    Value::deserialize(value).map(|value| value.as_bool().unwrap_or(value.as_i64() == Some(1)))
}

/// A query as it is shown.
pub(super) fn query(session: &Session, looked: &Looked, full: bool) -> String {
    let text = session.query.as_deref().unwrap_or_default();
    match full {
        true => shown_sql::one_line(text),
        false => shown_sql::without_values(text, &looked.server),
    }
}

fn cut(text: String, whole: bool) -> String {
    if whole || text.chars().count() <= QUERY_WIDTH {
        return text;
    }
    text.chars().take(QUERY_WIDTH - 1).chain(['…']).collect()
}

fn time(seconds: Option<f64>) -> String {
    seconds.map(|seconds| lasted(seconds as i64)).unwrap_or_default()
}

fn text(value: Option<&String>) -> String {
    value.map(|value| names::shown(value)).unwrap_or_default()
}

/// The numbers, one per line.
pub(super) fn pids(pids: impl Iterator<Item = i64>) -> String {
    pids.map(|pid| format!("{pid}\n")).collect()
}

/// Who is connected; nothing at all when nobody is.
pub(super) fn activity(looked: &Looked, sessions: &[Session], full: bool, wide: bool) -> String {
    if sessions.is_empty() {
        return String::new();
    }
    let mut headers = vec!["PID", "USER", "APPLICATION", "STATE", "TRANSACTION", "TIME"];
    if wide {
        headers.extend(["CLIENT", "WAIT"]);
    }
    let mut table = Table::new(headers.into_iter().chain(["QUERY"]));
    for session in sessions {
        let Session { pid, user, application, client, state, transaction_seconds, wait, .. } = session;
        let now =
            if session.state.as_deref() == Some("active") { session.query_seconds } else { session.state_seconds };
        let mut cells = vec![
            pid.to_string(),
            text(user.as_ref()),
            text(application.as_ref()),
            text(state.as_ref()),
            time(*transaction_seconds),
            time(now),
        ];
        if wide {
            cells.extend([text(client.as_ref()), text(wait.as_ref())]);
        }
        cells.push(names::shown(&cut(query(session, looked, full), full || wide)));
        table.row(cells);
    }
    table.render()
}

/// Who waits for whom, as a tree; nothing at all when nobody waits.
pub(super) fn locks(looked: &Looked, sessions: &[Session], waits: &[Wait], full: bool, wide: bool) -> String {
    let nodes = tree(waits);
    let unknown = waiting_for_unknown(sessions, waits);
    if nodes.is_empty() && unknown.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["PID", "USER", "APPLICATION", "STATE", "TIME", "WAITS FOR", "QUERY"]);
    let mut row = |first: String, session: Option<&Session>, waits_for: String| {
        let Some(session) = session else {
            let what = if first == "0" { "a prepared transaction" } else { "" };
            return table.row([
                first,
                String::new(),
                String::new(),
                what.into(),
                String::new(),
                waits_for,
                String::new(),
            ]);
        };
        table.row([
            first,
            text(session.user.as_ref()),
            match session.elsewhere {
                true => names::shown(&session.kind()),
                false => text(session.application.as_ref()),
            },
            text(session.state.as_ref()),
            time(session.seconds()),
            waits_for,
            names::shown(&cut(query(session, looked, full), full || wide)),
        ]);
    };
    for node in nodes {
        let session = sessions.iter().find(|session| session.pid == node.pid);
        let wait = waits.iter().find(|wait| wait.pid == node.pid);
        let waits_for = wait.map(|wait| names::shown(&wait.what())).unwrap_or_default();
        let since = wait.and_then(|wait| wait.seconds).map(|seconds| format!(" for {}", lasted(seconds as i64)));
        let others = if node.others > 0 { format!(", and for {} more", node.others) } else { String::new() };
        row(
            format!("{}{}", node.lines, node.pid),
            session,
            format!("{waits_for}{}{others}", since.unwrap_or_default()),
        );
    }
    for session in unknown {
        row(session.pid.to_string(), Some(session), text(session.wait.as_ref()));
    }
    table.render()
}

/// Those of which the server says that they wait, and not for whom: MySQL's locks of tables.
fn waiting_for_unknown<'a>(sessions: &'a [Session], waits: &[Wait]) -> Vec<&'a Session> {
    let waiting = |session: &&Session| {
        let wait = session.wait.as_deref().unwrap_or_default();
        wait.starts_with("Waiting for") && wait.contains("lock") && !waits.iter().any(|wait| wait.pid == session.pid)
    };
    sessions.iter().filter(waiting).collect()
}

/// The tables by size; nothing at all without tables.
pub(super) fn size(tables: &[TableSize], wide: bool) -> String {
    if tables.is_empty() {
        return String::new();
    }
    let mut headers = vec!["TABLE", "TOTAL", "DATA", "INDEXES", "ROWS", "DEAD", "VACUUMED"];
    if wide {
        headers.push("ANALYZED");
    }
    let mut table = Table::new(headers);
    for row in tables {
        let bytes = |bytes: Option<f64>| bytes.map(|bytes| size_of(bytes as u64)).unwrap_or_default();
        let ago =
            |seconds: Option<f64>| seconds.map(|seconds| format!("{} ago", time(Some(seconds)))).unwrap_or_default();
        // Of MySQL all are estimates.
        let guess = if row.estimated && row.data.is_none() { "~" } else { "" };
        let mut cells = vec![
            row.shown_name(),
            row.total.map(|total| format!("{guess}{}", size_of(total as u64))).unwrap_or_default(),
            bytes(row.data),
            bytes(row.indexes),
            row.rows.map(|rows| format!("{rows:.0}")).unwrap_or_default(),
            row.dead_rows.map(|rows| format!("{rows:.0}")).unwrap_or_default(),
            ago(row.vacuumed_seconds),
        ];
        if wide {
            cells.push(ago(row.analyzed_seconds));
        }
        table.row(cells);
    }
    table.render()
}

/// `complete` when the asking user may see all there is.
pub(super) fn activity_json(looked: &Looked, sessions: &[Session], complete: bool, full: bool) -> Result<String> {
    let sessions = sessions.iter().map(|session| session_json(session, looked, full)).collect();
    document(looked, [("complete", json!(complete)), ("sessions", Value::Array(sessions))])
}

pub(super) fn locks_json(looked: &Looked, sessions: &[Session], waits: &[Wait], full: bool) -> Result<String> {
    let one = |pid: i64| {
        let session = sessions.iter().find(|session| session.pid == pid);
        let mut value = session.map_or(json!({"pid": pid}), |session| session_json(session, looked, full));
        let wait = waits.iter().find(|wait| wait.pid == pid);
        let blocked_by: Vec<i64> = waits.iter().filter(|wait| wait.pid == pid).map(|wait| wait.blocked_by).collect();
        value["blocked_by"] = json!(blocked_by);
        value["waits_for"] = wait.map_or(
            Value::Null,
            |wait| json!({"kind": wait.kind, "mode": wait.mode, "relation": wait.relation, "seconds": wait.seconds}),
        );
        value
    };
    let pids = tree(waits).into_iter().map(|node| node.pid);
    let unknown = waiting_for_unknown(sessions, waits).into_iter().map(|session| session.pid);
    document(looked, [("sessions", pids.chain(unknown).map(one).collect())])
}

pub(super) fn size_json(looked: &Looked, database: Option<&Database>, tables: &[TableSize]) -> Result<String> {
    document(looked, [("bytes", json!(database.map(|database| database.total))), ("tables", json!(tables))])
}

fn session_json(session: &Session, looked: &Looked, full: bool) -> Value {
    let Session { pid, user, application, client, state, wait, .. } = session;
    json!({
        "pid": pid, "user": user, "application": application, "client": client, "state": state,
        "transaction_seconds": session.transaction_seconds, "query_seconds": session.query_seconds,
        "state_seconds": session.state_seconds, "wait": wait, "query": query(session, looked, full),
        "datname": session.datname, "backend_type": session.backend_type,
    })
}

/// The documented shape: `docs/databases.md`.
fn document<const N: usize>(looked: &Looked, fields: [(&str, Value); N]) -> Result<String> {
    let Looked { environment, database, server } = looked;
    let mut document =
        json!({"version": JSON_VERSION, "environment": environment, "database": database, "server": server});
    for (name, value) in fields {
        document[name] = value;
    }
    let text = serde_json::to_string_pretty(&document);
    Ok(text.map_err(|error| Error::failed("cannot write JSON").caused_by(error))? + "\n")
}

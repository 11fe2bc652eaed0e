//! The statements themselves, as files of SQL: for each question those of each kind of server.

use std::collections::BTreeMap;

use crate::django::Statement;

macro_rules! sql {
    ($path:literal) => {
        include_str!(concat!("sql/", $path, ".sql"))
    };
}

type Statements = BTreeMap<&'static str, Vec<Statement>>;

const SESSIONS: [(&str, Statement); 3] = [
    ("postgresql", ("sessions", sql!("postgresql/sessions"), None)),
    ("mysql", ("sessions", sql!("mysql/sessions"), Some(sql!("mysql/own_sessions")))),
    ("mariadb", ("sessions", sql!("mariadb/sessions"), Some(sql!("mariadb/own_sessions")))),
];

const WAITS: [(&str, Statement); 3] = [
    ("postgresql", ("waits", sql!("postgresql/waits"), None)),
    ("mysql", ("waits", sql!("mysql/waits"), None)),
    ("mariadb", ("waits", sql!("mariadb/waits"), None)),
];

/// Who is connected.
pub fn sessions() -> Statements {
    SESSIONS.into_iter().map(|(server, statement)| (server, vec![statement])).collect()
}

/// Who waits for whom, and who they are.
pub fn locks() -> Statements {
    WAITS.into_iter().zip(SESSIONS).map(|((server, waits), (_, sessions))| (server, vec![waits, sessions])).collect()
}

/// How large the tables are.
pub fn size() -> Statements {
    let estimated = Some(sql!("postgresql/tables_estimated"));
    [
        ("postgresql", ("tables", sql!("postgresql/tables"), estimated), sql!("postgresql/database")),
        ("mysql", ("tables", sql!("mysql/tables"), None), sql!("mysql/database")),
        ("mariadb", ("tables", sql!("mariadb/tables"), None), sql!("mariadb/database")),
    ]
    .map(|(server, tables, database)| (server, vec![("database", database, None), tables]))
    .into()
}

/// Ends the query of the session `pid`, or with `terminate` the session; then who is connected.
pub fn kill(terminate: bool) -> Statements {
    let (postgresql, mysql) = match terminate {
        true => (sql!("postgresql/terminate"), "KILL %(pid)s"),
        false => (sql!("postgresql/cancel"), "KILL QUERY %(pid)s"),
    };
    let told = [postgresql, mysql, mysql];
    let pause = ["SELECT pg_sleep(0.5)", "SELECT sleep(0.5)", "SELECT sleep(0.5)"];
    let statements = |((told, pause), (server, after)): ((&'static str, &'static str), (_, Statement))| {
        (server, vec![("told", told, None), ("pause", pause, None), after])
    };
    told.into_iter().zip(pause).zip(SESSIONS).map(statements).collect()
}

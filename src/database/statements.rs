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
    // MariaDB tells it in the same words.
    let mysql = ("tables", sql!("mysql/tables"), None);
    [
        ("postgresql", ("tables", sql!("postgresql/tables"), estimated), sql!("postgresql/database")),
        ("mysql", mysql, sql!("mysql/database")),
        ("mariadb", mysql, sql!("mysql/database")),
    ]
    .map(|(server, tables, database)| (server, vec![("database", database, None), tables]))
    .into()
}

/// Ends the query of the session `pid`, or with `terminate` the session, if it is the `same`; then who is connected.
pub fn kill(terminate: bool) -> Statements {
    let (told, mysql, mariadb, kill) = match terminate {
        true => (sql!("postgresql/terminate"), sql!("mysql/same_session"), sql!("mysql/same_session"), "KILL %(pid)s"),
        false => {
            (sql!("postgresql/cancel"), sql!("mysql/same_query"), sql!("mariadb/same_query"), "KILL QUERY %(pid)s")
        }
    };
    let pause = ("pause", "SELECT sleep(0.5)", None);
    let before = [
        vec![("told", told, None), ("pause", "SELECT pg_sleep(0.5)", None)],
        vec![("same", mysql, None), ("told", kill, None), pause],
        vec![("same", mariadb, None), ("told", kill, None), pause],
    ];
    let with_list = |(mut statements, (server, list)): (Vec<Statement>, (&'static str, Statement))| {
        statements.push(list);
        (server, statements)
    };
    before.into_iter().zip(SESSIONS).map(with_list).collect()
}

//! A database's own client in the container.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{connection::on_stdin, manage::Start, redis::REDIS};
use crate::{environment::DjangoSettings, script::terse};

/// Asks PostgreSQL whether the session is read-only.
const READ_ONLY: &str = include_str!("read_only.sql");
/// From the facts to the client's words.
const CLIENT: &str = include_str!("client.py");
/// Starts it and ends it.
const RUNNING: &str = include_str!("running.py");
/// Runs it for what comes on stdin.
const SCRIPT: &str = include_str!("script.py");

/// Writes a dump.
const DUMP: &str = include_str!("dump.py");
/// In its place: a statement's rows over the app's driver.
const ROWS: &str = include_str!("rows.py");
/// Stands beside one that has a terminal.
const COMPANION: &str = include_str!("companion.py");
/// Runs it at the terminal.
const TERMINAL: &str = include_str!("terminal.py");
/// Gets all of that from the companion.
const ATTEND: &str = include_str!("attend.py");

/// What a client is started for.
#[derive(Clone, Debug, Serialize)]
pub struct ClientRequest<'a> {
    /// The database's alias in the settings.
    pub database: &'a str,
    /// The environment's name, for prompts and messages.
    pub environment: &'a str,
    /// The mode's name, for the same.
    pub mode: &'a str,
    /// Whether nothing is to be written, which is verified in the very session.
    pub read_only: bool,
    /// What PostgreSQL is asked to verify that, see [`read_only_check`].
    pub check: Option<String>,
    /// The role to take on then.
    pub role: Option<&'a str>,
    /// How long a statement may take then, in milliseconds.
    pub statement_timeout: Option<u64>,
    /// What the session calls itself to the server.
    pub application: &'a str,
    /// Whether the environment is red in the prompt.
    pub colored: bool,
    /// Whether rows are to be a table, where that is not what the client prints anyway.
    pub table: bool,
    /// Whether to say on stderr which database it is.
    pub banner: bool,
}

/// A question to PostgreSQL whose answer is `kdj:REASON:`, why the session is not read-only, and `kdj::` when it is: by its
/// own settings and in its `role`, or as a replica. What another one has set in a session that a pooler shares does not
/// count.
pub fn read_only_check(role: Option<&str>) -> String {
    let role = role.map_or("current_setting('role')".to_owned(), |role| format!("'{}'", role.replace('\'', "''")));
    READ_ONLY.trim_end().replace('\n', "").replace("ROLE", &role)
}

/// What a script ends with that has run no client: there is none, or the settings cannot be read. No client ends so.
pub const NO_CLIENT: u8 = 121;

/// Runs the client for SQL that follows on stdin, in frames: each a line with its length and its bytes; one of length 0
/// ends the SQL. When stdin ends, so does the client: its statement is cancelled. Ends as the client does, or with
/// [`NO_CLIENT`].
pub fn client_script(settings: &DjangoSettings, request: &ClientRequest) -> (Start, Vec<u8>) {
    #[derive(Serialize)]
    struct Parameters<'a> {
        #[serde(flatten)]
        request: &'a ClientRequest<'a>,
        problem_code: u8,
    }
    on_stdin(settings, None, &[REDIS, CLIENT, RUNNING, SCRIPT], &Parameters { request, problem_code: NO_CLIENT })
}

/// A program that writes a dump, and its options. `{name}` in them is the database's name.
#[derive(Clone, Debug, Serialize)]
pub struct DumpProgram {
    /// Its names; the first one found is used.
    pub programs: &'static [&'static str],
    /// What it is told.
    pub options: Vec<String>,
}

/// Writes a dump to stdout, by the program of the kind of database. Ends as that does, or with [`NO_CLIENT`] and the problem
/// as the last line of stderr.
pub fn client_dump(
    settings: &DjangoSettings,
    request: &ClientRequest,
    dump: &BTreeMap<&'static str, DumpProgram>,
) -> (Start, Vec<u8>) {
    #[derive(Serialize)]
    struct Parameters<'a> {
        #[serde(flatten)]
        request: &'a ClientRequest<'a>,
        problem_code: u8,
        dump: &'a BTreeMap<&'static str, DumpProgram>,
    }
    let parameters = Parameters { request, problem_code: NO_CLIENT, dump };
    on_stdin(settings, None, &[REDIS, CLIENT, RUNNING, DUMP], &parameters)
}

/// Runs one statement over the app's own driver and prints its rows as `output` says, `csv` or `json`. The SQL follows on
/// stdin as for [`client_script`].
pub fn rows(settings: &DjangoSettings, request: &ClientRequest, output: &str) -> (Start, Vec<u8>) {
    #[derive(Serialize)]
    struct Parameters<'a> {
        #[serde(flatten)]
        request: &'a ClientRequest<'a>,
        output: &'a str,
        problem_code: u8,
    }
    let parameters = Parameters { request, output, problem_code: NO_CLIENT };
    on_stdin(settings, None, &[CLIENT, RUNNING, ROWS], &parameters)
}

/// Prepares a client for a terminal, and stays beside it: prints a line of JSON when it is ready, and another with the
/// history when it is told, by a byte on stdin, that the client has ended. When stdin ends, so does everything. `history` is what was
/// typed before, by kind of database.
pub fn client_companion(
    settings: &DjangoSettings,
    request: &ClientRequest,
    history: &BTreeMap<&str, String>,
) -> (Start, Vec<u8>) {
    #[derive(Serialize)]
    struct Parameters<'a> {
        #[serde(flatten)]
        request: &'a ClientRequest<'a>,
        history: &'a BTreeMap<&'a str, String>,
        terminal: String,
    }
    let terminal = [RUNNING, TERMINAL].map(terse).join("\n");
    on_stdin(settings, None, &[REDIS, CLIENT, RUNNING, COMPANION], &Parameters { request, history, terminal })
}

/// What to execute, at a terminal of the type `term`, to run the client that a companion has prepared: with its Python,
/// and by its socket.
pub fn attend(python: &str, socket: &str, term: &str) -> Vec<String> {
    [python, "-ISc", &terse(ATTEND), socket, term].map(str::to_owned).to_vec()
}

//! Migrations: what would be applied, and applying it.

use serde::Serialize;

use super::manage::{Mode, Start, start, terse};
use crate::environment::DjangoSettings;

/// Stands before the other two.
const DATABASE: &str = include_str!("database.py");
/// Prints the plan.
const PLAN: &str = include_str!("plan.py");
/// Runs the project's `migrate`.
const MIGRATE: &str = include_str!("migrate.py");

/// What to migrate, in the words of `manage.py migrate`.
#[derive(Clone, Debug, Serialize)]
pub struct MigrationRequest {
    /// Only this app's.
    pub app: Option<String>,
    /// Up or back to this one, by its name or how that begins; `zero` is before the first.
    pub migration: Option<String>,
    /// The database's alias in the settings.
    pub database: String,
    /// Whether to record them only.
    pub fake: bool,
    /// Whether to record an app's first ones only, where their tables exist.
    pub fake_initial: bool,
}

impl Default for MigrationRequest {
    fn default() -> Self {
        Self { app: None, migration: None, database: "default".to_owned(), fake: false, fake_initial: false }
    }
}

/// Prints the plan, for an exec: the code goes over stdin.
pub fn plan_on_stdin(settings: &DjangoSettings, request: &MigrationRequest) -> (Start, Vec<u8>) {
    super::code_on_stdin(settings, "<kdj plan>", script(PLAN, request).as_bytes())
}

/// Prints the plan, for a Job, which has no stdin: the code, which is kdj's own, stands in the arguments.
pub fn plan_command(settings: &DjangoSettings, request: &MigrationRequest) -> Start {
    code_in_arguments(settings, "<kdj plan>", &script(PLAN, request))
}

/// Migrates, for a Job. A migration waits `lock_timeout` milliseconds for a lock on PostgreSQL; 0 is for ever.
pub fn migrate_command(settings: &DjangoSettings, request: &MigrationRequest, lock_timeout: u32) -> Start {
    #[derive(Serialize)]
    struct Parameters<'a> {
        #[serde(flatten)]
        request: &'a MigrationRequest,
        lock_timeout: u32,
    }
    code_in_arguments(settings, "<kdj migrate>", &script(MIGRATE, &Parameters { request, lock_timeout }))
}

/// The script, with its parameters before it.
fn script(script: &str, parameters: &impl Serialize) -> String {
    let json = ascii(&serde_json::to_string(parameters).unwrap_or_default());
    let parameters = literal(&json);
    format!("import json\nPARAMETERS = json.loads({parameters})\n{}\n{}\n", terse(DATABASE), terse(script))
}

/// Runs in Django's shell, which in old versions has no namespace in which functions see each other.
fn code_in_arguments(settings: &DjangoSettings, name: &str, code: &str) -> Start {
    let code = literal(&ascii(code));
    let run = format!("exec(compile({code}, {}, \"exec\"), {{\"__name__\": \"kdj\"}})", literal(name));
    start(settings, None, &Mode::Command, &["shell", "-v", "0", "-c", &run].map(str::to_owned))
}

/// A string of Python's: JSON's are, as long as they are ASCII.
fn literal(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// JSON, or code whose only foreign letters stand in JSON, in ASCII: the container's locale may be none.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

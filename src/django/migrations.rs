//! Migrations: what would be applied, and applying it.

use serde::Serialize;

use super::{
    connection::PASSWORDS,
    manage::{Mode, Start, start},
};
use crate::{environment::DjangoSettings, script::terse};

/// Stands before those below.
const DATABASE: &str = include_str!("database.py");
/// Prints the plan.
const PLAN: &str = include_str!("plan.py");
/// Prints which migrations there are, and which are applied.
const KNOWN: &str = include_str!("known.py");
/// What the line of that begins with.
pub const KNOWN_MARK: &str = "kdj-known: ";
/// Locks in the database; stands before the next.
const LOCKS: &str = include_str!("locks.py");
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
    /// For how many seconds a connection to the database is waited for, where nothing else says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<u32>,
}

impl Default for MigrationRequest {
    fn default() -> Self {
        Self {
            app: None,
            migration: None,
            database: "default".to_owned(),
            fake: false,
            fake_initial: false,
            connect_timeout: None,
        }
    }
}

/// Prints the plan, for an exec: the code goes over stdin.
pub fn plan_on_stdin(settings: &DjangoSettings, request: &MigrationRequest) -> (Start, Vec<u8>) {
    super::code_on_stdin(settings, "<kdj plan>", script(&[PLAN], request).as_bytes(), false)
}

/// Prints the plan, for a Job, which has no stdin: the code, which is kdj's own, stands in the arguments.
pub fn plan_command(settings: &DjangoSettings, request: &MigrationRequest) -> Start {
    code_in_arguments(settings, "<kdj plan>", &script(&[PLAN], request))
}

/// Migrates, for a Job. A migration waits `lock_timeout` milliseconds for a lock on PostgreSQL; 0 is for ever.
pub fn migrate_command(settings: &DjangoSettings, request: &MigrationRequest, lock_timeout: u32) -> Start {
    #[derive(Serialize)]
    struct Parameters<'a> {
        #[serde(flatten)]
        request: &'a MigrationRequest,
        lock_timeout: u32,
    }
    code_in_arguments(settings, "<kdj migrate>", &script(&[LOCKS, MIGRATE], &Parameters { request, lock_timeout }))
}

/// Prints which migrations the image has and which are applied, for an exec: the code goes over stdin.
pub fn known_on_stdin(settings: &DjangoSettings) -> (Start, Vec<u8>) {
    super::code_on_stdin(settings, "<kdj known>", script(&[KNOWN], &MigrationRequest::default()).as_bytes(), false)
}

/// The same for a Job.
pub fn known_command(settings: &DjangoSettings) -> Start {
    code_in_arguments(settings, "<kdj known>", &script(&[KNOWN], &MigrationRequest::default()))
}

/// The scripts, with their parameters before them.
fn script(scripts: &[&str], parameters: &impl Serialize) -> String {
    with_parameters(&[&[PASSWORDS, DATABASE], scripts].concat(), parameters)
}

/// Python scripts, one after the other, with their `PARAMETERS` before them.
pub(super) fn with_parameters(scripts: &[&str], parameters: &impl Serialize) -> String {
    let parameters = literal(&ascii(&serde_json::to_string(parameters).unwrap_or_default()));
    let scripts: String = scripts.iter().map(|script| terse(script) + "\n").collect();
    format!("import json\nPARAMETERS = json.loads({parameters})\n{scripts}")
}

/// Runs in Django's shell, which in old versions has no namespace in which functions see each other.
fn code_in_arguments(settings: &DjangoSettings, name: &str, code: &str) -> Start {
    let code = literal(&ascii(code));
    let run = format!("exec(compile({code}, {}, \"exec\"), {{\"__name__\": \"kdj\"}})", literal(name));
    start(settings, None, &Mode::Command, &["shell", "-v", "0", "-c", &run].map(str::to_owned))
}

/// A string of Python's: JSON's are, as long as they are ASCII.
pub(super) fn literal(text: &str) -> String {
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

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    /// What this machine's Python, which knows no locale, finds as the parameters. It compiles all of the script.
    fn parameters(code: &str) -> serde_json::Value {
        let first = "import json, sys\n\
                     sys.stdout.write(json.dumps((lambda s: (exec(''.join(s.splitlines(True)[:2]), globals()), \
                     compile(s, 'x', 'exec'), PARAMETERS)[2])(sys.argv[1])))";
        let output = Command::new("python3").args(["-c", first, code]).env("LC_ALL", "C").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn odd() -> MigrationRequest {
        MigrationRequest {
            app: Some("a'\"\\\n\")\nimport os".to_owned()),
            migration: Some("zürich 😀 \u{2028}\u{7f}{0}    x".to_owned()),
            ..MigrationRequest::default()
        }
    }

    #[test]
    fn parameters_arrive_as_they_are() {
        for script in [script(&[PLAN], &odd()), script(&[LOCKS, MIGRATE], &odd())] {
            assert!(script.is_ascii());
            let found = parameters(&script);
            assert_eq!(found["app"].as_str(), odd().app.as_deref());
            assert_eq!(found["migration"].as_str(), odd().migration.as_deref());
            assert_eq!(found["fake"], false);
        }
    }

    #[test]
    fn in_a_job_the_code_is_one_word() {
        let start = migrate_command(&DjangoSettings::default(), &odd(), 2000);
        let words = &start.alternatives[0];
        assert_eq!(words[words.len() - 5..][..4], ["shell", "-v", "0", "-c"]);
        let word = words.last().unwrap();
        assert!(word.is_ascii() && !word.contains('\n'));
        // Python unwraps it to the same script; the rest is in the script.
        let unwrap = "import ast, json, sys\n\
                      call = ast.parse(sys.argv[1]).body[0].value\n\
                      print(json.dumps(ast.literal_eval(call.args[0].args[0])))";
        let output = Command::new("python3").args(["-c", unwrap, word]).env("LC_ALL", "C").output().unwrap();
        let code: String = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(parameters(&code)["lock_timeout"], 2000);
        assert_eq!(parameters(&code)["app"].as_str(), odd().app.as_deref());
    }

    #[test]
    fn by_exec_no_code_is_in_the_arguments() {
        let (start, stdin) = plan_on_stdin(&DjangoSettings::default(), &odd());
        assert!(!start.alternatives.concat().concat().contains("kdj-plan"));
        assert!(String::from_utf8(stdin).unwrap().contains("kdj-plan"));
    }
}

//! Django's shell with databases that refuse what would write to them.

use serde::Serialize;

use super::{
    client::read_only_check,
    connection::{PASSWORDS, with_code_on_stdin},
    console::{RUN_STDIN, with_length},
    manage::Start,
    migrations::{literal, with_parameters},
};
use crate::{
    environment::{DatabaseSettings, DjangoSettings},
    script::terse,
};

/// Makes the connections read-only.
const READ_ONLY: &str = include_str!("read_only.py");
/// Opens the console.
const CONSOLE: &str = include_str!("read_only_console.py");

/// The console: the richest the image has, or Python's own. What is to be sent to it before anything typed comes second.
pub fn read_only_console(
    settings: &DjangoSettings,
    database: &DatabaseSettings,
    term: Option<&str>,
    plain: bool,
) -> (Start, Vec<u8>) {
    let code = with_parameters(&[PASSWORDS, READ_ONLY, CONSOLE], &Parameters::of(database, !plain));
    in_shell(settings, term, &in_its_own_namespace(&code))
}

/// Runs code that comes on stdin, as [`code_on_stdin`](super::code_on_stdin) does.
pub fn read_only_code(
    settings: &DjangoSettings,
    database: &DatabaseSettings,
    name: &str,
    code: &[u8],
    more: bool,
) -> (Start, Vec<u8>) {
    let before = with_parameters(&[PASSWORDS, READ_ONLY], &Parameters::of(database, false));
    let run = format!("{}\n{}", in_its_own_namespace(&before), terse(RUN_STDIN));
    let (start, mut stdin) = in_shell(settings, None, &run);
    stdin.extend(with_length(name, code, more));
    (start, stdin)
}

#[derive(Serialize)]
struct Parameters<'a> {
    alias: Option<&'a str>,
    role: Option<&'a str>,
    timeout: Option<u64>,
    /// What PostgreSQL is asked whether the session is read-only.
    check: String,
    /// Whether the richest console there is is wanted.
    rich: bool,
}

impl<'a> Parameters<'a> {
    fn of(database: &'a DatabaseSettings, rich: bool) -> Self {
        Self {
            alias: database.read_only_alias.as_deref(),
            role: database.read_only_role.as_deref(),
            timeout: database.statement_timeout.map(u64::from),
            check: read_only_check(database.read_only_role.as_deref()),
            rich,
        }
    }
}

/// What makes the databases read-only, by itself.
#[cfg(test)]
pub(super) fn read_only_script(database: &DatabaseSettings) -> String {
    with_parameters(&[PASSWORDS, READ_ONLY], &Parameters::of(database, false))
}

/// Runs code in Django's shell. It is too long for a URL, and goes over stdin.
fn in_shell(settings: &DjangoSettings, term: Option<&str>, code: &str) -> (Start, Vec<u8>) {
    let words = format!("[\"shell\", \"-v\", \"0\", \"-c\", {}]", literal(code));
    let become_shell = format!(
        "try:\n os.execvp(manage[0], manage + {words})\nexcept OSError as e:\n \
         fail(\"cannot start `%s`: %s\" % (\" \".join(manage), e), 126 + isinstance(e, FileNotFoundError))\n"
    );
    with_code_on_stdin(settings, term, &become_shell)
}

/// In old versions the shell has no namespace in which functions see each other, and nothing of it is the code's.
fn in_its_own_namespace(code: &str) -> String {
    format!("exec(compile({}, \"<kdj>\", \"exec\"), {{\"__name__\": \"kdj\"}})", literal(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_on_stdin_and_nowhere_else() {
        let (settings, database) = (DjangoSettings::default(), DatabaseSettings::default());
        let (start, stdin) = read_only_code(&settings, &database, "<code>", b"print('hunter2')", true);
        assert!(stdin.ends_with(b"\n16 more <code>\nprint('hunter2')"));
        for start in [start, read_only_console(&settings, &database, Some("xterm"), false).0] {
            let words = start.alternatives.concat().concat();
            assert!(!words.contains("hunter2") && !words.contains("default_transaction_read_only"), "{words}");
        }
    }
}

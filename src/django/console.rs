//! Django's shell: at a terminal, or fed with code.

use super::manage::{Mode, Start, start};
use crate::{environment::DjangoSettings, script::terse};

/// Runs in Django's shell, in its own namespace: the code that comes on stdin. What follows there is left to the code.
pub(super) const RUN_STDIN: &str = include_str!("stdin.py");
/// Runs in Python in front of `manage.py shell`.
const RICHEST: &str = include_str!("console.py");

/// The richest console the image has: `shell_plus` where django-extensions is installed, else `shell`, which takes
/// IPython or bpython where they are.
pub fn console(settings: &DjangoSettings, term: Option<&str>) -> Start {
    start(settings, term, &Mode::Console, &[terse(RICHEST)])
}

/// Python's own console.
pub fn plain_console(settings: &DjangoSettings, term: Option<&str>) -> Start {
    start(settings, term, &Mode::Command, &["shell".into(), "-i".into(), "python".into()])
}

/// Runs code that comes on stdin, and what to send there before anything else, which is all of it unless there is
/// `more`. `name` stands in tracebacks. The code is in no argument: those are in URLs, process lists and audit logs.
pub fn code_on_stdin(settings: &DjangoSettings, name: &str, code: &[u8], more: bool) -> (Start, Vec<u8>) {
    // Since Django 5.2 the shell announces its imports on stdout, which belongs to the code.
    let command = ["shell", "-v", "0", "-c", &terse(RUN_STDIN)].map(str::to_owned);
    let start = start(settings, None, &Mode::Command, &command);
    (start, with_length(name, code, more))
}

/// The code as [`RUN_STDIN`] reads it.
pub(super) fn with_length(name: &str, code: &[u8], more: bool) -> Vec<u8> {
    let name = name.replace(['\n', '\r'], " ");
    let follows = if more { "more" } else { "alone" };
    let mut stdin = format!("{} {follows} {name}\n", code.len()).into_bytes();
    stdin.extend_from_slice(code);
    stdin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_on_stdin_and_nowhere_else() {
        let (start, stdin) = code_on_stdin(&DjangoSettings::default(), "<code>", b"print('hunter2')", true);
        assert_eq!(stdin, b"16 more <code>\nprint('hunter2')");
        assert!(!start.alternatives.concat().concat().contains("hunter2"));
    }
}

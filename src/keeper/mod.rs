//! The keeper of a fresh session: its program goes on when the connection drops, and is taken up again. Pure.
//!
//! The first process of the session's container is the holder, `hold.py`. With the first attach it starts the program, on
//! a terminal of its own, and keeps what that wrote last and the code it ended with. What is executed in the container
//! is `attach.py`: it connects the exec's terminal with the holder's, over an abstract socket, so that nothing has to be
//! writable. One attach at a time; another takes the program over.
//!
//! The holder and not the exec starts the program, since the code then travels in the Job and not in the URL; a program
//! is started once, however often the exec is repeated; it has the environment that the image's entrypoint prepared;
//! and what it leaves behind ends with the container.
//!
//! Without Python 3.6 in the image the holder only waits, and the program is executed as ever.

#[cfg(all(test, target_os = "linux"))]
mod tests;

use serde_json::json;

use crate::script::terse;

/// Becomes the container's Python, if there is one.
const FIND: &str = include_str!("find.sh");
/// The holder in Python.
const HOLD: &str = include_str!("hold.py");
/// The holder without.
const IDLE: &str = include_str!("idle.sh");
/// Goes before what connects a terminal.
const KEYS: &str = include_str!("keys.sh");
/// Connects a terminal with the holder's.
const ATTACH: &str = include_str!("attach.py");
/// Does so where nothing is kept.
const PLAIN: &str = include_str!("plain.sh");
/// Waits for the holder.
const WAIT: &str = include_str!("wait.py");
/// What an attach ends with when the program may go on: it was taken over, or the holder is gone. A program's own code
/// can be the same.
pub const MAY_GO_ON: u8 = 255;

/// The words of the holder's container: its `args` where the image's entrypoint ends in `exec "$@"`, else its `command`.
/// They stand in a manifest: no secrets in them. Kubernetes finds nothing in them to expand.
///
/// `id` names the session; pods that share their node's network have different ones. `program` are the words to execute,
/// and others to try when the first of them is not in the image, with `term` for a terminal; empty for a holder that
/// starts nothing, in which what has no terminal is executed.
pub fn holder(id: &str, term: Option<&str>, program: &[Vec<String>]) -> Vec<String> {
    // `$(NAME)` and `$$` mean something in a manifest.
    let program = json!(program).to_string().replace('$', "\\u0024");
    words("", IDLE, HOLD, &[id, term.unwrap_or_default(), &program])
}

/// What to execute, with a terminal, to start the holder's program. `plain` is executed where the image has no Python;
/// it travels in the URL.
pub fn start(id: &str, plain: &[String]) -> Vec<Vec<String>> {
    let mut words = words(KEYS, PLAIN, ATTACH, &[id]);
    words.extend_from_slice(plain);
    vec![words]
}

/// What to execute, with a terminal, to take the program up again. Ends with the program's code, also when that ended
/// before.
pub fn attach(id: &str) -> Vec<Vec<String>> {
    start(id, &[])
}

/// What to execute, without a terminal, to wait for the end of the image's entrypoint. Without Python it waits for nothing.
pub fn wait(id: &str) -> Vec<Vec<String>> {
    vec![words("", "exit 0", WAIT, &[id])]
}

fn words(first: &str, without_python: &str, code: &str, arguments: &[&str]) -> Vec<String> {
    let script = [first, FIND, without_python].map(terse).join("\n");
    let words = ["sh", "-c", &script, "kdj", &terse(code)];
    words.iter().chain(arguments).map(ToString::to_string).collect()
}

//! Where the app's settings use a Redis.

use super::{code_on_stdin, manage::Start};
use crate::{environment::DjangoSettings, script::terse};

/// Prints what it finds; a line that begins with [`MARK`].
const REDIS: &str = include_str!("redis.py");
/// What the line begins with.
pub const MARK: &str = "kdj-redis: ";

/// Prints the settings' Redis, for an exec: the code goes over stdin.
pub fn redis_on_stdin(settings: &DjangoSettings, with_password: bool) -> (Start, Vec<u8>) {
    let with_password = if with_password { "True" } else { "False" };
    let code = format!("PARAMETERS = {{\"with_password\": {with_password}}}\n{}\n", terse(REDIS));
    code_on_stdin(settings, "<kdj redis>", code.as_bytes())
}

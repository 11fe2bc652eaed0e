//! Where the app's settings use a Redis.

use serde::Serialize;

use super::{connection::on_stdin, manage::Start};
use crate::environment::DjangoSettings;

/// Finds them.
pub(super) const REDIS: &str = include_str!("redis.py");
/// Prints what was found; a line that begins with [`MARK`].
const FACTS: &str = include_str!("redis_facts.py");
/// What the line begins with.
pub const MARK: &str = "kdj-redis: ";

/// Prints the settings' Redis, for an exec: the code goes over stdin.
pub fn redis_on_stdin(settings: &DjangoSettings, with_password: bool) -> (Start, Vec<u8>) {
    #[derive(Serialize)]
    struct Parameters {
        with_password: bool,
    }
    on_stdin(settings, None, &[REDIS, FACTS], &Parameters { with_password })
}

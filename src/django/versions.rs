//! The settings module, and the versions of Python and Django.

use serde::Serialize;

use super::{
    connection::{PASSWORDS, SETTINGS, with_code_on_stdin},
    manage::Start,
    migrations::with_parameters,
};
use crate::environment::DjangoSettings;

/// Prints them; a line that begins with [`MARK`].
const VERSIONS: &str = include_str!("versions.py");
/// What the line begins with.
pub const MARK: &str = "kdj-versions: ";

/// Asks, in the container's Python; the settings are not loaded. The code goes over stdin.
pub fn versions_on_stdin(settings: &DjangoSettings) -> (Start, Vec<u8>) {
    #[derive(Serialize)]
    struct Parameters {}
    with_code_on_stdin(settings, None, &with_parameters(&[PASSWORDS, SETTINGS, VERSIONS], &Parameters {}))
}

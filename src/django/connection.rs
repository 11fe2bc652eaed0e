//! How to reach the database of the settings.

use serde::Serialize;

use super::{
    manage::{Mode, Start, start},
    migrations::with_parameters,
};
use crate::{environment::DjangoSettings, script::terse};

/// Runs in `start.py`: the code that comes on stdin.
const RECEIVE: &str = include_str!("receive.py");
/// Texts without passwords; stands before the others.
pub(super) const PASSWORDS: &str = include_str!("passwords.py");
/// Loads the settings, without Django's setup.
pub(super) const SETTINGS: &str = include_str!("settings.py");
/// From the settings to the facts.
const CONNECTION: &str = include_str!("connection.py");
/// Prints them.
const FACTS: &str = include_str!("facts.py");

/// Prints how to reach a database, as one line of JSON. The code goes over stdin.
pub fn connection_facts(settings: &DjangoSettings, alias: &str, password: bool) -> (Start, Vec<u8>) {
    #[derive(Serialize)]
    struct Parameters<'a> {
        database: &'a str,
        password: bool,
    }
    on_stdin(settings, None, &[FACTS], &Parameters { database: alias, password })
}

/// Runs scripts that know the settings' databases in the container's Python; what follows on stdin is left to them.
pub(super) fn on_stdin(
    settings: &DjangoSettings,
    term: Option<&str>,
    scripts: &[&str],
    parameters: &impl Serialize,
) -> (Start, Vec<u8>) {
    let code = with_parameters(&[&[PASSWORDS, SETTINGS, CONNECTION], scripts].concat(), parameters);
    with_code_on_stdin(settings, term, &code)
}

/// Runs code in the container's Python, as part of `start.py`. At a terminal it is sent when the program asks for it.
pub(super) fn with_code_on_stdin(settings: &DjangoSettings, term: Option<&str>, code: &str) -> (Start, Vec<u8>) {
    let mut stdin = format!("{}\n", code.len()).into_bytes();
    stdin.extend_from_slice(code.as_bytes());
    (start(settings, term, &Mode::Stdin, &[terse(RECEIVE)]), stdin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::READY;

    #[test]
    fn the_sign_is_the_one_that_is_waited_for() {
        let sign = READY.replace('\x1b', "\\33").replace("\\33\\", "\\33\\\\");
        assert!(RECEIVE.contains(&format!("b\"{sign}\"")), "{sign}");
    }
}

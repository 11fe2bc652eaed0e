//! Whether a cloud's own command is there and logged in.

use std::{process::Stdio, rc::Rc};

use tokio::process::Command;

use super::{
    super::{Fix, How, Outcome},
    login::CloudLogin,
};
use crate::{
    error::{Error, Result},
    program,
    protection::redact,
};

/// How many lines of what it says are shown.
const LINES: usize = 4;

/// It only warns: the plugin may still have what it needs, and says itself when not.
pub(super) async fn check(login: Rc<CloudLogin>) -> Result<Outcome> {
    let line = shell_words::join(&login.status);
    let Some((name, arguments)) = login.status.split_first() else { return Ok(Outcome::skip("nothing to run")) };
    if program::find(name).is_none() {
        return Ok(
            Outcome::warn(format!("`{name}` is not on this machine")).fix(format!("install it: {}", login.install))
        );
    }
    let mut command = Command::new(name);
    command.args(arguments).envs(login.variables.iter().map(|(name, value)| (name, value)));
    // Its output may be a token, and it is not to ask.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().map_err(|error| Error::failed(format!("cannot start `{name}`")).caused_by(error))?;
    let ended = child.wait_with_output().await;
    let ended = ended.map_err(|error| Error::failed(format!("lost `{line}`")).caused_by(error))?;
    if ended.status.success() {
        return Ok(Outcome::pass(format!("`{line}` succeeds")));
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said: Vec<String> = said.lines().filter(|line| !line.trim().is_empty()).take(LINES).map(redact::text).collect();
    let outcome = Outcome::warn(format!("`{name}` is not logged in: `{line}` fails"));
    let outcome = if said.is_empty() { outcome } else { outcome.caused_by(said.join("\n")) };
    Ok(outcome.fix(format!("`{}`", shell_words::join(&login.login))).safe_fix(fix(&login)))
}

/// Logs in, at the terminal.
pub(super) fn fix(login: &CloudLogin) -> Fix {
    let name = login.login.first().map(String::as_str).unwrap_or_default();
    let how = How::Login { words: login.login.clone(), variables: login.variables.clone() };
    Fix { what: format!("log in with `{name}`"), how }
}

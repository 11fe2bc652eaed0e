//! Whether a cloud's own command is there and logged in.

use std::rc::Rc;

use tokio::{process::Command, sync::Semaphore};

use super::{
    super::{Fix, How, Outcome},
    CLOUD_LIMIT,
    login::CloudLogin,
};
use crate::{
    program::{find, run_unattended},
    protection::redact,
};

/// It only warns: the plugin may still have what it needs, and says itself when not.
pub(super) async fn check(state: Rc<(CloudLogin, Rc<Semaphore>)>) -> Outcome {
    let (login, turns) = &*state;
    let _turn = turns.acquire().await;
    let name = login.status.first().map(String::as_str).unwrap_or_default();
    if find(name).is_none() {
        let text = format!("`{name}` is not on this machine");
        return match login.needed {
            true => Outcome::warn(text).fix(format!("install it: {}", login.install)),
            false => Outcome::skip(format!("{text}, and the plugin does without it")),
        };
    }
    match look(login).await {
        Login::In => Outcome::pass(format!("`{}` succeeds", shell_words::join(&login.status))),
        Login::Out(said) => with_remedy(
            said.into_iter().fold(
                Outcome::warn(format!("`{name}` is not logged in: `{}` fails", shell_words::join(&login.status))),
                Outcome::caused_by,
            ),
            login,
        ),
        Login::Unknown(why) => Outcome::warn(why),
    }
}

/// What a cloud's command says of itself.
enum Login {
    In,
    /// And what it said.
    Out(Option<String>),
    /// And why.
    Unknown(String),
}

async fn look(login: &CloudLogin) -> Login {
    let line = shell_words::join(&login.status);
    let Some((name, arguments)) = login.status.split_first() else { return Login::Unknown(String::new()) };
    let mut command = Command::new(name);
    command.args(arguments).envs(login.variables.iter().map(|(name, value)| (name, value)));
    match run_unattended(command, CLOUD_LIMIT).await {
        Err(error) => Login::Unknown(format!("cannot start `{name}`: {error}")),
        // Its stdout may be a token.
        Ok(ran) => match ran.status {
            Some(status) if status.success() => Login::In,
            Some(_) => Login::Out(redact::last_lines(&ran.stderr)),
            None => Login::Unknown(format!("`{line}` did not end within {} s", CLOUD_LIMIT.as_secs())),
        },
    }
}

/// The outcome of a plugin that failed: with what to type first, when that is because its cloud's command is logged out.
pub(super) async fn explain(outcome: Outcome, login: &CloudLogin) -> Outcome {
    match look(login).await {
        Login::Out(_) => {
            let own = outcome.fixes.clone();
            own.into_iter().fold(with_remedy(Outcome { fixes: Vec::new(), ..outcome }, login), Outcome::fix)
        }
        Login::In | Login::Unknown(_) => outcome,
    }
}

fn with_remedy(outcome: Outcome, login: &CloudLogin) -> Outcome {
    let line = shell_words::join(&login.remedy);
    if !login.logs_in {
        return outcome
            .fix(format!("log in again, the way your team does; `{line}` shows where credentials are looked for"));
    }
    let name = login.status.first().map(String::as_str).unwrap_or_default();
    let what = format!("log in with `{name}`");
    outcome
        .fix(format!("`{line}`"))
        .safe_fix(Fix { what, how: How::Login { words: login.remedy.clone(), variables: login.variables.clone() } })
}

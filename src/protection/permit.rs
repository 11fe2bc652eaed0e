//! Whether a change may be made: at once where the environment is not protected, else when its name was given.

use std::{env, hash::BuildHasher};

use jiff::Timestamp;

use super::redact;
use crate::{
    environment::Environment,
    error::{Error, Result},
    names,
    ui::{Ui, style::Role},
};

#[cfg(test)]
pub(super) mod tests;

/// What is about to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The verb: `shell`, `run`, `scale`.
    pub verb: &'static str,
    /// The change itself, as it is shown: `replicas of web 6 -> 2`, ``run `manage.py orders_report` ``.
    pub what: String,
    /// The command that is recorded; without values that look secret.
    pub command: Vec<String>,
}

impl Change {
    /// A change; what looks secret is taken out of both texts.
    pub fn new<'a>(verb: &'static str, what: &str, command: impl IntoIterator<Item = &'a str>) -> Self {
        Self { verb, what: redact::text(what), command: redact::words(command) }
    }

    /// A change that is a command to run.
    pub fn command<'a>(verb: &'static str, command: impl IntoIterator<Item = &'a str>) -> Self {
        let command = redact::words(command);
        let line: Vec<_> = command.iter().map(|word| quoted(word)).collect();
        Self { verb, what: format!("run `{}`", line.join(" ")), command }
    }
}

impl Change {
    /// The command in one line, as a shell would need it.
    pub fn line(&self) -> String {
        self.command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// A word as a shell would need it; what was redacted stays readable.
pub(super) fn quoted(word: &str) -> String {
    let cleaned = [redact::REDACTED, redact::CODE].iter().any(|mark| word.contains(mark));
    if cleaned { word.to_owned() } else { shell_words::quote(word).into_owned() }
}

/// What the flags say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// `--confirm`: the name of the environment.
    pub confirm: Option<String>,
    /// `--reason`.
    pub reason: Option<String>,
    /// `--yes`: answers ordinary questions, and never this one.
    pub yes: bool,
}

/// The change may be made; what the record of it says. It can only come from [`permit`].
#[derive(Clone, Debug)]
pub struct Permit {
    /// What joins the parts of the record: random, of letters and digits, fit for a label.
    pub id: String,
    /// When it was given.
    pub when: Timestamp,
    /// The change.
    pub change: Change,
    /// Why, if somebody said.
    pub reason: Option<String>,
    /// The local user.
    pub user: String,
    /// The local host.
    pub host: String,
    /// Whether the environment is protected, and the change thus recorded.
    pub protected: bool,
}

/// Asks for permission where that is needed: before any request, and before the credential plugin.
///
/// # Errors
/// When it is not given: without a terminal the flag that would give it is named.
pub async fn permit(environment: &Environment, change: &Change, consent: &Consent, ui: &Ui) -> Result<Permit> {
    let mut reason = consent.reason.clone();
    match decide(environment, consent, ui.can_ask()) {
        Decision::Permitted => {}
        Decision::Ask => {
            show(environment, change, ui);
            let name = ui.paint(&names::shown(&environment.confirmed_by), Role::Name);
            match ui.ask(&format!("type {name} to go on:")).await? {
                Some(answer) if answer == environment.confirmed_by => {}
                Some(answer) if !answer.is_empty() => {
                    let message = format!(
                        "`{}` is not `{}`: nothing was done",
                        names::shown(&answer),
                        names::shown(&environment.confirmed_by)
                    );
                    return Err(Error::failed(message));
                }
                _ => return Err(Error::failed("not confirmed: nothing was done")),
            }
            if reason.is_none() {
                reason = ui.ask("reason (Enter for none):").await?;
            }
        }
        Decision::Refused => return Err(refused(environment, change)),
        Decision::OtherName(other) => {
            let [name, other] = [&environment.confirmed_by, other].map(|name| names::shown(name));
            let message = format!("`--confirm {other}` does not confirm a change of `{name}`: nothing was done");
            return Err(Error::usage(message).hint(format!("if that is what you mean: `--confirm {name}`")));
        }
    }
    let reason = reason.map(|reason| redact::text(reason.trim())).filter(|reason| !reason.is_empty());
    Ok(Permit {
        id: random_id(),
        when: to_milliseconds(Timestamp::now()),
        change: change.clone(),
        reason,
        user: local_user(),
        host: local_host(),
        protected: environment.protected,
    })
}

/// The policy, as a truth table: protected, `--confirm`, somebody there to ask. `--yes` plays no part.
#[derive(Debug, PartialEq, Eq)]
enum Decision<'a> {
    Permitted,
    Ask,
    Refused,
    OtherName(&'a String),
}

fn decide<'a>(environment: &Environment, consent: &'a Consent, can_ask: bool) -> Decision<'a> {
    match &consent.confirm {
        _ if !environment.protected => Decision::Permitted,
        Some(name) if *name == environment.confirmed_by => Decision::Permitted,
        Some(other) => Decision::OtherName(other),
        None if can_ask => Decision::Ask,
        None => Decision::Refused,
    }
}

/// The change, before anybody is asked.
fn show(environment: &Environment, change: &Change, ui: &Ui) {
    let Environment { name, context, namespace, instance, .. } = environment;
    let name = ui.environment(&names::shown(name), true);
    let [context, namespace] = [context, namespace].map(|name| names::shown(name));
    let instance = instance.as_ref().map(|name| format!(", instance {}", names::shown(name))).unwrap_or_default();
    ui.before_question(&format!("{name}: context {context}, namespace {namespace}{instance}"));
    ui.before_question(&format!("{}: {}", change.verb, change.what));
}

/// Asks for permission before anything is known of the change, where nobody can be asked: there is nothing to wait with the
/// refusal for. Who can be asked sees first what is to be done, and is asked by [`permit`] then: `None`.
///
/// # Errors
/// As [`permit`].
pub async fn permit_unseen(
    environment: &Environment,
    change: &Change,
    consent: &Consent,
    ui: &Ui,
) -> Result<Option<Permit>> {
    match ui.can_ask() {
        true => Ok(None),
        false => permit(environment, change, consent, ui).await.map(Some),
    }
}

fn refused(environment: &Environment, change: &Change) -> Error {
    let [name, confirmed_by] = [&environment.name, &environment.confirmed_by].map(|name| names::shown(name));
    let verb = in_words(change.verb);
    Error::failed(format!("refusing to {verb} protected environment `{name}` without confirmation"))
        .caused_by("nobody can be asked: stdin and stderr are no terminal")
        .hint(format!("pass `--confirm {}` to confirm in scripts", shell_words::quote(&confirmed_by)))
}

/// The verb with what it needs before `protected environment`.
fn in_words(verb: &str) -> String {
    match verb {
        "migrate" | "restart" | "scale" => verb.to_owned(),
        "shell" | "pyshell" | "dbshell" => format!("open a {verb} in"),
        "attach" => "attach to a session in".to_owned(),
        "end" => "end a session in".to_owned(),
        "gc" => "remove what is left over in".to_owned(),
        "dump" => "dump a database of".to_owned(),
        "kill" => "end a query in".to_owned(),
        "rollback" => "roll back".to_owned(),
        "manage" => "run a management command in".to_owned(),
        _ => format!("{verb} in"),
    }
}

/// 64 random bits in hexadecimal. The hasher's keys are the operating system's randomness.
fn random_id() -> String {
    let hash = std::hash::RandomState::new().hash_one((std::process::id(), Timestamp::now().as_nanosecond()));
    format!("{hash:016x}")
}

/// Nobody reads more.
fn to_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// The local user.
pub fn local_user() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"].iter().filter_map(|name| env::var(name).ok());
    let known = named.into_iter().find(|name| !name.is_empty());
    #[cfg(unix)]
    let known = known.or_else(|| Some(format!("uid {}", rustix::process::getuid().as_raw())));
    known.unwrap_or_default()
}

/// The local host.
pub fn local_host() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = env::var("COMPUTERNAME").unwrap_or_default();
    name
}

//! Why there are no facts about a database: Django's settings, or what should have read them.

use serde::Deserialize;

use crate::{
    cluster::{Ending, Target},
    environment::Environment,
    error::Error,
    exit::Failure,
    explained::Explained,
    session::runtime_words,
};

/// How many lines of what the app printed are shown.
const LAST_LINES: usize = 12;

/// What a script in the container says instead of facts.
#[derive(Debug, Deserialize)]
pub struct Problem {
    /// `settings`, `connect`: what it is about.
    pub kind: String,
    /// In the words of who failed, without passwords.
    pub message: String,
}

impl Problem {
    /// The error, for who asked for the database `alias`.
    pub fn explain(&self, alias: &str, environment: &Environment) -> Error {
        let name = &environment.name;
        match self.kind.as_str() {
            "unknown-database" => Error::usage(format!("no database `{alias}` in the settings of `{name}`"))
                .caused_by(&self.message)
                .hint("`--database` takes an alias of the settings' DATABASES"),
            "settings" => Error::failed(format!("cannot load the settings of `{name}`"))
                .caused_by(&self.message)
                .explained_by(Explained::Database, name)
                .hint(format!("see all that it says: `kdj manage {name} -- check`")),
            _ => Error::failed(format!("cannot open the database's client in `{name}`")).caused_by(&self.message),
        }
    }
}

/// The app's own words, or those of the runtime.
pub fn no_answer(ending: &Ending, stderr: &str, target: &Target, environment: &Environment) -> Error {
    let here = format!("pod {} (container {})", target.pod, target.container);
    let message = format!("cannot read the settings of `{}` in {here}", environment.name);
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let said = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    let (failure, cause) = match ending {
        Ending::Exited(code) if said.is_empty() => (Failure::Failed, format!("it ended with {code} and said nothing")),
        Ending::Exited(_) => (Failure::Failed, said.trim_start_matches("error: ").to_owned()),
        Ending::NotFound(why) => (Failure::NotFound, runtime_words(why).to_owned()),
        Ending::CannotExec(why) => (Failure::CannotExec, runtime_words(why).to_owned()),
        Ending::Gone(why) | Ending::Refused(why) => (Failure::Failed, runtime_words(why).to_owned()),
        Ending::Lost(why) => (Failure::Failed, format!("connection lost: {why}")),
        Ending::Left | Ending::OutputClosed | Ending::Signal(_) => (Failure::Failed, "interrupted".to_owned()),
    };
    Error::new(failure, message).caused_by(cause).explained_by(Explained::Database, &environment.name)
}

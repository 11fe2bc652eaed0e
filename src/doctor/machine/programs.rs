//! Programs of this machine, kdj among them.

use std::{env, fs, path::PathBuf, rc::Rc};

use super::super::{Outcome, World};
use crate::{config::ClientPlace, names, program};

/// The databases' clients, each by the names it goes by.
const CLIENTS: [&[&str]; 3] = [&["psql"], &["mariadb", "mysql"], &["redis-cli", "valkey-cli"]];

pub(super) async fn version(_: Rc<World>) -> Outcome {
    let own = format!("kdj {} on {} {}", env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH);
    let real = |path: PathBuf| fs::canonicalize(&path).unwrap_or(path);
    let running = env::current_exe().map(real);
    match (program::find("kdj").map(real), running) {
        (Some(found), Ok(running)) if found != running => {
            let (found, running) = (found.display(), running.display());
            Outcome::warn(format!("{own} runs from `{running}`, and `kdj` starts `{found}`"))
                .fix("`hash -r`, where your shell remembers the old one; else put the one you want first in PATH")
        }
        _ => Outcome::pass(own),
    }
}

pub(super) async fn editor(_: Rc<World>) -> Outcome {
    let set =
        |name: &'static str| env::var(name).ok().filter(|value| !value.trim().is_empty()).map(|value| (name, value));
    let Some((variable, value)) = set("VISUAL").or_else(|| set("EDITOR")) else {
        return Outcome::skip("neither VISUAL nor EDITOR is set");
    };
    let name = shell_words::split(&value).ok().and_then(|words| words.into_iter().next()).unwrap_or_default();
    match program::find(&name) {
        Some(path) => Outcome::pass(format!("{variable} is `{}`", path.display())),
        None => Outcome::warn(format!("{variable} is `{}`, which is not on this machine", names::shown(&value)))
            .fix(format!("`export {variable}=vi`, or the editor that you have, in your shell's start file")),
    }
}

pub(super) async fn clients(world: Rc<World>) -> Outcome {
    let found: Vec<String> = CLIENTS.iter().filter_map(|names| program::find_any(names)).collect();
    // Of the environments that are asked for; without any, of all.
    let mut asked = world.asked.iter().filter_map(|asked| asked.environment.as_ref().ok());
    let is_wanted = world.asked.is_empty() || asked.any(|one| one.database.client == Some(ClientPlace::Local));
    let entries = world.config.environments.values().map(|entry| &entry.database);
    let mut settings = [&world.config.database].into_iter().chain(entries);
    let local = settings
        .find_map(|database| database.client.as_ref().filter(|client| client.value == ClientPlace::Local))
        .filter(|_| is_wanted);
    match (found.is_empty(), local) {
        (false, _) => Outcome::pass(found.join(", ")),
        (true, None) => {
            Outcome::skip("none of psql, mysql, redis-cli is here: `kdj dbshell` uses those of the app's image")
        }
        (true, Some(client)) => Outcome::fail(format!(
            "{} says `client = \"local\"`, and none of psql, mysql, redis-cli is on this machine",
            client.origin
        ))
        .fix("install your database's: `apt install postgresql-client`, `brew install libpq`")
        .fix("or take the key out: `kdj dbshell` then uses the client of the app's image"),
    }
}

pub(super) async fn kubectl(_: Rc<World>) -> Outcome {
    match program::find("kubectl") {
        Some(path) => Outcome::pass(path.display().to_string()),
        None => Outcome::skip("it is not on this machine"),
    }
}

pub(super) async fn git(_: Rc<World>) -> Outcome {
    match program::find("git") {
        Some(path) => Outcome::pass(path.display().to_string()),
        None => Outcome::skip("it is not on this machine"),
    }
}

//! The files of the kubeconfig.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::PathBuf, rc::Rc};

use super::super::{Fix, How, Outcome, World};
use crate::{
    cluster::KubeconfigFile,
    error::{Error, Result},
    names,
};

/// What others may not do with a file of secrets: read it.
const READ_BY_OTHERS: u32 = 0o044;
/// What a file of secrets is given.
const OWNER_ONLY: u32 = 0o600;

/// The world, and the files each by itself.
pub(super) struct Files {
    world: Rc<World>,
    files: Rc<[KubeconfigFile]>,
}

/// They were read with the world: one may be a pipe.
pub(super) fn read(world: &Rc<World>) -> Rc<Files> {
    Rc::new(Files { world: Rc::clone(world), files: Rc::clone(&world.files) })
}

pub(super) async fn exist(state: Rc<Files>) -> Outcome {
    let shown = |exists: bool| {
        let files = state.files.iter().filter(move |file| file.content.is_some() == exists);
        files.map(|file| file.path.display().to_string()).collect::<Vec<_>>()
    };
    let (there, missing) = (shown(true), shown(false));
    if there.is_empty() {
        return match &state.world.kubeconfig {
            Err(error) => Outcome::of_error(error),
            Ok(_) => Outcome::fail("no kubeconfig"),
        };
    }
    if let [first, ..] = &missing[..] {
        let missing = names::quoted(missing.iter().map(String::as_str), ", ");
        return Outcome::warn(format!("KUBECONFIG names {missing}, which is not there"))
            .fix(format!("take `{first}` out of KUBECONFIG, or have the file written again"));
    }
    Outcome::pass(there.join(", "))
}

pub(super) async fn parse(state: Rc<Files>) -> Outcome {
    for file in &*state.files {
        if let Some(Err(error)) = &file.content {
            return Outcome::of_error(error);
        }
    }
    match &state.world.kubeconfig {
        Ok(kubeconfig) => match kubeconfig.contexts().len() {
            1 => Outcome::pass("1 context"),
            count => Outcome::pass(format!("{count} contexts")),
        },
        Err(error) => Outcome::of_error(error),
    }
}

pub(super) async fn merge(state: Rc<Files>) -> Outcome {
    let mut first = BTreeMap::new();
    let mut twice = Vec::new();
    for file in &*state.files {
        let Some(Ok(content)) = &file.content else { continue };
        for entry in &content.entries {
            let path = file.path.display().to_string();
            match first.get(entry) {
                Some(other) => {
                    twice.push(format!("{} stands in `{other}`, which counts, and in `{path}`", names::shown(entry)))
                }
                None => drop(first.insert(entry.clone(), path)),
            }
        }
    }
    let files = state.files.iter().filter(|file| file.content.is_some()).count();
    match twice.split_first() {
        None if files == 1 => Outcome::pass("one file"),
        None => Outcome::pass(format!("{files} files")),
        Some((one, more)) => more
            .iter()
            .fold(Outcome::warn(one.clone()), |outcome, more| outcome.caused_by(more.clone()))
            .fix("rename one of the two, or take its file out of KUBECONFIG: `kubectl config rename-context OLD NEW`"),
    }
}

pub(super) async fn permissions(state: Rc<Files>) -> Result<Outcome> {
    let mut secret: Vec<PathBuf> = Vec::new();
    for file in &*state.files {
        let Some(Ok(content)) = &file.content else { continue };
        if content.has_secrets {
            secret.push(file.path.clone());
        }
        secret.extend(content.secret_files.iter().cloned());
    }
    let readable = |path: &PathBuf| {
        let about = fs::metadata(path);
        about.is_ok_and(|about| about.permissions().mode() & READ_BY_OTHERS != 0)
    };
    let open: Vec<PathBuf> = secret.iter().filter(|path| readable(path)).cloned().collect();
    if open.is_empty() {
        let seen = if secret.is_empty() { "it holds no secret" } else { "they are yours alone" };
        return Ok(Outcome::pass(seen));
    }
    let shown: Vec<String> = open.iter().map(|path| path.display().to_string()).collect();
    let words: Vec<&str> = ["chmod", "600"].into_iter().chain(shown.iter().map(String::as_str)).collect();
    let line = shell_words::join(words);
    let listed = names::quoted(shown.iter().map(String::as_str), ", ");
    Ok(Outcome::warn(format!("others on this machine can read {listed}, which holds secrets"))
        .fix(format!("`{line}`"))
        .safe_fix(Fix {
            what: format!("make {listed} readable by you alone"),
            how: How::Change(Box::new(move || open.iter().try_for_each(close))),
        }))
}

fn close(path: &PathBuf) -> Result<()> {
    let closed = fs::set_permissions(path, fs::Permissions::from_mode(OWNER_ONLY));
    closed.map_err(|error| Error::failed(format!("cannot change `{}`", path.display())).caused_by(error))
}

//! The files of the kubeconfig.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    rc::Rc,
};

use rustix::{
    fs::{Mode, OFlags},
    process::geteuid,
};

use super::super::{Fix, How, Outcome, World};
use crate::{
    cluster::KubeconfigFile,
    error::{Error, Result},
    names,
};

/// What others may not do with a file of secrets: read it, or write into it what then runs as its owner.
const OTHERS: u32 = 0o066;
/// What is taken from them.
const ALL_OF_OTHERS: u32 = 0o077;

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
    let mut seen = BTreeSet::new();
    for file in &*state.files {
        let Some(Ok(content)) = &file.content else { continue };
        // Shell start files that append to KUBECONFIG name one file twice.
        if !seen.insert(fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone())) {
            continue;
        }
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
    let files = seen.len();
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
    let open: Vec<(PathBuf, Owner)> =
        secret.iter().filter_map(|path| Some((path.clone(), open_to_others(path)?))).collect();
    if open.is_empty() {
        let seen = if secret.is_empty() { "it holds no secret" } else { "they are yours alone" };
        return Ok(Outcome::pass(seen));
    }
    let shown = |paths: &[&PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let all = shown(&open.iter().map(|(path, _)| path).collect::<Vec<_>>());
    let listed = names::quoted(all.iter().map(String::as_str), ", ");
    let outcome = Outcome::warn(format!("others on this machine can read or change {listed}, which holds secrets"));
    let own: Vec<PathBuf> =
        open.iter().filter(|(_, owner)| *owner == Owner::Me).map(|(path, _)| path.clone()).collect();
    if own.is_empty() {
        return Ok(outcome.fix("it is not yours, or a link to elsewhere: tell whoever it belongs to"));
    }
    let words = shown(&own.iter().collect::<Vec<_>>());
    let line = shell_words::join(["chmod", "go-rwx"].into_iter().chain(words.iter().map(String::as_str)));
    let listed = names::quoted(words.iter().map(String::as_str), ", ");
    Ok(outcome.fix(format!("`{line}`")).safe_fix(Fix {
        what: format!("make {listed} readable by you alone"),
        how: How::Change(Box::new(move || close_all(&own))),
    }))
}

/// Whose a file is that others can read or change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Me,
    /// Somebody else, or nobody can tell: it is a link.
    Other,
}

fn open_to_others(path: &Path) -> Option<Owner> {
    let about = fs::metadata(path).ok()?;
    let is_link = fs::symlink_metadata(path).ok()?.is_symlink();
    let is_open = about.is_file() && about.permissions().mode() & OTHERS != 0;
    let is_mine = about.uid() == geteuid().as_raw() && !is_link;
    is_open.then_some(if is_mine { Owner::Me } else { Owner::Other })
}

/// Closes all that it can, and says which could not be closed.
fn close_all(paths: &[PathBuf]) -> Result<()> {
    let failed = paths.iter().filter_map(|path| Some(format!("`{}`: {}", path.display(), close(path).err()?)));
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(failed.iter().fold(Error::failed("not every file could be changed"), |error, why| error.caused_by(why)))
}

/// Takes from others what they may, of the very file that is looked at.
fn close(path: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let about = file.metadata()?;
    if !about.is_file() || about.uid() != geteuid().as_raw() {
        return Err(io::Error::other("it is no file of yours"));
    }
    file.set_permissions(fs::Permissions::from_mode(about.permissions().mode() & !ALL_OF_OTHERS & 0o7777))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_what_others_may_is_taken_away() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = directory.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let (read_only, written, own) = (file("a", 0o440), file("b", 0o622), file("c", 0o600));
        assert!(open_to_others(&read_only) == Some(Owner::Me) && open_to_others(&written) == Some(Owner::Me));
        assert!(open_to_others(&own).is_none());
        let missing = directory.path().join("gone");
        // One that cannot be closed keeps no other from it.
        assert!(close_all(&[missing, read_only.clone(), written.clone()]).is_err());
        assert_eq!((mode(&read_only), mode(&written)), (0o400, 0o600));
    }

    #[test]
    fn what_a_link_leads_to_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("k3s.yaml"), directory.path().join("config"));
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(open_to_others(&link) == Some(Owner::Other));
        assert!(close_all(&[link]).is_err());
        assert_eq!(mode(&file), 0o644);
    }
}

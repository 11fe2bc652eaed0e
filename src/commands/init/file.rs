//! Where the file goes, and that none is ever overwritten.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::{
    config::{Config, PROJECT_FILE, Sources},
    error::{Error, Result},
    names,
};

/// Where the file is, or goes.
pub(super) struct Place {
    /// Its path.
    pub(super) path: PathBuf,
    /// Whether there is one.
    pub(super) existing: Existing,
}

/// Whether the project has a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// None.
    None,
    /// The one at the place.
    Here,
}

/// The file that is in force, else the place for one: beside the `manage.py` above the working directory, or in that.
///
/// # Errors
/// When there is no working directory.
pub(super) fn place(config: &Config) -> Result<Place> {
    let here = env::current_dir().map_err(|error| Error::failed("there is no working directory").caused_by(error))?;
    // The project's file is the last one that is read; `KDJ_CONFIG` may call it otherwise.
    if let Some(path) = config.files.last().filter(|_| config.project.is_some()) {
        return Ok(Place { path: path.clone(), existing: Existing::Here });
    }
    let path = beside_manage(&here).unwrap_or(here).join(PROJECT_FILE);
    let existing = if path.symlink_metadata().is_ok() { Existing::Here } else { Existing::None };
    Ok(Place { path, existing })
}

/// Refuses where a new file would not be read: nothing else is said of `KDJ_CONFIG` once it names a file that is there.
///
/// # Errors
/// When `KDJ_CONFIG` turns files off.
pub(super) fn check_in_force() -> Result<()> {
    if env::var_os("KDJ_CONFIG").is_none_or(|named| named.is_empty()) {
        return Ok(());
    }
    Err(Error::usage(format!("a new `{PROJECT_FILE}` would not be in force"))
        .caused_by("`KDJ_CONFIG` says that no file is read")
        .hint("unset KDJ_CONFIG; `kdj init --dry-run` prints the file"))
}

/// The nearest directory with a `manage.py`, not beyond the repository.
fn beside_manage(here: &Path) -> Option<PathBuf> {
    for directory in here.ancestors() {
        if directory.join("manage.py").is_file() {
            return Some(directory.to_owned());
        }
        if directory.join(".git").exists() {
            break;
        }
    }
    None
}

impl Place {
    /// The configuration that the file makes, beside the user's own.
    ///
    /// # Errors
    /// When it makes none, which is a mistake of kdj's.
    pub(super) fn loaded(&self, text: &str) -> Result<Config> {
        let loaded = Config::load_with(&Sources::of_this_process(), self.path.clone(), text.to_owned());
        loaded.map_err(|error| {
            Error::failed("what was found makes no file that loads; nothing was written")
                .caused_by(error.message())
                .hint("`kdj init --dry-run` prints it, for you to correct")
        })
    }

    /// The configuration that the file makes that is there, when this is added at its end.
    ///
    /// # Errors
    /// When it cannot be read, or makes none.
    pub(super) fn loaded_with(&self, addition: &str) -> Result<Config> {
        let text = fs::read_to_string(&self.path).map_err(|error| {
            Error::failed(format!("cannot read `{}`", names::shown(&self.path.display().to_string()))).caused_by(error)
        })?;
        Config::load_with(&Sources::of_this_process(), self.path.clone(), format!("{text}\n{addition}"))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written, or somebody has made one meanwhile.
    pub(super) fn write(&self, text: &str) -> Result<()> {
        let path = names::shown(&self.path.display().to_string());
        let file = OpenOptions::new().write(true).create_new(true).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                Error::failed(format!("`{path}` is there now")).caused_by("it is never overwritten")
            }
            _ => Error::failed(format!("cannot write `{path}`"))
                .caused_by(error)
                .hint("`kdj init --dry-run` prints it instead"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_goes_beside_manage_py_and_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(directory.path().join("manage.py"), "").unwrap();
        assert_eq!(beside_manage(&below).unwrap(), directory.path());
        std::fs::create_dir(directory.path().join("a/.git")).unwrap();
        assert_eq!(beside_manage(&below), None);
        let place = Place { path: below.join(PROJECT_FILE), existing: Existing::None };
        place.write("one").unwrap();
        assert!(place.write("two").unwrap_err().to_string().contains("never overwritten"));
        assert_eq!(std::fs::read_to_string(&place.path).unwrap(), "one");
    }

    #[test]
    fn what_does_not_load_is_known_before_it_is_written() {
        let place = Place { path: PathBuf::from("/project/kdj.toml"), existing: Existing::None };
        assert_eq!(place.loaded("[environments.qa]\n").unwrap().environments.len(), 1);
        let error = place.loaded("[environments.qa]\n[environments.qa]\n").unwrap_err();
        assert!(error.causes().iter().any(|cause| cause.contains("kdj.toml:2:15: duplicate key")), "{error}");
    }
}

//! Where configuration is read from: which files there are, and which variables are set.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::origin::{Location, Origin};
use crate::{
    error::{Error, Result},
    names,
};

/// The project file's name.
pub const PROJECT_FILE: &str = "kdj.toml";
/// The user file's name, in kdj's own directory below the platform's config directory.
pub const USER_FILE: &str = "config.toml";
/// Nobody writes a larger one by hand: it is something else.
const LIMIT: u64 = 1024 * 1024;

/// Where configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// kdj's own directory below the platform's config directory.
    pub user_directory: Option<PathBuf>,
    /// Where the search for the project file begins.
    pub working_directory: Option<PathBuf>,
    /// The variables whose names begin with `KDJ_`.
    pub variables: BTreeMap<String, OsString>,
}

impl Sources {
    /// This process's files and variables.
    pub fn of_this_process() -> Self {
        let variable = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        Self {
            user_directory: dirs::config_dir().map(|directory| directory.join("kdj")),
            // Somebody may have removed the directory: then there is no project file.
            working_directory: env::current_dir().ok(),
            variables: env::vars_os().filter_map(variable).filter(|(name, _)| name.starts_with("KDJ_")).collect(),
        }
    }

    /// The value of a variable; an empty one counts as absent.
    ///
    /// # Errors
    /// When it is not valid Unicode.
    pub fn variable(&self, name: &str) -> Result<Option<&str>> {
        match self.variables.get(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.to_str() {
                Some(text) => Ok(Some(text)),
                None => Err(Error::usage(format!("the variable `{name}` is not valid Unicode"))),
            },
        }
    }

    /// The files to read, in the order of the layers: the user's, then the project's.
    ///
    /// # Errors
    /// When a file is there and cannot be read, or one that `KDJ_CONFIG` names is not there.
    pub(super) fn files(&self) -> Result<Vec<SourceFile>> {
        // A path need not be Unicode, so the variable is read as it is.
        let named = self.variables.get("KDJ_CONFIG").filter(|value| !value.is_empty());
        if named.is_some_and(|value| value == "none") {
            return Ok(Vec::new());
        }
        let mut files = self.user_file()?;
        match (named, &self.working_directory) {
            (Some(path), directory) => {
                let path = directory.as_deref().unwrap_or(Path::new("")).join(path);
                let shown = names::shown(&path.to_string_lossy());
                let file = SourceFile::read(path, Layer::Project)?.ok_or_else(|| {
                    Error::usage(format!("`KDJ_CONFIG` names `{shown}`, which does not exist"))
                        .hint("`KDJ_CONFIG=none` reads no file")
                })?;
                files.push(file);
            }
            (None, Some(directory)) => {
                for directory in directory.ancestors() {
                    if let Some(file) = SourceFile::read(directory.join(PROJECT_FILE), Layer::Project)? {
                        files.push(file);
                        break;
                    }
                }
            }
            (None, None) => {}
        }
        Ok(files)
    }

    /// The user's file, if there is one.
    pub(super) fn user_file(&self) -> Result<Vec<SourceFile>> {
        let file = self.user_directory.as_ref().map(|directory| directory.join(USER_FILE));
        let file = file.map(|path| SourceFile::read(path, Layer::User)).transpose()?.flatten();
        Ok(file.into_iter().collect())
    }
}

/// Which layer a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    User,
    Project,
}

/// A file that was read.
pub(super) struct SourceFile {
    pub(super) path: Arc<PathBuf>,
    pub(super) layer: Layer,
    pub(super) text: String,
}

impl SourceFile {
    /// Reads a file, `None` when there is none.
    fn read(path: PathBuf, layer: Layer) -> Result<Option<Self>> {
        let shown = names::shown(&path.to_string_lossy());
        let cannot = |cause: std::io::Error| Error::usage(format!("cannot read `{shown}`")).caused_by(cause);
        let file = match File::open(&path) {
            Ok(file) => file,
            // A parent that is a file: nothing is below it.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(cannot(error)),
        };
        if file.metadata().map_err(cannot)?.is_dir() {
            return Err(Error::usage(format!("`{shown}` is a directory, and should be a file")));
        }
        let mut bytes = Vec::new();
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > LIMIT {
            return Err(Error::usage(format!("`{shown}` is larger than 1 MiB, and so not a configuration of kdj")));
        }
        let path = Arc::new(path);
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(Self { path, layer, text })),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
                Err(Error::usage(format!("{}: the file is not valid UTF-8", Location::of(&path, &text, valid))))
            }
        }
    }

    /// The place of a byte of the file.
    pub(super) fn location(&self, offset: usize) -> Location {
        Location::of(&self.path, &self.text, offset)
    }

    /// The origin of a value at a byte of the file.
    pub(super) fn origin(&self, offset: usize) -> Origin {
        match self.layer {
            Layer::User => Origin::User(self.location(offset)),
            Layer::Project => Origin::Project(self.location(offset)),
        }
    }

    /// An error at a byte of the file.
    pub(super) fn error(&self, offset: usize, what: impl AsRef<str>) -> Error {
        Error::usage(format!("{}: {}", self.location(offset), what.as_ref()))
    }
}

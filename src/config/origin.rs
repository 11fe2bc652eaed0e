//! Where a value came from; every value of the configuration remembers it.

use std::{fmt, path::PathBuf, sync::Arc};

use crate::names;

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value and where it came from.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// The same origin for what becomes of the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), origin: self.origin }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// The kubeconfig: the namespace a context sets.
    Kubeconfig,
    /// The user's own file.
    User(Location),
    /// The project's file.
    Project(Location),
    /// A variable.
    Variable(&'static str),
    /// A flag.
    Flag(&'static str),
    /// The literal form `CONTEXT/NAMESPACE[/INSTANCE]`, typed for the environment.
    Argument,
}

/// What is shown: `/home/ada/shop/kdj.toml:7`, `KDJ_COLOR`, `--context`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Kubeconfig => f.write_str("kubeconfig"),
            Origin::Argument => f.write_str("argument"),
            Origin::User(location) | Origin::Project(location) => {
                write!(f, "{}:{}", names::shown(&location.path.to_string_lossy()), location.line)
            }
            Origin::Variable(name) | Origin::Flag(name) => f.write_str(name),
        }
    }
}

/// A place in a file; line and column count from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: Arc<PathBuf>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Location {
    /// The place of byte `offset` of `text`, the content of the file.
    pub fn of(path: &Arc<PathBuf>, text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { path: Arc::clone(path), line, column }
    }
}

/// The form editors and terminals can follow: `FILE:LINE:COLUMN`.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", names::shown(&self.path.to_string_lossy()), self.line, self.column)
    }
}

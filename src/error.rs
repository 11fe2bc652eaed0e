//! The error every command returns: what happened, why, and the command to type next.

use std::fmt;

use crate::exit::Failure;

/// A result whose error can be shown to the user as it is.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// More are not read.
const MOST_HINTS: usize = 2;

/// What happened, its causes from the nearest to the root, and up to two hints.
///
/// Texts are lower-case fragments without a final period, names and commands in backticks.
#[derive(Clone, Debug)]
pub struct Error {
    failure: Failure,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
    forbidden: bool,
    see: Option<String>,
}

impl Error {
    /// Wrong usage or configuration: exit code 2 (125 in pass-through commands).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Failure::Usage, message)
    }

    /// Something failed: exit code 1 (125 in pass-through commands).
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Failure::Failed, message)
    }

    /// An error of any other kind.
    pub fn new(failure: Failure, message: impl Into<String>) -> Self {
        Self { failure, message: message.into(), causes: Vec::new(), hints: Vec::new(), forbidden: false, see: None }
    }

    /// Adds a cause, one step nearer to the root than those before it.
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds a hint: what to do or type next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The command of kdj's that looks into it, unless one is named already: `doctor qa --only cluster.rights`.
    pub fn see(mut self, command: String) -> Self {
        self.see.get_or_insert(command);
        self
    }

    /// The same error, which is one of missing rights: to ask again does not help.
    pub fn forbidden(mut self) -> Self {
        self.forbidden = true;
        self
    }

    /// The same error, but what was asked for may have happened all the same: exit code 255. `cause` says so.
    pub fn outcome_unknown(mut self, cause: &str) -> Self {
        self.failure = Failure::Lost;
        self.caused_by(cause)
    }

    /// Which kind of failure this is.
    pub fn failure(&self) -> Failure {
        self.failure
    }

    /// Whether rights are missing.
    pub fn is_forbidden(&self) -> bool {
        self.forbidden
    }

    /// The first line: what happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Why, nearest cause first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// The command that looks into it, where the hints leave room for one more.
    pub fn look_into(&self) -> Option<String> {
        let see = self.see.as_deref().filter(|_| self.hints.len() < MOST_HINTS)?;
        Some(format!("kdj {see}"))
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// The plain text of the error; [`Ui::error`](crate::ui::Ui::error) shows the same in colour.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

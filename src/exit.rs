//! The one table of exit codes; `docs/exit-codes.md` is checked against it.

use std::process::ExitCode;

/// How a command ended, when it ended without an [`Error`](crate::error::Error).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Success,
    /// 1: it failed, and what there was to say has been said.
    Failed,
    /// The remote command's own code, passed through unchanged.
    Remote(u8),
    /// 128 and the signal's number: a signal ended what would have gone on for ever.
    Interrupted(u8),
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Remote(code) => code,
            Exit::Interrupted(number) => Failure::Signal(number).code(false),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// What kind of failure an [`Error`](crate::error::Error) is: it decides the exit code and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Wrong usage or configuration.
    Usage,
    /// Anything else that kept kdj from doing what was asked.
    Failed,
    /// The remote command was found and cannot be executed.
    CannotExec,
    /// The remote command was not found.
    NotFound,
    /// The time given for it was over, and the remote command was ended.
    TimedOut,
    /// The connection was lost, or the outcome is unknown: the remote command may still be running.
    Lost,
    /// A signal ended kdj; the number is the signal's.
    Signal(u8),
}

impl Failure {
    /// The exit code of this failure.
    ///
    /// `pass_through` says whether the command hands on a remote command's code (`shell`, `pyshell`, `manage`); there,
    /// 1 and 2 belong to the remote command and kdj's own failures are 125.
    pub fn code(self, pass_through: bool) -> u8 {
        match self {
            Failure::Usage | Failure::Failed if pass_through => 125,
            Failure::Usage => 2,
            Failure::Failed => 1,
            Failure::TimedOut => 124,
            Failure::CannotExec => 126,
            Failure::NotFound => 127,
            Failure::Lost => 255,
            Failure::Signal(number) => 128u8.saturating_add(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_failures_of_pass_through_commands_are_125() {
        assert_eq!(Failure::Usage.code(true), 125);
        assert_eq!(Failure::Failed.code(true), 125);
        assert_eq!(Failure::Usage.code(false), 2);
        assert_eq!(Failure::Failed.code(false), 1);
    }

    #[test]
    fn signals_are_128_and_their_number() {
        assert_eq!(Failure::Signal(2).code(true), 130);
        assert_eq!(Failure::Signal(15).code(false), 143);
    }
}

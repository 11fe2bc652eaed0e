//! `--exec`: a program of the user's own machine, with what it needs to connect in its environment alone.

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use super::Variables;
use crate::{
    error::{Error, Result},
    exit::{Exit, Failure},
    names,
    ui::terminal::{gets_keys, interrupted},
};

/// 128 and the signal's number: what a shell makes of a process that a signal ended.
const SIGNALLED: u8 = 128;

/// Runs the program to its end; its code is kdj's.
///
/// # Errors
/// When it cannot be started.
pub async fn run(words: &[String], variables: &Variables) -> Result<Exit> {
    let Some((program, arguments)) = words.split_first() else { return Err(Error::usage("there is nothing to run")) };
    let mut command = Command::new(program);
    command.args(arguments);
    variables.give(&mut command);
    let mut child = command.spawn().map_err(|error| not_started(program, &error))?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    loop {
        tokio::select! {
            biased;
            ended = child.wait() => {
                let status = ended.map_err(|error| Error::failed(format!("cannot wait for `{program}`")).caused_by(error))?;
                return Ok(Exit::Remote(code(status)));
            }
            number = interrupted() => {
                let signal = Signal::from_named_raw(number.into());
                if let (Some(pid), Some(signal)) = (pid, signal)
                    // Ctrl-C reaches the program by itself: it is in kdj's process group.
                    && !(signal == Signal::INT && gets_keys())
                {
                    // When it is over already, that is seen next.
                    let _ = kill_process(pid, signal);
                }
            }
        }
    }
}

/// The code that a shell would make of it.
pub fn code(status: ExitStatus) -> u8 {
    let signalled = status.signal().and_then(|number| u8::try_from(number).ok()).map(|n| SIGNALLED.saturating_add(n));
    signalled.or(status.code().and_then(|code| u8::try_from(code).ok())).unwrap_or(u8::MAX)
}

fn not_started(program: &str, error: &io::Error) -> Error {
    let program = names::shown(program);
    match error.kind() {
        io::ErrorKind::NotFound => Error::new(Failure::NotFound, format!("no `{program}` on this machine"))
            .hint("the program runs here, not in the pod; it is looked up on your PATH, without a shell"),
        _ => Error::new(Failure::CannotExec, format!("cannot execute `{program}`")).caused_by(error),
    }
}

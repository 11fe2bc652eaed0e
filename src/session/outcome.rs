//! What a session's end means: an exit code to pass on, or an error that says why and what may still be running.

use super::{
    place::{Named, Place},
    pod_cache,
};
use crate::{
    cluster::Ending,
    error::{Error, Result},
    exit::{Exit, Failure},
    ui::terminal::interrupted,
};

/// 128 and SIGKILL's number: what a process that was killed from outside ends with.
pub(super) const KILLED: u8 = 137;
/// 128 and SIGTERM's number: what a process in a pod that is deleted ends with.
pub(super) const TERMINATED: u8 = 143;

/// Turns the ending into kdj's own. After a kill or a lost connection the cluster is asked why.
pub(super) async fn of(ending: Ending, named: &Named, place: &Place<'_>) -> Result<Exit> {
    let Named { target, name, .. } = named;
    let here = format!("pod {} (container {})", target.pod, target.container);
    if !matches!(ending, Ending::Exited(0..KILLED) | Ending::OutputClosed | Ending::Left | Ending::Signal(_)) {
        // It may be the pod's doing; the next command chooses anew.
        pod_cache::forget(place.environment, &place.wanted, place.cluster);
    }
    match ending {
        Ending::OutputClosed => Ok(Exit::Success),
        Ending::Exited(code @ (KILLED | TERMINATED)) => {
            if let Some(reason) = why(named, place, code == KILLED).await? {
                place.ui.warning(&format!("`{name}` ended with {code}: {reason}"));
            }
            Ok(Exit::Remote(code))
        }
        Ending::Exited(code) => Ok(Exit::Remote(code)),
        Ending::NotFound(message) => Err(not_found(named, &message, place)),
        Ending::CannotExec(message) => {
            Err(Error::new(Failure::CannotExec, format!("cannot execute `{name}` in {here}"))
                .caused_by(runtime_words(&message)))
        }
        Ending::Refused(message) | Ending::Gone(message) => {
            let error = Error::failed(format!("cannot start `{name}` in {here}")).caused_by(runtime_words(&message));
            Err(match why(named, place, false).await? {
                Some(reason) => error.caused_by(reason),
                None => error,
            })
        }
        Ending::Lost(cause) => {
            let message = match &place.own {
                Some(own) if !own.kept => {
                    format!(
                        "connection lost; `{name}` may still be running in {here}, which ends in {} at the latest",
                        own.left()
                    )
                }
                _ => format!("connection lost; `{name}` may still be running in {here}"),
            };
            let error = Error::new(Failure::Lost, message).caused_by(cause);
            Err(match (why(named, place, false).await?, &place.own) {
                (Some(reason), _) => error.caused_by(reason),
                (None, Some(own)) => own.hints(error, place.environment),
                (None, None) => error.hint(format!("see what still runs there: {}", place.again("ps"))),
            })
        }
        Ending::Left => Err(left_behind(Failure::Lost, "left the session", named, &here, place)),
        Ending::Signal(number) => Err(left_behind(Failure::Signal(number), "interrupted", named, &here, place)),
    }
}

/// What becomes of a program that nobody is connected with any more.
fn left_behind(failure: Failure, what: &str, named: &Named, here: &str, place: &Place<'_>) -> Error {
    let name = &named.name;
    match &place.own {
        None if named.ends => Error::new(failure, format!("{what}; `{name}` cancels its statement and ends")),
        None => Error::new(failure, format!("{what}; `{name}` may still be running in {here}")),
        Some(own) if own.kept => {
            own.hints(Error::new(failure, format!("{what}; `{name}` goes on in {here}")), place.environment)
        }
        Some(_) => Error::new(failure, format!("{what}; `{name}` ends with its pod")),
    }
}

impl Place<'_> {
    /// The command that runs something in the same environment.
    fn again(&self, command: &str) -> String {
        format!("`kdj shell {} -- {command}`", self.environment.name)
    }
}

/// Why the session ended, as far as the cluster knows; a signal cuts the question short.
async fn why(named: &Named, place: &Place<'_>, killed: bool) -> Result<Option<String>> {
    let question = async {
        match &place.own {
            Some(own) => own.why(place.cluster, &named.target, killed).await,
            None => place.cluster.why_ended(&named.target, killed).await,
        }
    };
    tokio::select! {
        reason = place.ui.waiting("asking the cluster why", question) => Ok(reason),
        number = interrupted() => Err(Error::new(Failure::Signal(number), "interrupted while asking the cluster why the session ended")),
    }
}

fn not_found(named: &Named, message: &str, place: &Place<'_>) -> Error {
    let Named { target, name, .. } = named;
    let first = format!("no `{name}` in container {} of pod {}", target.container, target.pod);
    let error = Error::new(Failure::NotFound, first).caused_by(runtime_words(message));
    match name.as_str() {
        "sh" => error.hint(format!(
            "its image has no shell: run a program it has, {}, or choose another container with `--container`",
            place.again("PROGRAM")
        )),
        _ => {
            error.hint("the name is looked up on the PATH of the image, without a shell: aliases and `cd` are unknown")
        }
    }
}

/// The part of the runtime's message that says something: what stands before it is the path the message took.
pub fn runtime_words(message: &str) -> &str {
    let start = message
        .find("exec: \"")
        .or_else(|| message.find("crun: ").map(|at| at + "crun: ".len()))
        .or_else(|| message.rfind("process: ").map(|at| at + "process: ".len()));
    message[start.unwrap_or(0)..].trim_end_matches(": unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_the_runtimes_message_took_is_left_out() {
        let message = r#"Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "b0f": OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown"#;
        assert_eq!(runtime_words(message), r#"exec: "nosuch": executable file not found in $PATH"#);
        assert_eq!(runtime_words("something else"), "something else");
    }
}

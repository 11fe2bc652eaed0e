//! What a Job's end means: an exit code to pass on, or an error that says why and what to do next.

use std::time::Duration;

use super::{Followed, Place};
use crate::{
    cluster::{JobHandle, Verdict},
    error::{Error, Result},
    exit::{Exit, Failure},
    session::runtime_words,
};

/// 128 and SIGTERM's number: for a process that was asked to go and says that all is well.
const TERMINATED: u8 = 143;

/// The exit code or the error of a Job that ran `command`.
///
/// # Errors
/// When the Job did not end by itself.
pub async fn exit_of(followed: Followed, job: &JobHandle, command: &str, place: &Place<'_>) -> Result<Exit> {
    let environment = &place.environment.name;
    let name = &job.name;
    let verdict = match followed {
        Followed::Ended(verdict) => verdict,
        Followed::Left(signal) => return Err(left_alone(place, job, signal)),
        Followed::Cancelled => {
            return Err(Error::new(Failure::Signal(2), format!("job `{name}` was cancelled in `{environment}`")));
        }
    };
    let not_found = || Error::new(Failure::NotFound, format!("no `{command}` in the image of job `{name}`"));
    let not_started = || Error::failed(format!("job `{name}` did not start in `{environment}`"));
    match verdict {
        Verdict::Exited(code) => Ok(Exit::Remote(code)),
        Verdict::Killed { code, why } => {
            let code = if code == 0 { TERMINATED } else { code };
            place.ui.warning(&format!("`{command}` ended with {code}: {why}"));
            Ok(Exit::Remote(code))
        }
        Verdict::TimedOut => {
            let limit = job.timeout.map(|limit| format!(" within {}", limit_words(limit))).unwrap_or_default();
            Err(Error::new(Failure::TimedOut, format!("`{command}` did not end{limit}, and was ended"))
                .hint(format!("give it longer with `--timeout`; its log: `kdj jobs logs {environment} {name}`")))
        }
        Verdict::NotFound(message) => Err(not_found()
            .caused_by(runtime_words(&message))
            .hint("the name is looked up on the PATH of the image, without a shell: aliases and `cd` are unknown")),
        Verdict::CannotExec(message) => {
            Err(Error::new(Failure::CannotExec, format!("cannot execute `{command}` in job `{name}`"))
                .caused_by(runtime_words(&message)))
        }
        Verdict::NotStarted(why) => {
            let log = job.log_of_all_containers(&place.environment.context);
            Err(not_started()
                .caused_by(runtime_words(&why))
                .hint(format!("nothing was run; what there is of it: `{log}`")))
        }
        Verdict::GivenUp(why) => {
            // One of ours might start yet, when nobody expects it any more.
            let deleting = async { job.is_new() && place.cluster.delete_job(job).await.is_ok() };
            let hint = match place.ui.waiting("deleting the job", deleting).await {
                true => "nothing was run, and the job is deleted again".to_owned(),
                false => format!("it may start yet; end it: {}", place.cancel(job)),
            };
            Err(not_started().caused_by(runtime_words(&why)).hint(hint))
        }
        Verdict::Unknown(why) => Err(Error::new(Failure::Lost, format!("how `{command}` ended is not known"))
            .caused_by(why)
            .hint(format!("what is left of it: `kdj jobs logs {environment} {name}`"))),
        Verdict::Deleted => Err(Error::new(Failure::Lost, format!("job `{name}` was deleted while it was followed"))
            .caused_by("its command was ended, and how far it came is not known")),
        Verdict::OutputClosed => {
            place.ui.status(&format!("nobody reads on; the job goes on: {}", place.attach(job)));
            Ok(Exit::Success)
        }
    }
}

/// A signal ended kdj, and the Job goes on.
pub(super) fn left_alone(place: &Place<'_>, job: &JobHandle, signal: u8) -> Error {
    let message = format!("left job `{}`, which goes on in `{}`", job.name, place.environment.name);
    Error::new(Failure::Signal(signal), message)
        .hint(format!("take it up again: {}", place.attach(job)))
        .hint(format!("end it: {}", place.cancel(job)))
}

/// A limit as it was set: `24 h`, `90 s`.
fn limit_words(limit: Duration) -> String {
    match limit.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

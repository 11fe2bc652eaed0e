//! The Job of a session's own pod: made, waited for, removed.

use std::{pin::pin, time::Duration};

use jiff::Timestamp;

use super::{
    capture,
    own::{Own, words},
};
use crate::{
    cluster::{JobHandle, NewJob, News, Target, Template, Verdict},
    error::{Error, Result},
    exit::Failure,
    job, keeper,
    ui::{left as left_of, terminal::interrupted},
};

/// Makes the Job and waits for its pod; the inner error leaves a Job.
pub(super) async fn begin(
    place: &job::Place<'_>,
    template: &Template,
    new: &NewJob,
    kept: bool,
    start_limit: Duration,
) -> Result<(Own, Result<Target>)> {
    // One listener for all of it: between two a signal would be lost.
    let mut signal = pin!(interrupted());
    let mut creating = pin!(job::create(place, template, new));
    let (created, number) = tokio::select! {
        created = &mut creating => (created, None),
        // It may exist already: only the answer tells what to delete.
        number = &mut signal => (creating.await, Some(number)),
    };
    let job = created?.ok_or_else(|| Error::failed(format!("there is a job `{}` already", new.name)))?;
    let until = Timestamp::now() + new.timeout;
    let own = Own { job, kept, new: true, until };
    let interrupted = |number| Err(Error::new(Failure::Signal(number), "interrupted before the session began"));
    let target = match number {
        Some(number) => interrupted(number),
        None => tokio::select! {
            // The next listener hears nothing of what came before it.
            biased;
            number = &mut signal => interrupted(number),
            target = start(place, &own, start_limit) => target,
        },
    };
    Ok((own, target))
}

/// Waits until the pod is ready for its program.
async fn start(place: &job::Place<'_>, own: &Own, limit: Duration) -> Result<Target> {
    match wait(place, &own.job, limit).await? {
        Ok(target) => {
            // What the keeper starts waits by itself.
            if !own.kept {
                wait_for_entrypoint(place, &own.job, &target).await;
            }
            Ok(target)
        }
        Err(verdict) => {
            let environment = &place.environment.name;
            let error = Error::failed(format!("the session's pod did not start in `{environment}`"));
            let error = error.caused_by(words(&verdict));
            Err(match verdict {
                // The entrypoint ended by itself.
                Verdict::Exited(_) | Verdict::Killed { .. } => error.hint(format!(
                    "its entrypoint may not pass on the command; see its log: `kdj run {environment} -- true`"
                )),
                _ => error,
            })
        }
    }
}

/// Waits until the pod's container runs, and says meanwhile why it does not.
pub(super) async fn wait(place: &job::Place<'_>, job: &JobHandle, limit: Duration) -> Result<Result<Target, Verdict>> {
    const WAITING: &str = "waiting for the session's pod";
    let mut live = place.ui.live(WAITING);
    let mut tell = |news| match news {
        News::Waiting(why) | News::Away(why) => live.say(&format!("{WAITING}: {why}")),
        News::Started { .. } => live.clear(),
        // There is no log, and nothing beside it.
        News::NoLog(_) | News::SidecarsEnded(_) | News::SidecarsGoOn(_) | News::SidecarsUnseen(_) => {}
    };
    place.cluster.session_target(job, limit, &mut tell).await
}

/// Waits until the image's entrypoint has come to its end: what it prepares is there then. Nothing is said of a wait that
/// fails: the session itself will tell.
async fn wait_for_entrypoint(place: &job::Place<'_>, job: &JobHandle, target: &Target) {
    let words = keeper::wait(&job.name);
    let waiting = capture(place.cluster, target, &words, &[]);
    let _ = place.ui.waiting("waiting for the container's entrypoint", waiting).await;
}

/// Deletes the Job and its pod. A second signal does not wait for that.
pub(super) async fn remove(place: &job::Place<'_>, job: &JobHandle) {
    let deleting = place.ui.waiting("deleting the session's pod", place.cluster.delete_job(job));
    let failed = tokio::select! {
        deleted = deleting => deleted.err().map(|error| error.to_string()),
        _ = interrupted() => Some("interrupted".to_owned()),
    };
    if let Some(why) = failed {
        let now = Timestamp::now();
        let left = job.timeout.map(|left| format!(", or goes by itself in {}", left_of(now, now + left)));
        let left = left.unwrap_or_default();
        let again = format!("`kdj sessions end {} {}`", place.environment.name, job.name);
        place.ui.warning(&format!("cannot delete the session's pod: {why}; it is deleted by {again}{left}"));
    }
}

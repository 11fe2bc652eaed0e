//! What a migration's end means: its receipt, and an exit code or an error that says what to do next.

use std::time::Duration;

use tokio::time::timeout;

use super::{follow::Watched, show::Shape};
use crate::{
    cluster::{JobHandle, Verdict},
    error::{Error, Result},
    exit::{Exit, Failure},
    job::{self, Followed, Place},
    migration::{About, Outcome, Receipt},
    session::runtime_words,
    ui::terminal::interrupted,
};

/// How long the receipt's way to the Job may take; whoever waits wants the prompt back.
const NOTE_LIMIT: Duration = Duration::from_secs(5);

/// Prints the receipt on stdout, writes it to the Job, and ends as the migration ended. `who` started it.
///
/// # Errors
/// When not all was applied, or nobody knows whether it was.
pub async fn conclude(
    place: &Place<'_>,
    job: &JobHandle,
    who: &str,
    (followed, watched): (Followed, Watched),
    shape: Shape,
) -> Result<Exit> {
    let verdict = match followed {
        Followed::Ended(verdict) if !verdict.never_ran() => verdict,
        Followed::Cancelled => return Err(cancelled(job, place)),
        Followed::Ended(Verdict::NotFound(why) | Verdict::CannotExec(why)) => {
            return Err(Error::failed(format!("the migration of `{}` could not be started", place.environment.name))
                .caused_by(runtime_words(&why)));
        }
        followed => return job::exit_of(followed, job, "migrate", place).await,
    };
    let receipt = watched.progress.receipt(About {
        environment: place.environment.name.clone(),
        image: watched.image.clone(),
        image_id: watched.image_id.clone(),
        who: Some(who.to_owned()).filter(|who| !who.is_empty()),
        job: Some(job.name.clone()),
    });
    place.ui.data(&shape.receipt(&receipt))?;
    note(place, job, receipt.clone()).await;
    let kept = receipt.outcome == Outcome::Done || is_there(place, job).await;
    match exit_of(&receipt, &verdict, &watched, kept.then_some(job), place) {
        // Also for `jobs attach`, which otherwise ends with a command's own code.
        Err(error) if error.failure() == Failure::Failed => {
            place.ui.error(&error);
            Ok(Exit::Failed)
        }
        ended => ended,
    }
}

/// Writes the receipt onto the Job, where it says more than nothing. An exception may tell of data in its further lines.
async fn note(place: &Place<'_>, job: &JobHandle, mut receipt: Receipt) {
    if receipt.outcome == Outcome::Unknown {
        return;
    }
    if let Some(failure) = &mut receipt.failure {
        failure.message = failure.message.lines().next().unwrap_or_default().to_owned();
    }
    let json = serde_json::to_string(&receipt).unwrap_or_default();
    let noting = place.ui.waiting("writing the receipt onto the job", place.cluster.note_receipt(job, &json));
    let noted = tokio::select! {
        noted = timeout(NOTE_LIMIT, noting) => noted,
        _ = interrupted() => return,
    };
    if let Ok(Err(error)) = noted {
        place.ui.verbose(&format!("the receipt is in the job's log only: {error}"));
    }
}

/// Whether the Job is still there, and its log with it.
async fn is_there(place: &Place<'_>, job: &JobHandle) -> bool {
    let found = place.cluster.job(place.environment, &job.name).await;
    found.map_or(true, |found| found.is_some_and(|found| found.handle.uid == job.uid))
}

fn cancelled(job: &JobHandle, place: &Place<'_>) -> Error {
    let environment = &place.environment.name;
    let message = format!("the migration of `{environment}` was cancelled, and its job {} deleted", job.name);
    Error::new(Failure::Signal(2), message)
        .caused_by("the migration that ran is given some seconds to be rolled back")
        .hint(format!("`kdj migrate {environment} --plan` tells what is not applied"))
}

fn exit_of(
    receipt: &Receipt,
    verdict: &Verdict,
    watched: &Watched,
    kept: Option<&JobHandle>,
    place: &Place<'_>,
) -> Result<Exit> {
    let environment = &place.environment.name;
    let how = match verdict {
        Verdict::Exited(0) if receipt.outcome == Outcome::Done => return Ok(Exit::Success),
        Verdict::Exited(code) => format!("it ended with exit code {code}"),
        Verdict::Killed { code, why } => format!("it ended with {code}: {why}"),
        Verdict::TimedOut => "its time was over".to_owned(),
        Verdict::Deleted => "its job was deleted".to_owned(),
        Verdict::Unknown(why) => why.clone(),
        Verdict::NotFound(why) | Verdict::CannotExec(why) | Verdict::NotStarted(why) | Verdict::GivenUp(why) => {
            why.clone()
        }
        Verdict::OutputClosed => "its log was not read to the end".to_owned(),
    };
    // What a signal ended did not end by itself.
    let ended_by_itself = matches!(verdict, Verdict::Exited(1..128));
    let error = match receipt.outcome {
        Outcome::Busy => Error::failed(format!("another migration runs on the database of `{environment}`")),
        Outcome::Failed | Outcome::Interrupted => {
            Error::failed(format!("the migration of `{environment}` did not come to its end"))
        }
        Outcome::Done => Error::failed(format!("all is applied in `{environment}`, and something failed after that")),
        Outcome::Unknown if ended_by_itself => {
            Error::failed(format!("the migration of `{environment}` ended before it said how"))
        }
        Outcome::Unknown => {
            Error::new(Failure::Lost, format!("how the migration of `{environment}` ended is not known"))
        }
    };
    // Unless the runner tells all there is to tell: what the app said, with the traceback.
    if receipt.outcome != Outcome::Busy && !place.ui.is_verbose() {
        for line in &watched.said {
            place.ui.status(line);
        }
    }
    let error = match &receipt.failure {
        Some(failure) => failure.state.iter().fold(error.caused_by(failure), Error::caused_by),
        None => error.caused_by(how),
    };
    let error = receipt.next.iter().fold(error, |error, next| error.hint(next.clone()));
    let log = kept.map(|job| format!("its log stays: `kdj jobs logs {environment} {}`", job.name));
    Err(log.into_iter().fold(error, Error::hint))
}

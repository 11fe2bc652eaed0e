//! Follows a Job at the terminal: what it waits for, its log on stdout, and Ctrl-C, which does not end it.

use std::{cell::RefCell, time::Duration};

use tokio::sync::mpsc;

use super::Place;
use crate::{
    cluster::{JobHandle, News, Verdict},
    error::{Error, Result},
    exit::{Exit, Failure},
    streams::{Control, Pieces, Streams},
    ui::{
        Live,
        terminal::{LocalSide, Stdin, interrupted},
    },
};

/// SIGINT's number: Ctrl-C.
const INTERRUPT: u8 = 2;

/// How the following ended.
pub enum Followed {
    /// The Job ended, or its output is not read any more.
    Ended(Verdict),
    /// A signal ended kdj; the number is the signal's. The Job goes on.
    Left(u8),
    /// The user had it cancelled.
    Cancelled,
}

/// Follows a Job to its end, its log on stdout.
///
/// # Errors
/// When it cannot be followed, or stdout cannot be written. The Job goes on.
pub async fn follow(place: &Place<'_>, job: &JobHandle, start_limit: Option<Duration>) -> Result<Followed> {
    let (side, stdout, mut control) = output()?;
    let followed = until_end(place, job, start_limit, stdout, &mut control).await;
    let followed = followed.map_err(|error| goes_on(place, job, error));
    let leave = matches!(followed, Ok(Followed::Left(_) | Followed::Cancelled));
    match side.finish(false, leave).await {
        Ok(None) => followed,
        Ok(Some(signal)) => Ok(Followed::Left(signal)),
        Err(error) => Err(Error::new(Failure::Lost, "cannot write the output").caused_by(error)),
    }
}

/// Prints a Job's log as far as it is, on stdout.
///
/// # Errors
/// When it cannot be read, or stdout cannot be written.
pub async fn print_log(place: &Place<'_>, job: &JobHandle) -> Result<Exit> {
    let (side, stdout, mut control) = output()?;
    let printed = tokio::select! {
        printed = place.cluster.job_log(job, stdout) => printed,
        signal = control.recv() => match signal {
            Some(Control::Signal(number)) => Err(Error::new(Failure::Signal(number), "interrupted")),
            Some(Control::Leave) | None => Ok(()),
        },
    };
    let written = side.finish(false, printed.is_err()).await;
    written.map_err(|error| Error::failed("cannot write the output").caused_by(error))?;
    printed.map(|()| Exit::Success)
}

/// The local stdout for a log, and the signals.
fn output() -> Result<(LocalSide, mpsc::Sender<Pieces>, mpsc::Receiver<Control>)> {
    let attached = LocalSide::attach(false, Stdin::Closed);
    let (side, streams) = attached.map_err(|error| Error::failed("cannot use the output").caused_by(error))?;
    let Streams { control, stdout, .. } = streams;
    Ok((side, stdout, control))
}

async fn until_end(
    place: &Place<'_>,
    job: &JobHandle,
    start_limit: Option<Duration>,
    stdout: mpsc::Sender<Pieces>,
    control: &mut mpsc::Receiver<Control>,
) -> Result<Followed> {
    let live = RefCell::new(place.ui.live("waiting for the job to start"));
    let mut tell = |news| match news {
        News::Started { .. } => live.borrow_mut().clear(),
        news => tell_of(place, job, &live, news),
    };
    let following = place.cluster.follow(job, start_limit, stdout, &mut tell);
    tokio::pin!(following);
    loop {
        let signal = tokio::select! {
            verdict = &mut following => return verdict.map(Followed::Ended),
            signal = control.recv() => signal,
        };
        let number = match signal {
            Some(Control::Signal(number)) => number,
            Some(Control::Leave) | None => return following.await.map(Followed::Ended),
        };
        live.borrow_mut().clear();
        if let Some(left) = decide_on_signal(place, job, number).await? {
            return Ok(left);
        }
    }
}

/// Says what is said in the same way of every Job: in `live` how it is getting on, until its container runs.
pub fn tell_of(place: &Place<'_>, job: &JobHandle, live: &RefCell<Live>, news: News) {
    let Place { ui, .. } = place;
    match news {
        News::Waiting(why) => live.borrow_mut().say(&format!("waiting for the job to start: {why}")),
        News::Started { .. } => {}
        News::Away(why) => live.borrow_mut().say(&format!("the job goes on; asking again: {why}")),
        News::NoLog(why) => ui.warning(&format!("the log, or the rest of it, cannot be read: {why}")),
        News::SidecarsEnded(names) => {
            ui.status(&format!("{} went on; job {} is deleted, with its log", list(&names), job.name));
        }
        News::SidecarsGoOn(names) => {
            ui.warning(&format!("{} goes on; end the job: {}", list(&names), place.cancel(job)));
        }
        News::SidecarsUnseen(names) => {
            let names = list(&names);
            ui.warning(&format!(
                "it cannot be seen whether {names} goes on; if so, end the job: {}",
                place.cancel(job)
            ));
        }
    }
}

/// What keeps kdj from following does not end the Job: `error` says so.
pub fn goes_on(place: &Place<'_>, job: &JobHandle, error: Error) -> Error {
    match error.failure() {
        Failure::Usage | Failure::Failed | Failure::Lost => error
            .outcome_unknown("the job goes on, and how it ends is not known")
            .hint(format!("take it up again: {}", place.attach(job))),
        _ => error,
    }
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("container {}", names.join(", "))
}

/// What a signal means: to leave the Job, to end it, or (`None`) nothing. Ctrl-C asks where somebody can answer, and
/// another Ctrl-C leaves.
///
/// # Errors
/// When the Job cannot be deleted.
pub async fn decide_on_signal(place: &Place<'_>, job: &JobHandle, number: u8) -> Result<Option<Followed>> {
    // Another's Job is ended by `kdj jobs cancel` alone, which asks for permission and is recorded.
    if number != INTERRUPT || !place.ui.can_ask() || !job.is_new() {
        return Ok(Some(Followed::Left(number)));
    }
    let question = format!("\njob {} goes on: d to leave it, c to cancel it, Enter to follow on:", job.name);
    let answer = tokio::select! {
        answer = place.ui.ask(&question) => answer?,
        _ = interrupted() => None,
    };
    match answer.as_deref() {
        None | Some("d" | "detach") => Ok(Some(Followed::Left(INTERRUPT))),
        Some("c" | "cancel") => {
            place.ui.waiting("deleting the job", place.cluster.delete_job(job)).await?;
            Ok(Some(Followed::Cancelled))
        }
        Some(_) => Ok(None),
    }
}

//! Makes a Job, and says what was made.

use std::pin::pin;

use super::{Place, outcome::left_alone};
use crate::{
    cluster::{By, Created, JobHandle, JobKind, NewJob, Template},
    environment::Environment,
    error::{Error, Result},
    exit::{Exit, Failure},
    kubectl,
    options::Options,
    protection::{self, Change, Permit, Record},
    ui::{Ui, terminal::interrupted},
};

/// For whom a Job is made: `who` is the user the cluster knows.
pub fn by(environment: &Environment, change: &Change, permit: Option<&Permit>, who: Option<String>) -> By {
    By {
        environment: environment.name.clone(),
        instance: environment.instance.clone(),
        user: who.unwrap_or_else(protection::local_user),
        host: protection::local_host(),
        command: change.line(),
        reason: permit.and_then(|permit| permit.reason.clone()),
        record: permit.map(|permit| permit.id.clone()).unwrap_or_default(),
    }
}

/// Makes a Job whose name nobody else has, and says on stderr where it is.
///
/// # Errors
/// When the server refuses, or nobody knows whether it exists.
pub async fn start(place: &Place<'_>, template: &Template, new: &NewJob) -> Result<JobHandle> {
    let job = start_named(place, template, new).await?;
    job.ok_or_else(|| Error::failed(format!("there is a job `{}` already", new.name)))
}

/// Makes a Job, `None` when there is one of its name, and says on stderr where it is.
///
/// # Errors
/// When the server refuses, or nobody knows whether it exists.
pub async fn start_named(place: &Place<'_>, template: &Template, new: &NewJob) -> Result<Option<JobHandle>> {
    let mut signal = pin!(interrupted());
    let mut creating = pin!(create(place, template, new));
    let (created, left) = tokio::select! {
        created = &mut creating => (created, None),
        // It may exist already: only the answer tells.
        number = &mut signal => (creating.await, Some(number)),
    };
    let Some(job) = created? else { return Ok(None) };
    if let Some(number) = left {
        return Err(left_alone(place, &job, number));
    }
    let Place { environment, ui, .. } = place;
    let name = ui.environment(&environment.name, environment.protected);
    let context = &environment.context;
    let image = new.image.as_ref().unwrap_or(&template.image);
    let Template { namespace, workload, .. } = template;
    let name_of_job = &job.name;
    ui.status(&format!(
        "{name}: context {context}, namespace {namespace}, job {name_of_job}, image {image} of {workload}"
    ));
    Ok(Some(job))
}

/// Makes a Job, `None` when there is one of its name, and says what was left out of its template.
///
/// # Errors
/// When the server refuses, or nobody knows whether it exists.
pub async fn create(place: &Place<'_>, template: &Template, new: &NewJob) -> Result<Option<JobHandle>> {
    let Place { cluster, environment, ui, .. } = place;
    let created = ui.waiting("creating the job", cluster.create_job(template, new)).await;
    let list = if new.kind == JobKind::Session { "sessions" } else { "jobs" };
    let created = created.map_err(|error| match error.failure() {
        Failure::Lost => error.hint(format!("see whether it is there: `kdj {list} {}`", environment.name)),
        _ => error,
    })?;
    let Created::Made(job, left_out) = created else { return Ok(None) };
    for note in &left_out {
        ui.status(note);
    }
    Ok(Some(job))
}

/// `--explain`: the Job's manifest on stdout, and nothing done.
///
/// # Errors
/// When stdout cannot be written.
pub fn explain(place: &Place<'_>, template: &Template, new: &NewJob, options: &Options) -> Result<Exit> {
    let Place { cluster, environment, ui, .. } = place;
    let mut words = kubectl::prefix(options, &environment.context, Some(&template.namespace));
    words.extend(["create", "-f", "-"].map(str::to_owned));
    ui.status(&format!("would do what `{}` does with this; nothing was done", kubectl::line(&words)));
    ui.data(&format!("{}\n", cluster.manifest_of(template, new)))?;
    Ok(Exit::Success)
}

/// Prints the name of a Job that nobody follows, and closes its record.
///
/// # Errors
/// When it was not made, or stdout cannot be written.
pub async fn detach(record: Record<'_>, started: Result<JobHandle>, ui: &Ui) -> Result<Exit> {
    match started {
        Ok(job) => {
            // Before the record is closed, which may take a moment.
            let printed = ui.data(&format!("{}\n", job.name));
            record.end(None).await;
            printed.map(|()| Exit::Success)
        }
        Err(error) => record.keep(async { Err(error) }).await,
    }
}

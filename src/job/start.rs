//! Makes a Job, and says what was made.

use super::Place;
use crate::{
    cluster::{By, Created, JobHandle, NewJob, Template},
    environment::Environment,
    error::{Error, Result},
    exit::{Exit, Failure},
    kubectl,
    options::Options,
    protection::{self, Change, Permit},
    ui::style::Role,
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
    let Some(job) = create(place, template, new).await? else { return Ok(None) };
    let Place { environment, ui, .. } = place;
    let name = match environment.protected {
        true => ui.paint(&format!(" {} (protected) ", environment.name), Role::Danger),
        false => ui.paint(&environment.name, Role::Name),
    };
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
    let Place { cluster, environment, ui } = place;
    let created = ui.waiting("creating the job", cluster.create_job(template, new)).await;
    let created = created.map_err(|error| match error.failure() {
        Failure::Lost => error.hint(format!("see whether it is there: `kdj jobs {}`", environment.name)),
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
    let Place { cluster, environment, ui } = place;
    let mut words = kubectl::prefix(options, &environment.context, Some(&template.namespace));
    words.extend(["create", "-f", "-"].map(str::to_owned));
    ui.status(&format!("would do what `{}` does with this; nothing was done", kubectl::line(&words)));
    ui.data(&format!("{}\n", cluster.manifest_of(template, new)))?;
    Ok(Exit::Success)
}

//! Makes a Job, and says what was made.

use super::Place;
use crate::{
    cluster::{Created, JobHandle, NewJob, Template},
    error::Result,
    ui::style::Role,
};

/// What came of it.
pub enum Start {
    /// The Job exists.
    Made(JobHandle),
    /// There is one of this name already.
    Exists,
}

/// Makes the Job and says on stderr where it is.
///
/// # Errors
/// When the server refuses, or nobody knows whether it exists.
pub async fn start(place: &Place<'_>, template: &Template, new: &NewJob) -> Result<Start> {
    let Place { cluster, environment, ui } = place;
    let created = ui.waiting("creating the job", cluster.create_job(template, new)).await;
    let created = created.map_err(|error| match error.failure() {
        crate::exit::Failure::Lost => {
            error.hint(format!("see whether it is there: `kdj jobs {}`", environment.name))
        }
        _ => error,
    })?;
    let Created::Made(job, left_out) = created else { return Ok(Start::Exists) };
    for note in template.notes.iter().chain(&left_out) {
        ui.status(note);
    }
    let name = match environment.protected {
        true => ui.paint(&format!(" {} (protected) ", environment.name), Role::Danger),
        false => ui.paint(&environment.name, Role::Name),
    };
    let context = &environment.context;
    let image = new.image.as_ref().unwrap_or(&template.image);
    let Template { namespace, workload, .. } = template;
    ui.status(&format!(
        "{name}: context {context}, namespace {namespace}, job {}, image {image} of {workload}",
        job.name
    ));
    Ok(Start::Made(job))
}

//! A Job by its name.

use super::Place;
use crate::{
    cluster::{JobKind, JobSummary},
    error::{Error, Result},
    names,
};

/// The Job of this name and of one of these kinds. `list` is the command that lists them, `what` how one is called.
///
/// # Errors
/// When there is none, or the cluster cannot be asked.
pub async fn find(place: &Place<'_>, name: &str, kinds: &[JobKind], what: &str, list: &str) -> Result<JobSummary> {
    let Place { cluster, environment, ui, .. } = place;
    let found = ui.waiting(&format!("looking for the {what}"), cluster.job(environment, name)).await?;
    if let Some(job) = found.filter(|job| kinds.contains(&job.kind)) {
        return Ok(job);
    }
    let jobs = cluster.jobs(environment, kinds).await.unwrap_or_default();
    let error = Error::failed(format!("no {what} `{}` of kdj's in `{}`", names::shown(name), environment.name))
        .caused_by("it may have been deleted, or its time to stay is over");
    let known = jobs.iter().map(|job| job.handle.name.as_str());
    Err(match names::did_you_mean(name, known) {
        Some(hint) => error.hint(hint),
        None => error.hint(format!("list them: `kdj {list} {}`", environment.name)),
    })
}

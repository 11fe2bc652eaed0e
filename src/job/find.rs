//! A Job by its name, and what is done with one.

use super::Place;
use crate::{
    cluster::{JobKind, JobSummary},
    config::Config,
    connection,
    error::{Error, Result},
    exit::Exit,
    names,
    options::Options,
    protection::{self, Change, Consent, Object, Record, Who},
    ui::Ui,
};

/// Which Job is meant.
pub struct Sought<'a> {
    /// The environment's name.
    pub environment: String,
    /// The Job's name.
    pub name: String,
    /// What it may be.
    pub kinds: &'a [JobKind],
    /// What such a one is called; with an `s`, the command that lists them.
    pub what: &'a str,
}

/// The Job of this name and of one of these kinds.
///
/// # Errors
/// When there is none, or the cluster cannot be asked.
pub async fn find(place: &Place<'_>, sought: &Sought<'_>) -> Result<JobSummary> {
    let Place { cluster, environment, ui } = place;
    let Sought { name, kinds, what, .. } = sought;
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
        None => error.hint(format!("list them: `kdj {what}s {}`", environment.name)),
    })
}

/// Does something with a Job that is a change: `verb` is permitted first, and recorded.
///
/// # Errors
/// When it is not permitted, there is no such Job, or the work fails.
pub async fn change(
    sought: Sought<'_>,
    verb: &'static str,
    consent: &Consent,
    options: &Options,
    config: &Config,
    ui: &Ui,
    work: impl AsyncFnOnce(&Place<'_>, JobSummary) -> Result<Exit>,
) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&sought.environment, options, config)?;
    let change = Change::new(verb, &format!("{} {}", sought.what, sought.name), [sought.name.as_str()]);
    let permit = protection::permit(&environment, &change, consent, ui).await?;
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, ui };
    let job = find(&place, &sought).await?;
    let who = Who::of(&permit, &cluster);
    let object = Object::Job(job.handle.name.clone());
    Record::begin(&permit, &environment, object, who, &cluster, ui).keep(work(&place, job)).await
}

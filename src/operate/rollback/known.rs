//! Whether the older image knows the migrations that are applied. It has them in its files, so a pod that runs it is asked,
//! or a short Job; the database says which are applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Deserialize;

use super::{Place, plan::Step};
use crate::{
    cluster::{JobKind, NewJob, Preference, Revision, Target, Wanted, new_name},
    django,
    error::{Error, Result},
    job, migrate,
    protection::Permit,
    session::{Captured, capture},
};

/// How long the Job may take to start, and then to answer. Whoever rolls back is in a hurry.
const LIMIT: Duration = Duration::from_secs(2 * 60);

/// What is said of an image, and of the database.
#[derive(Debug, Deserialize)]
pub struct Known {
    /// The migrations in its files: `catalog.0001_initial`.
    disk: BTreeSet<String>,
    /// Those that stand for others, and which.
    replaces: BTreeMap<String, BTreeSet<String>>,
    /// Those that are applied, if the database said so.
    applied: Option<BTreeSet<String>>,
    /// Why it did not.
    why: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Known(Known),
    Error { error: String },
}

/// Whom the older image is asked in.
pub enum In<'a> {
    /// A pod that runs it, or a Job where there is none; the Job is part of what was permitted.
    PodOrJob(&'a Permit),
    /// A pod only: nothing is to be changed.
    Pod,
}

/// The applied migrations that the older image does not know; `None` where that takes a Job that may not be made. Of those
/// that neither image has nothing is said: their app went long ago.
///
/// # Errors
/// When the older image, or the database, cannot be asked.
pub async fn unknown(place: &Place<'_>, step: &Step<'_>, asked: In<'_>) -> Result<Option<Vec<String>>> {
    if step.from.image == step.to.image {
        return Ok(Some(Vec::new()));
    }
    // Who does not answer may be why it is rolled back.
    let newer = in_pod(place, step.from).await.and_then(Result::ok);
    let older = match (in_pod(place, step.to).await, asked) {
        (Some(Ok(older)), _) => older,
        (_, In::PodOrJob(permit)) => in_job(place, step, permit).await?,
        (Some(Err(error)), In::Pod) => return Err(error),
        (None, In::Pod) => return Ok(None),
    };
    let applied = newer.as_ref().and_then(|newer| newer.applied.clone()).or_else(|| older.applied.clone());
    let Some(applied) = applied else {
        let why = older.why.unwrap_or_else(|| "it did not say why".to_owned());
        return Err(Error::failed("the database does not say which migrations are applied").caused_by(why));
    };
    Ok(Some(missing(&applied, &older, newer.as_ref())))
}

fn missing(applied: &BTreeSet<String>, older: &Known, newer: Option<&Known>) -> Vec<String> {
    let app = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let apps: BTreeSet<String> = older.disk.iter().map(|name| app(name)).collect();
    let is_of_the_app = |name: &String| match newer {
        Some(newer) => newer.disk.contains(name),
        None => apps.contains(&app(name)),
    };
    // One that stands for others does nothing that those did not.
    let only_stands_for_known = |name: &String| {
        let replaced = newer.and_then(|newer| newer.replaces.get(name));
        replaced.is_some_and(|replaced| replaced.is_subset(&older.disk))
    };
    let unknown = applied.difference(&older.disk).filter(|name| is_of_the_app(name) && !only_stands_for_known(name));
    unknown.cloned().collect()
}

/// Asks in a ready pod of the revision, if it has one.
async fn in_pod(place: &Place<'_>, revision: &Revision) -> Option<Result<Known>> {
    let (pod, container) = revision.ready_pod.as_ref()?;
    let Place { cluster, environment, ui, .. } = place;
    let asking = async {
        let wanted = Wanted { pod: Some(pod.clone()), container: Some(container.clone()), ..Wanted::default() };
        let target: Target = cluster.target(environment, &wanted).await?;
        let (start, stdin) = django::known_on_stdin(&environment.django);
        let captured = capture(cluster, &target, &start.alternatives, &stdin).await?;
        read(&captured, &format!("pod {pod}"))
    };
    Some(ui.waiting(&format!("asking {} for its migrations", revision.image), asking).await)
}

async fn in_job(place: &Place<'_>, step: &Step<'_>, permit: &Permit) -> Result<Known> {
    let Place { cluster, environment, ui, .. } = *place;
    let image = &step.to.image;
    ui.status(&format!("no ready pod runs {image}: a job of its own lists its migrations"));
    let place = job::Place { cluster, environment, ui };
    let wanted = Wanted { role: Some(step.workload.workload.clone()), ..Wanted::default() };
    let template = cluster.template(environment, &wanted, Preference::Web).await?;
    let words = django::known_command(&environment.django).first();
    let new = NewJob {
        kind: JobKind::Plan,
        name: new_name(JobKind::Plan),
        by: job::by(environment, &permit.change, Some(permit), None),
        words,
        entrypoint: true,
        workdir: None,
        variables: Default::default(),
        variables_from: Vec::new(),
        cpu: None,
        memory: None,
        image: Some(image.clone()),
        timeout: LIMIT,
        start_limit: Some(LIMIT),
        keep: None,
        with_sidecars: false,
        bare: false,
    };
    let what = format!("asking {image} for its migrations");
    let (captured, made_in) = migrate::in_short_job(&place, &template, new, &what).await?;
    read(&captured, &made_in)
}

fn read(captured: &Captured, made_in: &str) -> Result<Known> {
    let failed = || Error::failed(format!("{made_in} cannot say which migrations it has"));
    let line = captured.stdout.lines().rev().find_map(|line| line.strip_prefix(django::KNOWN_MARK));
    match line.and_then(|line| serde_json::from_str(line).ok()) {
        Some(Answer::Known(known)) => Ok(known),
        Some(Answer::Error { error }) => Err(failed().caused_by(error)),
        None => {
            let all = [&captured.stderr, &captured.stdout];
            let said = all.iter().find_map(|text| text.lines().rev().find(|line| !line.trim().is_empty()));
            Err(failed().caused_by(said.unwrap_or("it said nothing")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(disk: &[&str], replaces: &[(&str, &[&str])]) -> Known {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let replaces = replaces.iter().map(|(name, old)| ((*name).to_owned(), set(old))).collect();
        Known { disk: set(disk), replaces, applied: None, why: None }
    }

    #[test]
    fn what_is_applied_and_the_older_image_lacks_is_named() {
        let older = known(&["shop.0001", "shop.0002"], &[]);
        let newer = known(
            &["shop.0001", "shop.0002", "shop.0003", "shop.0001_squashed_0002", "news.0001"],
            &[("shop.0001_squashed_0002", &["shop.0001", "shop.0002"])],
        );
        let applied = ["shop.0001", "shop.0002", "shop.0003", "shop.0001_squashed_0002", "news.0001", "gone.0001"];
        let applied = applied.map(str::to_owned).into();
        assert_eq!(missing(&applied, &older, Some(&newer)), ["news.0001", "shop.0003"]);
        // Without the newer image's word: those of the apps the older one has.
        assert_eq!(missing(&applied, &older, None), ["shop.0001_squashed_0002", "shop.0003"]);
        assert_eq!(missing(&applied, &newer, Some(&newer)), [""; 0]);
    }
}

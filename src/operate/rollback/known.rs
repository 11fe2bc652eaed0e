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
    /// Those that are applied, and when, in seconds since 1970, if a database said so.
    applied: Option<Applied>,
    /// Why one did not.
    why: Option<String>,
}

type Applied = BTreeMap<String, f64>;

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

/// The applied migrations that the older image does not know; `None` where that takes a Job that may not be made.
///
/// # Errors
/// When the older image, or a database, cannot be asked.
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
    let who = newer.as_ref().filter(|newer| newer.applied.is_some()).unwrap_or(&older);
    let found = who.applied.as_ref().map(|applied| missing(applied, &older, newer.as_ref())).unwrap_or_default();
    match (&who.applied, &who.why) {
        (Some(_), None) => Ok(Some(found)),
        // What is named is enough to ask.
        (Some(_), Some(_)) if !found.is_empty() => Ok(Some(found)),
        (_, why) => Err(Error::failed("not all databases say which migrations are applied")
            .caused_by(why.as_deref().unwrap_or("no reason was given"))),
    }
}

/// What is applied and not in the older image. Of an app that it does not have, what the newer one has: others went long
/// ago. Of its own apps also what neither has, if it came later than all it has: it is of a release after both.
fn missing(applied: &Applied, older: &Known, newer: Option<&Known>) -> Vec<String> {
    let app = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let apps: BTreeSet<String> = older.disk.iter().map(|name| app(name)).collect();
    let is_later = |name: &str, time: f64| {
        let known = applied.iter().filter(|(known, _)| app(known) == app(name) && older.disk.contains(*known));
        known.map(|(_, known)| *known).fold(f64::MIN, f64::max) < time
    };
    let is_of_the_app = |name: &String, time: f64| match newer {
        Some(newer) => newer.disk.contains(name) || apps.contains(&app(name)) && is_later(name, time),
        None => apps.contains(&app(name)),
    };
    // One that stands for others does nothing that those did not.
    let only_stands_for_known = |name: &String| {
        let replaced = newer.and_then(|newer| newer.replaces.get(name));
        replaced.is_some_and(|replaced| replaced.is_subset(&older.disk))
    };
    // One that others stand for is known by them.
    let is_replaced = |name: &String| older.replaces.values().any(|replaced| replaced.contains(name));
    let unknown = applied.iter().filter(|(name, time)| {
        !older.disk.contains(*name) && !is_replaced(name) && is_of_the_app(name, **time) && !only_stands_for_known(name)
    });
    unknown.map(|(name, _)| name.clone()).collect()
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
    // Of then: the older image may know other variables, another command, other settings.
    let template = cluster.template(environment, &wanted, Preference::Web).await?.of_revision(environment, step.to)?;
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
        image: None,
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

    /// One after the other.
    fn applied(names: &[&str]) -> Applied {
        names.iter().enumerate().map(|(at, name)| ((*name).to_owned(), at as f64)).collect()
    }

    #[test]
    fn what_is_applied_and_the_older_image_lacks_is_named() {
        let older = known(&["shop.0001", "shop.0002"], &[]);
        let newer = known(
            &["shop.0001", "shop.0002", "shop.0003", "shop.0001_squashed_0002", "news.0001"],
            &[("shop.0001_squashed_0002", &["shop.0001", "shop.0002"])],
        );
        let all =
            applied(&["gone.0001", "shop.0001", "shop.0002", "shop.0003", "shop.0001_squashed_0002", "news.0001"]);
        assert_eq!(missing(&all, &older, Some(&newer)), ["news.0001", "shop.0003"]);
        // Without the newer image's word: those of the apps the older one has.
        assert_eq!(missing(&all, &older, None), ["shop.0001_squashed_0002", "shop.0003"]);
        assert_eq!(missing(&all, &newer, Some(&newer)), [""; 0]);
    }

    #[test]
    fn what_a_release_after_both_applied_is_named() {
        let (older, newer) = (known(&["shop.0002"], &[]), known(&["shop.0002", "shop.0003"], &[]));
        // 0001 was squashed away before either; 0004 came with a release that was rolled back to the newer one.
        let all = applied(&["shop.0001", "shop.0002", "shop.0003", "shop.0004", "gone.0001"]);
        assert_eq!(missing(&all, &older, Some(&newer)), ["shop.0003", "shop.0004"]);
    }

    #[test]
    fn what_a_squash_stands_for_is_known_by_it() {
        let older = known(&["shop.0001_squashed_0002"], &[("shop.0001_squashed_0002", &["shop.0001", "shop.0002"])]);
        let newer = known(&["shop.0001", "shop.0002"], &[]);
        assert_eq!(missing(&applied(&["shop.0001", "shop.0002"]), &older, Some(&newer)), [""; 0]);
    }
}

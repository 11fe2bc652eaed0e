//! `kdj scale`: the replicas of roles, all checked before the first is set.

mod beats;
mod plan;
pub mod state;

use std::time::Duration;

use futures::FutureExt;

pub use self::plan::{Plan, Step, plan};
use super::{
    Line, Place, managers,
    wait::{Goal, Reached, Wait},
    workers,
};
use crate::{
    cluster::{Aspect, Operated, Replicas},
    environment::Kind,
    error::{Error, Result},
    exit::{Exit, Failure},
    names,
    ui::terminal::Interrupts,
};

/// How long it is watched whether a number of replicas stays, with nobody known who would change it.
const SETTLE: Duration = Duration::from_secs(3);
/// The same where somebody is known to: an autoscaler looks every 15 s.
const SETTLE_LONG: Duration = Duration::from_secs(20);

/// The shape of the JSON; it grows when a field changes its meaning.
const SHAPE: u32 = 1;

/// The same as kubectl commands.
pub fn explain(plan: &Plan<'_>, place: &Place<'_>) -> String {
    let changes = plan.steps.iter().filter(|step| step.from != step.to);
    changes
        .map(|Step { workload, from, to, .. }| {
            let words =
                ["scale", &workload.workload, &format!("--current-replicas={from}"), &format!("--replicas={to}")];
            format!("{}\n", place.kubectl(words))
        })
        .collect()
}

/// Says what the workers that go are doing, of the roles that get fewer.
pub async fn look_at_tasks(plan: &Plan<'_>, place: &Place<'_>) {
    for Step { workload, from, to, .. } in &plan.steps {
        if to < from && workload.kind == Kind::Worker && workload.is_celery() {
            workers::look_before_shrinking(place, workload).await;
        }
    }
}

/// Sets the replicas, one role after the other, those first that get fewer: what is started may be there once only. With
/// `dry_run` the server is asked whether it would.
///
/// # Errors
/// When one cannot be set, or a signal comes: the error says which were.
pub async fn apply(plan: &Plan<'_>, place: &Place<'_>, dry_run: bool, signals: &mut Interrupts) -> Result<()> {
    let mut done: Vec<String> = Vec::new();
    let (fewer, others): (Vec<&Step<'_>>, Vec<&Step<'_>>) = plan.steps.iter().partition(|step| step.to < step.from);
    for step in fewer.into_iter().chain(others) {
        let role = &step.workload.role;
        if step.from == step.to {
            place.ui.status(&format!("{role}: has {} already", replicas(step.to)));
            continue;
        }
        let set = match signals.next().now_or_never() {
            Some(number) => Err(Error::new(Failure::Signal(number), format!("left: `{role}` is not scaled"))),
            None => set(step, place, dry_run).await,
        };
        match set {
            Ok(text) => {
                place.ui.status(&format!("{role}: {text}"));
                done.push(step.line());
            }
            Err(error) if done.is_empty() => return Err(error),
            Err(error) => return Err(error.caused_by(format!("changed before that: {}", done.join(", ")))),
        }
    }
    Ok(())
}

async fn set(step: &Step<'_>, place: &Place<'_>, dry_run: bool) -> Result<String> {
    let Step { workload, from, to, absolute } = *step;
    let setting = place.cluster.set_replicas(workload, to, dry_run);
    match place.ui.waiting(&format!("scaling {}", workload.role), setting).await? {
        Replicas::Set if dry_run => Ok(format!("{from} -> {to} (dry run: nothing was changed)")),
        Replicas::Set => Ok(format!("{from} -> {to}")),
        Replicas::ChangedMeanwhile { now, .. } if now == to && absolute => {
            Ok(format!("{from} -> {to}: somebody else did it a moment ago"))
        }
        Replicas::ChangedMeanwhile { now, by } => {
            let by = by.map(|by| format!(" by `{}`", names::shown(&by))).unwrap_or_default();
            Err(Error::failed(format!("`{}` was changed meanwhile{by}: {from} -> {now}", workload.role))
                .caused_by(format!("{from} -> {to} was asked for, and was not done"))
                .hint(format!("look again: `kdj scale {}`", place.environment.name)))
        }
    }
}

/// Waits until all roles have as many ready pods as asked for, and sees whether that stays so.
///
/// # Errors
/// When it does not come to that, somebody else sets another number, or a signal comes.
pub async fn wait(plan: &Plan<'_>, place: &Place<'_>, limit: Duration, signals: &mut Interrupts) -> Result<Exit> {
    let line = Line::new(place, plan.steps.len());
    let waits = plan.steps.iter().enumerate().map(async |(at, step)| {
        let ended = wait_for(step, place, limit, (&line, at)).await;
        if let Err(error) = &ended
            && plan.steps.len() > 1
        {
            // The others may take their time.
            line.conclude(at, place, error.message());
        }
        ended
    });
    let all = futures::future::join_all(waits);
    let ended = tokio::select! {
        ended = all => ended,
        number = signals.next() => {
            return Err(Error::new(Failure::Signal(number), "left: the replicas are set, and the pods come or go without kdj")
                .hint(format!("see how far it is: `kdj status {}`", place.environment.name)));
        }
    };
    drop(line);
    let mut errors = ended.into_iter().filter_map(Result::err);
    let Some(first) = errors.next() else { return Ok(Exit::Success) };
    for error in errors {
        place.ui.error(&error);
    }
    Err(first)
}

async fn wait_for(step: &Step<'_>, place: &Place<'_>, limit: Duration, shown: (&Line, usize)) -> Result<()> {
    let Step { workload, to, .. } = *step;
    let mut follow = place.cluster.follow_workload(workload).await?;
    let mut wait = Wait::new(*place, workload, (Goal::Replicas(to), limit), shown);
    let (reached, took) = wait.run_until_it_stays(&mut follow, settle(workload)).await?;
    match reached {
        Reached::Yes => {
            let (line, at) = shown;
            line.conclude(at, place, &format!("{}: {} after {took}", workload.role, ready(to)));
            Ok(())
        }
        Reached::Reverted { now, by } => Err(reverted(workload, to, now, by.as_deref())),
    }
}

fn settle(workload: &Operated) -> Duration {
    let undoes = workload.autoscaler.is_some() || managers::who_may_undo(workload, Aspect::Replicas).is_some();
    if undoes { SETTLE_LONG } else { SETTLE }
}

fn reverted(workload: &Operated, to: i32, now: i32, by: Option<&str>) -> Error {
    let role = &workload.role;
    // An autoscaler's changes are made by the controller manager it runs in.
    let by = match (by, &workload.autoscaler) {
        (Some("kube-controller-manager"), Some(autoscaler)) => Some(autoscaler.manager().to_string()),
        (Some(by), _) => Some(format!("`{}`", names::shown(by))),
        (None, _) => None,
    };
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let error = Error::failed(format!("`{role}` did not stay at {to}: it was set to {now}{by}"));
    match managers::who_may_undo(workload, Aspect::Replicas) {
        Some(manager) => error.caused_by(format!("`{role}` is managed by {manager}: change it there to keep it")),
        None => error,
    }
}

fn replicas(number: i32) -> String {
    format!("{number} replica{}", if number == 1 { "" } else { "s" })
}

fn ready(number: i32) -> String {
    match number {
        0 => "no pods left".to_owned(),
        1 => "1 pod ready".to_owned(),
        number => format!("{number} pods ready"),
    }
}

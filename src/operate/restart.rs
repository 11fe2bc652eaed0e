//! `kdj restart`: new pods from the same templates, role after role.

mod order;

use std::time::Duration;

use futures::FutureExt;

pub use self::order::choose;
use super::{
    Line, Place, beat,
    drain::Drain,
    managers,
    wait::{Goal, Wait},
};
use crate::{
    cluster::{Aspect, Follow, Operated, Strategy, restart_patch},
    environment::Kind,
    error::{Error, Result},
    exit::{Exit, Failure},
    names,
    protection::Change,
    ui::terminal::Interrupts,
};

/// How to restart.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Whether a rollout is waited for before the next one begins.
    pub wait: bool,
    /// For how long.
    pub limit: Duration,
    /// Whether Celery workers finish their tasks before, and for how long they may.
    pub drain: Option<Duration>,
    /// Whether the workloads were named, and not chosen by kdj.
    pub named: bool,
    /// Whether the server is only asked whether it would.
    pub dry_run: bool,
}

impl How {
    /// Whether the workers of this workload finish their tasks before. Those that are named are asked whatever their
    /// command is: they say themselves whether they are Celery's.
    fn drains(&self, one: &Operated) -> bool {
        self.drain.is_some() && one.kind == Kind::Worker && (self.named || one.is_celery())
    }
}

/// The change, as it is shown and recorded.
pub fn change(chosen: &[&Operated], words: &[String]) -> Change {
    let roles: Vec<&str> = chosen.iter().map(|one| one.role.as_str()).collect();
    Change::new("restart", &format!("restart {}", roles.join(", ")), words.iter().map(String::as_str))
}

/// What is restarted, in one word for the record.
pub fn object(chosen: &[&Operated]) -> String {
    match chosen {
        [one] => one.workload.clone(),
        all => format!("{} workloads", all.len()),
    }
}

/// Checks all of them before the first is restarted, and says what should be known.
///
/// # Errors
/// When one cannot be restarted.
pub fn check(chosen: &[&Operated], place: &Place<'_>, how: &How) -> Result<()> {
    if how.named && how.drain.is_some() && !chosen.iter().any(|one| how.drains(one)) {
        let roles = names::quoted(chosen.iter().map(|one| one.role.as_str()), ", ");
        let are = if chosen.len() == 1 { "is" } else { "are" };
        return Err(Error::failed(format!(
            "refusing to restart: `--drain` is for Celery workers, and {roles} {are} none"
        ))
        .caused_by("workers are told by their command, `celery … worker`, or else by their role's name"));
    }
    for one in chosen {
        let role = &one.role;
        if one.deleting {
            return Err(Error::failed(format!("`{role}` is being deleted"))
                .caused_by(format!("{} waits for what keeps it from going", one.workload)));
        }
        if one.rollout.paused {
            return Err(Error::failed(format!("refusing to restart `{role}`: its rollouts are paused"))
                .caused_by("a paused Deployment makes no new pods; who paused it is probably about to change it")
                .hint(format!("when they are done: `{}`", place.kubectl(["rollout", "resume", &one.workload]))));
        }
        if how.drains(one) && one.rollout.strategy == Strategy::OnDelete {
            return Err(Error::failed(format!(
                "refusing to drain `{role}`: its pods stay until somebody deletes them"
            ))
            .caused_by("its updateStrategy is OnDelete: until then its workers would take no tasks")
            .hint("without `--drain` its template is restarted, and nothing else"));
        }
    }
    for one in chosen {
        warn(one, place, how);
    }
    Ok(())
}

fn warn(one: &Operated, place: &Place<'_>, how: &How) {
    let Place { ui, .. } = place;
    let role = &one.role;
    for (_, text) in managers::warnings(one, Aspect::Restart) {
        ui.warning(&text);
    }
    if beat::overlaps(one) {
        ui.warning(&format!(
            "`{role}` has the strategy RollingUpdate, by which two beats run for a moment: it is restarted with Recreate; \
             `strategy: {{type: Recreate}}` in its manifest is the remedy"
        ));
        // The annotation is left alone by them, the strategy is not where the manifest names one.
        if let Some(manager) = managers::who_may_undo(one, Aspect::Template) {
            ui.warning(&format!(
                "`{role}` is managed by {manager}: if its manifest says RollingUpdate, that may be put back while the old \
                 beat still ends, and there are two until it has"
            ));
        }
    }
    if one.kind == Kind::Beat && one.replicas() > 1 {
        ui.warning(&format!(
            "`{role}` has {} replicas, and every periodic task is sent as often: `kdj scale {} {role}=1`",
            one.replicas(),
            place.environment.name
        ));
    }
    if one.rollout.strategy == Strategy::OnDelete {
        ui.warning(&format!(
            "the pods of `{role}` are replaced when they are deleted (updateStrategy: OnDelete), and not before"
        ));
    }
    if how.drain.is_some() && one.kind == Kind::Worker && !how.drains(one) {
        ui.warning(&format!("the command of `{role}` is not Celery's: it is not drained unless it is named"));
    }
}

/// The same as kubectl commands.
pub fn explain(chosen: &[&Operated], place: &Place<'_>) -> String {
    let with_pods = chosen.iter().filter(|one| one.replicas() > 0);
    let lines = with_pods.flat_map(|one| match beat::overlaps(one) {
        false => vec![place.kubectl(["rollout", "restart", &one.workload])],
        true => vec![
            place.kubectl(["patch", &one.workload, "--type=merge", "-p", &restart_patch(true).to_string()]),
            place.kubectl(["rollout", "status", &one.workload]),
            beat::command_to_put_back(place, one),
        ],
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Restarts them, one after the other.
///
/// # Errors
/// When one cannot be restarted, or its rollout fails; those after it are left as they are, and it says so.
pub async fn apply(chosen: &[&Operated], place: &Place<'_>, how: &How) -> Result<Exit> {
    let mut signals = Interrupts::listen();
    for (at, one) in chosen.iter().enumerate() {
        let restarted = match signals.next().now_or_never() {
            Some(number) => Err(left_before(one, number)),
            None => restart(one, place, how, &mut signals).await,
        };
        let left: Vec<String> = chosen[at + 1..].iter().map(|other| format!("`{}`", other.role)).collect();
        match restarted {
            Ok(()) => {}
            Err(error) if left.is_empty() || how.dry_run => return Err(error),
            Err(error) => return Err(error.caused_by(format!("not restarted: {}", left.join(", ")))),
        }
    }
    Ok(Exit::Success)
}

fn left_before(one: &Operated, number: u8) -> Error {
    Error::new(Failure::Signal(number), format!("left: `{}` is not restarted", one.role))
}

async fn restart(one: &Operated, place: &Place<'_>, how: &How, signals: &mut Interrupts) -> Result<()> {
    let Place { cluster, ui, .. } = place;
    let role = &one.role;
    if one.replicas() == 0 {
        ui.status(&format!("{role}: has 0 replicas, and nothing to restart"));
        return Ok(());
    }
    let recreate = beat::overlaps(one);
    if how.dry_run {
        ui.waiting(&format!("restarting {role}"), cluster.restart(one, recreate, true)).await?;
        ui.status(&format!("{role}: would be restarted (dry run: nothing was changed)"));
        return Ok(());
    }
    if !how.wait && how.drain.is_none() && !recreate {
        ui.waiting(&format!("restarting {role}"), cluster.restart(one, false, false)).await?;
        ui.status(&format!("{role}: restarted; not waited for"));
        return Ok(());
    }
    let mut follow = ui.waiting("listing its pods", cluster.follow_workload(one)).await?;
    let drained = match how.drain.filter(|_| how.drains(one)) {
        Some(limit) => Some(drain(one, place, &mut follow, limit, signals).await?),
        None => None,
    };
    let ended = roll_over(one, place, how, (recreate, &mut follow), signals).await;
    if recreate && !matches!(ended, Err(Stop::Refused(_))) {
        beat::put_back(place, one, &mut follow).await;
    }
    if let (Err(_), Some(drained)) = (&ended, drained) {
        drained.undo(&mut follow, signals).await;
    }
    ended.map_err(|(Stop::Refused(error) | Stop::Failed(error))| error)
}

/// Why a restart did not come to its end.
enum Stop {
    /// It was not begun.
    Refused(Error),
    /// It was begun, and failed or was left.
    Failed(Error),
}

async fn roll_over(
    one: &Operated,
    place: &Place<'_>,
    how: &How,
    (recreate, follow): (bool, &mut Follow<'_>),
    signals: &mut Interrupts,
) -> Result<(), Stop> {
    let Place { cluster, ui, environment, .. } = place;
    let role = &one.role;
    let restarting = cluster.restart(one, recreate, false);
    let change = match ui.waiting(&format!("restarting {role}"), restarting).await {
        Ok(change) => change,
        // An answer may have been lost.
        Err(error) => {
            return Err(match cluster.has_changed(one).await {
                Ok(false) => Stop::Refused(error),
                Ok(true) => {
                    Stop::Failed(error.outcome_unknown("it has changed: it may have been restarted all the same"))
                }
                Err(_) => Stop::Failed(error.outcome_unknown("whether it was restarted all the same is not known")),
            });
        }
    };
    follow.changed(&change);
    if one.rollout.strategy == Strategy::OnDelete {
        ui.status(&format!("{role}: its template is new; delete its pods one by one"));
        return Ok(());
    }
    if !how.wait && !recreate {
        ui.status(&format!("{role}: restarted; not waited for"));
        return Ok(());
    }
    let line = Line::new(place, 1);
    let mut wait = Wait::new(*place, one, (Goal::Rollout, how.limit), (&line, 0));
    let reached = tokio::select! {
        reached = wait.run(follow) => reached.map(drop).map_err(Stop::Failed),
        number = signals.next() => {
            let left = Error::new(Failure::Signal(number), format!("left: the rollout of `{role}` goes on without kdj"));
            Err(Stop::Failed(left.hint(format!("see how far it is: `kdj status {}`", environment.name))))
        }
    };
    let took = wait.waited();
    drop(line);
    reached?;
    ui.status(&format!("{role}: restarted, after {took}"));
    Ok(())
}

/// Drains the workers, or has them go on as before.
async fn drain<'a>(
    one: &'a Operated,
    place: &Place<'a>,
    follow: &mut Follow<'_>,
    limit: Duration,
    signals: &mut Interrupts,
) -> Result<Drain<'a>> {
    let mut drain = Drain::of(*place, one).await?;
    let drained = tokio::select! {
        drained = drain.run(follow, limit) => drained,
        number = signals.next() => Err(left_before(one, number)),
    };
    match drained {
        Ok(()) => Ok(drain),
        Err(error) => {
            drain.undo(follow, signals).await;
            Err(error)
        }
    }
}

//! `kdj rollback`: roles go back to a template they had.

mod known;
mod plan;

use std::time::Duration;

use futures::FutureExt;

pub use self::{
    known::{In, unknown},
    plan::{Plan, Step, plan},
};
use super::{
    Place, beat,
    line::Line,
    managers,
    wait::{Goal, Wait},
};
use crate::{
    cluster::{Aspect, Follow, Progress, Strategy},
    error::{Error, Result},
    exit::{Exit, Failure},
    protection::Change,
    ui::terminal::Interrupts,
};

impl Plan<'_> {
    /// The change, as it is shown and recorded.
    pub fn change(&self, words: &[String]) -> Change {
        let lines: Vec<String> = self.steps.iter().map(Step::line).collect();
        Change::new("rollback", &lines.join(", "), words.iter().map(String::as_str))
    }

    /// What is changed, in one word for the record.
    pub fn object(&self) -> String {
        match self.steps.as_slice() {
            [one] => one.workload.workload.clone(),
            all => format!("{} workloads", all.len()),
        }
    }

    /// The same as kubectl commands.
    pub fn explain(&self, place: &Place<'_>) -> String {
        let line = |step: &Step<'_>| {
            let revision = format!("--to-revision={}", step.to.number);
            format!("{}\n", place.kubectl(["rollout", "undo", &step.workload.workload, &revision]))
        };
        self.steps.iter().map(line).collect()
    }
}

/// Says what goes back to what, and checks all before the first is changed.
///
/// # Errors
/// When one of them cannot be rolled back.
pub fn check(plan: &Plan<'_>, place: &Place<'_>) -> Result<()> {
    let ui = place.ui;
    for step in &plan.steps {
        let changes: Vec<String> = step.to.changes_from(step.from).iter().map(ToString::to_string).collect();
        ui.status(&format!(
            "{} {} -> {}: {}",
            step.workload.role,
            step.from.number,
            step.to.number,
            changes.join(", ")
        ));
    }
    plan.notes.iter().for_each(|note| ui.status(note));
    for Step { workload, .. } in &plan.steps {
        let role = &workload.role;
        if workload.deleting {
            return Err(Error::failed(format!("`{role}` is being deleted"))
                .caused_by(format!("{} waits for what keeps it from going", workload.workload)));
        }
        if workload.rollout.paused {
            return Err(Error::failed(format!("refusing to roll back `{role}`: its rollouts are paused"))
                .caused_by("a paused Deployment makes no new pods; who paused it is probably about to change it")
                .hint(format!("when they are done: `{}`", place.kubectl(["rollout", "resume", &workload.workload]))));
        }
        if workload.rollout.progress == Progress::Unobserved {
            return Err(Error::failed(format!(
                "`{role}` was changed a moment ago, and its controller has not seen it yet"
            ))
            .hint("try again"));
        }
    }
    for Step { workload, .. } in &plan.steps {
        for (is_warning, text) in managers::warnings(workload, Aspect::Template) {
            if is_warning { ui.warning(&text) } else { ui.status(&text) }
        }
        if workload.rollout.strategy == Strategy::OnDelete {
            ui.warning(&format!(
                "the pods of `{}` are replaced when they are deleted (updateStrategy: OnDelete), and not before",
                workload.role
            ));
        }
    }
    Ok(())
}

/// A role whose template is set, and that has to be followed.
struct Following<'a> {
    step: Step<'a>,
    follow: Follow<'a>,
    /// Whether its strategy has to be put back.
    recreate: bool,
}

/// Gives the workloads their templates, all of them, one right after the other; then waits, if `wait` says for how long.
/// Whatever comes of it, a beat gets its strategy back.
///
/// # Errors
/// When one cannot be rolled back: the error says which were. When a rollout fails, or a signal comes.
pub async fn apply<'a>(plan: &Plan<'a>, place: &Place<'a>, wait: Option<Duration>, dry_run: bool) -> Result<Exit> {
    let mut following = Vec::new();
    let mut signals = Interrupts::listen();
    let ended = match set_all(plan, place, (wait.is_some(), dry_run), &mut following, &mut signals).await {
        Ok(()) => follow_all(&mut following, place, wait, &mut signals).await,
        Err(error) => Err(error),
    };
    for Following { step, follow, .. } in following.iter_mut().filter(|one| one.recreate) {
        beat::put_back(place, step.workload, follow).await;
    }
    ended
}

async fn set_all<'a>(
    plan: &Plan<'a>,
    place: &Place<'a>,
    (wait, dry_run): (bool, bool),
    following: &mut Vec<Following<'a>>,
    signals: &mut Interrupts,
) -> Result<()> {
    let mut done: Vec<String> = Vec::new();
    for step in &plan.steps {
        let role = &step.workload.role;
        let rolled_back = match signals.next().now_or_never() {
            Some(number) => Err(Error::new(Failure::Signal(number), format!("left: `{role}` is not rolled back"))),
            None => roll_back(step, place, wait, dry_run).await,
        };
        match rolled_back {
            Ok(follow) => following.extend(follow),
            Err(error) if done.is_empty() => return Err(error),
            Err(error) => return Err(error.caused_by(format!("rolled back before that: {}", done.join(", ")))),
        }
        done.push(role.clone());
        let dry = if dry_run { " (dry run: nothing was changed)" } else { "" };
        place.ui.status(&format!("{}{dry}", step.line()));
    }
    Ok(())
}

async fn follow_all(
    following: &mut [Following<'_>],
    place: &Place<'_>,
    wait: Option<Duration>,
    signals: &mut Interrupts,
) -> Result<Exit> {
    let line = Line::new(place, following.len());
    let all = futures::future::join_all(following.iter_mut().enumerate().map(async |(at, one)| {
        let ended = match wait {
            Some(limit) => wait_for(&one.step, place, &mut one.follow, limit, (&line, at)).await,
            None => Ok(()),
        };
        if one.recreate {
            beat::put_back(place, one.step.workload, &mut one.follow).await;
            one.recreate = false;
        }
        ended
    }));
    let ended = tokio::select! {
        ended = all => ended,
        number = signals.next() => {
            return Err(Error::new(Failure::Signal(number), "left: the templates are set, and the rollouts go on without kdj")
                .hint(format!("see how far they are: `kdj status {}`", place.environment.name)));
        }
    };
    let mut errors = ended.into_iter().filter_map(Result::err);
    let Some(first) = errors.next() else { return Ok(Exit::Success) };
    errors.for_each(|error| place.ui.error(&error));
    Err(first)
}

/// Rolls one back. What has to be followed afterwards is followed since before the change.
async fn roll_back<'a>(step: &Step<'a>, place: &Place<'a>, wait: bool, dry_run: bool) -> Result<Option<Following<'a>>> {
    let Step { workload, from, to } = *step;
    let Place { cluster, ui, .. } = *place;
    let recreate = beat::overlaps(workload);
    let mut follow = None;
    if !dry_run && (wait || recreate) {
        follow = Some(ui.waiting("listing its pods", cluster.follow_workload(workload)).await?);
    }
    let rolling_back = cluster.roll_back(workload, from, to, recreate, dry_run);
    let change = ui.waiting(&format!("rolling back {}", workload.role), rolling_back).await?;
    Ok(follow.map(|mut follow| {
        follow.changed(&change);
        Following { step: *step, follow, recreate }
    }))
}

async fn wait_for(
    step: &Step<'_>,
    place: &Place<'_>,
    follow: &mut Follow<'_>,
    limit: Duration,
    (line, at): (&Line, usize),
) -> Result<()> {
    let role = &step.workload.role;
    if step.workload.rollout.strategy == Strategy::OnDelete {
        place.ui.status(&format!("{role}: its template is the older one; delete its pods one by one"));
        return Ok(());
    }
    let mut wait = Wait::new(*place, step.workload, (Goal::Rollout, limit), (line, at));
    wait.run(follow).await?;
    let took = wait.waited();
    line.conclude(at, place, &format!("{role}: rolled back, after {took}"));
    Ok(())
}

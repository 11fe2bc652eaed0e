//! `kdj scale`: the replicas of roles, all checked before the first is set.

use std::{pin::pin, time::Duration};

use serde_json::{Value, json};

use super::{
    Asked, Place, To, choose, managers, require_some,
    wait::{Goal, Reached, Wait},
};
use crate::{
    cluster::{Aspect, ManagerKind, Operated, Replicas, Reverts, Workloads},
    error::{Error, Result},
    exit::{Exit, Failure},
    names,
    environment::Kind,
    protection::Change,
    ui::{table::Table, terminal::interrupted},
};

/// How long it is watched whether a number of replicas stays, with nobody known who would change it.
const SETTLE: Duration = Duration::from_secs(3);
/// The same where somebody is known to: an autoscaler looks every 15 s.
const SETTLE_LONG: Duration = Duration::from_secs(20);

/// The shape of the JSON; it grows when a field changes its meaning.
const SHAPE: u32 = 1;

/// A role and its replicas before and after.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The workload.
    pub workload: &'a Operated,
    /// How many replicas it has.
    pub from: i32,
    /// How many it is to have.
    pub to: i32,
    /// Whether the number was asked for, and not a change of it.
    absolute: bool,
}

/// What is to be done, and what to say of it before.
#[derive(Debug)]
pub struct Plan<'a> {
    /// What changes, in the order of the words.
    pub steps: Vec<Step<'a>>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// What the user should be warned of.
    pub warnings: Vec<String>,
}

/// Makes the plan: every word is understood and permitted, or nothing is done.
///
/// # Errors
/// When a word means no workload, or what it asks for is refused.
pub fn plan<'a>(asked: &[Asked], workloads: &'a Workloads, place: &Place<'_>, force: bool) -> Result<Plan<'a>> {
    let name = &place.environment.name;
    require_some(&workloads.all, place)?;
    let mut plan = Plan { steps: Vec::new(), notes: Vec::new(), warnings: Vec::new() };
    for asked in asked {
        let workload = choose::find(&asked.role, &workloads.all, name)?;
        refuse_two_readings(asked, &workloads.all)?;
        if plan.steps.iter().any(|step| step.workload.workload == workload.workload) {
            return Err(Error::usage(format!("`{}` is named twice", workload.role)));
        }
        let from = workload.replicas();
        let Some(to) = asked.to.of(from) else {
            return Err(Error::usage(format!("`{}` has {from} replicas: that cannot be done", asked.role)));
        };
        if workload.deleting {
            return Err(Error::failed(format!("`{}` is being deleted", workload.role))
                .caused_by(format!("{} waits for what keeps it from going", workload.workload)));
        }
        if to != from {
            refuse_second_beat(workload, to)?;
            warn_of_other_beats(workload, &workloads.all, to, &mut plan);
            plan.warnings.extend(managers::check_autoscaler(place, workload, (from, to), force)?);
            for (is_warning, text) in managers::warnings(workload, Aspect::Replicas) {
                if is_warning { plan.warnings.push(text) } else { plan.notes.push(text) }
            }
            if workload.rollout.paused {
                plan.notes.push(format!("the rollouts of `{}` are paused: its pods stay of the revisions they are", workload.role));
            }
        }
        plan.steps.push(Step { workload, from, to, absolute: matches!(asked.to, To::Exactly(_)) });
    }
    if let Some(error) = &workloads.no_autoscalers {
        plan.warnings.push(format!("whether an autoscaler will set other numbers is not known: {error}"));
    }
    Ok(plan)
}

/// `worker-2` is `worker` less 2, but there may be a role of that name.
fn refuse_two_readings(asked: &Asked, workloads: &[Operated]) -> Result<()> {
    let To::Fewer(number) = asked.to else { return Ok(()) };
    let whole = format!("{}-{number}", asked.role);
    if !workloads.iter().any(|one| one.is_meant_by(&whole)) {
        return Ok(());
    }
    Err(Error::usage(format!("`{whole}` may be the role `{whole}`, or `{}` less {number}", asked.role))
        .hint(format!("write `{}=N` or `{whole}=N`", asked.role)))
}

/// Two beats send every periodic task twice. No flag is for this: nobody wants it.
fn refuse_second_beat(workload: &Operated, to: i32) -> Result<()> {
    let role = &workload.role;
    if to <= 1 {
        return Ok(());
    }
    if workload.kind == Kind::Beat {
        return Err(Error::failed(format!("refusing {to} replicas of `{role}`: one beat is enough"))
            .caused_by("each beat sends every periodic task: with two, all of them run twice")
            .hint("more tasks at once is a matter of the workers: scale those"));
    }
    if workload.embeds_beat() {
        return Err(Error::failed(format!("refusing {to} replicas of `{role}`: each has a beat inside"))
            .caused_by("its workers run with `-B`, so that each of them sends every periodic task")
            .hint("give beat a Deployment of its own with one replica, and take `-B` from the workers"));
    }
    Ok(())
}

fn warn_of_other_beats(workload: &Operated, workloads: &[Operated], to: i32, plan: &mut Plan<'_>) {
    if workload.kind != Kind::Beat || to == 0 {
        return;
    }
    let others = workloads.iter().filter(|one| one.kind == Kind::Beat && one.workload != workload.workload);
    if let Some(other) = others.into_iter().find(|one| one.replicas() > 0) {
        plan.warnings.push(format!(
            "{} is a beat, too: if both are of one app, every periodic task is sent twice",
            other.workload
        ));
    }
}

impl Plan<'_> {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.from == step.to)
    }

    /// The change, as it is shown and recorded.
    pub fn change(&self, words: &[String]) -> Change {
        let steps: Vec<String> = self.steps.iter().map(Step::line).collect();
        Change::new("scale", &format!("replicas of {}", steps.join(", ")), words.iter().map(String::as_str))
    }

    /// What is changed, in one word for the record.
    pub fn object(&self) -> String {
        match self.steps.as_slice() {
            [one] => one.workload.workload.clone(),
            all => format!("{} workloads", all.len()),
        }
    }

    /// Says what should be known before.
    pub fn introduce(&self, place: &Place<'_>) {
        place.introduce();
        for warning in &self.warnings {
            place.ui.warning(warning);
        }
        for note in &self.notes {
            place.ui.status(note);
        }
    }

    /// The changes as JSON.
    pub fn json(&self, environment: &str, dry_run: bool) -> String {
        let steps = self.steps.iter().map(|step| {
            json!({"role": step.workload.role, "workload": step.workload.workload, "from": step.from, "to": step.to})
        });
        let all = json!({
            "version": SHAPE, "environment": environment, "dry_run": dry_run, "changes": steps.collect::<Vec<Value>>(),
        });
        format!("{all:#}\n")
    }
}

impl Step<'_> {
    /// `web 2 -> 3`
    fn line(&self) -> String {
        format!("{} {} -> {}", self.workload.role, self.from, self.to)
    }
}

/// Sets the replicas, one role after the other. With `dry_run` the server is asked whether it would.
///
/// # Errors
/// When one cannot be set: the error says which were.
pub async fn apply(plan: &Plan<'_>, place: &Place<'_>, dry_run: bool) -> Result<()> {
    let mut done: Vec<String> = Vec::new();
    for step in &plan.steps {
        let role = &step.workload.role;
        if step.from == step.to {
            place.ui.status(&format!("{role}: has {} already", replicas(step.to)));
            continue;
        }
        match set(step, place, dry_run).await {
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
pub async fn wait(plan: &Plan<'_>, place: &Place<'_>, limit: Duration) -> Result<Exit> {
    let mut signal = pin!(interrupted());
    let all = async {
        let waits = plan.steps.iter().map(|step| wait_for(step, place, limit));
        futures::future::join_all(waits).await
    };
    let ended = tokio::select! {
        biased;
        ended = all => ended,
        number = &mut signal => {
            return Err(Error::new(Failure::Signal(number), "left: the replicas are set, and the pods come or go without kdj")
                .hint(format!("see how far it is: `kdj status {}`", place.environment.name)));
        }
    };
    let mut errors = ended.into_iter().filter_map(Result::err);
    let Some(first) = errors.next() else { return Ok(Exit::Success) };
    for error in errors {
        place.ui.error(&error);
    }
    Err(first)
}

async fn wait_for(step: &Step<'_>, place: &Place<'_>, limit: Duration) -> Result<()> {
    let Step { workload, to, .. } = *step;
    let mut follow = place.cluster.follow_workload(workload).await?;
    let mut wait = Wait::new(*place, workload, Goal::Replicas(to), limit);
    let reached = wait.run(&mut follow).await?;
    let took = wait.waited();
    let reached = match reached {
        Reached::Yes(_) => wait.stays(&mut follow, settle(workload)).await?.unwrap_or(reached),
        reverted @ Reached::Reverted { .. } => reverted,
    };
    drop(wait);
    match reached {
        Reached::Yes(_) => {
            place.ui.status(&format!("{}: {} after {took}", workload.role, ready(to)));
            Ok(())
        }
        Reached::Reverted { now, by } => Err(reverted(workload, to, now, by.as_deref())),
    }
}

fn settle(workload: &Operated) -> Duration {
    let undoes = workload.managers.iter().any(|manager| {
        matches!(manager.reverts(Aspect::Replicas), Some(Reverts::Soon | Reverts::Maybe))
    });
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
    let others = workload.managers.iter().filter(|it| !matches!(it.kind, ManagerKind::Hpa | ManagerKind::Keda));
    match others.into_iter().find(|it| matches!(it.reverts(Aspect::Replicas), Some(Reverts::Soon | Reverts::Maybe))) {
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

/// The replicas as they are, in the form `kdj scale` accepts.
pub fn state_line(workloads: &[Operated]) -> String {
    let words: Vec<String> =
        workloads.iter().map(|one| format!("{}={}", choose::short(one, workloads), one.replicas())).collect();
    format!("{}\n", words.join(" "))
}

/// The names of the roles, one per line.
pub fn state_names(workloads: &[Operated]) -> String {
    workloads.iter().map(|one| format!("{}\n", choose::short(one, workloads))).collect()
}

/// The replicas as a table.
pub fn state_table(workloads: &[Operated]) -> String {
    let mut table = Table::new(["ROLE", "KIND", "REPLICAS", "READY", "AUTOSCALER", "MANAGED-BY", "WORKLOAD"]);
    for one in workloads {
        let autoscaler = one.autoscaler.as_ref().map(|it| format!("{} ({}-{})", it.name, it.min, it.max));
        let managers: Vec<String> = one.managers.iter().map(ToString::to_string).collect();
        table.row([
            one.role.clone(),
            one.kind.to_string(),
            one.replicas().to_string(),
            one.rollout.counts.ready.to_string(),
            autoscaler.unwrap_or_default(),
            managers.join(", "),
            one.workload.clone(),
        ]);
    }
    table.render()
}

/// The replicas as JSON.
pub fn state_json(workloads: &[Operated], environment: &str) -> String {
    let roles = workloads.iter().map(|one| {
        json!({
            "role": one.role, "kind": one.kind, "workload": one.workload, "replicas": one.replicas(),
            "ready": one.rollout.counts.ready, "autoscaler": one.autoscaler, "managers": one.managers,
        })
    });
    let all = json!({"version": SHAPE, "environment": environment, "roles": roles.collect::<Vec<Value>>()});
    format!("{all:#}\n")
}

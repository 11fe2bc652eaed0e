//! What is to be done: every word is understood, checked and permitted before the first number is set.

use serde_json::{Value, json};

use super::{
    super::{Asked, Place, To, choose, managers, require_some},
    SHAPE, beats, replicas,
};
use crate::{
    cluster::{Aspect, Operated, Workloads},
    error::{Error, Result},
    protection::Change,
};

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
    pub(super) absolute: bool,
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
        refuse_two_readings(asked, &workloads.all)?;
        let workload = choose::find(&asked.role, &workloads.all, name)?;
        if plan.steps.iter().any(|step| step.workload.workload == workload.workload) {
            return Err(Error::usage(format!("`{}` is named twice", workload.role)));
        }
        let from = workload.replicas();
        let Some(to) = asked.to.of(from) else {
            return Err(Error::usage(format!("`{}` has {}: that cannot be done", asked.role, replicas(from))));
        };
        if workload.deleting {
            return Err(Error::failed(format!("`{}` is being deleted", workload.role))
                .caused_by(format!("{} waits for what keeps it from going", workload.workload)));
        }
        if to != from {
            beats::refuse_second_of_one(workload, to)?;
            plan.warnings.extend(managers::check_autoscaler(place, workload, (from, to), force)?);
            for (is_warning, text) in managers::warnings(workload, Aspect::Replicas) {
                if is_warning { plan.warnings.push(text) } else { plan.notes.push(text) }
            }
            if workload.rollout.paused {
                plan.notes.push(format!(
                    "the rollouts of `{}` are paused: its pods stay of the revisions they are",
                    workload.role
                ));
            }
        }
        plan.steps.push(Step { workload, from, to, absolute: matches!(asked.to, To::Exactly(_)) });
    }
    plan.warnings.extend(beats::check_all(&plan.steps, &workloads.all)?);
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
    pub(super) fn line(&self) -> String {
        format!("{} {} -> {}", self.workload.role, self.from, self.to)
    }
}

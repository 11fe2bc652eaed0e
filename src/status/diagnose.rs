//! What is wrong, and why: from what was seen, by rules. The rules of one pod are in `pod`, those of a workload in `role`.

mod beat;
mod clean;
mod command;
mod pod;
mod role;
mod warnings;

use jiff::Timestamp;

use super::{Cause, Health, Presence, Problem, Severity, Status};

/// How long a pod may take to start before it is not merely starting, in seconds, where nothing else says so.
const STARTING: i64 = 120;
/// The same where something says that it takes its time: an image is pulled, an init container runs, a startup probe has
/// not passed, a node is on its way; and the deadline of a rollout that has none.
const STARTING_SLOWLY: i64 = 600;
/// An exit longer ago than this is no news, in seconds.
const LATELY: i64 = 600;

/// Draws the conclusions.
pub(super) fn conclude(mut status: Status) -> Status {
    clean::clean(&mut status);
    let mut problems: Vec<Problem> = presence(&status).into_iter().collect();
    for at in 0..status.roles.len() {
        let judged = role::judge(&status, &status.roles[at]);
        let role = &mut status.roles[at];
        role.health = judged.health;
        if let Some(rollout) = &mut role.rollout {
            rollout.held_by = judged.held_by;
        }
        problems.extend(judged.problems);
    }
    status.beat = beat::count(&status);
    problems.extend(beat::judge(&mut status));
    let order = |name: &Option<String>| status.roles.iter().position(|role| Some(&role.name) == name.as_ref());
    problems.sort_by_key(|problem| (problem.severity, problem.role.is_some(), order(&problem.role)));
    status.problems = problems;
    status.health = health(&status);
    status.headline = headline(&status);
    status
}

pub(super) fn health(status: &Status) -> Health {
    let broken = status.problems.iter().any(|problem| problem.severity == Severity::Broken);
    let warning = !status.problems.is_empty();
    let worst = status.roles.iter().map(|role| role.health).max().unwrap_or(Health::Ok);
    match worst {
        _ if broken => Health::Broken,
        Health::Changing => Health::Changing,
        _ if warning => Health::Warning,
        worst => worst,
    }
}

/// That there is nothing to see.
fn presence(status: &Status) -> Option<Problem> {
    let Status { namespace, context, environment, instance, .. } = status;
    let (what, cause, next) = match status.presence {
        Presence::Here => return None,
        Presence::NoNamespace => (
            format!("no namespace `{namespace}`"),
            format!("the cluster of context `{context}` has none of this name"),
            "kdj envs -v".to_owned(),
        ),
        Presence::Deleting => (
            format!("namespace `{namespace}` is being deleted"),
            "everything in it goes, and nothing new can be made".to_owned(),
            format!("kdj logs {} --events", shell_words::quote(environment)),
        ),
        Presence::Empty => (
            match instance {
                Some(instance) => format!("nothing of instance `{instance}` in namespace `{namespace}`"),
                None => format!("no workloads in namespace `{namespace}`"),
            },
            match status.missing.iter().find(|missing| missing.starts_with("Deployments: ")) {
                Some(missing) => format!("there may be some that were not seen: {missing}"),
                None => "nothing was deployed here, or it was deleted".to_owned(),
            },
            "kdj envs --live".to_owned(),
        ),
    };
    Some(Problem::new(Severity::Broken, what, Cause::new(cause)).then(next))
}

/// One line for the whole environment; the word first.
pub(super) fn headline(status: &Status) -> String {
    let word = status.health.word();
    if let Some(worst) = status.problems.first().filter(|_| status.health != Health::Changing) {
        let more = match status.problems.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        return format!("{word}: {}{more}", worst.line());
    }
    let changing = status.roles.iter().find(|role| role.health == Health::Changing);
    if let Some(role) = changing {
        let title = role.title(&status.roles);
        return match &role.rollout {
            Some(rollout) => format!("{word}: {title}: {}", rollout.text),
            None => format!("{word}: {title}: {} of {} pods ready", role.ready, role.desired.unwrap_or_default()),
        };
    }
    if status.health == Health::Idle {
        return format!("{word}: every role is scaled to zero");
    }
    let (ready, desired) = pods(status);
    let roles = status.roles.len();
    format!("{word}: {} of {} pods ready in {roles} role{}", ready, desired, if roles == 1 { "" } else { "s" })
}

/// How many pods are ready, and how many there should be.
fn pods(status: &Status) -> (u32, u32) {
    status
        .roles
        .iter()
        .fold((0, 0), |(ready, desired), role| (ready + role.ready, desired + role.desired.unwrap_or(role.ready)))
}

/// How long ago, in words.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", crate::ui::age(at, now))
}

//! What is wrong, and why: from what was seen, by rules. The rules of one pod are in `pod`, those of a workload in `role`.

mod pod;
mod role;

use jiff::Timestamp;

use super::{Beat, Cause, Health, Presence, Problem, Severity, Status};
use crate::environment::Kind;

/// How long a pod may take to start before it is not merely starting, in seconds, where nothing else says so.
const STARTING: i64 = 120;
/// An exit longer ago than this is no news, in seconds.
const LATELY: i64 = 600;

/// Draws the conclusions.
pub(super) fn conclude(mut status: Status) -> Status {
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
    status.beat = count_beats(&status);
    problems.extend(beat(&mut status));
    keep_tracebacks(&status.problems, &mut problems);
    let order = |name: &Option<String>| status.roles.iter().position(|role| Some(&role.name) == name.as_ref());
    problems.sort_by_key(|problem| (problem.severity, problem.role.is_some(), order(&problem.role)));
    status.problems = problems;
    status.health = health(&status);
    status.headline = headline(&status);
    status
}

/// What was read of a log stays when the conclusions are drawn again.
fn keep_tracebacks(before: &[Problem], problems: &mut [Problem]) {
    for problem in problems {
        let same = |old: &&Problem| (&old.pod, &old.container) == (&problem.pod, &problem.container);
        if let Some(old) = before.iter().find(same).filter(|old| !old.traceback.is_empty()) {
            problem.traceback.clone_from(&old.traceback);
        }
    }
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
            "nothing was deployed here, or it was deleted".to_owned(),
            "kdj envs --live".to_owned(),
        ),
    };
    Some(Problem {
        severity: Severity::Broken,
        role: None,
        workload: None,
        pod: None,
        container: None,
        previous: false,
        what,
        causes: vec![Cause { text: cause, evidence: Vec::new() }],
        traceback: Vec::new(),
        next: Some(next),
    })
}

fn count_beats(status: &Status) -> Option<Beat> {
    let mut beats = status.roles.iter().filter(|role| role.is_beat()).peekable();
    beats.peek()?;
    let (mut desired, mut running) = (0, 0);
    for role in beats {
        let live = status.pods_of(role).filter(|pod| pod.is_live() && pod.phase == "Running").count();
        let live = u32::try_from(live).unwrap_or(u32::MAX);
        desired += role.desired.unwrap_or(live);
        running += live;
    }
    Some(Beat { desired, running, ok: desired == 1 && running == 1 })
}

/// Exactly one beat: two send every task twice, none sends none.
fn beat(status: &mut Status) -> Option<Problem> {
    let Beat { desired, running, .. } = status.beat?;
    let is_rolling = status.roles.iter().any(|role| role.is_beat() && role.rollout.is_some());
    let (severity, what, text) = match (desired, running) {
        (2.., _) => (
            Severity::Broken,
            format!("{desired} beats"),
            "each sends every periodic task: they run several times over".to_owned(),
        ),
        (_, 2..) if is_rolling => (
            Severity::Warning,
            format!("{running} beats for now"),
            "its rollout lets two overlap, and tasks may be sent twice; `strategy: Recreate` prevents it".to_owned(),
        ),
        (_, 2..) => (
            Severity::Broken,
            format!("{running} beats run"),
            "each sends every periodic task: they run several times over".to_owned(),
        ),
        (0, 0) => {
            (Severity::Warning, "no beat".to_owned(), "it is scaled to zero: no periodic task is sent".to_owned())
        }
        _ => return None,
    };
    let environment = shell_words::quote(&status.environment).into_owned();
    let first = status.roles.iter().find(|role| role.is_beat())?;
    let others: Vec<String> = status.roles.iter().filter(|role| role.is_beat()).map(|r| r.workload.clone()).collect();
    let next = match (severity, first.kind) {
        (_, Kind::Beat) if others.len() == 1 => {
            format!("kdj scale {environment} {}=1", shell_words::quote(&first.name))
        }
        _ => format!("kdj scale {environment}"),
    };
    let problem = Problem {
        severity,
        role: Some(first.name.clone()),
        workload: Some(first.workload.clone()),
        pod: None,
        container: None,
        previous: false,
        what,
        causes: vec![Cause { text, evidence: vec![format!("of {}", others.join(", "))] }],
        traceback: Vec::new(),
        next: Some(next),
    };
    if severity == Severity::Broken {
        for role in status.roles.iter_mut().filter(|role| role.is_beat()) {
            role.health = Health::Broken;
        }
    }
    Some(problem)
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
fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", crate::ui::age(at, now))
}

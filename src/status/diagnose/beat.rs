//! Exactly one beat for each app: two send every task twice, none sends none.

use super::super::{Beat, Cause, Health, Problem, Role, RolloutPhase, Severity, Status, role::repository};
use crate::environment::Kind;

/// The beats of one app.
struct App<'a> {
    roles: Vec<&'a Role>,
    desired: u32,
    running: u32,
}

/// How many beats there are; `None` without any workload of that kind.
pub(super) fn count(status: &Status) -> Option<Beat> {
    let apps = apps(status);
    let sum = |count: fn(&App<'_>) -> u32| apps.iter().map(count).sum();
    let ok = apps.iter().all(|app| (app.desired, app.running) == (1, 1));
    (!apps.is_empty()).then(|| Beat { desired: sum(|app| app.desired), running: sum(|app| app.running), ok })
}

/// What is wrong with them; the roles that are to blame become broken.
pub(super) fn judge(status: &mut Status) -> Vec<Problem> {
    let problems: Vec<Problem> = apps(status).iter().filter_map(|app| problem(status, app)).collect();
    for problem in problems.iter().filter(|problem| problem.severity == Severity::Broken) {
        let own = status.roles.iter_mut().filter(|role| role.is_beat() && problem.role.as_ref() == Some(&role.name));
        own.for_each(|role| role.health = Health::Broken);
    }
    problems
}

/// The beats by the app they send the tasks of: two apps in a namespace have one each.
fn apps(status: &Status) -> Vec<App<'_>> {
    let mut apps: Vec<App<'_>> = Vec::new();
    for role in status.roles.iter().filter(|role| role.is_beat()) {
        let live = status.pods_of(role).filter(|pod| pod.runs()).count();
        let live = if status.sees_pods() { u32::try_from(live).unwrap_or(u32::MAX) } else { role.ready };
        let desired = role.desired.unwrap_or(live);
        match apps.iter_mut().find(|app| app.roles.iter().any(|other| is_same_app(other, role))) {
            Some(app) => {
                app.roles.push(role);
                app.desired += desired;
                app.running += live;
            }
            None => apps.push(App { roles: vec![role], desired, running: live }),
        }
    }
    apps
}

/// Whether two workloads run the same code, by what is seen of it: the image's name, and Celery's `-A` where both have it.
fn is_same_app(one: &Role, other: &Role) -> bool {
    let names = one.celery_app().zip(other.celery_app());
    repository(&one.image) == repository(&other.image) && names.is_none_or(|(one, other)| one == other)
}

fn problem(status: &Status, app: &App<'_>) -> Option<Problem> {
    let (roles, desired, running) = (&app.roles, app.desired, app.running);
    let first = roles.first()?;
    let is_rolling = roles
        .iter()
        .any(|role| role.rollout.as_ref().is_some_and(|rollout| rollout.phase == RolloutPhase::Progressing));
    let several = "each sends every periodic task: they run several times over";
    let (severity, what, text) = match (desired, running) {
        (2.., _) => (Severity::Broken, format!("{desired} beats"), several),
        (_, 2..) if is_rolling => (
            Severity::Warning,
            format!("{running} beats for now"),
            "its rollout lets two overlap, and tasks may be sent twice; `strategy: Recreate` prevents it",
        ),
        (_, 2..) => (Severity::Broken, format!("{running} beats run"), several),
        // At night all of it may be at zero, which is no trouble of beat's.
        (0, 0) if status.roles.iter().any(|role| !role.is_idle()) => {
            (Severity::Warning, "no beat".to_owned(), "it is scaled to zero: no periodic task is sent")
        }
        _ => return None,
    };
    let environment = shell_words::quote(&status.environment);
    let next = match roles.as_slice() {
        [only] if only.kind == Kind::Beat => format!("kdj scale {environment} {}=1", shell_words::quote(&only.name)),
        _ => format!("kdj scale {environment}"),
    };
    let workloads: Vec<&str> = roles.iter().map(|role| role.workload.as_str()).collect();
    let cause = Cause { text: text.to_owned(), evidence: vec![format!("of {}", workloads.join(", "))] };
    Some(Problem::new(severity, what, cause).of(first).then(next))
}

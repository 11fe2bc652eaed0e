//! What the cluster says of the app: its workloads and pods, and who manages them.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::App;
use crate::{
    cluster::Wanted,
    config::Config,
    doctor::Outcome,
    environment::{Environment, Kind},
    error::Result,
    names,
    status::{Presence, Problem, Role, Severity, Status},
};

pub(super) async fn workloads(app: Rc<App>) -> Result<Outcome> {
    let status = app.cluster()?.status(&app.environment, false, app.found.namespace.get().map(|known| *known)).await?;
    let outcome = judge_workloads(&status, &app.word());
    app.status.set(status);
    Ok(outcome)
}

/// Which roles there are, and whether one of them answers requests.
fn judge_workloads(status: &Status, environment: &str) -> Outcome {
    if status.presence != Presence::Here {
        let problem = status.problems.first();
        let text = problem.map_or_else(|| status.headline.clone(), |problem| problem.what.clone());
        let causes = problem.iter().flat_map(|problem| &problem.causes).map(|cause| cause.text.clone());
        let outcome = causes.fold(Outcome::fail(text), Outcome::caused_by);
        return outcome.fix("`kdj envs --live` shows where your environments are");
    }
    let mut roles: Vec<String> = status.roles.iter().map(|role| format!("{} ({})", role.name, role.kind)).collect();
    roles.dedup();
    let text = roles.join(", ");
    let is_app = |role: &Role| matches!(role.kind, Kind::Web | Kind::Shell);
    if status.roles.iter().any(is_app) {
        return Outcome::pass(text);
    }
    let role = status.roles.iter().find(|role| role.kind != Kind::Other).or(status.roles.first());
    let role = role.map_or("ROLE", |role| role.name.as_str());
    Outcome::warn(format!("no role is of kind web: there is {text}"))
        .caused_by("sessions open in a role of kind shell or web when none is named")
        .fix(format!("name the role: `kdj shell {environment} --role {role}`"))
        .fix("or say in kdj.toml which pods it has: `[roles.web]`, `selector = \"LABEL=VALUE\"`")
}

pub(super) async fn roles(app: Rc<App>) -> Result<Outcome> {
    Ok(judge_roles(&*app.status.known()?, &app.environment, &app.world.config))
}

/// Whether the configured selectors match something, and the forwards' roles are there. What is said for the whole project
/// need not be in each environment, unless it is only misspelt.
fn judge_roles(status: &Status, environment: &Environment, config: &Config) -> Outcome {
    let known = || status.roles.iter().map(|role| role.name.as_str());
    let exists = |name: &str| known().any(|role| role == name) || status.roles.iter().any(|role| is_called(role, name));
    let (mut problems, mut elsewhere): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (name, settings) in &environment.roles {
        let is_there = if settings.selector.is_some() { known().any(|role| role == name) } else { exists(name) };
        if is_there {
            continue;
        }
        let near = names::did_you_mean(name, known());
        if config.roles.contains_key(name) && near.is_none() {
            elsewhere.push(format!("`[roles.{name}]`"));
            continue;
        }
        let problem = match &settings.selector {
            Some(selector) => format!("the selector of `[roles.{name}]`, `{selector}`, matches no workload"),
            None => format!("`[roles.{name}]` is of no workload there"),
        };
        problems.extend([problem].into_iter().chain(near).reduce(|problem, near| format!("{problem}. {near}")));
    }
    for (name, forward) in &config.forwards {
        if let Some(role) = forward.role.as_ref().filter(|role| !exists(&role.value)) {
            match names::did_you_mean(&role.value, known()) {
                Some(near) => problems
                    .push(format!("the forward `{name}` ({}) names the role `{}`. {near}", role.origin, role.value)),
                None => elsewhere.push(format!("the role `{}` of the forward `{name}`", role.value)),
            }
        }
    }
    if problems.is_empty() {
        return Outcome::pass(match (environment.roles.len() + config.forwards.len(), &*elsewhere) {
            (0, _) => "kdj.toml names no roles and no forwards".to_owned(),
            (_, []) => String::new(),
            (_, elsewhere) => format!("not here: {}", elsewhere.join(", ")),
        });
    }
    let mut known: Vec<&str> = known().collect();
    known.dedup();
    let outcome = problems.into_iter().fold(Outcome::warn("kdj.toml names what is not there"), Outcome::caused_by);
    outcome.fix(format!("correct it; the roles are {}", names::quoted(known, ", ")))
}

/// A workload can be named in the place of its role.
fn is_called(role: &Role, name: &str) -> bool {
    role.workload == name || role.workload.split_once('/').is_some_and(|(_, own)| own == name)
}

pub(super) async fn pods(app: Rc<App>) -> Result<Outcome> {
    Ok(judge_pods(&*app.status.known()?, &app.word()))
}

/// Whether there is a pod to enter, and whether all is well.
fn judge_pods(status: &Status, environment: &str) -> Outcome {
    let see = format!("`kdj status {environment} --why`");
    if !status.sees_pods() {
        let why = status.missing.iter().find(|missing| missing.starts_with("pods: ")).cloned();
        return Outcome::open(why.unwrap_or_default());
    }
    let ready: usize = status.pods.iter().filter(|pod| pod.ready && pod.is_live()).count();
    let live = status.pods.iter().filter(|pod| pod.is_live()).count();
    let of_pods: Vec<&Problem> =
        status.problems.iter().filter(|problem| problem.severity == Severity::Broken).collect();
    let is_enterable = |role: &Role| matches!(role.kind, Kind::Web | Kind::Shell) && role.ready > 0;
    let text = format!("{ready} of {live} pods ready");
    let told = |outcome: Outcome| of_pods.iter().fold(outcome, |outcome, problem| outcome.caused_by(problem.line()));
    if ready == 0 || !status.roles.iter().any(is_enterable) && status.roles.iter().any(|role| role.kind == Kind::Web) {
        return told(Outcome::fail(format!("no pod to open a session in: {text}")))
            .fix(see)
            .fix(format!("meanwhile, a pod of its own: `kdj shell {environment} --fresh`"));
    }
    match of_pods.is_empty() {
        true => Outcome::pass(text),
        false => told(Outcome::warn(text)).fix(see),
    }
}

pub(super) async fn beat(app: Rc<App>) -> Result<Outcome> {
    Ok(judge_beat(&*app.status.known()?, &app.word()))
}

fn judge_beat(status: &Status, environment: &str) -> Outcome {
    let Some(beat) = status.beat else { return Outcome::pass("no workload of the app is one") };
    if beat.ok {
        return Outcome::pass("");
    }
    let is_of_beat = |problem: &&Problem| {
        status.roles.iter().any(|role| role.is_beat() && Some(&role.name) == problem.role.as_ref())
    };
    let problem = status.problems.iter().find(is_of_beat);
    let text = format!("{} run, {} should", beat.running, beat.desired);
    // Status knows two for a moment from two for good, and one app's from another's.
    let outcome = match problem.map(|problem| problem.severity) {
        Some(Severity::Broken) => Outcome::fail(text),
        None if beat.running >= beat.desired => return Outcome::pass(text),
        _ => Outcome::warn(text),
    };
    let outcome = problem.into_iter().fold(outcome, |outcome, problem| outcome.caused_by(problem.line()));
    let next = problem.and_then(|problem| problem.next.clone());
    outcome.fix(format!("`{}`", next.unwrap_or_else(|| format!("kdj status {environment} --why"))))
}

pub(super) async fn managers(app: Rc<App>) -> Result<Outcome> {
    Ok(judge_managers(&*app.status.known()?))
}

/// Information: who they are.
fn judge_managers(status: &Status) -> Outcome {
    let mut by_manager: Vec<(String, Vec<&str>)> = Vec::new();
    for role in &status.roles {
        let scaler = role.autoscaler.as_ref().map(|scaler| format!("{} (replicas)", scaler.range()));
        for manager in role.managers.iter().cloned().chain(scaler) {
            match by_manager.iter_mut().find(|(known, _)| *known == manager) {
                Some((_, roles)) => roles.push(&role.name),
                None => by_manager.push((manager, vec![&role.name])),
            }
        }
    }
    if by_manager.is_empty() {
        return Outcome::pass("none is to be seen");
    }
    let all = status.roles.len();
    let text = |(manager, roles): &(String, Vec<&str>)| match roles.len() == all {
        true => format!("{manager}: all"),
        false => format!("{manager}: {}", roles.join(", ")),
    };
    Outcome::pass(by_manager.iter().map(text).collect::<Vec<_>>().join("; "))
}

pub(super) async fn container(app: Rc<App>) -> Result<Outcome> {
    let target = app.cluster()?.target(&app.environment, &Wanted::default()).await?;
    let text = format!("`{}` of role `{}` (pod {})", target.container, target.role, target.pod);
    app.target.set(target);
    Ok(Outcome::pass(text))
}

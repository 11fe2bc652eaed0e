//! A status as text: a headline, a table of the roles, and why something is wrong. All of it without colour, which only
//! marks the headline.

use jiff::Timestamp;

use super::{Autoscaler, Health, Link, Pod, Presence, Problem, Role, Status};
use crate::ui::{
    age,
    style::{Role as Paint, paint, sanitize},
    table::Table,
};

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// More columns, and the pods.
    pub wide: bool,
    /// All causes, what speaks for them, and the traceback.
    pub why: bool,
    /// Whether the headline gets colour.
    pub colored: bool,
}

/// How many events are shown with `--why`.
const MOST_EVENTS: usize = 5;

/// The whole text of an environment.
pub fn text(status: &Status, show: Show) -> String {
    let mut text = headline(status, show.colored);
    if status.presence == Presence::Here || !status.roles.is_empty() {
        text.push_str(&roles(status, show.wide));
    }
    if let Some(tasks) = &status.tasks {
        text.push_str(&format!("tasks: {}\n", sanitize(&tasks.line())));
    }
    if let Some(migrations) = &status.migrations {
        text.push_str(&format!("migrations: {}\n", sanitize(&migrations.line())));
    }
    for problem in &status.problems {
        text.push_str(&if show.why { explained(problem) } else { line(problem) });
    }
    if show.wide && !status.pods.is_empty() {
        text.push_str(&format!("\n{}", pods(status)));
    }
    if show.why && !status.problems.is_empty() {
        text.push_str(&events(status));
    }
    text
}

/// `qa (acme-staging/shop-qa): ok: 5 of 5 pods ready in 4 roles`
fn headline(status: &Status, colored: bool) -> String {
    let Status { environment, context, namespace, .. } = status;
    let word = status.health.word();
    let rest = status.headline.strip_prefix(word).unwrap_or(&status.headline);
    // The problems stand below, one by one.
    let rest = if status.problems.is_empty() { rest } else { "" };
    let role = match status.health {
        Health::Broken => Paint::Error,
        Health::Warning | Health::Changing => Paint::Warning,
        Health::Ok | Health::Idle => Paint::Name,
    };
    let protected = if status.protected { ", protected" } else { "" };
    let mut text = format!(
        "{} ({}{protected}): {}{}\n",
        sanitize(environment),
        sanitize(&format!("{context}/{namespace}")),
        paint(word, role, colored),
        sanitize(rest)
    );
    if let Link::Lost { since, why } = &status.link {
        let old = format!("no connection for {}: this is how it was then", age(*since, status.taken));
        text.push_str(&format!("{} ({})\n", paint(&old, Paint::Error, colored), sanitize(why)));
    }
    text
}

fn roles(status: &Status, wide: bool) -> String {
    let mut headers = vec!["ROLE", "KIND", "READY", "UP-TO-DATE", "RESTARTS", "VERSION", "AGE"];
    let scaled = status.roles.iter().any(|role| role.autoscaler.is_some());
    if scaled {
        headers.push("SCALED BY");
    }
    if wide {
        headers.extend(["AVAILABLE", "WORKLOAD", "MANAGED BY", "IMAGE"]);
    }
    headers.push("STATE");
    let mut table = Table::new(headers);
    for role in &status.roles {
        let count = |count: Option<u32>| count.map(|count| count.to_string()).unwrap_or_default();
        let mut cells = vec![
            role.title(&status.roles),
            role.kind.to_string(),
            match role.desired {
                Some(desired) => format!("{}/{desired}", role.ready),
                None => role.ready.to_string(),
            },
            count(role.updated),
            restarts(role, status.taken),
            version(role),
            role.created.map(|created| age(created, status.taken)).unwrap_or_default(),
        ];
        if scaled {
            cells.push(role.autoscaler.as_ref().map(Autoscaler::range).unwrap_or_default());
        }
        if wide {
            cells.push(count(role.available));
            cells.push(role.workload.clone());
            cells.push(role.managers.join(", "));
            cells.push(role.image.clone());
        }
        cells.push(state(role, status));
        table.row(cells.iter().map(|cell| sanitize(cell)));
    }
    table.render()
}

fn restarts(role: &Role, now: Timestamp) -> String {
    let last = role.last_restart.as_ref().and_then(|last| last.exit.at);
    match last.filter(|_| role.restarts > 0) {
        Some(at) => format!("{} ({} ago)", role.restarts, age(at, now)),
        None => role.restarts.to_string(),
    }
}

/// The tag, and the release where that says more.
fn version(role: &Role) -> String {
    match &role.release {
        Some(release) if *release != role.version => format!("{} ({release})", role.version),
        _ => role.version.clone(),
    }
}

/// How a role is, and its rollout: `changing: 1 of 2 pods updated, held by web-3: …`
fn state(role: &Role, status: &Status) -> String {
    let mut text = role.health.word().to_owned();
    if let Some(rollout) = &role.rollout {
        text.push_str(&format!(": {}", rollout.text));
        if let Some(held) = rollout.held_by.as_ref().filter(|_| role.health != Health::Broken) {
            text.push_str(&format!(", held by {held}"));
        }
    }
    match status.beat {
        Some(beat) if role.is_beat() && !beat.ok && role.rollout.is_none() && !role.is_idle() => {
            text.push_str(&match beat.running {
                0 => ", no beat runs".to_owned(),
                running => format!(", {} beats", running.max(beat.desired)),
            });
        }
        _ => {}
    }
    text
}

/// What is wrong, the likeliest cause, and the command that comes next: three lines at most.
fn line(problem: &Problem) -> String {
    let mut text = format!("{}\n", sanitize(&problem.what));
    if let Some(cause) = problem.causes.first() {
        text.push_str(&format!("  why: {}\n", sanitize(&cause.text)));
    }
    text + &next(problem)
}

fn next(problem: &Problem) -> String {
    problem.next.as_ref().map(|next| format!("  next: {}\n", sanitize(next))).unwrap_or_default()
}

/// What is wrong, every cause and what speaks for it, and what the container said last.
fn explained(problem: &Problem) -> String {
    let mut text = format!("\n{}\n", sanitize(&problem.what));
    for (number, cause) in problem.causes.iter().enumerate() {
        text.push_str(&format!("  {}. {}\n", number + 1, sanitize(&cause.text)));
        for line in &cause.evidence {
            text.push_str(&format!("     - {}\n", sanitize(line)));
        }
    }
    if let (Some(pod), false) = (&problem.pod, problem.traceback.is_empty()) {
        text.push_str(&format!("  the last words of {}:\n", sanitize(pod)));
        for line in &problem.traceback {
            text.push_str(format!("    {}", sanitize(line)).trim_end());
            text.push('\n');
        }
    }
    text + &next(problem)
}

fn pods(status: &Status) -> String {
    let mut table = Table::new(["POD", "ROLE", "READY", "RESTARTS", "AGE", "NODE", "STATE"]);
    for pod in &status.pods {
        let Pod { name, role, restarts, created, node, reason, outdated, .. } = pod;
        let (ready, all) = pod.ready_containers();
        let old = if *outdated { ", old revision" } else { "" };
        table.row(
            [
                name.clone(),
                role.clone(),
                format!("{ready}/{all}"),
                restarts.to_string(),
                created.map(|created| age(created, status.taken)).unwrap_or_default(),
                node.clone().unwrap_or_default(),
                format!("{reason}{old}"),
            ]
            .map(|cell| sanitize(&cell)),
        );
    }
    table.render()
}

/// The last warnings, and what workloads did.
fn events(status: &Status) -> String {
    if status.events.is_empty() {
        return String::new();
    }
    let mut text = "\nlast events:\n".to_owned();
    for event in status.events.iter().take(MOST_EVENTS) {
        let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
        let when = age(event.at, status.taken);
        let line = format!("  {when} ago  {} {}: {}{times}\n", event.object, event.reason, event.message);
        text.push_str(&sanitize(&line));
    }
    text
}

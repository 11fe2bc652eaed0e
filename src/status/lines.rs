//! A status as lines that are worth saying once: what `kdj status -w` appends where there is no terminal.

use jiff::Timestamp;

use super::{Link, Status};
use crate::ui::style::sanitize;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about: the next line about the same takes its place.
    pub about: String,
    /// How that is; said again only when it is another one. No time is in it that goes on.
    pub state: String,
    /// What else there is to say with it.
    pub detail: String,
}

/// The lines: the whole, each role, each problem.
pub fn lines(status: &Status) -> Vec<Line> {
    let mut lines = vec![Line::new("", status.health.word().to_owned(), String::new())];
    if let Link::Lost { since, why } = &status.link {
        let state = format!("no connection since {}", since.strftime("%H:%M:%S"));
        lines.push(Line::new("no connection", state, format!(": {why}")));
    }
    for missing in &status.missing {
        let about = format!("not seen: {}", missing.split(':').next().unwrap_or_default());
        lines.push(Line::new(&about, format!("not seen: {missing}"), String::new()));
    }
    for role in &status.roles {
        let title = role.title(&status.roles);
        let desired = role.desired.map(|desired| format!("/{desired}")).unwrap_or_default();
        let rollout = role.rollout.as_ref().map(|rollout| format!(", {}", rollout.text)).unwrap_or_default();
        let state = format!("{title} {}{desired} ready, {}{rollout}", role.ready, role.version);
        let detail = format!(" ({})", role.health.word());
        lines.push(Line::new(&title, state, detail));
    }
    for problem in &status.problems {
        let cause = problem.causes.first().map(|cause| format!(": {}", cause.text)).unwrap_or_default();
        lines.push(Line::new(&problem.what, problem.what.clone(), cause));
    }
    lines
}

impl Status {
    /// The same without its ages and what else grows by itself: two of them differ where something has changed.
    pub fn ageless(&self) -> Status {
        let mut status = Status { taken: Timestamp::UNIX_EPOCH, headline: String::new(), ..self.clone() };
        status.roles.iter_mut().filter_map(|role| role.rollout.as_mut()).for_each(|rollout| rollout.held_by = None);
        status.pods.iter_mut().for_each(|pod| pod.reason.clear());
        for problem in &mut status.problems {
            problem.causes.clear();
        }
        status
    }
}

impl Line {
    fn new(about: &str, state: String, detail: String) -> Self {
        Self { about: about.to_owned(), state: sanitize(&state), detail: sanitize(&detail) }
    }
}

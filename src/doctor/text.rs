//! The report as text: a line for each check, those that failed once more at the end with all there is to say, and one
//! line that says whether one is good to go. Pure.

use super::{check::Check, outcome::Status, report::Counts, run::Done};
use crate::ui::{
    duration,
    style::{Role, paint, sanitize},
};

/// A terminal narrower than this gets lines that it folds itself.
const NARROWEST: usize = 40;
/// `✓ ok       `, and what stands before it.
const BEFORE_NAME: usize = 13;
/// A longer name, which a project's own check may have, does not move those of the others.
const WIDEST_NAME: usize = 20;
/// How many subjects are named; the others are counted.
const NAMED: usize = 3;

/// How to show it.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether it gets colour.
    pub colored: bool,
    /// How many columns there are.
    pub columns: Option<usize>,
    /// Whether titles and times are wanted, too.
    pub verbose: bool,
}

/// The heading of a category.
pub fn heading(category: &str, look: Look) -> String {
    format!("{}\n", paint(category, Role::Name, look.colored))
}

/// A check that is over, for those subjects of whom the same is to say.
pub struct Row<'a> {
    /// The check, as it was run for the first of them.
    pub check: &'a Check,
    /// What came of it.
    pub done: &'a Done,
    /// The subjects.
    pub labels: Vec<String>,
}

/// The checks in their order; where one came to the same for several subjects, they share a row.
pub fn rows<'a>(over: impl IntoIterator<Item = (&'a Check, &'a Done)>) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (check, done) in over {
        let labels = check.subject.labels();
        let same =
            |row: &&mut Row<'a>| row.check.about.id == check.about.id && row.done.outcome.says_the_same(&done.outcome);
        match rows.iter_mut().find(same) {
            Some(row) => row.labels.extend(labels),
            None => rows.push(Row { check, done, labels }),
        }
    }
    rows
}

/// Whom a row is about; of many the first.
fn subjects(labels: &[String]) -> String {
    match labels.len().checked_sub(NAMED) {
        None | Some(0 | 1) => labels.join(", "),
        Some(more) => format!("{} and {more} more", labels[..NAMED].join(", ")),
    }
}

/// The line of a check that is over, and below it the causes and what to do; for one that failed those stand at the end.
/// `width` is that of the longest name.
pub fn line(Row { check, done, labels }: &Row<'_>, width: usize, look: Look) -> String {
    let outcome = &done.outcome;
    let text = match outcome.text.as_str() {
        "" => &*check.about.title,
        text => text,
    };
    let subject = if labels.is_empty() { String::new() } else { format!("{}: ", subjects(labels)) };
    let width = width.min(WIDEST_NAME);
    let mut text = format!("{subject}{text}");
    if look.verbose {
        text.push_str(&format!(" ({})", duration(done.took)));
    }
    let (mark, role) = mark(outcome.status);
    let mark = match role {
        Some(role) => paint(mark, role, look.colored),
        None => mark.to_owned(),
    };
    let indent = BEFORE_NAME + width + 2;
    let room = look.columns.filter(|columns| *columns >= NARROWEST).map(|columns| columns.saturating_sub(indent));
    let mut lines = folded(&sanitize(&text), room);
    if matches!(outcome.status, Status::Warn | Status::Skip) {
        let fixes = outcome.fixes.iter().map(|fix| format!("fix: {fix}"));
        let below = outcome.causes.iter().cloned().chain(fixes);
        lines.extend(below.flat_map(|more| folded(&sanitize(&more), room)));
    }
    let pad = " ".repeat(indent);
    format!("  {mark}  {:width$}  {}\n", check.about.name(), lines.join(&format!("\n{pad}")))
}

/// Symbol and word, as wide as each other.
fn mark(status: Status) -> (&'static str, Option<Role>) {
    match status {
        Status::Pass => ("✓ ok     ", Some(Role::Good)),
        Status::Warn => ("! warning", Some(Role::Warning)),
        Status::Fail => ("✗ failed ", Some(Role::Error)),
        Status::Skip => ("– skipped", Some(Role::Faint)),
    }
}

/// A check that failed, with all there is to say.
pub fn failure(Row { check, done, labels }: &Row<'_>, look: Look) -> String {
    let outcome = &done.outcome;
    let subject = if labels.is_empty() { String::new() } else { format!(" ({})", sanitize(&labels.join(", "))) };
    let mut text = format!("{} {}{subject}\n", paint("✗", Role::Error, look.colored), check.about.id);
    let room = look.columns.filter(|columns| *columns >= NARROWEST).map(|columns| columns - 4);
    let mut add = |what: &str, role: Option<Role>, more: &str| {
        let label = if what.is_empty() { String::new() } else { format!("{what}: ") };
        let lines = folded(&sanitize(&format!("{label}{more}")), room);
        for (number, line) in lines.iter().enumerate() {
            let painted = match (role, line.strip_prefix(&label)) {
                (Some(role), Some(rest)) if number == 0 => {
                    format!("{}{rest}", paint(label.trim_end(), role, look.colored) + " ")
                }
                _ => line.clone(),
            };
            text.push_str(&format!("    {painted}\n"));
        }
    };
    add("", None, &outcome.text);
    outcome.causes.iter().for_each(|cause| add("caused by", None, cause));
    add("why", Some(Role::Faint), &check.about.why);
    outcome.fixes.iter().for_each(|fix| add("fix", Some(Role::Hint), fix));
    if outcome.safe_fix.is_some() {
        add("fix", Some(Role::Hint), "`--fix` does it");
    }
    text
}

/// The last line.
pub fn closing(verdicts: &[(Option<String>, Counts)], part: bool, look: Look) -> String {
    let one = |(name, counts): &(Option<String>, Counts)| {
        let role = if counts.is_good() { Role::Good } else { Role::Error };
        let verdict = paint(&counts.verdict(part), role, look.colored);
        match name {
            Some(name) => format!("{}: {verdict}", sanitize(name)),
            // Not to be taken for more than was looked at.
            None if counts.is_good() => {
                let is = if part { ":" } else { " is" };
                format!("this machine{is} {verdict}; no cluster was asked: `kdj doctor ENV`")
            }
            None => verdict,
        }
    };
    format!("{}\n", verdicts.iter().map(one).collect::<Vec<_>>().join("; "))
}

/// A check that has not been run: its id, and whom it would be run for.
pub fn planned(check: &Check) -> String {
    let subject = check.subject.labels().join(", ");
    let space = if subject.is_empty() { "" } else { " " };
    format!("{}{space}{}\n", sanitize(&check.about.id), sanitize(&subject))
}

/// The list of ids and titles.
pub fn list<'a>(abouts: impl Iterator<Item = &'a super::check::About> + Clone) -> String {
    let width = abouts.clone().map(|about| about.id.chars().count()).max().unwrap_or(0);
    abouts.map(|about| format!("{:width$}   {}\n", sanitize(&about.id), sanitize(&about.title))).collect()
}

/// The text in lines of `room` columns, broken at spaces; its own line ends stay.
fn folded(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room.filter(|room| *room >= 20) else { return text.lines().map(str::to_owned).collect() };
    let mut lines = Vec::new();
    for whole in text.lines() {
        let mut line = String::new();
        for word in whole.split(' ') {
            let fits = line.chars().count() + 1 + word.chars().count() <= room;
            if !line.is_empty() && !fits {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests;

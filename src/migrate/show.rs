//! The plan and what is to be said about it, as text and as JSON.

use serde_json::json;

use super::Planned;
use crate::{
    cluster::{Ending, Template},
    error::Error,
    migration::{Class, Database, Finding, Plan, Receipt, find_plan},
    session::Captured,
    ui::table::Table,
};

/// The version of the JSON's shape.
const VERSION: u32 = 1;
/// A plan of more migrations is shown in part before it is run.
const MANY: usize = 20;
/// How many of them are shown then.
const SOME: usize = 10;
/// How many lines of what the app printed are shown when there is no plan.
const LAST_LINES: usize = 12;

/// How the plan and the receipt are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As text.
    Text,
    /// As JSON.
    Json,
    /// The migrations' names.
    Names,
}

impl Shape {
    /// A receipt in this shape.
    pub fn receipt(self, receipt: &Receipt) -> String {
        match self {
            Shape::Text => receipt.lines().into_iter().map(|line| format!("{line}\n")).collect(),
            Shape::Json => format!("{}\n", serde_json::to_string(receipt).unwrap_or_default()),
            Shape::Names => receipt.applied.iter().map(|applied| format!("{}\n", applied.name)).collect(),
        }
    }

    /// All that is to say of a plan, in this shape.
    pub fn plan(self, environment: &str, template: &Template, planned: &Planned, findings: &[Finding]) -> String {
        match self {
            Shape::Text => format!("{}{}", plan_text(&planned.plan, usize::MAX), findings_text(findings, Class::Note)),
            Shape::Json => json(environment, template, planned, findings),
            Shape::Names => planned.plan.migrations.iter().map(|migration| format!("{}\n", migration.name)).collect(),
        }
    }
}

/// A plan before it is run: a long one in part, and of what is to say about it what matters, unless `all` is wanted.
pub fn brief(planned: &Planned, findings: &[Finding], all: bool) -> String {
    let (rows, least) = if all { (usize::MAX, Class::Note) } else { (MANY, Class::Advice) };
    format!("{}{}", plan_text(&planned.plan, rows), findings_text(findings, least))
}

/// The plan as a table, of which only a part is shown when it has more than `most` rows.
fn plan_text(plan: &Plan, most: usize) -> String {
    let rows = plan.rows();
    let shown = if rows.len() > most { SOME } else { rows.len() };
    let left = rows.len() - shown;
    let mut table = Table::new(["MIGRATION", "WHAT", "REMARKS"]);
    for row in rows.into_iter().take(shown) {
        table.row(row);
    }
    let rest = if left > 0 { format!("... and {left} more; `--plan` lists them all\n") } else { String::new() };
    table.render() + &rest
}

/// The findings, the dangerous ones first: what is locked, why it hurts, what to do instead. Those below `least` are
/// left out.
fn findings_text(findings: &[Finding], least: Class) -> String {
    let mut text = String::new();
    for class in [Class::Dangerous, Class::Advice, Class::Note].into_iter().filter(|class| *class <= least) {
        for finding in findings.iter().filter(|finding| finding.class == class) {
            let word = match class {
                Class::Dangerous => "dangerous",
                Class::Advice => "advice",
                Class::Note => "note",
            };
            text.push_str(&format!("{word}: {}: {} ({})\n", finding.migration, finding.why, finding.rule));
            let more =
                [("it locks: ", &finding.locks), ("statement: ", &finding.statement), ("instead: ", &finding.instead)];
            for (label, more) in more {
                if let Some(more) = more {
                    text.push_str(&format!("    {label}{}\n", more.replace('\n', "\n    ")));
                }
            }
        }
    }
    text
}

/// Which database: `default (shop at postgres:5432)`.
pub fn scope(database: &Database) -> String {
    let host = database.host.as_deref().filter(|host| !host.is_empty());
    let port = database.port.as_ref().filter(|port| !port.is_empty()).map(|port| format!(":{port}"));
    let at = host.map(|host| format!(" at {host}{}", port.unwrap_or_default())).unwrap_or_default();
    match &database.name {
        Some(name) => format!("{} ({name}{at})", database.alias),
        None => database.alias.clone(),
    }
}

/// The plan in a shape that is kept: `version` grows when a field changes its meaning.
fn json(environment: &str, template: &Template, planned: &Planned, findings: &[Finding]) -> String {
    let all = json!({
        "version": VERSION,
        "environment": environment,
        "image": template.image,
        "workload": template.workload,
        "notes": template.notes,
        "made_in": planned.made_in,
        "plan": planned.plan,
        "findings": findings,
    });
    format!("{all:#}\n")
}

/// The error of an app that printed no plan: its own last words say why.
pub(super) fn no_plan(output: &Captured, made_in: &str, environment: &str) -> Error {
    let how = match &output.ending {
        Ending::Exited(code) => format!("it ended with exit code {code}"),
        Ending::NotFound(message) | Ending::CannotExec(message) | Ending::Refused(message) | Ending::Gone(message) => {
            message.clone()
        }
        Ending::Lost(message) => format!("connection lost: {message}"),
        Ending::Left | Ending::OutputClosed | Ending::Signal(_) => "it was left".to_owned(),
    };
    let last = last_words(output);
    let error = Error::failed(format!("Django made no plan in {made_in}")).caused_by(how);
    let error = if last.is_empty() { error } else { error.caused_by(last) };
    error.hint(format!("see all that it says: `kdj manage {environment} -- migrate --plan`"))
}

/// What the app printed last, without the plan itself.
pub(super) fn last_words(output: &Captured) -> String {
    let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
    let lines = said.lines().filter(|line| !line.trim().is_empty() && find_plan(line).is_none());
    let lines: Vec<&str> = lines.collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

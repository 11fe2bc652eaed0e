//! The plan and what is to be said about it, as text and as JSON.

use serde_json::json;

use super::Planned;
use crate::{
    cluster::{Ending, Template},
    error::Error,
    migration::{Class, Database, Finding, Plan},
    session::Captured,
    ui::table::Table,
};

/// The version of the JSON's shape.
const SHAPE: u32 = 1;
/// How many lines of what the app printed are shown when there is no plan.
const LAST_LINES: usize = 12;

/// The plan as a table.
pub fn plan_text(plan: &Plan) -> String {
    let mut table = Table::new(["MIGRATION", "WHAT", "REMARKS"]);
    for row in plan.rows() {
        table.row(row);
    }
    table.render()
}

/// The findings, the dangerous ones first: what is locked, why it hurts, what to do instead.
pub fn findings_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for class in [Class::Dangerous, Class::Advice, Class::Note] {
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
pub fn json(environment: &str, template: &Template, planned: &Planned, findings: &[Finding]) -> String {
    let all = json!({
        "version": SHAPE,
        "environment": environment,
        "image": template.image,
        "workload": template.workload,
        "plan": planned.plan,
        "findings": findings,
    });
    format!("{all:#}\n")
}

/// The error of an app that printed no plan: its own last words say why.
pub(super) fn no_plan(output: &Captured, made_in: &str) -> Error {
    let how = match &output.ending {
        Ending::Exited(code) => format!("it ended with exit code {code}"),
        Ending::NotFound(message) | Ending::CannotExec(message) | Ending::Refused(message) | Ending::Gone(message) => {
            message.clone()
        }
        Ending::Lost(message) => format!("connection lost: {message}"),
        Ending::Left | Ending::OutputClosed | Ending::Signal(_) => "it was left".to_owned(),
    };
    let said = if output.stderr.trim().is_empty() { &output.stdout } else { &output.stderr };
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    let error = Error::failed(format!("Django made no plan in {made_in}")).caused_by(how);
    if last.is_empty() { error } else { error.caused_by(last) }
}

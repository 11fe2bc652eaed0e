//! Jobs as a table, as JSON, and one as a line.

use jiff::Timestamp;
use serde_json::json;

use crate::{
    cluster::{JobState, JobSummary},
    environment::Environment,
    ui::{age, table::Table},
};

/// The version of the JSON's shape.
const SHAPE: u32 = 1;

/// One row per Job.
pub(super) fn table(jobs: &[JobSummary], wide: bool) -> String {
    let mut headers = vec!["NAME", "STATUS", "COMMAND", "BY"];
    if wide {
        headers.extend(["HOST", "ROLE", "DURATION", "REASON"]);
    }
    headers.push("AGE");
    let mut table = Table::new(headers);
    let now = Timestamp::now();
    for job in jobs {
        let mut row = vec![job.handle.name.clone(), status(job), job.command.clone(), job.user.clone()];
        if wide {
            let took = job.created.zip(job.finished).map(|(from, to)| age(from, to)).unwrap_or_default();
            row.extend([job.host.clone(), job.role.clone(), took, job.reason.clone().unwrap_or_default()]);
        }
        row.push(job.created.map(|at| age(at, now)).unwrap_or_default());
        table.row(row);
    }
    table.render()
}

/// The Jobs in a shape that is kept: `version` grows when a field changes its meaning.
pub(super) fn json(jobs: &[JobSummary], environment: &Environment) -> String {
    let jobs: Vec<_> = jobs
        .iter()
        .map(|job| {
            json!({
                "name": job.handle.name,
                "kind": job.kind.word(),
                "state": job.state.word(),
                "why": job.why,
                "command": job.command,
                "user": job.user,
                "host": job.host,
                "role": job.role,
                "reason": job.reason,
                "created": job.created.map(|time| time.to_string()),
                "finished": job.finished.map(|time| time.to_string()),
            })
        })
        .collect();
    let all = json!({"version": SHAPE, "environment": environment.name, "jobs": jobs});
    format!("{all:#}\n")
}

fn status(job: &JobSummary) -> String {
    let word = match job.state {
        JobState::Pending => "Pending",
        JobState::Running => "Running",
        JobState::Complete => "Complete",
        JobState::Failed => "Failed",
    };
    match job.why.as_deref() {
        None | Some("BackoffLimitExceeded") => word.to_owned(),
        Some(why) => format!("{word} ({why})"),
    }
}

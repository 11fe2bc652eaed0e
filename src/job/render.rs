//! Jobs as a table, as JSON, and one as a line.

use jiff::Timestamp;
use serde_json::json;

use crate::{
    cluster::{JobState, JobSummary},
    environment::Environment,
    ui::{age, left, table::Table},
};

/// The version of the JSON's shape.
const SHAPE: u32 = 1;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Its name.
    Name,
    /// How far it is.
    Status,
    /// The role whose template it was made from.
    Role,
    /// Its command.
    Command,
    /// Who made it.
    By,
    /// From which machine.
    Host,
    /// How long it took, once it has ended.
    Duration,
    /// Why it was made.
    Reason,
    /// Since when it is there.
    Age,
    /// When the cluster ends it.
    EndsIn,
}

impl Column {
    fn header(self) -> &'static str {
        match self {
            Column::Name => "NAME",
            Column::Status => "STATUS",
            Column::Role => "ROLE",
            Column::Command => "COMMAND",
            Column::By => "BY",
            Column::Host => "HOST",
            Column::Duration => "DURATION",
            Column::Reason => "REASON",
            Column::Age => "AGE",
            Column::EndsIn => "ENDS IN",
        }
    }

    fn cell(self, job: &JobSummary, now: Timestamp) -> String {
        match self {
            Column::Name => job.handle.name.clone(),
            Column::Status => status(job),
            Column::Role => job.role.clone(),
            Column::Command => job.command.clone(),
            Column::By => job.user.clone(),
            Column::Host => job.host.clone(),
            Column::Duration => job.created.zip(job.finished).map(|(from, to)| age(from, to)).unwrap_or_default(),
            Column::Reason => job.reason.clone().unwrap_or_default(),
            Column::Age => job.created.map(|at| age(at, now)).unwrap_or_default(),
            Column::EndsIn => ends(job).map(|at| left(now, at)).unwrap_or_default(),
        }
    }
}

/// One row per Job.
pub fn table(jobs: &[JobSummary], columns: &[Column]) -> String {
    let mut table = Table::new(columns.iter().map(|column| column.header()));
    let now = Timestamp::now();
    for job in jobs {
        table.row(columns.iter().map(|column| column.cell(job, now)));
    }
    table.render()
}

/// The Jobs, called `what`, in a shape that is kept: `version` grows when a field changes its meaning.
pub fn json(what: &str, jobs: &[JobSummary], environment: &Environment) -> String {
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
                "ends": ends(job).map(|time| time.to_string()),
            })
        })
        .collect();
    let all = json!({"version": SHAPE, "environment": environment.name, what: jobs});
    format!("{all:#}\n")
}

/// Which Job it is, and how it is.
pub fn line(job: &JobSummary) -> String {
    let since = job.created.map(|at| age(at, Timestamp::now())).unwrap_or_default();
    let JobSummary { handle, command, user, host, state, .. } = job;
    format!("job {}: `{command}`, started by {user} from {host} {since} ago, {}", handle.name, state.word())
}

/// When the cluster ends it, at the latest.
fn ends(job: &JobSummary) -> Option<Timestamp> {
    job.created?.checked_add(job.handle.timeout?).ok().filter(|_| !job.is_over())
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

//! `kdj gc`: removes what outlived its owner.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    cluster::{JobKind, JobState, JobSummary},
    commands::args::{ChangeArgs, EnvironmentArg},
    config::Config,
    connection,
    error::{Error, Result},
    exit::Exit,
    job::START_LIMIT,
    options::Options,
    protection::{self, Change, Object, Record, Who},
    ui::{Ui, table::Table},
};

/// Arguments of `kdj gc`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Removes sessions and plans that have ended, and sessions that never started. Sessions that run are left \
                  alone, attached or not: `kdj sessions end` ends one. Jobs of `kdj run` and `kdj migrate` stay."
)]
pub struct GcArgs {
    #[command(flatten)]
    environment: EnvironmentArg,

    /// List what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// What may be removed: nobody's work is in it.
const KINDS: [JobKind; 2] = [JobKind::Session, JobKind::Plan];
/// How much longer than it may take a session's pod to start somebody may still wait for it.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Runs `kdj gc`.
pub async fn run(args: GcArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&args.environment.environment, options, config)?;
    let dry_run = args.dry_run || options.explain;
    let change = Change::new("gc", "remove sessions and plans that have ended", []);
    let permit = match dry_run {
        true => None,
        false => Some(protection::permit(&environment, &change, &args.change.consent(), ui).await?),
    };
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let jobs = ui.waiting("listing the jobs", cluster.jobs(&environment, &KINDS)).await?;
    let now = Timestamp::now();
    let mut left = Vec::new();
    for job in &jobs {
        let Some(why) = left_over(job, now) else { continue };
        // A pod whose node does not answer is not ready, and its program goes on.
        let asking = cluster.session_never_ran(&job.handle);
        if job.is_over() || ui.waiting("looking at the sessions' pods", asking).await? {
            left.push((job, why));
        }
    }
    if left.is_empty() {
        ui.status(&format!("nothing is left over in `{}`", environment.name));
        return Ok(Exit::Success);
    }
    let Some(permit) = permit else {
        ui.data(&table(&left))?;
        ui.status("nothing was removed");
        return Ok(Exit::Success);
    };
    let object = Object::Other(format!("namespace/{}", environment.namespace));
    let record = Record::begin(&permit, &environment, object, Who::of(&permit, &cluster), &cluster, ui);
    let remove = async {
        let mut removed = Vec::new();
        let mut failed = None;
        for (job, why) in left {
            match ui.waiting(&format!("deleting job {}", job.handle.name), cluster.delete_job(&job.handle)).await {
                Ok(_) => removed.push((job, why)),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if !removed.is_empty() {
            ui.data(&table(&removed))?;
            ui.status(&format!("removed {}", removed.len()));
        }
        failed.map_or(Ok(Exit::Success), Err::<Exit, Error>)
    };
    record.keep(remove).await
}

/// Why a Job is left over; `None` when it may be in use.
fn left_over(job: &JobSummary, now: Timestamp) -> Option<&'static str> {
    let age = now.duration_since(job.created?);
    let patience = job.start_limit.unwrap_or(START_LIMIT) + PATIENCE;
    match (job.state, job.kind) {
        (JobState::Complete | JobState::Failed, _) => Some("ended"),
        (JobState::Pending, JobKind::Session) if age.unsigned_abs() > patience => Some("never started"),
        _ => None,
    }
}

fn table(jobs: &[(&JobSummary, &str)]) -> String {
    let mut table = Table::new(["NAME", "KIND", "WHY", "BY"]);
    for (job, why) in jobs {
        table.row([job.handle.name.clone(), job.kind.word().to_owned(), (*why).to_owned(), job.user.clone()]);
    }
    table.render()
}

//! `kdj jobs`: the Jobs kdj made in an environment, and taking one up again.

use crate::{
    cluster::{JobKind, JobSummary},
    commands::args::{JobArgs, JobChangeArgs, OutputArgs, OutputFormat},
    config::Config,
    connection,
    environment::Environment,
    error::Result,
    exit::Exit,
    job::{self, Column, Place},
    migrate,
    options::Options,
    ui::Ui,
};

/// Arguments of `kdj jobs`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct JobsArgs {
    #[command(subcommand)]
    action: Option<Action>,

    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV", required = true)]
    environment: Option<String>,

    #[command(flatten)]
    output: OutputArgs,
}

/// What to do with one Job.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Follow a job from the first line of its log, and end with its exit code
    Attach(JobArgs),
    /// Print a job's log as far as it is
    Logs(JobArgs),
    /// End a job, and delete it and its log
    Cancel(JobChangeArgs),
}

impl JobsArgs {
    /// Whether the command ends with a remote command's exit code.
    pub fn is_pass_through(&self) -> bool {
        matches!(self.action, Some(Action::Attach(_)))
    }
}

/// The kinds of Jobs that are listed; sessions have a list of their own.
const LISTED: [JobKind; 3] = [JobKind::Run, JobKind::Migrate, JobKind::Plan];

/// What can be looked at by name: a session is a Job, too.
const ANY: [JobKind; 4] = JobKind::ALL;

const COLUMNS: [Column; 5] = [Column::Name, Column::Status, Column::Command, Column::By, Column::Age];
const WIDE: [Column; 9] = [
    Column::Name,
    Column::Status,
    Column::Command,
    Column::By,
    Column::Host,
    Column::Role,
    Column::Duration,
    Column::Reason,
    Column::Age,
];

/// Runs `kdj jobs`.
pub async fn run(args: JobsArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    match &args.action {
        None => {
            let (environment, kubeconfig) =
                connection::resolve(args.environment.as_deref().unwrap_or_default(), options, config)?;
            let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
            let jobs = ui.waiting("listing the jobs", cluster.jobs(&environment, &LISTED)).await?;
            list(&jobs, args.output.output, &environment, ui)
        }
        Some(Action::Cancel(one)) => {
            let sought = one.job.sought(&ANY, "job", options, config)?;
            job::change(sought, "cancel", &one.change.consent(), options, config, ui, cancel).await
        }
        Some(Action::Attach(job)) => look(job, options, config, ui, attach).await,
        Some(Action::Logs(job)) => {
            look(job, options, config, ui, async |place, job| job::print_log(place, &job.handle).await).await
        }
    }
}

fn list(jobs: &[JobSummary], output: Option<OutputFormat>, environment: &Environment, ui: &Ui) -> Result<Exit> {
    let text = match output {
        Some(OutputFormat::Json) => job::json("jobs", jobs, environment),
        Some(OutputFormat::Name) => jobs.iter().map(|job| format!("{}\n", job.handle.name)).collect(),
        Some(OutputFormat::Wide) => job::table(jobs, &WIDE),
        None if jobs.is_empty() => {
            ui.status(&format!("no jobs of kdj's in `{}`", environment.name));
            return Ok(Exit::Success);
        }
        None => job::table(jobs, &COLUMNS),
    };
    ui.data(&text)?;
    Ok(Exit::Success)
}

/// Does something with one Job that changes nothing.
async fn look(
    job: &JobArgs,
    options: &Options,
    config: &Config,
    ui: &Ui,
    work: impl AsyncFnOnce(&Place<'_>, JobSummary) -> Result<Exit>,
) -> Result<Exit> {
    let sought = job.sought(&ANY, "job", options, config)?;
    let (environment, kubeconfig) = connection::resolve(&sought.environment, options, config)?;
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, ui };
    let job = job::find(&place, &sought).await?;
    work(&place, job).await
}

async fn attach(place: &Place<'_>, job: JobSummary) -> Result<Exit> {
    place.ui.status(&job::line(&job));
    if job.kind == JobKind::Migrate {
        let followed = migrate::follow(place, &job.handle, None).await?;
        let concluded = migrate::conclude(place, &job.handle, &job.user, followed, migrate::Shape::Text).await;
        // With the codes of `kdj migrate`, where 1 is its own.
        return concluded.or_else(|error| {
            place.ui.error(&error);
            Ok(Exit::Remote(error.failure().code(false)))
        });
    }
    let followed = job::follow(place, &job.handle, None).await?;
    job::exit_of(followed, &job.handle, &job.command, place).await
}

async fn cancel(place: &Place<'_>, job: JobSummary) -> Result<Exit> {
    let Place { cluster, ui, .. } = place;
    let deleted = ui.waiting("deleting the job", cluster.delete_job(&job.handle)).await?;
    let what = match (deleted, job.is_over()) {
        (false, _) => "was gone already",
        (true, true) => "had ended; deleted with its log",
        (true, false) => "cancelled; its container gets SIGTERM and some seconds to end",
    };
    ui.status(&format!("job {} {what}", job.handle.name));
    Ok(Exit::Success)
}

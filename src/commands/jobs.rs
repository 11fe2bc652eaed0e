//! `kdj jobs`: the Jobs kdj made in an environment, and taking one up again.

use crate::{
    cluster::{JobKind, JobSummary},
    commands::args::{ChangeArgs, JobArgs, OutputArgs, OutputFormat, environment_candidates},
    config::Config,
    connection,
    error::Result,
    exit::Exit,
    job::{self, Column, Place},
    migrate,
    options::Options,
    protection::{self, Change, Object, Record, Who},
    ui::Ui,
};

/// Arguments of `kdj jobs`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct JobsArgs {
    #[command(subcommand)]
    action: Option<Action>,

    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV", required = true, add = environment_candidates())]
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
    Cancel(CancelArgs),
}

/// Arguments of `kdj jobs cancel`.
#[derive(Debug, clap::Args)]
struct CancelArgs {
    #[command(flatten)]
    job: JobArgs,

    #[command(flatten)]
    change: ChangeArgs,
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
    let (name, name_of_job) = match &args.action {
        Some(Action::Attach(job) | Action::Logs(job)) => job.find()?,
        Some(Action::Cancel(args)) => args.job.find()?,
        None => (args.environment.clone().unwrap_or_default(), String::new()),
    };
    let (environment, kubeconfig) = connection::resolve(&name, options, config)?;
    let permit = match &args.action {
        Some(Action::Cancel(args)) => {
            let change = Change::new("cancel", &format!("job {name_of_job}"), [name_of_job.as_str()]);
            Some(protection::permit(&environment, &change, &args.change.consent(), ui).await?)
        }
        _ => None,
    };
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, ui, mine: false };
    match &args.action {
        Some(Action::Attach(_)) => {
            let job = job::find(&place, &name_of_job, &ANY, "job", "jobs").await?;
            ui.status(&job::line(&job));
            if job.kind == JobKind::Migrate {
                let followed = migrate::follow(&place, &job.handle, None).await?;
                let shape = migrate::Shape::Text;
                let concluded = migrate::conclude(&place, &job.handle, &job.user, followed, shape).await;
                // With the codes of `kdj migrate`, where 1 is its own.
                return concluded.or_else(|error| {
                    ui.error(&error);
                    Ok(Exit::Remote(error.failure().code(false)))
                });
            }
            let followed = job::follow(&place, &job.handle, None).await?;
            job::exit_of(followed, &job.handle, &job.command, &place).await
        }
        Some(Action::Logs(_)) => {
            let job = job::find(&place, &name_of_job, &ANY, "job", "jobs").await?;
            job::print_log(&place, &job.handle).await
        }
        Some(Action::Cancel(_)) => {
            let job = job::find(&place, &name_of_job, &ANY, "job", "jobs").await?;
            let Some(permit) = permit else { return cancel(&place, &job).await };
            let who = Who::of(&permit, &cluster);
            let object = Object::Job(job.handle.name.clone());
            Record::begin(&permit, &environment, object, who, &cluster, ui).keep(cancel(&place, &job)).await
        }
        None => {
            let jobs = ui.waiting("listing the jobs", cluster.jobs(&environment, &LISTED)).await?;
            let text = match args.output.output {
                Some(OutputFormat::Json) => job::json("jobs", &jobs, &environment),
                Some(OutputFormat::Name) => jobs.iter().map(|job| format!("{}\n", job.handle.name)).collect(),
                Some(OutputFormat::Wide) => job::table(&jobs, &WIDE),
                None => job::table(&jobs, &COLUMNS),
            };
            if jobs.is_empty() && args.output.output.is_none() {
                ui.status(&format!("no jobs of kdj's in `{}`", environment.name));
                return Ok(Exit::Success);
            }
            ui.data(&text)?;
            Ok(Exit::Success)
        }
    }
}

async fn cancel(place: &Place<'_>, job: &JobSummary) -> Result<Exit> {
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

//! `kdj audit`: who changed what in an environment, by the journal of this machine, and the Events and Jobs of the cluster.

mod render;

use jiff::{SignedDuration, Timestamp};

use super::args::{EnvironmentArg, OutputArgs, OutputFormat};
use crate::{
    cluster::{JobKind, JobState, JobSummary, Kubeconfig, RecordedEvent},
    config::Config,
    connection,
    environment::Environment,
    error::Result,
    exit::Exit,
    kubectl,
    options::Options,
    protection::{
        history::{self, Recorded, Told},
        journal::{self, Entry, Lines, Phase, VERSION},
    },
    typed_time::duration,
    ui::Ui,
};

/// Arguments of `kdj audit`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shows what kdj did for you from this machine, and what it did for anybody as far as the cluster still has the Jobs and the Events: these for an hour, unless your cluster keeps them longer."
)]
pub struct AuditArgs {
    #[command(flatten)]
    environment: EnvironmentArg,

    /// Only what began within this time: 90m, 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    since: Option<SignedDuration>,

    #[command(flatten)]
    output: OutputArgs,
}

/// Runs `kdj audit`.
pub async fn run(args: AuditArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&args.environment.environment, options, config)?;
    if options.explain {
        return explain(&environment, options, ui);
    }
    let local = local(ui);
    let (cluster, asked) = match ask(&environment, &kubeconfig, options, ui).await {
        Ok(Some(entries)) => (entries, true),
        Ok(None) => {
            ui.warning(&format!(
                "you may not list events in namespace `{}`: this is what the journal of this machine has",
                environment.namespace
            ));
            (Vec::new(), true)
        }
        Err(error) => {
            ui.error(&error);
            ui.warning("the cluster was not asked: this is what the journal of this machine has");
            (Vec::new(), false)
        }
    };
    let since = args.since.and_then(|since| Timestamp::now().checked_sub(since).ok());
    let changes: Vec<Recorded> = history::merge(&environment, since, local, cluster);
    let text = match args.output.output {
        Some(OutputFormat::Json) => render::json(&environment, &changes)?,
        Some(OutputFormat::Name) => render::names(&changes),
        Some(OutputFormat::Wide) => render::table(&changes, true),
        None => render::table(&changes, false),
    };
    ui.data(&text)?;
    if changes.is_empty() {
        ui.status(&format!("no change of `{}` is recorded", environment.name));
    }
    Ok(if asked { Exit::Success } else { Exit::Failed })
}

/// What this machine has.
fn local(ui: &Ui) -> Vec<Entry> {
    let Some(path) = journal::path() else { return Vec::new() };
    match journal::read(&path) {
        Ok(Lines { entries, unreadable }) => {
            if unreadable > 0 {
                ui.warning(&format!("{unreadable} lines of {} cannot be read", path.display()));
            }
            entries
        }
        Err(error) => {
            ui.warning(&format!("cannot read {}: {error}", path.display()));
            Vec::new()
        }
    }
}

/// What the cluster has; `None` when the user may not ask.
async fn ask(
    environment: &Environment,
    kubeconfig: &Kubeconfig,
    options: &Options,
    ui: &Ui,
) -> Result<Option<Vec<Told>>> {
    let cluster = connection::open(environment, kubeconfig, options, ui).await?;
    let records = ui.waiting("listing events", cluster.recorded(&environment.namespace)).await?;
    let Some(records) = records else { return Ok(None) };
    // Who may not list Jobs has what the Events tell.
    let jobs = ui.waiting("listing jobs", cluster.jobs(environment, &JobKind::ALL)).await.unwrap_or_default();
    let told = records.into_iter().filter_map(|event| {
        let RecordedEvent { id, ended, written, record } = event;
        Told::by_event(serde_json::from_str(&record).ok()?, &id, ended, written)
    });
    Ok(Some(told.chain(jobs.iter().filter_map(|job| told_by_job(environment, job))).collect()))
}

/// What a Job says of its making: it lasts longer than an Event. How it failed its pod knows. Who made it is what kdj
/// wrote there, which is not always what the cluster saw.
fn told_by_job(environment: &Environment, job: &JobSummary) -> Option<Told> {
    let Environment { context, namespace, instance, .. } = environment;
    let written = job.created?;
    let complete = job.state == JobState::Complete;
    let took = job.finished.filter(|_| complete).map(|finished| finished.duration_since(written).as_millis());
    let entry = Entry {
        version: VERSION,
        id: job.record.clone()?,
        phase: if complete { Phase::End } else { Phase::Begin },
        when: written,
        environment: job.environment.clone(),
        context: context.clone(),
        namespace: namespace.clone(),
        instance: instance.clone(),
        who: None,
        user: job.user.clone(),
        host: job.host.clone(),
        verb: job.kind.word().to_owned(),
        command: shell_words::split(&job.command).unwrap_or_else(|_| vec![job.command.clone()]),
        reason: job.reason.clone(),
        object: Some(format!("job/{}", job.handle.name)),
        exit: complete.then_some(0),
        milliseconds: took.and_then(|took| u64::try_from(took).ok()),
    };
    Some(Told { entry, written, by_job: true })
}

fn explain(environment: &Environment, options: &Options, ui: &Ui) -> Result<Exit> {
    if let Some(path) = journal::path() {
        ui.status(&format!("would read {}, and ask the cluster; nothing was done", path.display()));
    }
    let mut words = kubectl::prefix(options, &environment.context, Some(&environment.namespace));
    words.extend(["get", "events", "-l", "app.kubernetes.io/managed-by=kdj"].map(str::to_owned));
    ui.data(&format!("{}\n", kubectl::line(&words)))?;
    Ok(Exit::Success)
}

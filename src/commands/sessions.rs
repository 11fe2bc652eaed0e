//! `kdj sessions`: the sessions in pods of their own, and taking one up again.

use crate::{
    cluster::{JobKind, JobSummary},
    commands::args::{JobChangeArgs, OutputArgs, OutputFormat},
    config::Config,
    connection,
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    job::{self, Column, Place},
    options::Options,
    session,
    ui::{Ui, terminal::has_terminal},
};

/// Arguments of `kdj sessions`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct SessionsArgs {
    #[command(subcommand)]
    action: Option<Action>,

    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV", required = true)]
    environment: Option<String>,

    #[command(flatten)]
    output: OutputArgs,
}

/// What to do with one session.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Take a session's program up again, at a terminal, and end with its exit code
    Attach(JobChangeArgs),
    /// End a session, and delete its pod
    End(JobChangeArgs),
}

impl SessionsArgs {
    /// Whether the command ends with a remote command's exit code.
    pub fn is_pass_through(&self) -> bool {
        matches!(self.action, Some(Action::Attach(_)))
    }
}

const SESSIONS: [JobKind; 1] = [JobKind::Session];

const COLUMNS: [Column; 6] = [Column::Name, Column::Status, Column::Command, Column::By, Column::Age, Column::EndsIn];
const WIDE: [Column; 9] = [
    Column::Name,
    Column::Status,
    Column::Role,
    Column::Command,
    Column::By,
    Column::Host,
    Column::Reason,
    Column::Age,
    Column::EndsIn,
];

/// Runs `kdj sessions`.
pub async fn run(args: SessionsArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    match &args.action {
        None => {
            let name = args.environment.clone().unwrap_or_default();
            let (environment, kubeconfig) = connection::resolve(&name, options, config)?;
            let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
            let mut sessions = ui.waiting("listing the sessions", cluster.jobs(&environment, &SESSIONS)).await?;
            sessions.retain(|session| !session.is_over());
            list(&sessions, args.output.output, &environment, ui)
        }
        Some(Action::Attach(one)) => {
            if !has_terminal() {
                return Err(Error::usage("a session is taken up at a terminal: stdin and stdout must be one"));
            }
            let sought = one.job.sought(&SESSIONS, "session", options, config)?;
            job::change(sought, "attach", &one.change.consent(), options, config, ui, async |place, session| {
                ui.status(&job::line(&session));
                session::take_up(place, &session).await
            })
            .await
        }
        Some(Action::End(one)) => {
            let sought = one.job.sought(&SESSIONS, "session", options, config)?;
            job::change(sought, "end", &one.change.consent(), options, config, ui, end).await
        }
    }
}

fn list(sessions: &[JobSummary], output: Option<OutputFormat>, environment: &Environment, ui: &Ui) -> Result<Exit> {
    let text = match output {
        Some(OutputFormat::Json) => job::json("sessions", sessions, environment),
        Some(OutputFormat::Name) => sessions.iter().map(|session| format!("{}\n", session.handle.name)).collect(),
        _ if sessions.is_empty() => {
            ui.status(&format!("no sessions in pods of their own in `{}`", environment.name));
            return Ok(Exit::Success);
        }
        Some(OutputFormat::Wide) => job::table(sessions, &WIDE),
        None => job::table(sessions, &COLUMNS),
    };
    ui.data(&text)?;
    Ok(Exit::Success)
}

async fn end(place: &Place<'_>, session: JobSummary) -> Result<Exit> {
    let Place { cluster, ui, .. } = place;
    let deleted = ui.waiting("deleting the session's pod", cluster.delete_job(&session.handle)).await?;
    let what = if deleted { "ended; its pod is deleted" } else { "was gone already" };
    ui.status(&format!("session {} {what}", session.handle.name));
    Ok(Exit::Success)
}

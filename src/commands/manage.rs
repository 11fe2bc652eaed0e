//! `kdj manage`: any management command, in a running pod.

use crate::{
    commands::args::{ChangeArgs, OpensArgs, TargetArgs},
    config::Config,
    database::Mode,
    django,
    error::Result,
    exit::Exit,
    options::Options,
    protection::Change,
    session::{self, Program, Request},
    ui::{Ui, terminal::stdin_of_command},
};

/// Arguments of `kdj manage`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Ends with the command's exit code. Arguments show in audit logs: no secrets in them.")]
pub struct ManageArgs {
    #[command(flatten)]
    target: TargetArgs,

    /// Container of the pod
    #[arg(short, long)]
    container: Option<String>,

    #[command(flatten)]
    opens: OpensArgs,

    #[command(flatten)]
    change: ChangeArgs,

    /// Management command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Runs `kdj manage`.
pub async fn run(args: ManageArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let words = ["manage.py"].into_iter().chain(args.command.iter().map(String::as_str));
    let request = Request {
        wanted: args.target.wanted(args.container.as_deref()),
        environment: args.target.environment.clone(),
        change: Change::command("manage", words),
        reads_only: django::only_reads(&args.command),
        consent: args.change.consent(),
        opens: args.opens.clone().opens(),
    };
    session::run(request, options, config, ui, |environment| {
        let term = session::terminal_type();
        let start = django::management_command(&environment.django, term.as_deref(), &args.command);
        let name = format!("manage.py {}", args.command.first().map_or("", String::as_str));
        Program {
            alternatives: start.alternatives,
            tty: term.is_some(),
            stdin: stdin_of_command(),
            kept: false,
            name,
            mode: Some(Mode::ReadWrite),
        }
    })
    .await
}

//! The subcommands: a list and a flat match, no logic.

pub mod alias;
pub mod args;
mod audit;
pub mod completions;
mod config;
mod db;
mod dbshell;
mod doctor;
mod envs;
pub mod examples;
mod forward;
mod gc;
mod help;
mod init;
mod jobs;
mod logs;
mod manage;
mod migrate;
mod pyshell;
mod releases;
mod restart;
mod rollback;
mod run;
mod scale;
mod sessions;
mod shell;
mod status;

use std::ffi::OsString;

use clap::Subcommand;

use crate::{config::Config, error::Result, exit::Exit, options::Options, ui::Ui};

/// One variant per subcommand.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List who changed what in an environment
    Audit(audit::AuditArgs),
    /// Print the script that lets a shell complete kdj's commands and environments
    Completions(completions::CompletionsArgs),
    /// Show what a role is given: environment variables, files, versions; and what differs between two
    Config(config::ConfigArgs),
    /// Show what goes on in a database of an environment: locks, sessions, sizes; end a query; dump it
    Db(db::DbArgs),
    /// Open the database's own shell (psql, mysql, sqlite3, redis-cli) in an environment, or run SQL in it
    Dbshell(dbshell::DbshellArgs),
    /// Find out what is wrong with this machine, the kubeconfig, the credentials, a cluster or an app, and mend it
    Doctor(doctor::DoctorArgs),
    /// List the environments
    Envs(envs::EnvsArgs),
    /// Forward local ports into an environment: its database, its roles, its Services
    Forward(forward::ForwardArgs),
    /// Remove the pods of sessions that are over, and what else outlived its owner
    Gc(gc::GcArgs),
    /// Show the help of a command, or a page of the documentation
    Help(help::HelpArgs),
    /// Find Django in your clusters, and write a `kdj.toml` that names its environments
    Init(init::InitArgs),
    /// List the jobs kdj made, follow one, print its log, end it
    Jobs(jobs::JobsArgs),
    /// Follow the logs of an environment's pods, all in one
    Logs(logs::LogsArgs),
    /// Run a management command (`manage.py`) in an environment
    Manage(manage::ManageArgs),
    /// Plan and run an environment's migrations, once
    Migrate(migrate::MigrateArgs),
    /// Open Django's shell in an environment, or run Python code in it
    Pyshell(pyshell::PyshellArgs),
    /// List the revisions of an environment's roles: images, what each changed, what is current
    Releases(releases::ReleasesArgs),
    /// Restart roles, one after the other, and wait for their rollouts
    Restart(restart::RestartArgs),
    /// Go back to a revision that roles had
    Rollback(rollback::RollbackArgs),
    /// Run a command in a job of its own, follow its log and end with its exit code
    Run(run::RunArgs),
    /// Set how many pods roles have, and say who will undo it; without roles, print how many they have
    Scale(scale::ScaleArgs),
    /// List the sessions in pods of their own, take one up again, end it
    Sessions(sessions::SessionsArgs),
    /// Open a shell (bash or sh, not Python) in an environment, or run a command in it
    Shell(shell::ShellArgs),
    /// Show what runs in an environment, what is wrong, and why; end with 1 when something is broken
    Status(status::StatusArgs),
    /// An alias and its arguments; gone once the command line is expanded.
    #[command(external_subcommand)]
    External(Vec<OsString>),
}

impl Command {
    /// Whether the command works whatever the configuration says: it needs none, or says itself what is wrong with it.
    pub fn reads_configuration(&self) -> bool {
        matches!(self, Command::Completions(_) | Command::Doctor(_) | Command::Help(_))
    }

    /// The command whose help is asked for by `kdj help COMMAND`.
    pub fn helped(&self, program: fn() -> clap::Command) -> Option<&[String]> {
        if let Command::Help(args) = self { args.of_command(&program()) } else { None }
    }

    /// Whether the command ends with a remote command's exit code.
    pub fn is_pass_through(&self) -> bool {
        match self {
            Command::Forward(args) => args.is_pass_through(),
            Command::Jobs(args) => args.is_pass_through(),
            Command::Sessions(args) => args.is_pass_through(),
            Command::Audit(_)
            | Command::Completions(_)
            | Command::Config(_)
            | Command::Db(_)
            | Command::Doctor(_)
            | Command::Envs(_)
            | Command::External(_)
            | Command::Gc(_)
            | Command::Help(_)
            | Command::Init(_)
            | Command::Logs(_)
            | Command::Migrate(_)
            | Command::Releases(_)
            | Command::Restart(_)
            | Command::Rollback(_)
            | Command::Scale(_)
            | Command::Status(_) => false,
            Command::Dbshell(_) | Command::Manage(_) | Command::Pyshell(_) | Command::Run(_) | Command::Shell(_) => {
                true
            }
        }
    }
}

/// Runs the command.
pub async fn run(command: Command, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    match command {
        Command::Audit(args) => audit::run(args, options, config, ui).await,
        Command::Completions(args) => completions::run(&args, ui),
        Command::Config(args) => config::run(args, options, config, ui).await,
        Command::Db(args) => db::run(args, options, config, ui).await,
        Command::Dbshell(args) => dbshell::run(args, options, config, ui).await,
        Command::Doctor(args) => doctor::run(args, alias::commands(), options, ui).await,
        Command::Envs(args) => envs::run(args, options, config, ui).await,
        Command::Forward(args) => forward::run(args, options, config, ui).await,
        Command::Gc(args) => gc::run(args, options, config, ui).await,
        Command::Help(args) => help::run(&args, &alias::commands(), ui),
        Command::Init(args) => init::run(args, alias::commands(), options, config, ui).await,
        Command::Jobs(args) => jobs::run(args, options, config, ui).await,
        Command::Logs(args) => logs::run(args, options, config, ui).await,
        Command::Manage(args) => manage::run(args, options, config, ui).await,
        Command::Migrate(args) => migrate::run(args, options, config, ui).await,
        Command::Pyshell(args) => pyshell::run(args, options, config, ui).await,
        Command::Releases(args) => releases::run(args, options, config, ui).await,
        Command::Restart(args) => restart::run(args, options, config, ui).await,
        Command::Rollback(args) => rollback::run(args, options, config, ui).await,
        Command::Run(args) => run::run(args, options, config, ui).await,
        Command::Scale(args) => scale::run(args, options, config, ui).await,
        Command::Sessions(args) => sessions::run(args, options, config, ui).await,
        Command::Shell(args) => shell::run(args, options, config, ui).await,
        Command::Status(args) => status::run(args, options, config, ui).await,
        Command::External(words) => {
            let word = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
            Err(alias::unknown_command(&word, config))
        }
    }
}

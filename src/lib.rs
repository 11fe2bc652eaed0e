//! kdj: shells, management commands and more for Django on Kubernetes, by the environment's name.
//!
//! How the modules depend on each other, from the top (`docs/architecture.md` walks one command through them, and
//! `tests/structure.rs` checks it):
//!
//! * [`commands`]: one file per subcommand, its arguments and its `run`; no command calls another.
//! * [`session`], [`connection`]: what several commands share: from a name to a running program and its exit code.
//! * [`celery`]: the app's queues and workers, asked in a container of the app.
//! * [`completion`]: what shells complete names to.
//! * [`configuration`]: what a role's container is given, shown without secrets and compared.
//! * [`doctor`]: checks of all that kdj needs, what is wrong with it, and what mends it.
//! * [`forward`]: local ports that lead into an environment.
//! * [`help`]: pure. The pages of the documentation, for a terminal.
//! * [`init`]: pure. What a first `kdj.toml` says, from what runs in the clusters.
//! * [`operate`]: workloads scaled and restarted.
//! * [`protection`]: whether a change may be made, and the record of it.
//! * [`environment`], [`django`], [`config`]: pure. What an environment's name means, and what to execute in it.
//! * [`cluster`]: the only module that names `kube`. It never prints and never asks.
//! * [`ui`]: the only module that touches the terminal.
//! * [`migration`]: pure. What a migration would do, what is dangerous about it, and what came of it.
//! * [`status`]: pure. What state an environment is in, what is wrong with it and why.
//! * [`logs`]: pure. What lines of logs say, which belong together, and how they are shown.
//! * [`keeper`]: pure. What keeps a fresh session's program when the connection drops.
//! * [`kubectl`]: what would be done, as a kubectl command.
//! * [`rights`]: which rights each command needs, in one table.
//! * [`error`], [`exit`], [`explained`], [`invocation`], [`names`], [`options`], [`own_file`], [`program`], [`script`], [`streams`]: leaves,
//!   used by all.

#![warn(missing_docs, clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, clippy::dbg_macro)]
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the documentation is for who reads the source; tests/run builds it whole"
)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a panic is how a test fails"))]

mod celery;
pub mod cli;
mod cluster;
mod commands;
mod completion;
pub mod config;
mod configuration;
mod connection;
mod database;
pub mod django;
mod doctor;
mod environment;
pub mod error;
pub mod exit;
mod explained;
mod forward;
mod help;
mod init;
mod invocation;
mod job;
pub mod keeper;
mod kubectl;
pub mod logs;
mod migrate;
mod migration;
mod names;
mod operate;
mod options;
mod own_file;
mod program;
mod protection;
mod rest;
mod rights;
mod script;
mod session;
mod status;
mod streams;
mod typed_time;
mod ui;
mod web;

use std::{ffi::OsString, process::ExitCode};

use self::exit::Failure;

/// Runs kdj with the process's arguments, shows its error if it has one, and says with which code to end.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // A command goes on whatever its surroundings hold.
    if let Some(request) = completion::to_learn().filter(|_| arguments.len() < 2) {
        completion::learn(&request);
        return ExitCode::SUCCESS;
    }
    if cli::complete(&arguments) {
        return ExitCode::SUCCESS;
    }
    // A panic is a fault of kdj's own; what a remote command did meanwhile nobody knows. The message has been printed.
    std::panic::catch_unwind(|| cli::run(arguments)).unwrap_or(ExitCode::from(Failure::Lost.code(true)))
}

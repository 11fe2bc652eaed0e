//! `kdj shell`.

use crate::{
    cli::GlobalArgs,
    config::Config,
    error::{Error, Result},
    exit::Exit,
    ui::Ui,
};

/// Arguments of `kdj shell`.
#[derive(Debug, clap::Args)]
pub struct ShellArgs {}

/// Runs `kdj shell`.
pub async fn run(_args: ShellArgs, _global: &GlobalArgs, _config: &Config, _ui: &Ui) -> Result<Exit> {
    Err(Error::failed("not there yet"))
}

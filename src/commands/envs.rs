//! `kdj envs`.

use crate::{
    cli::GlobalArgs,
    config::Config,
    error::{Error, Result},
    exit::Exit,
    ui::Ui,
};

/// Arguments of `kdj envs`.
#[derive(Debug, clap::Args)]
pub struct EnvsArgs {}

/// Runs `kdj envs`.
pub async fn run(_args: EnvsArgs, _options: &Options, _config: &Config, _ui: &Ui) -> Result<Exit> {
    Err(Error::failed("not there yet"))
}

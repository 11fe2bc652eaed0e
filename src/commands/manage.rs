//! `kdj manage`.

use crate::{
    cli::GlobalArgs,
    config::Config,
    error::{Error, Result},
    exit::Exit,
    ui::Ui,
};

/// Arguments of `kdj manage`.
#[derive(Debug, clap::Args)]
pub struct ManageArgs {}

/// Runs `kdj manage`.
pub async fn run(_args: ManageArgs, _global: &GlobalArgs, _config: &Config, _ui: &Ui) -> Result<Exit> {
    Err(Error::failed("not there yet"))
}

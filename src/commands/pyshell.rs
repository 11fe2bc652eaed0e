//! `kdj pyshell`.

use crate::{
    cli::GlobalArgs,
    config::Config,
    error::{Error, Result},
    exit::Exit,
    ui::Ui,
};

/// Arguments of `kdj pyshell`.
#[derive(Debug, clap::Args)]
pub struct PyshellArgs {}

/// Runs `kdj pyshell`.
pub async fn run(_args: PyshellArgs, _global: &GlobalArgs, _config: &Config, _ui: &Ui) -> Result<Exit> {
    Err(Error::failed("not there yet"))
}

//! `kdj envs`: the environments, where they are, and with `-v` where each value comes from.

mod render;
#[cfg(test)]
mod tests;

use super::args::{OutputArgs, OutputFormat};
use crate::{
    cluster::Kubeconfig,
    config::Config,
    environment,
    error::Result,
    exit::Exit,
    options::Options,
    ui::{Ui, style::Role},
};

/// Arguments of `kdj envs`.
#[derive(Debug, clap::Args)]
pub struct EnvsArgs {
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs `kdj envs`.
pub async fn run(args: EnvsArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let contexts = Kubeconfig::load(options.kubeconfig.as_deref()).map(|kubeconfig| kubeconfig.contexts());
    let environments = environment::list(config, contexts.as_deref().ok(), &options.overrides);
    for file in &config.files {
        ui.verbose(&format!("read {}", file.display()));
    }
    let text = match args.output.output {
        Some(OutputFormat::Json) => render::json(&environments)?,
        Some(OutputFormat::Name) => render::names(&environments),
        Some(OutputFormat::Wide) => render::table(&environments, true),
        None if ui.is_verbose() => render::details(&environments),
        None => render::table(&environments, false),
    };
    ui.data(&text)?;
    if config.environments.is_empty() && args.output.output != Some(OutputFormat::Json) {
        ui.status(&format!("{} {}", ui.paint("hint:", Role::Hint), render::first_steps(&environments)));
    }
    Ok(Exit::Success)
}

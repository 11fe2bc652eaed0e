//! `kdj envs`: the environments, where they are, with `-v` where each value comes from, and with `--live` how they are.

mod live;
mod render;
#[cfg(test)]
mod tests;

use super::args::{OutputArgs, OutputFormat};
use crate::{
    cluster::Kubeconfig,
    config::Config,
    environment::{self, Listed},
    error::Result,
    exit::Exit,
    options::Options,
    ui::{Ui, style::Role},
};

/// Arguments of `kdj envs`.
#[derive(Debug, clap::Args)]
pub struct EnvsArgs {
    /// Ask the clusters: how many pods are ready, and which instances a pattern stands for now
    #[arg(long)]
    live: bool,

    #[command(flatten)]
    output: OutputArgs,
}

/// Runs `kdj envs`.
pub async fn run(args: EnvsArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let kubeconfig = Kubeconfig::load(options.kubeconfig.as_deref());
    let contexts = kubeconfig.as_ref().map(Kubeconfig::contexts).ok();
    let environments = environment::list(config, contexts.as_deref(), &options.overrides);
    for file in &config.files {
        ui.verbose(&format!("read {}", file.display()));
    }
    if args.live {
        return run_live(environments, &kubeconfig?, args.output.output, options, config, ui).await;
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

/// Asks the clusters. It fails when one could not be asked: the list may lack instances then.
async fn run_live(
    environments: Vec<Listed>,
    kubeconfig: &Kubeconfig,
    output: Option<OutputFormat>,
    options: &Options,
    config: &Config,
    ui: &Ui,
) -> Result<Exit> {
    if options.explain {
        return live::explain(environments, kubeconfig, options, config, ui);
    }
    let rows = live::ask(environments, kubeconfig, options, config, ui).await;
    let text = match output {
        Some(OutputFormat::Json) => render::live_json(&rows)?,
        Some(OutputFormat::Name) => render::names(rows.iter().map(|row| &row.listed)),
        Some(OutputFormat::Wide) => render::live_table(&rows, true),
        None => render::live_table(&rows, ui.is_verbose()),
    };
    ui.data(&text)?;
    Ok(if rows.iter().any(|row| row.state.is_err()) { Exit::Failed } else { Exit::Success })
}

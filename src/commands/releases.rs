//! `kdj releases`: the revisions of an environment's roles, and what each changed.

mod render;

use super::args::{EnvironmentArg, OutputArgs, OutputFormat};
use crate::{
    config::Config,
    connection,
    error::{Error, Result},
    exit::Exit,
    operate::{Place, restart},
    options::Options,
    protection::redact,
    ui::Ui,
};

/// Arguments of `kdj releases`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A revision is a template that a workload had: as many are kept as its `revisionHistoryLimit` says.\nThe number is what `kdj rollback` takes."
)]
pub struct ReleasesArgs {
    #[command(flatten)]
    environment: EnvironmentArg,

    /// Roles, or workloads (default: all of the app's)
    #[arg(value_name = "ROLE")]
    roles: Vec<String>,

    #[command(flatten)]
    output: OutputArgs,
}

/// Runs `kdj releases`.
pub async fn run(args: ReleasesArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&args.environment.environment, options, config)?;
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, options, ui };
    let reading = async {
        let workloads = cluster.workloads(&environment).await?;
        let chosen = restart::choose(&args.roles, &workloads.all, &place)?;
        let revisions = cluster.revisions(&environment, &chosen.all, true).await?;
        Ok::<_, Error>((revisions, workloads.no_stateful_sets))
    };
    let (mut revisions, no_stateful_sets) = ui.waiting("reading the revisions", reading).await?;
    for revision in revisions.iter_mut().flat_map(|of| &mut of.all) {
        revision.cause = revision.cause.as_deref().map(redact::change_cause);
    }
    if let Some(error) = no_stateful_sets.filter(|_| args.roles.is_empty()) {
        ui.status(&format!("the StatefulSets are left out: {error}"));
    }
    if let Some(error) = revisions.iter().find_map(|of| of.no_pods.as_ref()) {
        ui.status(&format!("pods are not counted: {error}"));
    }
    let text = match args.output.output {
        Some(OutputFormat::Json) => render::json(&environment.name, &revisions)?,
        Some(OutputFormat::Name) => render::names(&revisions),
        _ if revisions.iter().all(|of| of.all.is_empty()) => {
            ui.status(&format!("no revisions in `{}`", environment.name));
            return Ok(Exit::Success);
        }
        output => render::table(&revisions, output == Some(OutputFormat::Wide), jiff::Timestamp::now()),
    };
    ui.data(&text)?;
    Ok(Exit::Success)
}

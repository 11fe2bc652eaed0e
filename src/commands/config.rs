//! `kdj config`: what a role's container is given, where that comes from, and what differs between two.

mod render;

use super::args::{EnvironmentArg, OutputArgs, OutputFormat};
use crate::{
    cluster::{Cluster, Wanted},
    config::Config,
    configuration::{self, Side, differences},
    connection,
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    options::Options,
    ui::Ui,
};

/// Arguments of `kdj config`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Values of Secrets, and what looks like one, are not shown; they are compared by a hash of this run's.\nWith --diff it ends with 0 when nothing differs, and 1 when something does or could not be compared."
)]
pub struct ConfigArgs {
    #[command(flatten)]
    environment: EnvironmentArg,

    /// Role, or workload (default: web, then shell)
    role: Option<String>,

    /// What differs from another environment (ENV, ENV:ROLE) or from another role of this one
    #[arg(long, value_name = "OTHER")]
    diff: Option<String>,

    /// Container, instead of the app's
    #[arg(short, long)]
    container: Option<String>,

    /// Names and origins only: read neither ConfigMaps nor Secrets
    #[arg(long, conflicts_with = "diff")]
    no_values: bool,

    #[command(flatten)]
    output: OutputArgs,
}

/// A container to look at, and its environment.
struct Place {
    environment: Environment,
    cluster: Cluster,
    wanted: Wanted,
}

impl Place {
    /// `web of qa`.
    fn name(&self, side: &Side) -> String {
        format!("{} of {}", side.configuration.role, self.environment.name)
    }
}

/// Runs `kdj config`.
pub async fn run(args: ConfigArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&args.environment.environment, options, config)?;
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let wanted = Wanted { role: args.role.clone(), container: args.container.clone(), ..Wanted::default() };
    let place = Place { environment, cluster, wanted };
    let Some(other) = &args.diff else {
        let side = ui.waiting("reading what the container is given", look(&place, !args.no_values)).await?;
        tell(&place, &side, ui);
        return show(&place, &side, args.output.output, ui);
    };
    let (other, no_environment) = find_other(other, &place, &args, options, config, ui).await?;
    let look_at_other = async {
        look(&other, true).await.map_err(|error| match no_environment {
            Some(why) => error.caused_by(format!("it is no environment either: {why}")),
            None => error,
        })
    };
    let both = async { futures::try_join!(look(&place, true), look_at_other) };
    let (left, right) = ui.waiting("reading what the containers are given", both).await?;
    tell(&place, &left, ui);
    tell(&other, &right, ui);
    let one = &place.environment;
    let same_place = (&one.context, &one.namespace) == (&other.environment.context, &other.environment.namespace);
    let found = differences(&left, &right, same_place);
    let names = [place.name(&left), other.name(&right)];
    match args.output.output {
        Some(OutputFormat::Json) => ui.data(&render::differences_json(&names, &found)?)?,
        Some(OutputFormat::Name) => ui.data(&found.iter().map(|it| format!("{}\n", it.name)).collect::<String>())?,
        output if !found.is_empty() => {
            ui.data(&render::differences(&names, &found, output == Some(OutputFormat::Wide)))?;
        }
        _ => ui.status(&format!("nothing differs between {} and {}", names[0], names[1])),
    }
    Ok(if found.is_empty() { Exit::Success } else { Exit::Failed })
}

/// The other container: a word that names an environment is one, any other a role of the same environment; then also why it is
/// no environment.
async fn find_other(
    word: &str,
    place: &Place,
    args: &ConfigArgs,
    options: &Options,
    config: &Config,
    ui: &Ui,
) -> Result<(Place, Option<Error>)> {
    let container = args.container.clone();
    let of = |role: Option<&str>| Wanted {
        role: role.map(str::to_owned),
        container: container.clone(),
        ..Wanted::default()
    };
    let split = word.rsplit_once(':').filter(|(name, role)| !name.is_empty() && !role.contains('/'));
    // As it is, then with a role behind it.
    let whole = connection::resolve(word, options, config).map(|found| (found, place.wanted.role.as_deref()));
    let found = whole.or_else(|error| match split {
        Some((name, role)) => connection::resolve(name, options, config).map(|found| (found, Some(role))),
        None => Err(error),
    });
    match found {
        Ok(((environment, kubeconfig), role)) => {
            let cluster = if environment.context == place.environment.context {
                connection::reuse(&place.cluster, &environment, ui)
            } else {
                connection::open(&environment, &kubeconfig, options, ui).await?
            };
            Ok((Place { environment, cluster, wanted: of(role) }, None))
        }
        Err(error) if split.is_some() || word.contains('/') => Err(error),
        Err(error) => {
            let environment = place.environment.clone();
            let cluster = connection::reuse(&place.cluster, &environment, ui);
            Ok((Place { environment, cluster, wanted: of(Some(word)) }, Some(error)))
        }
    }
}

/// Reads the template and what it names, then asks a pod what it says of itself; that may be refused.
async fn look(place: &Place, values: bool) -> Result<Side> {
    let Place { environment, cluster, wanted } = place;
    let mut configuration = cluster.configuration(environment, wanted, values).await?;
    let versions = match configuration::versions(cluster, environment, &configuration).await {
        Ok(versions) => Some(versions),
        Err(error) => {
            configuration.notes.push(format!("settings module and versions are not known: {error}"));
            None
        }
    };
    Ok(Side { configuration, versions })
}

fn tell(place: &Place, side: &Side, ui: &Ui) {
    let configuration = &side.configuration;
    let pod = side.versions.as_ref().map(|versions| format!(", pod {}", versions.pod)).unwrap_or_default();
    ui.status(&format!("{}: {}, container {}{pod}", place.name(side), configuration.workload, configuration.container));
    configuration.notes.iter().for_each(|note| ui.status(note));
}

fn show(place: &Place, side: &Side, output: Option<OutputFormat>, ui: &Ui) -> Result<Exit> {
    let text = match output {
        Some(OutputFormat::Json) => render::json(&place.environment.name, side)?,
        Some(OutputFormat::Name) => {
            side.configuration.variables.iter().map(|given| format!("{}\n", given.name)).collect()
        }
        output => render::tables(side, output == Some(OutputFormat::Wide)),
    };
    ui.data(&text)?;
    Ok(Exit::Success)
}

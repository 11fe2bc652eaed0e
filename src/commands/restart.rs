//! `kdj restart`: new pods for roles.

use std::time::Duration;

use crate::{
    commands::args::ChangeArgs,
    config::Config,
    connection,
    error::Result,
    exit::Exit,
    operate::{
        Place,
        restart::{self, How},
    },
    options::Options,
    protection::{self, Change, Object, Record, Who},
    typed_time::time_limit,
    ui::Ui,
};

/// Arguments of `kdj restart`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Role after role: web first, workers after it, beat last and never twice at once. When a rollout fails, the roles \
                  after it are left as they are."
)]
pub struct RestartArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV")]
    environment: String,

    /// Roles, or workloads, to restart (default: all of the app, and no databases)
    #[arg(value_name = "ROLE")]
    roles: Vec<String>,

    /// Wait for each rollout before the next begins; as it is without
    #[arg(short, long, conflicts_with = "no_wait")]
    wait: bool,

    /// Do not wait, but for a beat's old pod to be gone
    #[arg(long)]
    no_wait: bool,

    /// How long to wait for each rollout
    #[arg(long, value_name = "DURATION", value_parser = time_limit, default_value = "10m", conflicts_with = "no_wait")]
    timeout: Duration,

    /// Have Celery workers take no more tasks and finish those they have, before they are restarted
    #[arg(long, conflicts_with = "no_wait")]
    drain: bool,

    /// How long they may take for that
    #[arg(long, value_name = "DURATION", value_parser = time_limit, default_value = "10m", requires = "drain")]
    drain_timeout: Duration,

    /// Have the server check it, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Runs `kdj restart`.
pub async fn run(args: RestartArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&args.environment, options, config)?;
    let consent = args.change.consent();
    let how = How {
        wait: !args.no_wait,
        limit: args.timeout,
        drain: args.drain.then_some(args.drain_timeout),
        named: !args.roles.is_empty(),
        dry_run: args.dry_run,
    };
    let changes = !args.dry_run && !options.explain;
    let early = match changes {
        true => {
            let what = if args.roles.is_empty() { "all roles of the app".to_owned() } else { args.roles.join(", ") };
            let change = Change::new("restart", &what, args.roles.iter().map(String::as_str));
            protection::permit_unseen(&environment, &change, &consent, ui).await?
        }
        false => None,
    };
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, options, ui };
    let workloads = ui.waiting("reading the workloads", cluster.workloads(&environment)).await?;
    let chosen = restart::choose(&args.roles, &workloads.all, &place)?;
    place.introduce();
    if !chosen.left_out.is_empty() {
        ui.status(&format!("left out, as not the app's: {}", chosen.left_out.join(", ")));
    }
    if let Some(error) = workloads.no_stateful_sets.filter(|_| args.roles.is_empty()) {
        ui.warning(&format!("the StatefulSets are left out: {error}"));
    }
    restart::check(&chosen.all, &place, &how)?;
    if options.explain {
        ui.data(&restart::explain(&chosen.all, &place))?;
        return Ok(Exit::Success);
    }
    if args.dry_run {
        return restart::apply(&chosen.all, &place, &how).await;
    }
    let change = restart::change(&chosen.all, &args.roles);
    let permit = match early {
        Some(permit) => permit,
        None => protection::permit(&environment, &change, &consent, ui).await?,
    };
    let who = Who::of(&permit, &cluster);
    let object = Object::Other(restart::object(&chosen.all));
    Record::begin(&permit, &environment, object, who, &cluster, ui)
        .keep(restart::apply(&chosen.all, &place, &how))
        .await
}

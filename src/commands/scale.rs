//! `kdj scale`: how many pods roles have.

use std::time::Duration;

use crate::{
    cluster::Workloads,
    commands::args::{ChangeArgs, OutputArgs, OutputFormat},
    config::Config,
    connection,
    error::{Error, Result},
    exit::Exit,
    operate::{
        self, Asked, Place,
        scale::{self, state},
    },
    options::Options,
    protection::{self, Change, Object, Record, Who},
    typed_time::time_limit,
    ui::{Ui, terminal::Interrupts},
};

/// Arguments of `kdj scale`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Without roles the numbers as they are are printed, in the form that is accepted.")]
pub struct ScaleArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV")]
    environment: String,

    /// Roles, or workloads, and how many replicas: web=3 celeryd+1 celery-mail-2
    #[arg(value_name = "ROLE=N|ROLE+N|ROLE-N", value_parser = asked)]
    roles: Vec<(String, Asked)>,

    /// Wait until all pods are ready, and see that nobody sets another number
    #[arg(short, long, requires = "roles")]
    wait: bool,

    /// How long to wait
    #[arg(long, value_name = "DURATION", value_parser = time_limit, default_value = "10m", requires = "wait")]
    timeout: Duration,

    /// Set the number although an autoscaler sets another one; never a second beat
    #[arg(long, requires = "roles")]
    force: bool,

    /// Have the server check it, and change nothing
    #[arg(long, requires = "roles", conflicts_with = "wait")]
    dry_run: bool,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Runs `kdj scale`.
pub async fn run(args: ScaleArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&args.environment, options, config)?;
    let words: Vec<String> = args.roles.iter().map(|(word, _)| word.clone()).collect();
    let asked: Vec<Asked> = args.roles.iter().map(|(_, asked)| asked.clone()).collect();
    if let (false, Some(format @ (OutputFormat::Name | OutputFormat::Wide))) = (asked.is_empty(), args.output.output) {
        let format = if format == OutputFormat::Name { "name" } else { "wide" };
        return Err(Error::usage(format!("`-o {format}` shows the numbers as they are, and goes with no roles"))
            .hint("what is changed as JSON: `-o json`"));
    }
    let consent = args.change.consent();
    let changes = !asked.is_empty() && !args.dry_run && !options.explain;
    let early = match changes {
        true => {
            let change = Change::new("scale", &words.join(" "), words.iter().map(String::as_str));
            protection::permit_unseen(&environment, &change, &consent, ui).await?
        }
        false => None,
    };
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, options, ui };
    let workloads = ui.waiting("reading the workloads", cluster.workloads(&environment)).await?;
    if asked.is_empty() {
        return show(&args, &place, &workloads);
    }
    let plan = scale::plan(&asked, &workloads, &place, args.force)?;
    plan.introduce(&place);
    if options.explain {
        ui.data(&scale::explain(&plan, &place))?;
        return Ok(Exit::Success);
    }
    let is_json = args.output.output == Some(OutputFormat::Json);
    if !args.dry_run {
        scale::look_at_tasks(&plan, &place).await;
    }
    if args.dry_run || plan.is_empty() {
        scale::apply(&plan, &place, args.dry_run, &mut Interrupts::listen()).await?;
        if is_json {
            ui.data(&plan.json(&environment.name, args.dry_run))?;
        }
        return Ok(Exit::Success);
    }
    let change = plan.change(&words);
    let permit = match early {
        Some(permit) => permit,
        None => protection::permit(&environment, &change, &consent, ui).await?,
    };
    let who = Who::of(&permit, &cluster);
    let record = Record::begin(&permit, &environment, Object::Other(plan.object()), who, &cluster, ui);
    record
        .keep(async {
            let mut signals = Interrupts::listen();
            scale::apply(&plan, &place, false, &mut signals).await?;
            if is_json {
                ui.data(&plan.json(&environment.name, false))?;
            }
            match args.wait {
                true => scale::wait(&plan, &place, args.timeout, &mut signals).await,
                false => Ok(Exit::Success),
            }
        })
        .await
}

fn show(args: &ScaleArgs, place: &Place<'_>, workloads: &Workloads) -> Result<Exit> {
    let Place { environment, ui, .. } = place;
    let all = &workloads.all;
    let unread = [
        ("the StatefulSets are left out", &workloads.no_stateful_sets),
        ("the autoscalers are left out", &workloads.no_autoscalers),
    ];
    for (what, error) in unread {
        if let Some(error) = error {
            ui.warning(&format!("{what}: {error}"));
        }
    }
    let text = match args.output.output {
        Some(OutputFormat::Json) => state::json(all, &environment.name),
        Some(OutputFormat::Name) => state::names(all),
        Some(OutputFormat::Wide) => state::table(all),
        None => {
            operate::require_some(all, place)?;
            state::line(all)
        }
    };
    ui.data(&text)?;
    Ok(Exit::Success)
}

fn asked(word: &str) -> Result<(String, Asked), String> {
    Asked::parse(word).map(|asked| (word.to_owned(), asked))
}

//! `kdj rollback`: back to a revision that roles had.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{
    cluster::{Operated, Progress, Workloads},
    commands::args::ChangeArgs,
    config::Config,
    connection,
    error::{Error, Result},
    exit::{Exit, Failure},
    operate::{
        Place, restart,
        rollback::{self, In, Plan},
    },
    options::Options,
    protection::{self, Change, Object, Permit, Record, Who},
    typed_time::time_limit,
    ui::{Ui, terminal::interrupted},
};

/// How long the controller of a workload that was changed a moment ago is waited for.
const SETTLED: Duration = Duration::from_secs(5);
/// How long it is until it is looked at again.
const PAUSE: Duration = Duration::from_millis(300);

/// Arguments of `kdj rollback`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without roles, web decides, and all roles that have its image go back to the image it goes back to.\nMigrations are not reversed: those that are applied and that the older image does not know are named before."
)]
pub struct RollbackArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV")]
    environment: String,

    /// Revision of web or of the first ROLE, as `kdj releases` lists it (default: the one before), then roles, or workloads
    #[arg(value_name = "REV|ROLE")]
    words: Vec<String>,

    /// Wait for the rollouts
    #[arg(short, long)]
    wait: bool,

    /// How long to wait
    #[arg(long, value_name = "DURATION", value_parser = time_limit, default_value = "10m", requires = "wait")]
    timeout: Duration,

    /// Do not ask the older image which migrations it knows
    #[arg(long)]
    skip_migrations: bool,

    /// Have the server check it, and change nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl RollbackArgs {
    /// The revision, if the first word is one, and the roles.
    fn revision(&self) -> (Option<i64>, &[String]) {
        match self.words.split_first() {
            Some((first, roles)) if first.parse::<i64>().is_ok() => (first.parse().ok(), roles),
            _ => (None, &self.words),
        }
    }
}

/// Runs `kdj rollback`.
pub async fn run(args: RollbackArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&args.environment, options, config)?;
    let consent = args.change.consent();
    let (number, roles) = args.revision();
    let early = match !args.dry_run && !options.explain {
        true => {
            let change = Change::new("rollback", &args.words.join(" "), args.words.iter().map(String::as_str));
            protection::permit_unseen(&environment, &change, &consent, ui).await?
        }
        false => None,
    };
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, options, ui };
    let names: Vec<&str> = roles.iter().map(String::as_str).collect();
    let workloads = ui.waiting("reading the workloads", settled(&place, roles)).await?;
    let mut chosen = restart::choose(roles, &workloads.all, &place)?.all;
    // As they were named: the first one decides.
    chosen.sort_by_key(|one| names.iter().position(|name| one.is_meant_by(name)));
    let revisions = ui.waiting("reading the revisions", cluster.revisions(&environment, &chosen, true)).await?;
    let plan = rollback::plan(&chosen, !roles.is_empty(), &revisions, number, &environment.name)?;
    // What is not of the app has no migrations.
    let of_app = restart::choose(&[], &workloads.all, &place)?.all;
    let is_of_app =
        plan.steps.first().is_some_and(|step| of_app.iter().any(|one| one.workload == step.workload.workload));
    let ask_for_migrations = is_of_app && !args.skip_migrations;
    place.introduce();
    rollback::check(&plan, &place)?;
    if options.explain {
        ui.data(&plan.explain(&place))?;
        return Ok(Exit::Success);
    }
    if args.dry_run {
        if ask_for_migrations {
            tell_migrations(&plan, &place, None).await;
        }
        return rollback::apply(&plan, &place, None, true).await;
    }
    let change = plan.change(&args.words);
    let permit = match early {
        Some(permit) => permit,
        None => protection::permit(&environment, &change, &consent, ui).await?,
    };
    let who = Who::of(&permit, &cluster);
    let record = Record::begin(&permit, &environment, Object::Other(plan.object()), who, &cluster, ui);
    record
        .keep(async {
            if ask_for_migrations && tell_migrations(&plan, &place, Some(&permit)).await {
                require_consent(&place, consent.yes).await?;
            }
            rollback::apply(&plan, &place, args.wait.then_some(args.timeout), false).await
        })
        .await
}

/// The workloads. Those that were changed a moment ago are read again until their controller has seen it, or the time is up.
async fn settled(place: &Place<'_>, roles: &[String]) -> Result<Workloads> {
    let deadline = Instant::now() + SETTLED;
    loop {
        let workloads = place.cluster.workloads(place.environment).await?;
        let is_seen = |one: &&Operated| one.rollout.progress != Progress::Unobserved;
        if Instant::now() >= deadline || restart::choose(roles, &workloads.all, place)?.all.iter().all(is_seen) {
            return Ok(workloads);
        }
        sleep(PAUSE).await;
    }
}

/// Names the migrations that the older image does not know; whether there is anything to consent to.
async fn tell_migrations(plan: &Plan<'_>, place: &Place<'_>, permit: Option<&Permit>) -> bool {
    let Some(step) = plan.steps.first() else { return false };
    let (ui, image) = (place.ui, &step.to.image);
    match rollback::unknown(place, step, permit.map_or(In::Pod, In::PodOrJob)).await {
        Ok(Some(unknown)) if unknown.is_empty() => false,
        Ok(Some(unknown)) => {
            let several = if unknown.len() == 1 { "a migration is" } else { "migrations are" };
            ui.warning(&format!(
                "{several} applied that {image} does not know, and stays so: {}; it has to work with them",
                unknown.join(", ")
            ));
            true
        }
        Ok(None) => {
            ui.status(&format!("which migrations {image} knows only a job on it can tell, and a dry run makes none"));
            false
        }
        Err(error) => {
            ui.warning(&format!("whether {image} knows all migrations that are applied is not known: {error}"));
            true
        }
    }
}

/// Who has seen what may go wrong says that it is to be done.
async fn require_consent(place: &Place<'_>, yes: bool) -> Result<()> {
    let name = &place.environment.name;
    if yes {
        return Ok(());
    }
    if place.ui.can_ask() {
        let answer = tokio::select! {
            answer = place.ui.ask_yes_no("roll back all the same?", false) => answer?,
            // The Job that was asked has taken the signals, and nobody else listens.
            number = interrupted() => {
                return Err(Error::new(Failure::Signal(number), "interrupted: nothing was rolled back"));
            }
        };
        return match answer {
            true => Ok(()),
            false => Err(Error::failed("not confirmed: nothing was rolled back")),
        };
    }
    Err(Error::failed(format!("refusing to roll back `{name}`: see the warning above"))
        .caused_by("nobody can be asked: stdin and stderr are no terminal")
        .hint(format!("what they change: `kdj manage {name} -- sqlmigrate APP MIGRATION`"))
        .hint("pass `--yes` to go on all the same, or `--skip-migrations` not to look"))
}

//! `kdj migrate`: migrations planned, looked at, locked, run once in a Job, and accounted for.

use jiff::SignedDuration;

use crate::{
    cluster::{JobKind, JobSummary, NewJob, Preference, Template, Wanted},
    commands::args::{ChangeArgs, OutputArgs, OutputFormat, duration, environment_candidates},
    config::Config,
    connection,
    django::{self, MigrationRequest},
    error::{Error, Result},
    exit::Exit,
    job::{self, Place},
    migrate::{self, Before, Held, Planned},
    migration::{Class, Finding, lint},
    options::Options,
    protection::{self, Change, Consent, Object, Permit, Record, Who},
    ui::Ui,
};

/// Arguments of `kdj migrate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Ctrl-C leaves the job, which goes on. Ends with 0 when all is applied, 1 when not, 255 when nobody knows."
)]
pub struct MigrateArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV", add = environment_candidates())]
    environment: String,

    /// App whose migrations to run (default: all)
    app: Option<String>,

    /// Migration to go to, forward or back; `zero` is before the first
    migration: Option<String>,

    /// Say what would be done, and do nothing
    #[arg(long)]
    plan: bool,

    /// Record the migrations without running them
    #[arg(long, conflicts_with = "fake_initial")]
    fake: bool,

    /// Record an app's first migrations without running them where their tables exist
    #[arg(long)]
    fake_initial: bool,

    /// Alias of the database in Django's settings
    #[arg(long, value_name = "ALIAS", default_value = "default")]
    database: String,

    /// How long a migration may wait for a lock on PostgreSQL before it lets others pass and tries again; 0 for ever
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s")]
    lock_timeout: SignedDuration,

    /// Print the job's name and do not wait
    #[arg(short, long, conflicts_with = "plan")]
    detach: bool,

    /// Do not look for dangerous SQL
    #[arg(long)]
    skip_lint: bool,

    /// Role, or workload, on whose image to run (default: web, then shell)
    #[arg(short, long)]
    role: Option<String>,

    /// Container of the template that is the app's
    #[arg(short, long)]
    container: Option<String>,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Runs `kdj migrate`.
pub async fn run(args: MigrateArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&args.environment, options, config)?;
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, ui, mine: true };
    let wanted = Wanted { role: args.role.clone(), container: args.container.clone(), ..Wanted::default() };
    let who = Who::ask(&cluster);
    let reading =
        async { futures::join!(cluster.template(&environment, &wanted, Preference::Web), Before::look(&place)) };
    let (template, before) = ui.waiting("reading the template", who.beside(reading)).await;
    let (template, before) = (template?, before?);
    let request = MigrationRequest {
        app: args.app.clone(),
        migration: args.migration.clone(),
        database: args.database.clone(),
        fake: args.fake,
        fake_initial: args.fake_initial,
    };
    let planning = Change::new("migrate", "plan", ["--plan"]);
    let planned = migrate::make(&place, &template, &request, |kind, name, words| {
        new_job(&place, &planning, None, who.find(), (kind, name, words))
    })
    .await?;
    let findings = if args.skip_lint { Vec::new() } else { lint(&planned.plan) };
    let as_json = args.output.output == Some(OutputFormat::Json);
    if args.plan || planned.plan.is_empty() {
        return show(&place, &template, &planned, &findings, as_json);
    }
    refuse_impossible(&planned)?;
    let command = words(&args);
    let what = format!("{} migrations on {}", planned.plan.migrations.len(), migrate::scope(&planned.plan.database));
    let change = Change::new("migrate", &what, command.iter().map(String::as_str));
    announce(&place, &template, &planned, &findings);
    let consent = args.change.consent();
    require_consent(&place, &findings, &consent).await?;
    let permit = protection::permit(&environment, &change, &consent, ui).await?;
    let lock_timeout = u32::try_from(args.lock_timeout.as_millis()).unwrap_or(u32::MAX);
    let start = django::migrate_command(&environment.django, &request, lock_timeout);
    let words = start.alternatives.into_iter().next().unwrap_or_default();
    let name = migrate::job_name(&planned.plan.database);
    let new = new_job(&place, &change, Some(&permit), who.answer().await, (JobKind::Migrate, name, words));
    if options.explain {
        return job::explain(&place, &template, &new, options);
    }
    let record = Record::begin(&permit, &environment, Object::Job(new.name.clone()), who, &cluster, ui);
    let detach = args.detach;
    record
        .keep(async {
            match migrate::start(&place, &template, &new, &before).await? {
                Held::Mine(job) if detach => {
                    ui.data(&format!("{}\n", job.name))?;
                    Ok(Exit::Success)
                }
                Held::Mine(job) => {
                    let followed = migrate::follow(&place, &job, Some(job::START_LIMIT)).await?;
                    migrate::conclude(&place, &job, &new.by.user, followed, as_json).await
                }
                Held::Theirs(other) => meet(&place, &other, &consent, as_json).await,
            }
        })
        .await
}

/// The Job for this kind of work.
fn new_job(
    place: &Place<'_>,
    change: &Change,
    permit: Option<&Permit>,
    who: Option<String>,
    (kind, name, words): (JobKind, String, Vec<String>),
) -> NewJob {
    NewJob {
        kind,
        name,
        by: job::by(place.environment, change, permit, who),
        words,
        entrypoint: true,
        workdir: None,
        variables: Default::default(),
        variables_from: Vec::new(),
        cpu: None,
        memory: None,
        image: None,
        timeout: migrate::TIMEOUT,
        keep: Some(migrate::KEEP),
        with_sidecars: false,
    }
}

/// The command as `manage.py` would have it, for the record.
fn words(args: &MigrateArgs) -> Vec<String> {
    let mut words = vec!["migrate".to_owned()];
    words.extend(args.app.iter().chain(&args.migration).cloned());
    if args.database != "default" {
        words.push(format!("--database={}", args.database));
    }
    words.extend(args.fake.then(|| "--fake".to_owned()));
    words.extend(args.fake_initial.then(|| "--fake-initial".to_owned()));
    words
}

/// The plan as what was asked for.
fn show(
    place: &Place<'_>,
    template: &Template,
    planned: &Planned,
    findings: &[Finding],
    as_json: bool,
) -> Result<Exit> {
    let Place { ui, environment, .. } = place;
    if as_json {
        ui.data(&migrate::json(&environment.name, template, planned, findings))?;
        return Ok(Exit::Success);
    }
    introduce(place, template, planned);
    if planned.plan.is_empty() {
        ui.status("nothing to migrate");
        return Ok(Exit::Success);
    }
    ui.data(&migrate::plan_text(&planned.plan))?;
    ui.data(&migrate::findings_text(findings))?;
    Ok(Exit::Success)
}

/// The plan as what is about to be done.
fn announce(place: &Place<'_>, template: &Template, planned: &Planned, findings: &[Finding]) {
    introduce(place, template, planned);
    let text = format!("{}{}", migrate::plan_text(&planned.plan), migrate::findings_text(findings));
    for line in text.lines() {
        place.ui.status(line);
    }
}

fn introduce(place: &Place<'_>, template: &Template, planned: &Planned) {
    let Place { ui, environment, .. } = place;
    for note in &template.notes {
        ui.status(note);
    }
    let database = migrate::scope(&planned.plan.database);
    let Template { image, workload, .. } = template;
    let made_in = &planned.made_in;
    ui.status(&format!("{}: database {database}, image {image} of {workload}, planned in {made_in}", environment.name));
}

/// Django would refuse it halfway, with what came before undone.
fn refuse_impossible(planned: &Planned) -> Result<()> {
    match planned.plan.impossible().next() {
        None => Ok(()),
        Some(migration) => Err(Error::failed(format!("{} cannot be reversed: nothing was done", migration.name))
            .caused_by("one of its operations says that it is irreversible")
            .hint("`--fake` records it as reversed, when its changes have been undone by hand")),
    }
}

/// A dangerous plan needs a yes of its own where the environment is protected; who types its name has seen the plan.
async fn require_consent(place: &Place<'_>, findings: &[Finding], consent: &Consent) -> Result<()> {
    let dangerous = findings.iter().filter(|finding| finding.class == Class::Dangerous).count();
    if dangerous == 0 || !place.environment.protected || consent.confirm.is_none() || consent.yes {
        return Ok(());
    }
    if place.ui.can_ask() {
        let question = format!("{dangerous} dangerous findings: migrate all the same?");
        if place.ui.ask_yes_no(&question, false).await? {
            return Ok(());
        }
        return Err(Error::failed("not confirmed: nothing was done"));
    }
    Err(Error::failed(format!("refusing to migrate `{}`: the plan is dangerous", place.environment.name))
        .caused_by(format!("{dangerous} dangerous findings, listed above"))
        .hint("change the migrations as they say, or pass `--yes` to go on all the same"))
}

/// Somebody else's migration has the lock.
async fn meet(place: &Place<'_>, other: &JobSummary, consent: &Consent, as_json: bool) -> Result<Exit> {
    let Place { ui, environment, .. } = place;
    let progress = Held::progress(place, &other.handle).await;
    let progress = progress.map(|progress| format!(", {progress}")).unwrap_or_default();
    let line = format!("{}{progress}", job::line(other));
    if !other.is_over() && (consent.yes || ui.can_ask()) {
        ui.status(&line);
        if ui.ask_yes_no("a migration is under way: follow it?", consent.yes).await? {
            let followed = migrate::follow(place, &other.handle, None).await?;
            return migrate::conclude(place, &other.handle, &other.user, followed, as_json).await;
        }
    }
    let now = if other.is_over() { "was made meanwhile" } else { "is under way" };
    Err(Error::failed(format!("another migration of this database {now} in `{}`: nothing was done", environment.name))
        .caused_by(line)
        .hint(format!("follow it: `kdj jobs attach {} {}`", environment.name, other.handle.name)))
}

//! `kdj migrate`: migrations planned, looked at, locked, run once in a Job, and accounted for.

use jiff::SignedDuration;

use crate::{
    cluster::{JobKind, NewJob, Preference, Template, Wanted},
    commands::args::{ChangeArgs, OutputArgs, OutputFormat},
    config::Config,
    connection,
    django::{self, MigrationRequest},
    error::{Error, Result},
    exit::Exit,
    job::{self, Place},
    migrate::{self, Before, Held, Planned, Shape},
    migration::{About, Class, Finding, Receipt, lint},
    options::Options,
    protection::{self, Change, Consent, Object, Permit, Record, Who},
    typed_time::duration,
    ui::Ui,
};

/// Arguments of `kdj migrate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Ctrl-C leaves the job, which goes on. Ends with 0 when all is applied, 1 when not, 255 when nobody knows."
)]
pub struct MigrateArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV")]
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
    let place = Place { cluster: &cluster, environment: &environment, ui };
    let wanted = Wanted { role: args.role.clone(), container: args.container.clone(), ..Wanted::default() };
    let who = Who::ask(&cluster);
    let reading =
        async { futures::join!(cluster.template(&environment, &wanted, Preference::Web), Before::look(&place)) };
    let (template, before) = ui.waiting("reading the template", who.beside(reading)).await;
    let template = template?;
    let request = MigrationRequest {
        app: args.app.clone(),
        migration: args.migration.clone(),
        database: args.database.clone(),
        fake: args.fake,
        fake_initial: args.fake_initial,
        connect_timeout: None,
    };
    let consent = args.change.consent();
    let planning = Change::new("plan", &format!("make the plan in a job on {}", template.image), ["migrate", "--plan"]);
    if options.explain {
        let start = django::migrate_command(&environment.django, &request, milliseconds(args.lock_timeout));
        let name = format!("kdj-migrate-{}", args.database);
        let new = new_job(&place, &planning, None, who.find(), (JobKind::Migrate, name, start.first()));
        ui.status("it would first ask Django for the plan, and name the job after the database's identity");
        return job::explain(&place, &template, &new, options);
    }
    let pod = migrate::find_pod(&place, &template).await;
    if pod.is_none() {
        // Its entrypoint runs too, which may do anything.
        protection::permit(&environment, &planning, &consent, ui).await?;
    }
    let planned = migrate::make(&place, &template, pod.as_ref(), &request, |kind, name, words| {
        new_job(&place, &planning, None, who.find(), (kind, name, words))
    })
    .await?;
    let findings = if args.skip_lint { Vec::new() } else { lint(&planned.plan) };
    let shape = match args.output.output {
        Some(OutputFormat::Json) => Shape::Json,
        Some(OutputFormat::Name) => Shape::Names,
        Some(OutputFormat::Wide) | None => Shape::Text,
    };
    if shape == Shape::Text || !args.plan {
        introduce(&place, &template, &planned);
    }
    if args.plan && (shape != Shape::Text || !planned.plan.is_empty()) {
        ui.data(&shape.plan(&environment.name, &template, &planned, &findings))?;
        return Ok(Exit::Success);
    }
    if planned.plan.is_empty() {
        return nothing(&place, &template, &planned, who.find(), shape);
    }
    refuse_impossible(&planned)?;
    let command = words(&args);
    let what = format!("{} migrations on {}", planned.plan.migrations.len(), migrate::scope(&planned.plan.database));
    let change = Change::new("migrate", &what, command.iter().map(String::as_str));
    for line in migrate::brief(&planned, &findings, ui.is_verbose()).lines() {
        ui.status(line);
    }
    require_consent(&place, &findings, &consent).await?;
    let permit = protection::permit(&environment, &change, &consent, ui).await?;
    let start = django::migrate_command(&environment.django, &request, milliseconds(args.lock_timeout));
    let words = start.alternatives.into_iter().nth(planned.alternative).unwrap_or_default();
    let name = migrate::job_name(&planned.plan.database);
    let new = new_job(&place, &change, Some(&permit), who.answer().await, (JobKind::Migrate, name, words));
    // What was planned is what is run, whatever the tag means by now.
    let new = NewJob { image: planned.digest.clone(), ..new };
    let before = before?;
    let record = Record::begin(&permit, &environment, Object::Job(new.name.clone()), who, &cluster, ui);
    if args.detach {
        return match migrate::start(&place, &template, &new, &before).await {
            Ok(Held::Mine(job)) => job::detach(record, Ok(job), ui).await,
            Ok(Held::Theirs(other)) => record.keep(migrate::meet(&place, &other, consent.yes, shape)).await,
            Err(error) => record.keep(async { Err(error) }).await,
        };
    }
    record
        .keep(async {
            match migrate::start(&place, &template, &new, &before).await? {
                Held::Mine(job) => {
                    let followed = migrate::follow(&place, &job, Some(job::START_LIMIT)).await?;
                    migrate::conclude(&place, &job, &new.by.user, followed, shape).await
                }
                Held::Theirs(other) => migrate::meet(&place, &other, consent.yes, shape).await,
            }
        })
        .await
}

/// In PostgreSQL's unit and within its bounds. What is less than one is not 0, which would be for ever.
fn milliseconds(time: SignedDuration) -> u32 {
    let most = i32::MAX.unsigned_abs();
    match u32::try_from(time.as_millis()) {
        Ok(0) if !time.is_zero() => 1,
        milliseconds => milliseconds.unwrap_or(most).min(most),
    }
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
        start_limit: None,
        keep: Some(migrate::KEEP),
        with_sidecars: false,
        bare: false,
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

/// There is nothing to do, and no Job is made.
fn nothing(
    place: &Place<'_>,
    template: &Template,
    planned: &Planned,
    who: Option<String>,
    shape: Shape,
) -> Result<Exit> {
    if shape == Shape::Text {
        place.ui.status("nothing to migrate");
        return Ok(Exit::Success);
    }
    let environment = place.environment.name.clone();
    let about = About { environment, image: Some(template.image.clone()), who, ..About::default() };
    place.ui.data(&shape.receipt(&Receipt::of_nothing(about, &planned.plan.database)))?;
    Ok(Exit::Success)
}

/// Which image is asked about which database.
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
    let findings = format!("{dangerous} dangerous finding{}", if dangerous == 1 { "" } else { "s" });
    if place.ui.can_ask() {
        let question = format!("{findings}: migrate all the same?");
        if place.ui.ask_yes_no(&question, false).await? {
            return Ok(());
        }
        return Err(Error::failed("not confirmed: nothing was done"));
    }
    Err(Error::failed(format!("refusing to migrate `{}`: the plan is dangerous", place.environment.name))
        .caused_by(format!("{findings}, listed above"))
        .hint("change the migrations as they say, or pass `--yes` to go on all the same"))
}

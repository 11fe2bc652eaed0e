//! `kdj run`: a command in a Job of its own, which goes on when the laptop is closed.

use std::time::Duration;

use crate::{
    cluster::{JobKind, NewJob, Preference, VariablesFrom, Wanted, new_name},
    commands::args::ChangeArgs,
    config::Config,
    connection,
    database::Mode,
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    job::{self, Place},
    options::Options,
    protection::{self, Change, Object, Permit, Record, Who, redact},
    session::{self, Program},
    typed_time::time_limit,
    ui::{
        Ui,
        terminal::{Stdin, has_terminal},
    },
};

/// Arguments of `kdj run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Ends with the command's exit code. Ctrl-C leaves the job, which goes on.")]
pub struct RunArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV")]
    environment: String,

    /// Role, or workload, whose template to take (default: shell, then web)
    #[arg(short, long)]
    role: Option<String>,

    /// Container of the template that is the app's
    #[arg(short, long)]
    container: Option<String>,

    /// Environment variable to add; not for secrets
    #[arg(short = 'e', long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,

    /// Secret or ConfigMap whose keys to add as environment variables
    #[arg(long, value_name = "secret/NAME|configmap/NAME", value_parser = variables_from)]
    env_from: Vec<VariablesFrom>,

    /// CPU to ask for: 500m, 2
    #[arg(long, value_name = "QUANTITY")]
    cpu: Option<String>,

    /// Memory to ask for and to be limited to: 512Mi, 2Gi
    #[arg(long, value_name = "QUANTITY")]
    memory: Option<String>,

    /// Another image than the template's
    #[arg(long)]
    image: Option<String>,

    /// How long the command may run before the cluster ends it: 90s, 30m, 2h
    #[arg(long, value_name = "DURATION", value_parser = time_limit, default_value = "24h")]
    timeout: Duration,

    /// How long it may take until the command runs
    #[arg(long, value_name = "DURATION", value_parser = time_limit, default_value = "5m")]
    pod_running_timeout: Duration,

    /// Print the job's name and do not wait
    #[arg(short, long)]
    detach: bool,

    /// With -t: read the terminal; the command is a session then, which `kdj sessions` lists
    #[arg(short = 'i', long, requires = "tty", conflicts_with_all = ["detach", "keep"])]
    stdin: bool,

    /// With -i: give the command a terminal; its output is not in the job's log then
    #[arg(short, long, requires = "stdin")]
    tty: bool,

    /// Keep the job and its log until they are deleted, instead of a day
    #[arg(long)]
    keep: bool,

    /// Run the role's other containers beside it
    #[arg(long)]
    with_sidecars: bool,

    /// Run the command itself, without the image's entrypoint
    #[arg(long)]
    no_entrypoint: bool,

    #[command(flatten)]
    change: ChangeArgs,

    /// Command to run, word by word as given, without a shell in between
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

/// How long a Job and its log stay.
const KEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs `kdj run`.
pub async fn run(args: RunArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    refuse_secrets(&args, ui)?;
    let program = interactive(&args)?;
    let (environment, kubeconfig) = connection::resolve(&args.environment, options, config)?;
    let change = Change::command("run", args.command.iter().map(String::as_str));
    let permit = match options.explain {
        true => None,
        false => Some(protection::permit(&environment, &change, &args.change.consent(), ui).await?),
    };
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, ui };
    let wanted = Wanted { role: args.role.clone(), container: args.container.clone(), ..Wanted::default() };
    let who = Who::ask(&cluster);
    let reading = cluster.template(&environment, &wanted, Preference::Shell);
    let template = ui.waiting("reading the template", who.beside(reading)).await?;
    for note in &template.notes {
        ui.status(note);
    }
    let (limit, detach) = (args.pod_running_timeout, args.detach);
    let command = change.line();
    let new = new_job(args, program.is_some(), &environment, &change, permit.as_ref(), who.answer().await);
    let Some(permit) = permit else {
        let new = match program {
            Some(program) => session::hold(new, program).0,
            None => new,
        };
        return job::explain(&place, &template, &new, options);
    };
    let record = Record::begin(&permit, &environment, Object::Job(new.name.clone()), who, &cluster, ui);
    if detach {
        return job::detach(record, job::start(&place, &template, &new).await, ui).await;
    }
    if let Some(program) = program {
        return record.keep(session::run_in_own_pod(&place, &template, new, program, limit)).await;
    }
    record
        .keep(async {
            let job = job::start(&place, &template, &new).await?;
            let followed = job::follow(&place, &job, Some(limit)).await?;
            job::exit_of(followed, &job, &command, &place).await
        })
        .await
}

/// What runs at a terminal.
fn interactive(args: &RunArgs) -> Result<Option<Program>> {
    if !args.tty {
        return Ok(None);
    }
    if !has_terminal() {
        return Err(Error::usage("`-it` needs a terminal: stdin and stdout must be one")
            .hint("without `-it` the command's log is followed"));
    }
    let name = args.command.first().cloned().unwrap_or_default();
    Ok(Some(Program {
        alternatives: vec![args.command.clone()],
        tty: true,
        stdin: Stdin::Local,
        kept: true,
        name,
        mode: Some(Mode::ReadWrite),
    }))
}

fn new_job(
    args: RunArgs,
    session: bool,
    environment: &Environment,
    change: &Change,
    permit: Option<&Permit>,
    who: Option<String>,
) -> NewJob {
    let kind = if session { JobKind::Session } else { JobKind::Run };
    NewJob {
        kind,
        name: new_name(kind),
        by: job::by(environment, change, permit, who),
        words: args.command,
        entrypoint: !args.no_entrypoint,
        workdir: environment.django.workdir.clone(),
        variables: args.variables.into_iter().collect(),
        variables_from: args.env_from,
        cpu: args.cpu,
        memory: args.memory,
        image: args.image,
        timeout: args.timeout,
        start_limit: session.then_some(args.pod_running_timeout),
        keep: if session { Some(session::KEEP) } else { (!args.keep).then_some(KEEP) },
        with_sidecars: args.with_sidecars,
        bare: false,
    }
}

/// What is given stands in the Job's manifest, where many may read it. A variable can come from a Secret instead; what
/// only looks like a secret in a command is warned of.
fn refuse_secrets(args: &RunArgs, ui: &Ui) -> Result<()> {
    let secret = |(name, value): &&(String, String)| redact::is_secret_name(name) || redact::text(value) != *value;
    if let Some((name, _)) = args.variables.iter().find(secret) {
        let message = format!("`{name}` looks like a secret, and would stand in the job's manifest");
        return Err(Error::usage(message).hint("put it into a Secret, and name that: `--env-from secret/NAME`"));
    }
    // Code is left out of records whatever it says: only what looks secret in it counts.
    let clean = redact::words(args.command.iter().map(String::as_str));
    if clean.iter().chain(&args.command).any(|word| redact::text(word) != *word || word.contains(redact::REDACTED)) {
        ui.warning(
            "something in the command looks like a secret: who may read jobs can read it; \
             `--env-from secret/NAME` puts it into the command's environment instead",
        );
    }
    Ok(())
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE is expected".to_owned()),
    }
}

fn variables_from(text: &str) -> Result<VariablesFrom, String> {
    match text.split_once('/') {
        Some(("secret", name)) if !name.is_empty() => Ok(VariablesFrom::Secret(name.to_owned())),
        Some(("configmap", name)) if !name.is_empty() => Ok(VariablesFrom::ConfigMap(name.to_owned())),
        _ => Err("secret/NAME or configmap/NAME is expected".to_owned()),
    }
}

//! `kdj db`: what goes on in a database of the app, ending a query in it, and a dump of it.

mod dump;
mod kill;
mod render;

use std::collections::BTreeMap;

use self::render::Looked;
use super::args::{ChangeArgs, EnvironmentArg, OutputArgs, OutputFormat};
use crate::{
    cluster::{Cluster, Wanted},
    config::Config,
    connection,
    database::{
        self, Mode, Rows,
        activity::{Session, Wait},
        statements,
    },
    django::{self, Question, Statement},
    environment::Environment,
    error::Result,
    exit::Exit,
    options::Options,
    protection,
    session::{Place, Program},
    ui::{Ui, terminal::Stdin},
};

/// Arguments of `kdj db`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asks by the app's own connection, in its container: no client is needed, and no extension of the database. Values in queries are left out, unless `--full`."
)]
pub struct DbArgs {
    #[command(flatten)]
    environment: EnvironmentArg,

    #[command(subcommand)]
    verb: Verb,
}

/// What to do with the database.
#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show who waits for whom
    Locks(LookArgs),
    /// Show who is connected, with what they run and for how long: the oldest transaction first
    Activity(ActivityArgs),
    /// Show how large the database and its tables are, and when they were vacuumed
    Size(SizeArgs),
    /// End the query of a session, or the session
    Kill(KillArgs),
    /// Write a dump of the database, by its own program: pg_dump, mysqldump
    Dump(dump::DumpArgs),
}

/// Which database, asked from where.
#[derive(Clone, Debug, clap::Args)]
struct PlaceArgs {
    /// Database's alias in Django's settings
    #[arg(long, value_name = "ALIAS", default_value = "default")]
    database: String,

    /// Role, or workload, to ask from (default: shell, then web)
    #[arg(short, long, conflicts_with = "pod")]
    role: Option<String>,

    /// Pod to ask from; never replaced by another
    #[arg(long)]
    pod: Option<String>,

    /// Container of the pod
    #[arg(short, long)]
    container: Option<String>,
}

#[derive(Debug, clap::Args)]
struct LookArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Show queries whole, with the values in them
    #[arg(long)]
    full: bool,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, clap::Args)]
struct ActivityArgs {
    /// Show idle sessions, too
    #[arg(short, long)]
    all: bool,

    #[command(flatten)]
    look: LookArgs,
}

#[derive(Debug, clap::Args)]
struct SizeArgs {
    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, clap::Args)]
struct KillArgs {
    /// Session's number, as `locks` and `activity` show it
    pid: i64,

    /// End the session, and with it its transaction, instead of its query
    #[arg(long)]
    terminate: bool,

    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

impl PlaceArgs {
    fn wanted(&self) -> Wanted {
        let Self { role, pod, container, .. } = self.clone();
        Wanted { role, pod, container, exclude: Vec::new() }
    }
}

/// Runs `kdj db`.
pub async fn run(args: DbArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let name = args.environment.environment;
    match args.verb {
        Verb::Locks(look) => at(&name, options, config, ui, async |at| locks(at, &look).await).await,
        Verb::Activity(args) => at(&name, options, config, ui, async |at| activity(at, &args).await).await,
        Verb::Size(args) => at(&name, options, config, ui, async |at| size(at, &args).await).await,
        Verb::Kill(args) => at(&name, options, config, ui, async |at| kill::run(at, &args).await).await,
        Verb::Dump(args) => dump::run(name, args, options, config, ui).await,
    }
}

/// Does `work` where a database can be asked.
async fn at(
    name: &str,
    options: &Options,
    config: &Config,
    ui: &Ui,
    work: impl AsyncFnOnce(&At<'_>) -> Result<Exit>,
) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(name, options, config)?;
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    work(&At { cluster: &cluster, environment: &environment, options, ui }).await
}

/// Where a question is asked.
struct At<'a> {
    cluster: &'a Cluster,
    environment: &'a Environment,
    options: &'a Options,
    ui: &'a Ui,
}

impl At<'_> {
    /// Asks, and gives what is shown of the place beside the rows. Nothing is asked under `--explain`.
    async fn ask(
        &self,
        place: &PlaceArgs,
        what: &str,
        statements: BTreeMap<&'static str, Vec<Statement>>,
        reads_only: bool,
    ) -> Result<Option<(Looked, Rows)>> {
        let there = Place::new(self.cluster, self.environment, place.wanted(), self.ui);
        let question = self.question(place, statements, BTreeMap::new());
        if self.options.explain {
            there.explain(&self.program(&question), reads_only, self.options).await?;
            return Ok(None);
        }
        let target = there.target().await?;
        let rows = database::query(&there, &target, what, &question).await?;
        let looked = Looked {
            environment: self.environment.name.clone(),
            database: place.database.clone(),
            server: rows.server.clone(),
        };
        Ok(Some((looked, rows)))
    }

    fn question<'q>(
        &'q self,
        place: &'q PlaceArgs,
        statements: BTreeMap<&'static str, Vec<Statement>>,
        values: BTreeMap<&'static str, serde_json::Value>,
    ) -> Question<'q> {
        let application = format!("kdj:{}@{}", protection::local_user(), self.environment.name);
        Question { database: &place.database, application, statements, values }
    }

    /// The question as a program, for `--explain`.
    fn program(&self, question: &Question<'_>) -> Program {
        let (start, code) = django::query_on_stdin(&self.environment.django, question);
        Program {
            alternatives: start.alternatives,
            tty: false,
            stdin: Stdin::Bytes { first: code.into(), then_local: false },
            kept: false,
            name: "SQL by Django's driver".to_owned(),
            mode: Some(Mode::ReadOnly),
        }
    }
}

async fn locks(at: &At<'_>, args: &LookArgs) -> Result<Exit> {
    let asked = at.ask(&args.place, "asking who waits for whom", statements::locks(), true).await?;
    let Some((looked, mut rows)) = asked else { return Ok(Exit::Success) };
    let sessions: Vec<Session> = rows.take("sessions")?;
    let waits: Vec<Wait> = rows.take("waits")?;
    let text = match args.output.output {
        Some(OutputFormat::Json) => render::locks_json(&looked, &sessions, &waits, args.full)?,
        Some(OutputFormat::Name) => render::pids(database::activity::tree(&waits).iter().map(|node| node.pid)),
        output => render::locks(&looked, &sessions, &waits, args.full, output == Some(OutputFormat::Wide)),
    };
    at.ui.data(&text)?;
    if text.is_empty() {
        at.ui.status(&format!("nobody waits for a lock in `{}` of `{}`", looked.database, looked.environment));
    }
    Ok(Exit::Success)
}

async fn activity(at: &At<'_>, args: &ActivityArgs) -> Result<Exit> {
    let ActivityArgs { all, look } = args;
    let asked = at.ask(&look.place, "asking who is connected", statements::sessions(), true).await?;
    let Some((looked, mut rows)) = asked else { return Ok(Exit::Success) };
    let mut sessions: Vec<Session> = rows.take("sessions")?;
    sessions.retain(|session| !session.elsewhere);
    let (shown, idle): (Vec<_>, Vec<_>) = sessions.into_iter().partition(|session| *all || session.is_busy());
    let hidden = shown.iter().filter(|session| session.state.is_none()).count();
    let complete = hidden == 0 && rows.notes.is_empty();
    let text = match look.output.output {
        Some(OutputFormat::Json) => render::activity_json(&looked, &shown, complete, look.full)?,
        Some(OutputFormat::Name) => render::pids(shown.iter().map(|session| session.pid)),
        output => render::activity(&looked, &shown, look.full, output == Some(OutputFormat::Wide)),
    };
    at.ui.data(&text)?;
    for note in &rows.notes {
        at.ui.status(&format!("only the sessions of the app's own user are shown, without their transactions: {note}"));
        if note.contains("PROCESS privilege") {
            at.ui.status(&format!("hint: {}", database::GRANT_PROCESS));
        }
    }
    if hidden > 0 {
        let why = "as its administrator: `GRANT pg_read_all_stats TO` the app's user";
        at.ui.status(&format!("{hidden} sessions are other users', and hidden from this one; {why}"));
    }
    if !idle.is_empty() {
        at.ui.status(&format!("{} idle, which `--all` shows", idle.len()));
    } else if shown.is_empty() && complete {
        at.ui.status(&format!("nobody else is connected to `{}` of `{}`", looked.database, looked.environment));
    }
    Ok(Exit::Success)
}

async fn size(at: &At<'_>, args: &SizeArgs) -> Result<Exit> {
    let asked = at.ask(&args.place, "asking how large the tables are", statements::size(), true).await?;
    let Some((looked, mut rows)) = asked else { return Ok(Exit::Success) };
    let database: Vec<render::Database> = rows.take("database")?;
    let tables: Vec<render::TableSize> = rows.take("tables")?;
    let text = match args.output.output {
        Some(OutputFormat::Json) => render::size_json(&looked, database.first(), &tables)?,
        Some(OutputFormat::Name) => tables.iter().map(|table| format!("{}\n", table.shown_name())).collect(),
        output => render::size(&tables, output == Some(OutputFormat::Wide)),
    };
    at.ui.data(&text)?;
    if let Some(database) = database.first() {
        at.ui.status(&format!("database {}: {}", database.shown_name(), crate::ui::size(database.total)));
    }
    if looked.server == "postgresql" && tables.iter().any(|table| table.estimated) {
        at.ui.status("~ is an estimate: somebody has the table locked");
    }
    Ok(Exit::Success)
}

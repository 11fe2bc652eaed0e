//! `kdj dbshell`, from the environment's name to the client's exit code.

use std::path::PathBuf;

use bytes::Bytes;

use super::{Connection, Mode, Vendor, connection, terminal};
use crate::{
    cluster::{Target, Wanted},
    config::Config,
    connection as to_cluster,
    django::{self, ClientRequest, Start},
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    options::Options,
    protection::{self, Change, Consent, Object, Record, Who, local_user},
    session::{Place, Program},
    ui::{
        Ui,
        terminal::{Framed, Stdin},
    },
};

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    /// The environment's name.
    pub environment: String,
    /// What to look for in it.
    pub wanted: Wanted,
    /// The SQL; nothing for a prompt.
    pub sql: Option<Sql>,
    /// How rows are printed.
    pub output: Output,
    /// The database's alias in the settings, if one was named.
    pub alias: Option<String>,
    /// The mode, if one was named.
    pub mode: Option<Mode>,
    /// What the flags say of a change.
    pub consent: Consent,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// As the client does.
    #[default]
    Plain,
    /// As a table.
    Table,
    /// As CSV, by the app's own driver.
    Csv,
    /// As JSON, by the app's own driver.
    Json,
}

/// Where SQL comes from.
#[derive(Clone, Debug)]
pub enum Sql {
    /// The command line.
    Text(String),
    /// A file.
    File(PathBuf),
    /// Stdin.
    Stdin,
}

impl Sql {
    /// What is said of it; the SQL itself may hold anything.
    fn name(&self) -> String {
        match self {
            Sql::Text(_) => "<sql>".to_owned(),
            Sql::File(path) => path.display().to_string(),
            Sql::Stdin => "<stdin>".to_owned(),
        }
    }
}

/// Opens the database's client, or runs SQL in it.
///
/// # Errors
/// When it is not permitted, when the client cannot be started, when the connection is lost, or when a signal ends kdj.
pub async fn shell(request: Request, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = to_cluster::resolve(&request.environment, options, config)?;
    let mode = Mode::decide(request.mode, environment.protected);
    let permit = match mode {
        Mode::ReadOnly => None,
        Mode::ReadWrite => {
            Some(protection::permit(&environment, &change(request.sql.as_ref()), &request.consent, ui).await?)
        }
    };
    let cluster = to_cluster::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place::new(&cluster, &environment, request.wanted.clone(), ui);
    let Some(permit) = permit else { return run(&place, place.target().await?, &request, mode).await };
    let who = Who::of(&permit, &cluster);
    let target = who.beside(place.target()).await?;
    let record = Record::begin(&permit, &environment, Object::from(&target), who, &cluster, ui);
    record.keep(run(&place, target, &request, mode)).await
}

fn change(sql: Option<&Sql>) -> Change {
    match sql {
        Some(sql) => Change::new("dbshell", &format!("run SQL, {}, read-write", sql.name()), [sql.name().as_str()]),
        None => Change::new("dbshell", "open the database's shell, read-write", []),
    }
}

/// Runs the client where there is one.
async fn run(place: &Place<'_>, target: Target, request: &Request, mode: Mode) -> Result<Exit> {
    let environment = place.environment;
    let settings = &environment.database;
    let replica = settings.read_only_alias.as_deref().filter(|_| mode.is_read_only());
    let application = format!("kdj:{}@{}", local_user(), environment.name);
    let asked = ClientRequest {
        database: request.alias.as_deref().or(replica).unwrap_or("default"),
        environment: &environment.name,
        mode: mode.name(),
        read_only: mode.is_read_only(),
        role: settings.read_only_role.as_deref(),
        statement_timeout: settings.statement_timeout.map(Into::into),
        application: &application,
        colored: environment.protected && place.ui.has_color(),
        table: request.output == Output::Table,
        banner: place.ui.is_normal(),
    };
    let facts = async || {
        let asking = connection(place.cluster, &target, environment, Some(asked.database), false);
        place.ui.waiting("reading the app's settings", asking).await
    };
    let ended = match &request.sql {
        None => terminal::in_image(place, target.clone(), &asked).await?,
        // The driver is there with the app.
        Some(sql) if matches!(request.output, Output::Csv | Output::Json) => {
            let exit = place.run(target.clone(), rows(sql, request.output, &asked, environment)).await?;
            if exit != Exit::Remote(django::NO_CLIENT) {
                return Ok(exit);
            }
            facts().await?;
            return Err(Error::failed("the settings could not be read a moment ago").hint("try again"));
        }
        // What has been read of it could not be read again.
        Some(Sql::Stdin) if facts().await?.client.is_none() => None,
        Some(sql) => {
            let exit = place.run(target.clone(), script(sql, &asked, environment)).await?;
            (exit != Exit::Remote(django::NO_CLIENT)).then_some(exit)
        }
    };
    match ended {
        Some(exit) => Ok(exit),
        None => elsewhere(facts().await?),
    }
}

/// The client for SQL, in one exec.
fn script(sql: &Sql, asked: &ClientRequest, environment: &Environment) -> Program {
    program(django::client_script(&environment.django, asked), sql, asked, "the database's client")
}

/// The app's own driver for a statement, in one exec.
fn rows(sql: &Sql, output: Output, asked: &ClientRequest, environment: &Environment) -> Program {
    let output = if output == Output::Csv { "csv" } else { "json" };
    program(django::rows(&environment.django, asked, output), sql, asked, "the statement")
}

fn program((start, code): (Start, Vec<u8>), sql: &Sql, asked: &ClientRequest, name: &str) -> Program {
    let then = match sql {
        Sql::Text(text) => Framed::Bytes(Bytes::copy_from_slice(text.as_bytes())),
        Sql::File(path) => Framed::File(path.clone()),
        Sql::Stdin => Framed::Local,
    };
    let stdin = Stdin::Framed { first: code.into(), then };
    Program {
        alternatives: start.alternatives,
        tty: false,
        stdin,
        kept: false,
        name: name.to_owned(),
        mode: Some(if asked.read_only { Mode::ReadOnly } else { Mode::ReadWrite }),
    }
}

fn elsewhere(facts: Connection) -> Result<Exit> {
    let program = match facts.vendor {
        Vendor::Postgresql => "psql",
        Vendor::Mysql => "mysql",
        Vendor::Sqlite => "sqlite3",
        Vendor::Other(name) => return Err(Error::failed(format!("kdj knows no client of {name}"))),
    };
    Err(Error::failed(format!("the image has no `{program}`")))
}

//! `kdj dbshell`, from the environment's name to the client's exit code.

use std::{io::Read, path::PathBuf};

use bytes::Bytes;

use super::{Connection, Mode, Vendor, connection, elsewhere, terminal};
use crate::{
    cluster::{Target, Wanted},
    config::{ClientPlace, Config},
    connection as to_cluster,
    django::{self, ClientRequest, Start},
    environment::Environment,
    error::{Error, Result},
    exit::{Exit, Failure},
    forward,
    options::Options,
    protection::{self, Change, Consent, Object, Permit, Record, Who, local_user},
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
    /// Where the client is to run, if that was said.
    pub client: Option<ClientPlace>,
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
    /// The command line, or what was read before.
    Text(Bytes),
    /// A file.
    File(PathBuf),
    /// Stdin.
    Stdin,
}

impl Request {
    /// Whether it looks like a Redis.
    fn is_redis(&self) -> bool {
        self.alias.as_deref().is_some_and(|alias| alias.split(':').next() == Some("redis"))
    }
}

impl Sql {
    /// All of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(&self) -> Result<Vec<u8>> {
        match self {
            Sql::Text(text) => Ok(text.to_vec()),
            Sql::File(path) => {
                let unreadable = |error| Error::usage(format!("cannot read `{}`", path.display())).caused_by(error);
                std::fs::read(path).map_err(unreadable)
            }
            Sql::Stdin => {
                let mut text = Vec::new();
                let unreadable = |error| Error::failed("cannot read the SQL from stdin").caused_by(error);
                std::io::stdin().read_to_end(&mut text).map_err(unreadable)?;
                Ok(text)
            }
        }
    }

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
pub async fn shell(mut request: Request, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = to_cluster::resolve(&request.environment, options, config)?;
    let mode = Mode::decide(request.mode, environment.protected);
    if options.explain {
        let cluster = to_cluster::open(&environment, &kubeconfig, options, ui).await?;
        let place = Place::new(&cluster, &environment, request.wanted.clone(), ui);
        return explain(&place, &request, mode, options).await;
    }
    if let (true, Some(sql @ Sql::Stdin)) = (request.is_redis(), &request.sql) {
        // Commands, not data: they can be read before, and so once more where the image has no client.
        request.sql = Some(Sql::Text(sql.read()?.into()));
    }
    let permit = match mode {
        Mode::ReadOnly => None,
        Mode::ReadWrite => {
            Some(protection::permit(&environment, &change(request.sql.as_ref()), &request.consent, ui).await?)
        }
    };
    let cluster = to_cluster::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place::new(&cluster, &environment, request.wanted.clone(), ui);
    let Some(permit) = permit else { return run(&place, place.target().await?, &request, mode, None).await };
    let who = Who::of(&permit, &cluster);
    let target = who.beside(place.target()).await?;
    let record = Record::begin(&permit, &environment, Object::from(&target), who, &cluster, ui);
    record.keep(run(&place, target, &request, mode, Some(&permit))).await
}

fn change(sql: Option<&Sql>) -> Change {
    match sql {
        Some(sql) => Change::new("dbshell", &format!("run SQL, {}, read-write", sql.name()), [sql.name().as_str()]),
        None => Change::new("dbshell", "open the database's shell, read-write", []),
    }
}

/// Says what would be done in the image, and does nothing.
async fn explain(place: &Place<'_>, request: &Request, mode: Mode, options: &Options) -> Result<Exit> {
    let environment = place.environment;
    let application = application(environment);
    let asked = asked(request, mode, environment, &application, place.ui);
    let program = match &request.sql {
        Some(sql) => script(sql, &asked, environment),
        // At a terminal a companion is started so, and tells what is then executed there.
        None => script(&Sql::Stdin, &asked, environment),
    };
    place.explain(&program, mode.is_read_only(), options).await
}

fn application(environment: &Environment) -> String {
    format!("kdj:{}@{}", local_user(), environment.name)
}

/// What the client is started for.
fn asked<'a>(
    request: &'a Request,
    mode: Mode,
    environment: &'a Environment,
    application: &'a str,
    ui: &Ui,
) -> ClientRequest<'a> {
    let settings = &environment.database;
    let replica = settings.read_only_alias.as_deref().filter(|_| mode.is_read_only());
    // In a read-only session the settings' `default` is the replica, also by its name.
    let named = request.alias.as_deref().filter(|alias| replica.is_none() || *alias != "default");
    ClientRequest {
        database: named.or(replica).unwrap_or("default"),
        environment: &environment.name,
        mode: mode.name(),
        read_only: mode.is_read_only(),
        check: mode.is_read_only().then(|| django::read_only_check(settings.read_only_role.as_deref())),
        role: settings.read_only_role.as_deref(),
        statement_timeout: settings.statement_timeout.map(Into::into),
        application,
        colored: environment.protected && ui.has_color(),
        table: request.output == Output::Table,
        banner: ui.is_normal(),
    }
}

/// Runs the client where there is one.
async fn run(
    place: &Place<'_>,
    target: Target,
    request: &Request,
    mode: Mode,
    permit: Option<&Permit>,
) -> Result<Exit> {
    let environment = place.environment;
    let application = application(environment);
    let asked = asked(request, mode, environment, &application, place.ui);
    if let (Some(sql), Output::Csv | Output::Json) = (&request.sql, request.output) {
        // The driver is there with the app.
        let exit = place.run(target.clone(), rows(sql, request.output, &asked, environment)).await?;
        return match exit {
            Exit::Remote(django::NO_CLIENT) => {
                if facts(place, &target, &asked, false).await?.vendor == Vendor::Redis {
                    return Err(Error::usage("`--output` is for SQL, and Redis has none"));
                }
                Err(Error::failed("the settings could not be read a moment ago").hint("try again"))
            }
            exit => Ok(exit),
        };
    }
    let wanted = match (request.client, environment.database.client) {
        (Some(client), _) => Some((client, "as `--client` says")),
        (None, Some(client)) => Some((client, "as the configuration says")),
        (None, None) => None,
    };
    if wanted.is_none_or(|(client, _)| client == ClientPlace::Image)
        && let Some(exit) = in_image(place, &target, &asked, request.sql.as_ref()).await?
    {
        return Ok(exit);
    }
    Box::pin(elsewhere::run(place, &target, &asked, request.sql.as_ref(), wanted, permit, &request.consent)).await
}

/// How to reach the database, in the app's own words.
pub(super) async fn facts(
    place: &Place<'_>,
    target: &Target,
    asked: &ClientRequest<'_>,
    password: bool,
) -> Result<Connection> {
    let asking = connection(place.cluster, target, place.environment, Some(asked.database), password);
    let found = place.ui.waiting("reading the app's settings", asking).await;
    let (kind, usage) = asked.database.split_once(':').unwrap_or((asked.database, ""));
    match found {
        Err(error) if kind == "redis" && error.failure() == Failure::Usage => {}
        found => return found,
    }
    let from = forward::Place { cluster: place.cluster, environment: place.environment, ui: place.ui };
    let asking = forward::redis(&from, target, Some(usage).filter(|usage| !usage.is_empty()), password);
    let redis = place.ui.waiting("reading the app's settings", asking).await?;
    if asked.read_only {
        let name = &place.environment.name;
        return Err(Error::usage("Redis has no read-only sessions").hint(format!(
            "`kdj dbshell {name} --database {} --read-write`; in a protected environment that is a change",
            asked.database
        )));
    }
    Ok(Connection::of_redis(asked.database, redis))
}

/// The client in the image; `None` when there is none.
async fn in_image(
    place: &Place<'_>,
    target: &Target,
    asked: &ClientRequest<'_>,
    sql: Option<&Sql>,
) -> Result<Option<Exit>> {
    match sql {
        None => Box::pin(terminal::in_image(place, target.clone(), asked)).await,
        // What has been read of it could not be read again.
        Some(Sql::Stdin) if facts(place, target, asked, false).await?.client.is_none() => Ok(None),
        Some(sql) => {
            let exit = place.run(target.clone(), script(sql, asked, place.environment)).await?;
            Ok((exit != Exit::Remote(django::NO_CLIENT)).then_some(exit))
        }
    }
}

/// The client for SQL, in one exec.
fn script(sql: &Sql, asked: &ClientRequest, environment: &Environment) -> Program {
    program(django::client_script(&environment.django, asked), sql, "the database's client")
}

/// The app's own driver for a statement, in one exec.
fn rows(sql: &Sql, output: Output, asked: &ClientRequest, environment: &Environment) -> Program {
    let output = if output == Output::Csv { "csv" } else { "json" };
    program(django::rows(&environment.django, asked, output), sql, "the statement")
}

fn program((start, code): (Start, Vec<u8>), sql: &Sql, name: &str) -> Program {
    let then = match sql {
        Sql::Text(text) => Framed::Bytes(text.clone()),
        Sql::File(path) => Framed::File(path.clone()),
        Sql::Stdin => Framed::Local,
    };
    let stdin = Stdin::Framed { first: code.into(), then };
    Program { alternatives: start.alternatives, tty: false, stdin, kept: false, name: name.to_owned(), mode: None }
}

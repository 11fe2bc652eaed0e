//! A dump of a database, by its own program: where that is, as for the client; streamed to a file or to stdout.

mod attempt;
mod sink;

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use self::{attempt::Attempt, sink::Sink};
use super::{Connection, Vendor, client, shell::facts};
use crate::{
    cluster::{Target, Wanted},
    config::{ClientPlace, Config},
    connection as to_cluster,
    django::{self, ClientRequest, DumpProgram},
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    names,
    options::Options,
    program,
    protection::{self, Change, Consent, Object, Permit, Record, Who, local_user},
    session::{Place, Program},
    ui::{Ui, duration, size, terminal},
};

/// How long PostgreSQL's program waits for a table that somebody has locked.
const LOCK_LIMIT: &str = "60s";

/// What to dump, and where to.
#[derive(Clone, Debug)]
pub struct DumpRequest {
    /// The environment's name.
    pub environment: String,
    /// From where the database is reached.
    pub wanted: Wanted,
    /// The database's alias in the settings.
    pub alias: String,
    /// Whether rows are left out.
    pub schema_only: bool,
    /// Tables whose rows are left out.
    pub without_rows: Vec<String>,
    /// Whether it is in `pg_restore`'s own format instead of SQL.
    pub custom: bool,
    /// The file; stdout when there is none.
    pub file: Option<PathBuf>,
    /// Where the program is to run, if that was said.
    pub client: Option<ClientPlace>,
    /// What the flags say of a change.
    pub consent: Consent,
}

/// Dumps the database.
///
/// # Errors
/// When it is not permitted, when there is no program for it, or when the dump is not whole: then there is no file.
pub async fn dump(request: DumpRequest, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let (environment, kubeconfig) = to_cluster::resolve(&request.environment, options, config)?;
    let application = format!("kdj:{}@{}", local_user(), environment.name);
    let asked = asked(&request, &environment, &application);
    if options.explain {
        let cluster = to_cluster::open(&environment, &kubeconfig, options, ui).await?;
        let place = Place::new(&cluster, &environment, request.wanted.clone(), ui);
        return place.explain(&program(&request, &asked, &environment), false, options).await;
    }
    if request.file.is_none() && terminal::stdout_is_terminal() {
        let hint = format!("name a file: `kdj db {} dump -o shop.sql`; or pipe it", environment.name);
        return Err(Error::usage("a dump is nothing for a terminal").hint(hint));
    }
    let change = change(&request);
    let permit = protection::permit(&environment, &change, &request.consent, ui).await?;
    let sink = match &request.file {
        Some(path) => Sink::file(path)?,
        None => Sink::stdout()?,
    };
    let cluster = to_cluster::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place::new(&cluster, &environment, request.wanted.clone(), ui);
    let who = Who::of(&permit, &cluster);
    let target = who.beside(place.target()).await?;
    let record = Record::begin(&permit, &environment, Object::from(&target), who, &cluster, ui);
    record.keep(run(&place, &target, &request, &asked, &permit, sink)).await
}

fn asked<'a>(request: &'a DumpRequest, environment: &'a Environment, application: &'a str) -> ClientRequest<'a> {
    ClientRequest {
        database: &request.alias,
        environment: &environment.name,
        mode: "dump",
        // It reads in a transaction of its own that cannot write.
        read_only: false,
        check: None,
        role: None,
        statement_timeout: None,
        application,
        colored: false,
        table: false,
        banner: false,
    }
}

fn change(request: &DumpRequest) -> Change {
    let DumpRequest { alias, schema_only, without_rows, file, .. } = request;
    let to = file.as_ref().map_or("stdout".to_owned(), |file| file.display().to_string());
    let what = format!("dump {} of the database `{}` to {to}", if *schema_only { "the schema" } else { "all" }, alias);
    let mut words = vec!["--database", alias];
    words.extend(schema_only.then_some("--schema-only"));
    words.extend(without_rows.iter().flat_map(|table| ["--exclude-table-data", table]));
    Change::new("dump", &what, words.into_iter().chain(["-o", &to]))
}

/// The programs of each kind of database, and what they are told.
fn programs(request: &DumpRequest) -> BTreeMap<&'static str, DumpProgram> {
    let DumpRequest { schema_only, without_rows, custom, .. } = request;
    let format = if *custom { "--format=custom" } else { "--format=plain" };
    let mut postgresql =
        vec!["--no-password".to_owned(), format.to_owned(), format!("--lock-wait-timeout={LOCK_LIMIT}")];
    let mut mysql: Vec<String> =
        ["--single-transaction", "--quick", "--hex-blob", "--no-tablespaces", "--routines"].map(str::to_owned).into();
    if *schema_only {
        postgresql.push("--schema-only".to_owned());
        mysql.push("--no-data".to_owned());
    }
    postgresql.extend(without_rows.iter().map(|table| format!("--exclude-table-data={table}")));
    mysql.extend(without_rows.iter().map(|table| format!("--ignore-table-data={{name}}.{table}")));
    let mut programs = BTreeMap::new();
    programs.insert("postgresql", DumpProgram { programs: &["pg_dump"], options: postgresql });
    if !custom {
        programs.insert("mysql", DumpProgram { programs: &["mariadb-dump", "mysqldump"], options: mysql });
    }
    programs
}

/// What would be run in the image, for `--explain`.
fn program(request: &DumpRequest, asked: &ClientRequest, environment: &Environment) -> Program {
    let (start, code) = django::client_dump(&environment.django, asked, &programs(request));
    Program {
        alternatives: start.alternatives,
        tty: false,
        stdin: terminal::Stdin::Bytes { first: code.into(), then_local: false },
        kept: false,
        name: "the database's dump program".to_owned(),
        mode: None,
    }
}

/// Runs the program where there is one, and keeps what it writes only when all of it has come.
async fn run(
    place: &Place<'_>,
    target: &Target,
    request: &DumpRequest,
    asked: &ClientRequest<'_>,
    permit: &Permit,
    sink: Sink,
) -> Result<Exit> {
    let started = Instant::now();
    match somewhere(place, target, request, asked, permit, &sink).await {
        Ok(()) => {
            let bytes = sink.commit().await?;
            let took = started.elapsed();
            let to = request.file.as_ref().map(|file| format!(" to {}", names::shown(&file.display().to_string())));
            let rate = size((bytes as f64 / took.as_secs_f64().max(0.001)) as u64);
            let (bytes, took, to) = (size(bytes), duration(took), to.unwrap_or_default());
            place.ui.status(&format!("dumped `{}`{to}: {bytes} in {took}, {rate}/s", request.alias));
            Ok(Exit::Success)
        }
        Err(error) => Err(match sink.give_up().await {
            Some(unwritten) => unwritten,
            None => error,
        }),
    }
}

/// In the image; where there is none, or an older one than the server, on this machine, and then in a toolbox.
async fn somewhere(
    place: &Place<'_>,
    target: &Target,
    request: &DumpRequest,
    asked: &ClientRequest<'_>,
    permit: &Permit,
    sink: &Sink,
) -> Result<()> {
    let settings = &place.environment.database;
    let wanted = request.client.or(settings.client);
    let programs = programs(request);
    let mut why = String::new();
    if matches!(wanted, None | Some(ClientPlace::Image)) {
        let (start, code) = django::client_dump(&place.environment.django, asked, &programs);
        match attempt::in_image(place, target, &start, code, asked, sink).await? {
            Attempt::Done => return Ok(()),
            Attempt::Elsewhere(reason) if wanted.is_none() => why = reason,
            Attempt::Elsewhere(reason) => {
                return Err(Error::failed("no program for the dump in the image").caused_by(reason));
            }
        }
    }
    let facts = facts(place, target, asked, true).await?;
    let dump = find_program(&facts, &programs)?;
    let none = |what: &str| {
        let error = Error::failed(format!("no program for the dump {what}"));
        if why.is_empty() { error } else { error.caused_by(&why) }
    };
    if matches!(wanted, None | Some(ClientPlace::Local)) {
        match program::find_any(dump.programs) {
            Some(program) => {
                say(place, &format!("`{program}` on this machine, through a tunnel"), &why);
                match attempt::here(place, &program, dump, facts.clone(), asked, sink).await? {
                    Attempt::Done => return Ok(()),
                    Attempt::Elsewhere(reason) if wanted.is_none() => why = reason,
                    Attempt::Elsewhere(reason) => return Err(none("on this machine").caused_by(reason)),
                }
            }
            None if wanted.is_some() => return Err(none("on this machine")),
            None => {}
        }
    }
    let Some(image) = settings.toolbox_image.as_deref() else {
        let error = Error::failed("no program for the dump in the image, on this machine, or in a toolbox");
        let error = if why.is_empty() { error } else { error.caused_by(&why) };
        return Err(error.hint(
            "name an image that has it, in kdj.toml: [database] toolbox_image = \"docker.io/library/postgres:17\"",
        ));
    };
    let program = dump.programs.last().copied().unwrap_or_default();
    say(place, &format!("`{program}` in a toolbox of {image}"), &why);
    match attempt::in_toolbox(place, program, dump, facts, asked, image, permit, sink).await? {
        Attempt::Done => Ok(()),
        Attempt::Elsewhere(reason) => Err(Error::failed("no program for the dump in the toolbox").caused_by(reason)),
    }
}

fn find_program<'p>(facts: &Connection, programs: &'p BTreeMap<&'static str, DumpProgram>) -> Result<&'p DumpProgram> {
    programs.get(facts.vendor.name()).ok_or_else(|| no_dump_of(facts.vendor.name()))
}

/// The kinds of databases of which there is no dump, in this format.
fn no_dump_of(vendor: &str) -> Error {
    let error = Error::usage(format!("no such dump of {vendor}"));
    match vendor {
        "mysql" => error.caused_by("`--format custom` is PostgreSQL's").hint("leave it out: SQL it is"),
        "sqlite" => error.hint("it is a file in the container: `kdj shell ENV -- cat FILE`"),
        _ => error,
    }
}

fn say(place: &Place<'_>, what: &str, why: &str) {
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    place.ui.status(&format!("{what}{why}"));
}

/// The client's words as those of the program that dumps.
fn dump_words(
    client: &client::Client,
    vendor: &Vendor,
    program: &str,
    dump: &DumpProgram,
    name: Option<&str>,
) -> Vec<String> {
    let name = name.unwrap_or_default();
    let mut words = vec![program.to_owned()];
    if *vendor != Vendor::Postgresql {
        words.extend(client.words.iter().skip(1).filter(|word| !word.starts_with("--database=")).cloned());
    }
    words.extend(dump.options.iter().map(|option| option.replace("{name}", name)));
    if *vendor != Vendor::Postgresql {
        words.push(name.to_owned());
    }
    words
}

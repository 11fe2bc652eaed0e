//! `kdj dbshell`: the database's own client, at a terminal or fed with SQL.

use std::{
    fs::File,
    io::{self, IsTerminal},
    path::PathBuf,
};

use crate::{
    commands::args::{AccessArgs, ChangeArgs, ClientArg, TargetArgs},
    config::Config,
    database::{self, Output, Sql},
    error::{Error, Result},
    exit::Exit,
    options::Options,
    ui::Ui,
};

/// Arguments of `kdj dbshell`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "SQL travels over stdin, never in arguments. Ends with the client's exit code: an error in the SQL is one."
)]
pub struct DbshellArgs {
    #[command(flatten)]
    target: TargetArgs,

    /// Read SQL from stdin, as without a terminal
    #[arg(value_name = "-", value_parser = ["-"])]
    dash: Option<String>,

    /// Database's alias in Django's settings (default: default, or the configured replica)
    #[arg(long, value_name = "ALIAS")]
    database: Option<String>,

    /// SQL to run instead of a prompt
    #[arg(short = 'c', long = "command", value_name = "SQL", conflicts_with_all = ["file", "dash"])]
    sql: Option<String>,

    /// File of SQL to run instead of a prompt
    #[arg(short, long, value_name = "FILE", conflicts_with = "dash")]
    file: Option<PathBuf>,

    /// Container of the pod
    #[arg(long)]
    container: Option<String>,

    /// Where the client runs (default: in the image, else here through a tunnel, else in a toolbox)
    #[arg(long, value_name = "WHERE")]
    client: Option<ClientArg>,

    /// How to print rows; csv and json are of one statement, by the app's own driver
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<RowFormat>,

    #[command(flatten)]
    access: AccessArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

/// A form of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum RowFormat {
    /// With a header line
    Csv,
    /// JSON of a documented, versioned shape
    Json,
    /// A table, by the database's client
    Table,
}

impl RowFormat {
    fn output(self) -> Output {
        match self {
            Self::Csv => Output::Csv,
            Self::Json => Output::Json,
            Self::Table => Output::Table,
        }
    }
}

/// Runs `kdj dbshell`.
pub async fn run(args: DbshellArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let sql = sql(&args)?;
    if sql.is_none() && args.output.is_some() {
        return Err(
            Error::usage("`--output` is for SQL that is given").hint("give it: `-c SQL`, `-f FILE`, or on stdin")
        );
    }
    if args.client.is_some() && matches!(args.output, Some(RowFormat::Csv | RowFormat::Json)) {
        return Err(
            Error::usage("csv and json need no client: the app's own driver prints them").hint("leave out `--client`")
        );
    }
    let request = database::Request {
        environment: args.target.environment.clone(),
        wanted: args.target.wanted(args.container.as_deref()),
        sql,
        output: args.output.map_or(Output::Plain, RowFormat::output),
        alias: args.database,
        client: args.client.map(ClientArg::place),
        mode: args.access.asked(),
        consent: args.change.consent(),
    };
    database::shell(request, options, config, ui).await
}

/// Where the SQL comes from; nothing for a prompt.
fn sql(args: &DbshellArgs) -> Result<Option<Sql>> {
    if let Some(text) = &args.sql {
        return Ok(Some(Sql::Text(text.clone().into())));
    }
    if let Some(path) = &args.file {
        let unreadable = |error| Error::usage(format!("cannot read `{}`", path.display())).caused_by(error);
        let about = File::open(path).and_then(|file| file.metadata()).map_err(unreadable)?;
        if about.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        return Ok(Some(Sql::File(path.clone())));
    }
    let prompt = args.dash.is_none() && io::stdin().is_terminal();
    Ok(if prompt { None } else { Some(Sql::Stdin) })
}

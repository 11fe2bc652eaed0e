//! `kdj pyshell`: Django's shell, at a terminal or fed with code.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use crate::{
    commands::args::{ChangeArgs, OpensArgs, TargetArgs},
    config::Config,
    django,
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    options::Options,
    protection::Change,
    session::{self, Program, Request},
    ui::{Ui, terminal::Stdin},
};

/// Arguments of `kdj pyshell`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Code travels over stdin, never in arguments. A Python exception ends with a non-zero exit code."
)]
pub struct PyshellArgs {
    #[command(flatten)]
    target: TargetArgs,

    /// Read the code from stdin, as without a terminal
    #[arg(value_name = "-", value_parser = ["-"])]
    dash: Option<String>,

    /// Python code to run instead of a console; stdin is left to it
    #[arg(short = 'c', long = "command", value_name = "CODE", conflicts_with_all = ["file", "dash"])]
    code: Option<String>,

    /// File of Python code to run instead of a console; stdin is left to it
    #[arg(short, long, value_name = "FILE", conflicts_with = "dash")]
    file: Option<PathBuf>,

    /// Container of the pod
    #[arg(long)]
    container: Option<String>,

    /// Python's own console, even where a richer one is installed
    #[arg(long, conflicts_with_all = ["code", "file", "dash"])]
    plain: bool,

    #[command(flatten)]
    opens: OpensArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Runs `kdj pyshell`.
pub async fn run(args: PyshellArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let code = code(&args)?;
    let request = Request {
        wanted: args.target.wanted(args.container.as_deref()),
        environment: args.target.environment.clone(),
        change: change(code.as_ref()),
        reads_only: false,
        consent: args.change.consent(),
        opens: args.opens.clone().opens(),
    };
    session::run(request, options, config, ui, |environment| match code {
        Some(code) => run_code(&code, environment),
        None => console(args.plain, environment),
    })
    .await
}

/// What is asked and recorded; the code itself may hold anything, and is not.
fn change(code: Option<&Code>) -> Change {
    match code {
        Some(code) => Change::new("pyshell", &format!("run Python code, {}", code.name), [code.name.as_str()]),
        None => Change::new("pyshell", "open Django's shell, read-write", []),
    }
}

/// Code to run, and what it is called in a traceback.
struct Code {
    name: String,
    text: Vec<u8>,
    /// Whether the local stdin was left unread.
    stdin_left: bool,
}

/// The code, when there is any: read before anything is asked of the cluster.
fn code(args: &PyshellArgs) -> Result<Option<Code>> {
    if let Some(text) = &args.code {
        return Ok(Some(Code { name: "<code>".to_owned(), text: text.clone().into_bytes(), stdin_left: true }));
    }
    if let Some(path) = &args.file {
        let unreadable = |error| Error::usage(format!("cannot read `{}`", path.display())).caused_by(error);
        let text = fs::read(path).map_err(unreadable)?;
        return Ok(Some(Code { name: path.display().to_string(), text, stdin_left: true }));
    }
    if args.dash.is_none() && io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = Vec::new();
    let unreadable = |error| Error::failed("cannot read the code from stdin").caused_by(error);
    io::stdin().read_to_end(&mut text).map_err(unreadable)?;
    Ok(Some(Code { name: "<stdin>".to_owned(), text, stdin_left: false }))
}

fn run_code(code: &Code, environment: &Environment) -> Program {
    let (start, before) = django::code_on_stdin(&environment.django, &code.name, &code.text);
    // A terminal has nothing to pipe: waiting for its end would hang.
    let more = code.stdin_left && !io::stdin().is_terminal();
    let stdin = Stdin::Bytes { first: before.into(), then_local: more };
    Program { alternatives: start.alternatives, tty: false, stdin, kept: false, name: "manage.py shell".to_owned() }
}

fn console(plain: bool, environment: &Environment) -> Program {
    let term = session::terminal_type();
    let start = if plain { django::plain_console } else { django::console };
    let start = start(&environment.django, term.as_deref());
    let name = "manage.py shell".to_owned();
    Program { alternatives: start.alternatives, tty: term.is_some(), stdin: Stdin::Local, kept: false, name }
}

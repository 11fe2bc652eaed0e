//! `kdj pyshell`: Django's shell, at a terminal or fed with code.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use crate::{
    commands::args::{AccessArgs, ChangeArgs, OpensArgs, TargetArgs},
    config::Config,
    database::Mode,
    django::{self, Start},
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    options::Options,
    protection::Change,
    session::{self, Program, Request},
    ui::{
        Ui,
        terminal::{Stdin, is_stdin_empty},
    },
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
    access: AccessArgs,

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
        change: change(code.as_ref(), args.access),
        reads_only: false,
        consent: args.change.consent(),
        opens: args.opens.clone().opens(),
    };
    session::run(request, options, config, ui, |environment| {
        let mode = Mode::decide(args.access.asked(), environment.protected);
        match code {
            Some(code) => run_code(&code, environment, mode),
            None => console(args.plain, environment, mode),
        }
    })
    .await
}

/// What is asked and recorded; the code itself may hold anything, and is not.
fn change(code: Option<&Code>, access: AccessArgs) -> Change {
    // Where it is asked.
    let mode = Mode::decide(access.asked(), true);
    let flag = (!mode.is_read_only()).then_some("--read-write");
    let what = match code {
        Some(code) => format!("run Python code, {}, {}", code.name, mode.name()),
        None => format!("open Django's shell, {}", mode.name()),
    };
    Change::new("pyshell", &what, flag.into_iter().chain(code.map(|code| code.name.as_str())))
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

fn run_code(code: &Code, environment: &Environment, mode: Mode) -> Program {
    let Code { name, text, stdin_left } = code;
    // A terminal has nothing to pipe: waiting for its end would hang.
    let more = *stdin_left && !io::stdin().is_terminal() && !is_stdin_empty();
    let (start, before) = match mode {
        Mode::ReadOnly => django::read_only_code(&environment.django, &environment.database, name, text, more),
        Mode::ReadWrite => django::code_on_stdin(&environment.django, name, text, more),
    };
    let stdin = Stdin::Bytes { first: before.into(), then_local: more };
    program(start, false, stdin, mode)
}

fn console(plain: bool, environment: &Environment, mode: Mode) -> Program {
    let term = session::terminal_type();
    let (settings, term_type) = (&environment.django, term.as_deref());
    let (start, stdin) = match mode {
        Mode::ReadOnly => {
            let (start, first) = django::read_only_console(settings, &environment.database, term_type, plain);
            (start, Stdin::Bytes { first: first.into(), then_local: true })
        }
        Mode::ReadWrite if plain => (django::plain_console(settings, term_type), Stdin::Local),
        Mode::ReadWrite => (django::console(settings, term_type), Stdin::Local),
    };
    program(start, term.is_some(), stdin, mode)
}

fn program(start: Start, tty: bool, stdin: Stdin, mode: Mode) -> Program {
    let name = "manage.py shell".to_owned();
    Program { alternatives: start.alternatives, tty, stdin, kept: false, name, mode: Some(mode) }
}

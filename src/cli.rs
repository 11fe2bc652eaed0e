//! The command line: what is typed, before anything is read or asked.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{
    CommandFactory, FromArgMatches, Parser,
    builder::{
        PossibleValuesParser, StyledStr, TypedValueParser,
        styling::{AnsiColor, Styles},
    },
};

use clap_complete::{CompleteEnv, engine::CompletionCandidate};

use crate::{
    cluster::Impersonation,
    commands::{self, Command},
    config::{self, Config},
    environment::Overrides,
    error::{Error, Result},
    exit::Exit,
    explained::Explained,
    invocation::Invocation,
    options::Options,
    rest,
    ui::{Stall, Ui, Verbosity, style::ColorChoice},
};

/// Shells and management commands for Django on Kubernetes, by the environment's name
#[derive(Debug, Parser)]
#[command(name = "kdj", version = env!("KDJ_VERSION"), styles = STYLES, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "The environment is looked up in kdj.toml, or among the kubeconfig's contexts. `kdj envs` lists them, `kdj init` \
                  writes a first kdj.toml.\n`kdj COMMAND --help` shows examples, `kdj help` lists the pages that kdj carries with it."
)]
pub struct Cli {
    #[command(flatten)]
    global: GlobalArgs,

    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Kubeconfig file, instead of KUBECONFIG and ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig, instead of the environment's
    #[arg(long, global = true)]
    pub context: Option<String>,

    /// Namespace, instead of the environment's
    #[arg(short, long, global = true)]
    pub namespace: Option<String>,

    /// User to impersonate
    #[arg(long = "as", global = true, value_name = "USER")]
    pub as_user: Option<String>,

    /// Group to impersonate, may be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP", requires = "as_user")]
    pub as_group: Vec<String>,

    /// When to use colour
    #[arg(long, global = true, value_parser = color_parser())]
    pub color: Option<ColorChoice>,

    /// Say only errors and warnings
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say what was resolved, and each request with its duration
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Say what would be done and the equivalent kubectl command, and do nothing
    #[arg(long, global = true)]
    pub explain: bool,
}

impl GlobalArgs {
    fn options(&self, called: Option<&'static str>) -> Options {
        Options {
            called,
            kubeconfig: self.kubeconfig.clone(),
            overrides: Overrides { context: self.context.clone(), namespace: self.namespace.clone() },
            impersonation: Impersonation { user: self.as_user.clone(), groups: self.as_group.clone() },
            explain: self.explain,
        }
    }
}

/// `ui` does not know clap, so the words are told here.
fn color_parser() -> impl TypedValueParser<Value = ColorChoice> {
    PossibleValuesParser::new(ColorChoice::NAMES).try_map(|text| text.parse())
}

/// The name kubectl looks for when the words of its plugin `kdj` are completed.
const KUBECTL: &str = "kubectl_complete-kdj";

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The clap command, for the parser, completion and the generated reference.
pub fn command() -> clap::Command {
    commands::examples::with_examples(Cli::command(), STYLES.get_header())
}

/// The same with candidates for what can be named.
fn completed() -> clap::Command {
    commands::args::with_candidates(command(), command)
}

/// Answers a shell that wants to know what a word can become; whether one has asked. Whatever goes wrong, nothing is said:
/// it would stand in the line that is being typed.
pub(crate) fn complete(arguments: &[OsString]) -> bool {
    let plugin = arguments.first().and_then(|name| Path::new(name).file_stem()).is_some_and(|name| name == KUBECTL);
    if !plugin && !is_shells(arguments) {
        return false;
    }
    std::panic::set_hook(Box::new(|_| {}));
    let _ =
        std::panic::catch_unwind(
            || if plugin { complete_for_kubectl(arguments) } else { complete_for_shell(arguments) },
        );
    true
}

/// Whether a shell's script has called, or a shell's start-up file that wants the script. Whoever has set `COMPLETE` to
/// something for a reason of their own means the command.
fn is_shells(arguments: &[OsString]) -> bool {
    let Some(shell) = env::var_os("COMPLETE") else { return false };
    let shell = Path::new(&shell).file_stem().and_then(|name| name.to_str());
    let is_known = shell.is_some_and(|name| commands::completions::SHELLS.completer(name).is_some());
    is_known && arguments.get(1).is_none_or(|first| first == "--")
}

fn complete_for_shell(arguments: &[OsString]) {
    let (words, index) = commands::args::of_shell(arguments);
    commands::args::set_typed(&words, index);
    let here = env::current_dir().ok();
    let completing = CompleteEnv::with_factory(completed).shells(commands::completions::SHELLS);
    let _ = completing.try_complete(arguments.to_vec(), here.as_deref());
}

/// kubectl calls `kubectl_complete-kdj` with the words behind `kubectl kdj`, and wants what Cobra's completions say: a
/// candidate and its description in each line, and at last what the shell is to do (4: no files).
fn complete_for_kubectl(arguments: &[OsString]) {
    let mut words = arguments.to_vec();
    words.resize(words.len().max(2), OsString::new());
    words[0] = "kdj".into();
    let index = words.len() - 1;
    commands::args::set_typed(&words, index);
    let mut program = completed();
    program.build();
    let here = env::current_dir().ok();
    let found = clap_complete::engine::complete(&mut program, words, index, here.as_deref()).unwrap_or_default();
    let line = |candidate: &CompletionCandidate| {
        let about = candidate.get_help().map(|help| help.to_string().lines().next().unwrap_or_default().to_owned());
        let about = about.map(|about| format!("\t{about}")).unwrap_or_default();
        format!("{}{about}\n", candidate.get_value().to_string_lossy())
    };
    let text: String = found.iter().filter(|candidate| !candidate.is_hide_set()).map(line).collect();
    let _ = Ui::new(ColorChoice::Never, Verbosity::Quiet).data(&format!("{text}:4\n"));
}

/// Parses, runs, shows the error if there is one.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if let Some(words) = cli.command.helped(Cli::command) {
        let own = arguments.iter().take(1).cloned();
        let words = own.chain(words.iter().map(OsString::from)).chain(["--help".into()]);
        return parse(&words.collect::<Vec<_>>()).err().unwrap_or(ExitCode::SUCCESS);
    }
    let plugin = plugin_name(&arguments);
    let early = Ui::new(cli.global.color.unwrap_or_default(), verbosity(&cli.global));
    let stall = Stall::new(move |text| early.warning(text));
    let config = stall
        .within("kdj", || Config::load(&config::Sources::of_this_process()))
        .and_then(|config| commands::alias::check(&config).map(|()| config))
        .map_err(|error| error.explained(Explained::Configuration));
    drop(stall);
    if let (Ok(config), Command::External(words)) = (&config, &cli.command) {
        let expanded = commands::alias::expand(&arguments, words, config);
        cli = match expanded.map(|arguments| parse(&arguments)) {
            Ok(Ok(cli)) => cli,
            Ok(Err(code)) => return code,
            Err(error) => {
                let color = cli.global.color.unwrap_or(config.color.value);
                let invocation = cli.global.options(plugin).invocation();
                Ui::new(color, verbosity(&cli.global)).called(invocation).error(&error);
                return ExitCode::from(error.failure().code(false));
            }
        };
    }
    let pass_through = cli.command.is_pass_through();
    let configured = config.as_ref().map(|config| config.color.value).unwrap_or_default();
    let options = cli.global.options(plugin);
    let ui = Ui::new(cli.global.color.unwrap_or(configured), verbosity(&cli.global)).called(options.invocation());
    let config = match config {
        Err(_) if cli.command.reads_configuration() => Ok(Config::built_in()),
        config => config,
    };
    match config.and_then(|config| start(cli, &options, &config, &ui)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            ui.error(&error);
            ExitCode::from(error.failure().code(pass_through))
        }
    }
}

/// Parses; clap's own text is shown here, and the code to end with returned.
fn parse(arguments: &[OsString]) -> Result<Cli, ExitCode> {
    let mut program = command();
    if let Some(name) = plugin_name(arguments) {
        program = called(program, name).bin_name(name);
    }
    let parsed =
        program.try_get_matches_from(arguments).and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    parsed.map_err(|error| {
        // That it cannot be written is nothing anybody could be told.
        let _ = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// What is typed for kdj, where that is not `kdj`: kubectl finds its plugin `kdj` by the name `kubectl-kdj`.
fn plugin_name(arguments: &[OsString]) -> Option<&'static str> {
    let name = arguments.first().and_then(|name| Path::new(name).file_stem())?;
    (name == "kubectl-kdj").then_some("kubectl kdj")
}

/// The program with its help as it is typed by this name.
fn called(program: clap::Command, name: &'static str) -> clap::Command {
    let by_name = Invocation::called(Some(name));
    let text = |help: &StyledStr| StyledStr::from(by_name.in_page(&help.ansi().to_string()));
    let mut named = program.clone();
    if let Some(about) = program.get_long_about() {
        named = named.long_about(text(about));
    }
    if let Some(help) = program.get_after_help() {
        named = named.after_help(text(help));
    }
    let named = named.mut_args(|argument| match argument.get_help().map(text) {
        Some(help) => argument.help(help),
        None => argument,
    });
    named.mut_subcommands(|below| called(below, name))
}

fn verbosity(global: &GlobalArgs) -> Verbosity {
    match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    }
}

/// Starts the runtime: one thread, since everything waits on one connection.
fn start(cli: Cli, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(rest::take)
        .enable_all()
        .build()
        .map_err(|error| Error::failed("cannot start the runtime").caused_by(error))?;
    let outcome = runtime.block_on(commands::run(cli.command, options, config, ui));
    // A thread may still wait for a key or a slow name server: nothing it could bring matters any more.
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }
}

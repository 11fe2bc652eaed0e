//! `kdj shell`: an OS shell in a running pod, or one command in it.

use crate::{
    commands::args::TargetArgs,
    config::Config,
    environment::Environment,
    error::Result,
    exit::Exit,
    options::Options,
    session::{self, Program},
    ui::{
        Ui,
        terminal::{Stdin, stdin_of_command},
    },
};

/// Starts the best shell there is, with the environment's name before its prompt. Not a login shell: its profile would
/// reset PATH and lose the image's virtualenv.
const BEST_SHELL: &str = r#"[ -z "$1" ] || cd -- "$1" || exit 126
[ -z "$2" ] || export TERM="$2"
export KDJ_PROMPT="$3" PS1="($3) \$ "
if ! command -v bash >/dev/null 2>&1; then exec sh; fi
[ -t 0 ] && [ -e /dev/fd ] || exec bash
exec bash --rcfile /dev/fd/9 9<<'END'
for f in /etc/bash.bashrc /etc/bashrc ~/.bashrc; do [ -r "$f" ] && . "$f"; done
PS1="($KDJ_PROMPT) $PS1"
exec 9<&-
END"#;
/// Runs a command in another directory.
const IN_DIRECTORY: &str = r#"cd -- "$1" || exit 126
shift
exec "$@""#;

/// Arguments of `kdj shell`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Ends with the remote exit code. Django's own shell is `kdj pyshell`.")]
pub struct ShellArgs {
    #[command(flatten)]
    target: TargetArgs,

    /// Container of the pod
    #[arg(short, long)]
    container: Option<String>,

    /// Command to run instead of a shell, word by word as given, without a shell in between
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

/// Runs `kdj shell`.
pub async fn run(args: ShellArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let wanted = args.target.wanted(args.container.as_deref());
    session::run(&args.target.environment, wanted, options, config, ui, |environment| {
        program(&args.command, environment)
    })
    .await
}

fn program(command: &[String], environment: &Environment) -> Program {
    let term = session::terminal_type();
    let tty = term.is_some();
    let directory = environment.django.workdir.clone();
    let Some(name) = command.first() else {
        let (directory, term) = (directory.unwrap_or_default(), term.unwrap_or_default());
        let protected = if environment.protected { ", protected" } else { "" };
        let prompt = format!("{}{protected}", environment.name);
        let shell = ["sh", "-c", BEST_SHELL, "sh", &directory, &term, &prompt].map(str::to_owned).to_vec();
        return Program { alternatives: vec![shell], tty, stdin: Stdin::Local, name: "sh".to_owned() };
    };
    let mut alternatives = vec![command.to_vec()];
    if let Some(directory) = &directory {
        let shell = ["sh", "-c", IN_DIRECTORY, "sh", directory].map(str::to_owned);
        alternatives = vec![shell.into_iter().chain(command.iter().cloned()).collect()];
    } else if let Some(term) = term.filter(|term| term != "xterm" && !name.contains('=')) {
        // The runtime says xterm by itself. An image without `env` does without.
        let env = ["env".to_owned(), format!("TERM={term}")];
        alternatives.insert(0, env.into_iter().chain(command.iter().cloned()).collect());
    }
    Program { alternatives, tty, stdin: stdin_of_command(), name: name.clone() }
}

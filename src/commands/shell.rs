//! `kdj shell`: an OS shell in a running pod, or one command in it.

use crate::{
    commands::args::{ChangeArgs, OpensArgs, TargetArgs},
    config::Config,
    database::Mode,
    environment::Environment,
    error::Result,
    exit::Exit,
    options::Options,
    protection::Change,
    session::{self, Program, Request},
    ui::{
        Ui,
        terminal::{Stdin, stdin_of_command},
    },
};

/// Starts the best shell there is, with the environment's name before its prompt. Not a login shell: its profile would
/// reset PATH and lose the image's virtualenv. Bash reads what sets the prompt from a pipe: an older one writes a heredoc
/// to a file, and the root file system may be read-only. Nor does it travel in PROMPT_COMMAND, which images set.
const BEST_SHELL: &str = r#"[ -z "$1" ] || cd -- "$1" || exit 126
[ -z "$2" ] || export TERM="$2"
export KDJ_PROMPT="$3" PS1="($3) \$ "
if ! command -v bash >/dev/null 2>&1; then exec sh; fi
[ -t 0 ] && [ -e /dev/fd ] || exec bash
exec bash -c 'exec bash --rcfile <(printf %s "$0")' '
for f in /etc/bash.bashrc /etc/bashrc ~/.bashrc; do [ -r "$f" ] && . "$f"; done
PS1="($KDJ_PROMPT) $PS1"
eval "exec ${BASH_SOURCE##*/}<&-"'"#;
/// Runs a command in another directory.
const IN_DIRECTORY: &str = r#"cd -- "$1" || exit 126
[ -z "$2" ] || export TERM="$2"
shift 2
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

    #[command(flatten)]
    opens: OpensArgs,

    #[command(flatten)]
    change: ChangeArgs,

    /// Command to run instead of a shell, word by word as given, without a shell in between
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

/// Runs `kdj shell`.
pub async fn run(args: ShellArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let change = match args.command.as_slice() {
        [] => Change::new("shell", "open a shell, read-write", []),
        command => Change::command("shell", command.iter().map(String::as_str)),
    };
    let request = Request {
        wanted: args.target.wanted(args.container.as_deref()),
        environment: args.target.environment,
        change,
        reads_only: false,
        consent: args.change.consent(),
        opens: args.opens.clone().opens(),
    };
    session::run(request, options, config, ui, |environment| program(&args.command, environment)).await
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
        return Program {
            alternatives: vec![shell],
            tty,
            stdin: Stdin::Local,
            kept: false,
            name: "sh".to_owned(),
            mode: Some(Mode::ReadWrite),
        };
    };
    let mut alternatives = vec![command.to_vec()];
    if let Some(directory) = &directory {
        let shell = ["sh", "-c", IN_DIRECTORY, "sh", directory, term.as_deref().unwrap_or_default()].map(str::to_owned);
        alternatives = vec![shell.into_iter().chain(command.iter().cloned()).collect()];
    } else if let Some(term) = term.filter(|term| term != "xterm" && !name.contains('=')) {
        // The runtime says xterm by itself. An image without `env` does without.
        let env = ["env".to_owned(), format!("TERM={term}")];
        alternatives.insert(0, env.into_iter().chain(command.iter().cloned()).collect());
    }
    Program {
        alternatives,
        tty,
        stdin: stdin_of_command(),
        kept: false,
        name: name.clone(),
        mode: Some(Mode::ReadWrite),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs,
        io::Write,
        os::unix::fs::symlink,
        path::{Path, PathBuf},
        process::{Command, Stdio},
    };

    use super::*;

    fn found(program: &str) -> Option<PathBuf> {
        let places = ["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];
        places.iter().map(|place| Path::new(place).join(program)).find(|path| path.exists())
    }

    /// What a terminal shows of the best shell, started by `sh` where there are `programs`.
    fn shown(sh: &str, programs: &[&str], commands: &str) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        symlink(found(sh)?, path("sh")).unwrap();
        for program in programs {
            symlink(found(program)?, path(program)).unwrap();
        }
        fs::write(path(".bashrc"), "PS1='mine> '\nPROMPT_COMMAND='rc=read'\n").unwrap();
        let terminal = "import os, pty, sys\nos.environ['PATH'] = sys.argv[1]\nsys.exit(pty.spawn(sys.argv[2:]) >> 8)";
        let mut child = Command::new("python3")
            .args([
                "-c",
                terminal,
                directory.path().to_str().unwrap(),
                path("sh").to_str().unwrap(),
                "-c",
                BEST_SHELL,
                "sh",
                "/",
                "dumb",
                "qa, protected",
            ])
            .env("HOME", directory.path())
            .env("TMPDIR", "/nowhere")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(5), "{sh}: {text}");
        Some(text)
    }

    #[test]
    fn bash_has_the_environment_in_its_prompt_whatever_the_rcfile_does() {
        for sh in ["sh", "dash", "bash", "busybox"] {
            let commands = "echo $0-$PWD-$TERM-$rc-$KDJ_PROMPT\nexec 2>&1; (: <&63)\nexit 5\n";
            let Some(shown) = shown(sh, &["bash"], commands) else { continue };
            assert!(shown.contains("(qa, protected) mine> "), "{sh}: {shown}");
            assert!(shown.contains("bash-/-dumb-read-qa, protected"), "{sh}: {shown}");
            assert!(shown.contains("63: Bad file descriptor"), "{sh}: {shown}");
        }
        assert!(!BEST_SHELL.contains("<<"), "a heredoc may need a file");
    }

    #[test]
    fn a_plain_shell_has_it_too() {
        for sh in ["dash", "busybox"] {
            let Some(shown) = shown(sh, &[], "echo in-$PWD-$TERM\nexit 5\n") else { continue };
            assert!(shown.contains("(qa, protected) $ ") && shown.contains("in-/-dumb"), "{sh}: {shown}");
        }
    }
}

//! `kdj completions`: what a shell needs to complete kdj's commands, flags and environments.

mod bash;
mod powershell;

use clap_complete::env::{Elvish, EnvCompleter, Fish, Shells, Zsh};

use self::{bash::Bash, powershell::Powershell};
use crate::{
    error::{Error, Result},
    exit::Exit,
    ui::Ui,
};

/// Arguments of `kdj completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "For bash, in ~/.bashrc: source <(kdj completions bash)")]
pub struct CompletionsArgs {
    /// Shell to print the script for
    #[arg(value_enum)]
    shell: Shell,
}

/// A shell whose completion asks kdj itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    #[value(name = "powershell", alias = "pwsh")]
    Pwsh,
    /// Elvish
    Elvish,
}

/// Those that kdj answers.
pub const SHELLS: Shells<'static> = Shells(&[&Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// Runs `kdj completions`.
pub fn run(args: &CompletionsArgs, ui: &Ui) -> Result<Exit> {
    ui.data(&script(args.shell)?)?;
    Ok(Exit::Success)
}

/// A few lines that call kdj at each Tab: the candidates, environments among them, are never out of date.
///
/// # Errors
/// Never, as the scripts are text.
pub fn script(shell: Shell) -> Result<String> {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Pwsh => &Powershell,
        Shell::Elvish => &Elvish,
    };
    let mut script = Vec::new();
    let failed = |error: String| Error::failed("cannot write the completion script").caused_by(error);
    completer.write_registration("COMPLETE", "kdj", "kdj", "kdj", &mut script).map_err(|e| failed(e.to_string()))?;
    String::from_utf8(script).map_err(|error| failed(error.to_string()))
}

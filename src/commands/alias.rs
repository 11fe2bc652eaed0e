//! Words that are no command of kdj: aliases of the configuration, and mistakes.

use std::ffi::OsString;

use clap::Subcommand;

use super::Command;
use crate::{
    config::{Config, alias},
    environment,
    error::{Error, Result},
    names,
};

/// Checks the configured aliases against the commands of kdj.
///
/// # Errors
/// When one hides a command, or stands for something that is none.
pub fn check(config: &Config) -> Result<()> {
    if config.aliases.is_empty() {
        return Ok(());
    }
    let commands = commands();
    alias::check(&config.aliases, &commands.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The whole command line that `arguments` stand for, whose end is `words`: the alias and what follows it.
///
/// # Errors
/// When the first word is no alias, or the alias lacks its environment.
pub fn expand(arguments: &[OsString], words: &[OsString], config: &Config) -> Result<Vec<OsString>> {
    let (name, rest) = words.split_first().ok_or_else(|| Error::usage("a command is missing"))?;
    let Some((name, alias)) = name.to_str().and_then(|name| config.aliases.get_key_value(name)) else {
        return Err(unknown_command(&name.to_string_lossy(), config));
    };
    let before = &arguments[..arguments.len().saturating_sub(words.len())];
    let expansion = match rest.first() {
        // The help of an alias is the help of what it stands for.
        Some(flag) if flag == "--help" || flag == "-h" => vec![alias.value.command().into(), flag.clone()],
        _ => alias.value.expand(name, rest)?,
    };
    Ok(before.iter().cloned().chain(expansion).collect())
}

/// Neither a command nor an alias; often the environment comes first in people's minds.
pub fn unknown_command(word: &str, config: &Config) -> Error {
    let commands = commands();
    let known = commands.iter().chain(config.aliases.keys()).map(String::as_str);
    let shown = names::shown(word);
    let mut hints = Vec::new();
    if environment::is_configured(word, config) {
        hints.push(format!("`{shown}` is an environment: `kdj shell {shown}` opens a shell in it"));
    }
    hints.extend(names::did_you_mean(word, known));
    if hints.is_empty() {
        hints.push("`kdj --help` lists the commands".to_owned());
    }
    hints.into_iter().fold(Error::usage(format!("unrecognized subcommand `{shown}`")), Error::hint)
}

/// The names of kdj's own commands.
pub fn commands() -> Vec<String> {
    let command = Command::augment_subcommands(clap::Command::new("kdj"));
    let names = |command: &clap::Command| {
        let aliases = command.get_all_aliases().map(str::to_owned);
        std::iter::once(command.get_name().to_owned()).chain(aliases).collect::<Vec<_>>()
    };
    command.get_subcommands().flat_map(names).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn config() -> Config {
        let directory = tempfile::tempdir().unwrap();
        let text = "[aliases]\norders = 'manage ENV -- orders --today'\n[environments.qa]\n[environments.'*-qa']\n";
        std::fs::write(directory.path().join("kdj.toml"), text).unwrap();
        let working_directory = Some(directory.path().to_owned());
        Config::load(&Sources { working_directory, ..Sources::default() }).unwrap()
    }

    fn expand(line: &str) -> String {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let start = arguments.iter().skip(1).position(|word| !word.as_encoded_bytes().starts_with(b"-")).unwrap() + 1;
        match super::expand(&arguments, &arguments[start..], &config()) {
            Ok(words) => words.join(&OsString::from(" ")).into_string().unwrap(),
            Err(error) => [error.to_string()].iter().chain(error.hints()).cloned().collect::<Vec<_>>().join("\n"),
        }
    }

    #[test]
    fn an_alias_keeps_the_flags_before_it() {
        assert_eq!(expand("kdj -v orders qa --limit=3"), "kdj -v manage qa -- orders --today --limit=3");
        assert_eq!(expand("kdj orders --help"), "kdj manage --help");
    }

    #[test]
    fn what_is_no_command_is_explained() {
        insta::assert_snapshot!(expand("kdj shel qa"), @r"
        unrecognized subcommand `shel`
        did you mean `shell`?
        ");
        insta::assert_snapshot!(expand("kdj order qa"), @r"
        unrecognized subcommand `order`
        did you mean `orders`?
        ");
        insta::assert_snapshot!(expand("kdj qa"), @r"
        unrecognized subcommand `qa`
        `qa` is an environment: `kdj shell qa` opens a shell in it
        ");
        insta::assert_snapshot!(expand("kdj car1-qa shell"), @r"
        unrecognized subcommand `car1-qa`
        `car1-qa` is an environment: `kdj shell car1-qa` opens a shell in it
        ");
        insta::assert_snapshot!(expand("kdj frobnicate\u{1b}[2J"), @r"
        unrecognized subcommand `frobnicate\u{1b}[2J`
        `kdj --help` lists the commands
        ");
        insta::assert_snapshot!(expand("kdj orders"), @r"
        the alias `orders` needs an environment
        usage: kdj orders ENV [ARGS]...
        it stands for `kdj manage ENV -- orders --today`
        ");
    }
}

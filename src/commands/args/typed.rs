//! What stands on the command line in front of the word that is completed.

use std::{env, ffi::OsString, path::PathBuf, sync::OnceLock};

use clap::ArgMatches;

use crate::{
    cluster::Impersonation,
    config::{Config, Sources},
    environment::Overrides,
    options::Options,
};

/// The words in front of the one that is completed, kdj's own name first, and that one.
static WORDS: OnceLock<(Vec<OsString>, OsString)> = OnceLock::new();

/// Remembers the words of this completion: `words` are all, and `index` is the one that is completed.
pub fn set(words: &[OsString], index: usize) {
    let before = words.iter().take(index).cloned().collect();
    // It is set once: a process completes one word.
    let _ = WORDS.set((before, words.get(index).cloned().unwrap_or_default()));
}

/// The words behind `--` of the shell's call, and the index of the one that is completed. bash and zsh say the index, for
/// fish and PowerShell it is the last one.
pub fn of_shell(arguments: &[OsString]) -> (Vec<OsString>, usize) {
    let behind = arguments.iter().position(|word| word == "--").map_or(arguments.len(), |at| at + 1);
    let words: Vec<OsString> = arguments[behind..].to_vec();
    let index = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let index = index.unwrap_or(words.len().saturating_sub(1));
    (words, index)
}

/// The command line as far as it is typed.
pub struct Typed {
    matches: ArgMatches,
    /// The word that is completed, as far as it is typed.
    pub current: String,
    /// Whether `--` was typed.
    pub escaped: bool,
}

impl Typed {
    /// Reads it, as far as it can be understood; `None` where nothing is completed.
    pub fn read(program: clap::Command) -> Option<Self> {
        let (words, current) = WORDS.get()?;
        let escaped = words.iter().any(|word| word == "--");
        let program = program.ignore_errors(true);
        let without_last = &words[..words.len().saturating_sub(1)];
        // An option whose value is what is completed may take the rest with it.
        let attempts = [words.as_slice(), without_last].into_iter();
        let parsed: Vec<ArgMatches> =
            attempts.filter_map(|words| program.clone().try_get_matches_from(words).ok()).collect();
        let best = parsed.iter().find(|matches| matches.subcommand_name().is_some()).or(parsed.first());
        let matches = best.cloned().unwrap_or_default();
        Some(Self { matches, current: current.to_string_lossy().into_owned(), escaped })
    }

    /// The innermost subcommand's arguments.
    fn leaf(&self) -> &ArgMatches {
        let mut matches = &self.matches;
        while let Some((_, below)) = matches.subcommand() {
            matches = below;
        }
        matches
    }

    /// The values of an argument, as they were typed.
    pub fn values(&self, id: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut matches = Some(&self.matches);
        while let Some(here) = matches {
            if let Ok(Some(values)) = here.try_get_raw(id) {
                found = values.map(|value| value.to_string_lossy().into_owned()).collect();
            }
            matches = here.subcommand().map(|(_, below)| below);
        }
        found
    }

    /// The first value of an argument.
    pub fn value(&self, id: &str) -> Option<String> {
        self.values(id).into_iter().next()
    }

    /// The environment that is named.
    pub fn environment(&self) -> Option<String> {
        let named = ["environment", "environments", "places", "words"].into_iter().find_map(|id| self.value(id))?;
        Some(environment_of(&named).unwrap_or(&named).to_owned())
    }

    /// What the global flags ask for.
    pub fn options(&self) -> Options {
        let leaf = self.leaf();
        let value = |id: &str| leaf.try_get_one::<String>(id).ok().flatten().cloned();
        let groups = leaf.try_get_many::<String>("as_group").ok().flatten().into_iter().flatten().cloned();
        Options {
            called: None,
            kubeconfig: leaf.try_get_one::<PathBuf>("kubeconfig").ok().flatten().cloned(),
            overrides: Overrides { context: value("context"), namespace: value("namespace") },
            impersonation: Impersonation { user: value("as_user"), groups: groups.collect() },
            explain: false,
        }
    }
}

/// The environment of `qa:web`; `None` where no role is named, as in `arn:aws:eks:eu-west-1:1234:cluster/acme/shop`.
pub fn environment_of(place: &str) -> Option<&str> {
    let (environment, role) = place.rsplit_once(':')?;
    (!role.contains('/')).then_some(environment)
}

/// The configuration; nothing configured rather than an error.
pub fn config() -> Config {
    Config::load(&Sources::of_this_process()).unwrap_or_else(|_| Config::built_in())
}

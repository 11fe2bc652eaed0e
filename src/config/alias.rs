//! Aliases: `orders = "manage ENV -- orders_report --today"` makes `kdj orders qa` a command. Pure.

use std::{collections::BTreeMap, ffi::OsString};

use super::Sourced;
use crate::{
    error::{Error, Result},
    names,
};

/// The word that stands for the environment.
const PLACEHOLDER: &str = "ENV";

/// The commands whose first word is an environment.
const TAKE_ENVIRONMENT: [&str; 15] = [
    "audit", "config", "dbshell", "forward", "logs", "manage", "migrate", "pyshell", "releases", "restart", "rollback",
    "run", "scale", "shell", "status",
];

/// What an alias stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// As it is written, for messages.
    pub template: String,
    words: Vec<String>,
}

impl Alias {
    /// Splits the template into words, as a shell would.
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        let words = shell_words::split(template).map_err(|_| "a quote in the alias is not closed".to_owned())?;
        match words.first() {
            None => Err("the alias is empty".to_owned()),
            Some(first) if first.starts_with('-') || first == PLACEHOLDER => {
                Err(format!("an alias begins with a command of kdj, and not with `{}`", names::shown(first)))
            }
            Some(_) => Ok(Self { template: template.to_owned(), words }),
        }
    }

    /// The command it runs.
    pub fn command(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// How it is called: `kdj orders ENV [ARGS]...`.
    pub fn usage(&self, name: &str) -> String {
        let environment = if self.takes_environment() { " ENV" } else { "" };
        format!("kdj {}{environment} [ARGS]...", names::shown(name))
    }

    /// The environment it names, where it begins with a command that takes one first and says which.
    pub fn environment(&self) -> Option<&str> {
        let [command, environment, ..] = self.words.as_slice() else { return None };
        let is_word = !environment.starts_with('-') && environment != PLACEHOLDER;
        (TAKE_ENVIRONMENT.contains(&command.as_str()) && is_word).then_some(environment)
    }

    /// Whether its first argument is an environment.
    pub fn takes_environment(&self) -> bool {
        self.words.iter().any(|word| word == PLACEHOLDER)
    }

    /// The words to run instead of `name` and its `arguments`: the first argument in the place of `ENV`, the others at
    /// the end.
    ///
    /// # Errors
    /// When the environment is missing.
    pub fn expand(&self, name: &str, arguments: &[OsString]) -> Result<Vec<OsString>> {
        let (environment, rest) = match arguments {
            _ if !self.takes_environment() => (None, arguments),
            [environment, rest @ ..] if !environment.as_encoded_bytes().starts_with(b"-") => (Some(environment), rest),
            _ => return Err(self.missing_environment(name, arguments)),
        };
        let filled = self.words.iter().map(|word| match environment {
            Some(environment) if word == PLACEHOLDER => environment.clone(),
            _ => OsString::from(word),
        });
        Ok(filled.chain(rest.iter().cloned()).collect())
    }

    fn missing_environment(&self, name: &str, arguments: &[OsString]) -> Error {
        let what = match arguments.first() {
            None => format!("the alias `{}` needs an environment", names::shown(name)),
            Some(flag) => format!(
                "the alias `{}` needs an environment first, and not `{}`",
                names::shown(name),
                names::shown(&flag.to_string_lossy())
            ),
        };
        Error::usage(what)
            .hint(format!("usage: {}", self.usage(name)))
            .hint(format!("it stands for `kdj {}`", names::shown(&self.template)))
    }
}

/// Checks the aliases against the commands kdj has.
///
/// # Errors
/// When an alias hides a command, or stands for something that is none: another alias, too, so that no chain of them
/// can go round in a circle.
pub fn check(aliases: &BTreeMap<String, Sourced<Alias>>, commands: &[&str]) -> Result<()> {
    for (name, Sourced { value: alias, origin }) in aliases {
        let shown = names::shown(name);
        if commands.contains(&name.as_str()) {
            let what = format!("{origin}: the alias `{shown}` has the name of a command of kdj");
            return Err(Error::usage(what).hint("give the alias another name"));
        }
        let command = alias.command();
        if commands.contains(&command) {
            continue;
        }
        let error = if aliases.contains_key(command) {
            let what = format!("{origin}: the alias `{shown}` stands for `{}`, another alias", names::shown(command));
            Error::usage(what).hint("an alias begins with a command of kdj")
        } else {
            let what =
                format!("{origin}: the alias `{shown}` stands for an unknown command, `{}`", names::shown(command));
            let hint = names::did_you_mean(command, commands.iter().copied())
                .unwrap_or_else(|| "`kdj --help` lists the commands".to_owned());
            Error::usage(what).hint(hint)
        };
        return Err(error);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    fn expand(template: &str, arguments: &[&str]) -> Result<Vec<String>> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let words = Alias::parse(template).unwrap().expand("orders", &arguments)?;
        Ok(words.into_iter().map(|word| word.into_string().unwrap()).collect())
    }

    #[test]
    fn the_environment_takes_its_place_and_the_rest_is_appended() {
        assert_eq!(
            expand("manage ENV -- orders_report --today", &["qa", "--limit", "a b"]).unwrap(),
            ["manage", "qa", "--", "orders_report", "--today", "--limit", "a b"]
        );
        assert_eq!(expand("pyshell ENV -c 'print(1, 2)'", &["qa"]).unwrap(), ["pyshell", "qa", "-c", "print(1, 2)"]);
        assert_eq!(expand("shell qa", &["--", "ls"]).unwrap(), ["shell", "qa", "--", "ls"]);
        // What an argument says is never taken for the placeholder.
        assert_eq!(expand("shell ENV --", &["qa", "ENV"]).unwrap(), ["shell", "qa", "--", "ENV"]);
    }

    #[test]
    fn a_missing_environment_gets_the_usage_of_the_alias() {
        for arguments in [&[][..], &["--today"]] {
            let error = expand("manage ENV -- orders", arguments).unwrap_err();
            assert!(error.message().contains("needs an environment"), "{error}");
            assert_eq!(error.hints(), ["usage: kdj orders ENV [ARGS]...", "it stands for `kdj manage ENV -- orders`"]);
        }
    }

    #[test]
    fn templates_begin_with_a_command() {
        for (template, what) in [("", "empty"), ("  ", "empty"), ("ENV shell", "begins"), ("a 'b", "quote")] {
            assert!(Alias::parse(template).unwrap_err().contains(what), "{template}");
        }
    }

    #[test]
    fn an_alias_hides_no_command_and_names_one() {
        let check = |name: &str, template: &str| {
            let alias = |template| Sourced::new(Alias::parse(template).unwrap(), Origin::Default);
            let aliases =
                BTreeMap::from([(name.to_owned(), alias(template)), ("other".to_owned(), alias("shell ENV"))]);
            super::check(&aliases, &["envs", "shell"]).map_err(|error| error.to_string())
        };
        assert_eq!(check("orders", "shell ENV"), Ok(()));
        assert_eq!(check("shell", "envs").unwrap_err(), "default: the alias `shell` has the name of a command of kdj");
        assert_eq!(check("a", "other qa").unwrap_err(), "default: the alias `a` stands for `other`, another alias");
        assert_eq!(check("a", "a qa").unwrap_err(), "default: the alias `a` stands for `a`, another alias");
        assert_eq!(check("a", "shel qa").unwrap_err(), "default: the alias `a` stands for an unknown command, `shel`");
    }
}

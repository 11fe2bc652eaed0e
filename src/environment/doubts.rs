//! What is odd about the configured environments, though each entry is sound: patterns that fit one name equally well or
//! can fit none, two names for one place, a production that is not protected.

use super::{KubeContext, pattern, production::sounds_like_production};
use crate::{
    config::{Config, EnvironmentConfig, NAME_PLACEHOLDER, check},
    names,
};

/// An entry and what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What is odd, with the places in the files.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

/// Patterns that fit a name equally well, for which neither is taken; and patterns that fit no name at all.
pub fn patterns(config: &Config) -> Vec<Doubt> {
    let patterns: Vec<(&String, &EnvironmentConfig)> =
        config.environments.iter().filter(|(name, _)| name.contains('*')).collect();
    let mut doubts = Vec::new();
    for (number, (one, entry)) in patterns.iter().enumerate() {
        if let Some(why) = fits_nothing(one, entry) {
            doubts.push(Doubt {
                what: format!("`{}` ({}) can fit no name: {why}", names::shown(one), entry.origin),
                fix: format!("correct or remove `[environments.\"{}\"]`", names::shown(one)),
            });
            continue;
        }
        for (other, second) in &patterns[number + 1..] {
            if pattern::literal_length(one) != pattern::literal_length(other) || fits_nothing(other, second).is_some() {
                continue;
            }
            let Some(name) = pattern::common_name(one, other) else { continue };
            doubts.push(Doubt {
                what: format!(
                    "`{}` ({}) and `{}` ({}) fit `{}` equally well",
                    names::shown(one),
                    entry.origin,
                    names::shown(other),
                    second.origin,
                    names::shown(&name)
                ),
                fix: format!("make one of them longer, or give `{}` an entry of its own", names::shown(&name)),
            });
        }
    }
    doubts
}

/// Why no name can be what the pattern stands for.
fn fits_nothing(pattern: &str, entry: &EnvironmentConfig) -> Option<String> {
    // Each star at its shortest; a letter and a digit will do anywhere that anything does.
    let shortest = pattern.replace('*', "x");
    if let Err(why) = check::instance(&shortest) {
        return Some(why);
    }
    let namespace = entry.namespace.as_ref().filter(|namespace| namespace.value.contains(NAME_PLACEHOLDER))?;
    check::namespace(&namespace.value.replace(NAME_PLACEHOLDER, &shortest)).err()
}

/// Entries that are one place.
pub fn places(config: &Config, contexts: &[KubeContext]) -> Vec<Doubt> {
    let place = |(name, entry): (&String, &EnvironmentConfig)| {
        let context =
            contexts.iter().find(|known| entry.context.as_ref().is_some_and(|own| own.value == known.name))?;
        let fill = |template: &str| template.replace(NAME_PLACEHOLDER, name);
        let namespace = entry.namespace.as_ref().map(|namespace| fill(&namespace.value));
        let namespace = namespace.unwrap_or_else(|| context.namespace_or_default().to_owned());
        let instance = entry.instance.as_ref().map(|instance| fill(&instance.value));
        let cluster = context.cluster.clone().unwrap_or_else(|| context.name.clone());
        Some((cluster, namespace, instance))
    };
    let exact = || config.environments.iter().filter(|(name, _)| !name.contains('*'));
    let mut doubts = Vec::new();
    for (number, (one, first)) in exact().enumerate() {
        for (other, second) in exact().skip(number + 1) {
            let (Some(here), Some(there)) = (place((one, first)), place((other, second))) else { continue };
            if here != there {
                continue;
            }
            let is_protected =
                |entry: &EnvironmentConfig| entry.protected.as_ref().is_some_and(|protected| protected.value);
            let differs = is_protected(first) != is_protected(second);
            let (_, namespace, _) = here;
            let more = if differs { ", and only one of them is protected" } else { "" };
            doubts.push(Doubt {
                what: format!(
                    "`{}` ({}) and `{}` ({}) are one place, namespace `{namespace}`{more}",
                    names::shown(one),
                    first.origin,
                    names::shown(other),
                    second.origin
                ),
                fix: "remove one of them, or correct its context or namespace".to_owned(),
            });
        }
    }
    doubts
}

/// Entries that are called production, by their own name or by where they lead, and are not protected: the entry's name, and
/// the doubt.
pub fn unprotected(config: &Config) -> Vec<(String, Doubt)> {
    let is_doubtful = |(name, entry): &(&String, &EnvironmentConfig)| {
        // Who says `protected = false` has thought of it.
        let is_said = entry.protected.is_some();
        !is_said && (sounds_like_production(name) || smell(entry).is_some())
    };
    let doubt = |(name, entry): (&String, &EnvironmentConfig)| {
        let shown = names::shown(name);
        let what = match smell(entry).filter(|_| !sounds_like_production(name)) {
            Some((what, place)) => format!(
                "`{shown}` ({}) leads into {what} `{}`, which is called production, and is not protected",
                entry.origin,
                names::shown(place)
            ),
            None => format!("`{shown}` ({}) is called production and is not protected", entry.origin),
        };
        let fix = format!("write `protected = true` into `[environments.{}]`, or `false` if it is none", key(&shown));
        (name.clone(), Doubt { what, fix })
    };
    config.environments.iter().filter(is_doubtful).map(doubt).collect()
}

/// The place an entry leads into that is called production.
fn smell(entry: &EnvironmentConfig) -> Option<(&'static str, &str)> {
    let places = [("namespace", &entry.namespace), ("context", &entry.context)];
    let named = places.into_iter().filter_map(|(what, place)| Some((what, place.as_ref()?.value.as_str())));
    named.into_iter().find(|(_, place)| sounds_like_production(place))
}

/// A name as a key of TOML.
fn key(name: &str) -> String {
    let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare { name.to_owned() } else { format!("\"{name}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn config(text: &str) -> Config {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("kdj.toml"), text).unwrap();
        let working_directory = Some(directory.path().to_owned());
        Config::load(&Sources { working_directory, ..Sources::default() }).unwrap()
    }

    fn said(doubts: Vec<Doubt>) -> Vec<String> {
        let place = |what: String| {
            let mut words: Vec<&str> = what.split(' ').collect();
            words.retain(|word| !word.starts_with('('));
            words.join(" ")
        };
        doubts.into_iter().map(|doubt| place(doubt.what)).collect()
    }

    #[test]
    fn patterns_that_tie_or_fit_nothing_are_found() {
        let config = config(
            "[environments.'*-qa']\n[environments.'c1-*']\n[environments.'car1-*']\n[environments.'*-']\n\
             [environments.'PR-*']\nnamespace = 'shop-{name}'\n",
        );
        assert_eq!(
            said(patterns(&config)),
            [
                "`*-` can fit no name: an instance is a label's value: up to 63 letters, digits, `-`, `_` and `.`",
                "`*-qa` and `c1-*` fit `c1-qa` equally well",
                "`PR-*` can fit no name: a namespace is up to 63 lower-case letters, digits and `-`",
            ]
        );
    }

    #[test]
    fn patterns_of_different_lengths_do_not_tie() {
        assert_eq!(patterns(&config("[environments.'*-qa']\n[environments.'car1-*']\n")), []);
    }

    #[test]
    fn one_place_with_two_names_is_found() {
        let context = |name: &str, cluster: &str| KubeContext {
            name: name.to_owned(),
            namespace: None,
            cluster: Some(cluster.to_owned()),
        };
        let contexts = [context("a", "one"), context("b", "one"), context("c", "two")];
        let config = config(
            "[environments.qa]\ncontext = 'a'\nnamespace = 'shop'\n\
             [environments.prod]\ncontext = 'b'\nnamespace = 'shop'\nprotected = true\n\
             [environments.other]\ncontext = 'c'\nnamespace = 'shop'\n\
             [environments.car1]\ncontext = 'a'\nnamespace = 'shop'\ninstance = 'car1'\n",
        );
        let found = said(places(&config, &contexts));
        assert_eq!(found, ["`prod` and `qa` are one place, namespace `shop`, and only one of them is protected"]);
    }

    #[test]
    fn who_says_that_it_is_not_protected_is_believed() {
        let config = config(
            "[environments.prod]\n[environments.live]\nprotected = false\n[environments.main]\nnamespace = 'shop-prod'\n\
             [environments.other]\ncontext = 'acme-prod'\nnamespace = 'shop'\n",
        );
        let found = unprotected(&config);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["main", "other", "prod"]);
        assert!(
            found[1].1.what.contains("leads into context `acme-prod`, which is called production"),
            "{:?}",
            found[1].1
        );
    }
}

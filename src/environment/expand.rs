//! What `kdj envs --live` asks the clusters: where a listed environment is, and which names a pattern stands for now.

use super::{Environment, KubeContext, Listed, Overrides, pattern, resolve};
use crate::{
    config::{Config, NAME_PLACEHOLDER, Sourced},
    error::Result,
};

/// Where to look for a listed environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// It is one place.
    Place(Environment),
    /// It is a pattern, and the instances in one namespace are its names.
    Instances(Environment),
    /// It is a pattern, and the namespaces of the cluster are its names.
    Namespaces(Environment),
}

impl Question {
    /// The place that is asked, for whatever it is asked.
    pub fn environment(&self) -> &Environment {
        match self {
            Question::Place(environment) | Question::Instances(environment) | Question::Namespaces(environment) => {
                environment
            }
        }
    }
}

/// What to ask for a listed environment.
///
/// # Errors
/// When its context is missing.
pub fn question(listed: &Listed, config: &Config, contexts: &[KubeContext], overrides: &Overrides) -> Result<Question> {
    if !listed.pattern {
        return resolve(&listed.name, config, contexts, overrides).map(Question::Place);
    }
    let place = resolve::resolve_pattern(&listed.name, config, contexts, overrides)?;
    Ok(if depends_on_name(listed.namespace.as_ref()) {
        Question::Namespaces(place)
    } else if depends_on_name(listed.instance.as_ref()) {
        Question::Instances(place)
    } else {
        // Every name means this one place.
        Question::Place(place)
    })
}

/// The environments a pattern stands for, where `values` are the instances or the namespaces that exist. A value whose
/// name has an entry of its own, or fits a better pattern, belongs there and is left out.
pub fn expand<'a>(listed: &Listed, values: impl IntoIterator<Item = &'a str>, config: &Config) -> Vec<Listed> {
    let template = [&listed.namespace, &listed.instance].into_iter().flatten().find(|t| depends_on_name(Some(t)));
    let Some(template) = template else { return Vec::new() };
    let names = values.into_iter().filter_map(|value| {
        let mut names = names_of(&template.value, value);
        names.find(|name| pattern::matches(&listed.name, name) && !is_taken(name, &listed.name, config))
    });
    names.map(|name| of_name(listed, name)).collect()
}

fn depends_on_name(template: Option<&Sourced<String>>) -> bool {
    template.is_some_and(|template| template.value.contains(NAME_PLACEHOLDER))
}

/// The names that make `value` of the template: at most one, unless placeholders stand side by side.
fn names_of<'a>(template: &'a str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let before = template.split(NAME_PLACEHOLDER).next().unwrap_or_default();
    let rest = value.strip_prefix(before).unwrap_or_default();
    let ends = rest.char_indices().map(|(index, c)| index + c.len_utf8());
    ends.map(|end| &rest[..end]).filter(move |name| template.replace(NAME_PLACEHOLDER, name) == value)
}

/// Whether the name means another entry than this pattern's.
fn is_taken(name: &str, own: &str, config: &Config) -> bool {
    let better = |key: &String| {
        key.contains('*') && pattern::matches(key, name) && pattern::literal_length(key) > pattern::literal_length(own)
    };
    config.environments.contains_key(name) || config.environments.keys().any(better)
}

/// The pattern's entry for one name.
fn of_name(listed: &Listed, name: &str) -> Listed {
    let filled = |template: &Option<Sourced<String>>| {
        template.clone().map(|template| template.map(|text| text.replace(NAME_PLACEHOLDER, name)))
    };
    Listed {
        name: name.to_owned(),
        pattern: false,
        namespace: filled(&listed.namespace),
        instance: filled(&listed.instance),
        ..listed.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Sources, environment::list};

    const CONFIG: &str = "\
[environments.'*-qa']
context = 'c'
namespace = 'tenants'
instance = '{name}'
[environments.'big-*-qa']
context = 'c'
namespace = 'big'
[environments.own-qa]
context = 'c'
[environments.'pr-*']
context = 'c'
namespace = 'shop-{name}'
";

    fn config() -> Config {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("kdj.toml"), CONFIG).unwrap();
        let working_directory = Some(directory.path().to_owned());
        Config::load(&Sources { working_directory, ..Sources::default() }).unwrap()
    }

    fn listed(name: &str, overrides: &Overrides) -> Listed {
        let mut all = list(&config(), Some(&contexts()), overrides);
        all.swap_remove(all.iter().position(|listed| listed.name == name).unwrap())
    }

    fn contexts() -> [KubeContext; 1] {
        [KubeContext { name: "c".to_owned(), namespace: None, cluster: None }]
    }

    #[test]
    fn a_pattern_stands_for_the_instances_that_are_its_own() {
        let values = ["car1-qa", "own-qa", "big-one-qa", "car1-prod", "-qa", "car2-qa"];
        let found = expand(&listed("*-qa", &Overrides::default()), values, &config());
        let seen = found.iter().map(|one| (one.name.as_str(), one.instance.as_ref().unwrap().value.as_str()));
        let seen: Vec<_> = seen.collect();
        assert_eq!(seen, [("car1-qa", "car1-qa"), ("car2-qa", "car2-qa")]);
        assert!(found.iter().all(|one| !one.pattern));
    }

    #[test]
    fn a_pattern_stands_for_namespaces_too() {
        let found =
            expand(&listed("pr-*", &Overrides::default()), ["shop-pr-7", "shop-qa", "pr-8", "shop-"], &config());
        let seen = found.iter().map(|one| (one.name.as_str(), one.namespace.as_ref().unwrap().value.as_str()));
        let seen: Vec<_> = seen.collect();
        assert_eq!(seen, [("pr-7", "shop-pr-7")]);
    }

    #[test]
    fn each_entry_is_asked_for_in_its_own_way() {
        let elsewhere = Overrides { namespace: Some("elsewhere".to_owned()), ..Overrides::default() };
        for (name, overrides, expected) in [
            ("own-qa", &Overrides::default(), "place default"),
            ("*-qa", &Overrides::default(), "instances tenants"),
            ("big-*-qa", &Overrides::default(), "place big"),
            ("pr-*", &Overrides::default(), "namespaces default"),
            ("pr-*", &elsewhere, "place elsewhere"),
        ] {
            let question = question(&listed(name, overrides), &config(), &contexts(), overrides).unwrap();
            let kind = match &question {
                Question::Place(_) => "place",
                Question::Instances(_) => "instances",
                Question::Namespaces(_) => "namespaces",
            };
            let seen = format!("{kind} {}", question.environment().namespace);
            assert_eq!(seen, expected, "{name}");
        }
    }

    #[test]
    fn a_template_is_read_backwards() {
        for (template, value, expected) in [
            ("{name}", "car1-qa", &["car1-qa"][..]),
            ("shop-{name}-x", "shop-é-x", &["é"]),
            ("{name}-{name}", "a-b-a-b", &["a-b"]),
            ("shop-{name}", "other", &[]),
            ("shop", "shop", &[]),
        ] {
            assert_eq!(names_of(template, value).collect::<Vec<_>>(), expected, "{template} {value}");
        }
    }
}

//! The text of a `kdj.toml`: what was found, and where it was found.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    manage::{Manage, shown_by},
    propose::Proposed,
};
use crate::{
    cluster::{IsDjango, UnclearContainer},
    names,
};

/// Where comments behind values begin.
const COMMENT_COLUMN: usize = 32;
/// How many instances a comment names.
const MOST_NAMED: usize = 6;

const HEAD: &str = "\
# The environments of this project, for kdj: `kdj shell qa`, `kdj logs qa`, ... Commit it beside manage.py.
# `kdj init` wrote it from what runs now; it is yours from here on. `kdj envs` shows what it means, `kdj help
# configuration` tells all that may stand here. It holds no secrets: how to log in stands in each user's kubeconfig.
";

const DJANGO: &str = "
# Django is found in the container by itself. Where that fails, say how it is called:
# [django]
# manage  = [\"python\", \"manage.py\"]
# workdir = \"/app\"
";

const TAIL: &str = "
# Commands of your own: `kdj orders qa`.
# [aliases]
# orders = \"manage ENV -- orders_report --today\"
";

/// A whole file.
pub fn document(proposed: &[Proposed]) -> String {
    let shared = shared_manage(proposed);
    let entries = entries(proposed, &BTreeSet::new(), shared.is_none());
    let django = shared.map_or_else(|| DJANGO.to_owned(), |manage| table_of("django", &manage));
    format!("{HEAD}{entries}{django}{TAIL}")
}

/// The entries alone, for a file that is there already; `roles` are those that have a table in it.
pub fn addition(proposed: &[Proposed], roles: &BTreeSet<&str>) -> String {
    entries(proposed, roles, true)
}

/// The entries; `with_django` where each has to say itself how Django is called.
fn entries(proposed: &[Proposed], roles: &BTreeSet<&str>, with_django: bool) -> String {
    let mut shared = shared_containers(proposed);
    shared.retain(|role, _| !roles.contains(role));
    let mut text = String::new();
    for one in proposed {
        text.push('\n');
        text.push_str(&entry(one));
        if let Some(manage) = manage_of(one).filter(|_| with_django) {
            text.push_str(&table_of(&format!("environments.{}.django", key(&one.name)), &manage));
        }
        for (role, unclear) in unclear_of(one).filter(|(role, _)| !shared.contains_key(role)) {
            text.push_str(&container(&format!("environments.{}.roles", key(&one.name)), role, unclear));
        }
    }
    for (role, unclear) in shared {
        text.push_str(&container("roles", role, unclear));
    }
    text
}

fn entry(one: &Proposed) -> String {
    let mut text = format!("# {}\n", roles(one));
    text.push_str(match one.django {
        IsDjango::Yes => "",
        IsDjango::Maybe => "# Nothing says that this is Django: delete the entry if it is not.\n",
        IsDjango::No => "# Nothing there looks like Django: is it the right namespace?\n",
    });
    if !one.instances.is_empty() {
        let more = one.instances.len().saturating_sub(MOST_NAMED);
        let mut named: Vec<String> = one.instances.iter().take(MOST_NAMED).map(|name| names::shown(name)).collect();
        if more > 0 {
            named.push(format!("and {more} more"));
        }
        text.push_str(&format!("# One entry for all instances: {}\n", named.join(", ")));
    }
    text.push_str(&format!("[environments.{}]\n", key(&one.name)));
    text.push_str(&format!("context   = {}\nnamespace = {}\n", quoted(&one.context), quoted(&one.namespace)));
    if let Some(instance) = &one.instance {
        text.push_str(&commented(&format!("instance  = {}", quoted(instance)), "app.kubernetes.io/instance"));
    }
    if let Some(why) = &one.production {
        text.push_str(&commented("protected = true", why));
    }
    text
}

/// `web (web), celeryd (worker)`
fn roles(one: &Proposed) -> String {
    let mut roles: Vec<_> = one.workloads.iter().map(|workload| (workload.kind, workload.role.as_str())).collect();
    roles.sort_unstable();
    roles.dedup();
    let shown = |(kind, role): (_, &str)| format!("{} ({kind})", names::shown(role));
    roles.into_iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The roles of an entry of which it is unclear which container is the app's.
fn unclear_of(one: &Proposed) -> impl Iterator<Item = (&str, &UnclearContainer)> {
    let roles = one.workloads.iter().filter_map(|workload| Some((workload.role.as_str(), workload.unclear.as_ref()?)));
    roles.collect::<BTreeMap<_, _>>().into_iter()
}

/// The roles that are unclear in the same way wherever they are: one entry is for all environments.
fn shared_containers(proposed: &[Proposed]) -> BTreeMap<&str, &UnclearContainer> {
    let mut kinds = BTreeMap::<&str, BTreeSet<Option<&UnclearContainer>>>::new();
    for workload in proposed.iter().flat_map(|one| &one.workloads) {
        kinds.entry(&workload.role).or_default().insert(workload.unclear.as_ref());
    }
    let only =
        |(role, kinds): (_, BTreeSet<Option<_>>)| Some((role, kinds.first().copied().filter(|_| kinds.len() == 1)??));
    kinds.into_iter().filter_map(only).collect()
}

/// How Django is called in an environment, where the app's own command lines show what is not found by itself.
fn manage_of(one: &Proposed) -> Option<Manage> {
    one.workloads.iter().flat_map(|workload| &workload.started).find_map(shown_by)
}

/// The same, where it is so in all environments.
fn shared_manage(proposed: &[Proposed]) -> Option<Manage> {
    let all: BTreeSet<Option<Manage>> = proposed.iter().map(manage_of).collect();
    all.first().cloned().filter(|_| all.len() == 1)?
}

fn table_of(table: &str, manage: &Manage) -> String {
    let mut text =
        format!("\n# As a command line of the app has it, and not where Django is found by itself.\n[{table}]\n");
    if let Some(words) = &manage.words {
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        text.push_str(&format!("manage  = [{}]\n", words.join(", ")));
    }
    if let Some(workdir) = &manage.workdir {
        text.push_str(&format!("workdir = {}\n", quoted(workdir)));
    }
    text
}

fn container(table: &str, role: &str, unclear: &UnclearContainer) -> String {
    let all: Vec<String> = unclear.all().map(|name| names::shown(name)).collect();
    format!(
        "\n# Which container is the app's is a guess: there are {}.\n[{table}.{}]\ncontainer = {}\n",
        all.join(", "),
        key(role),
        quoted(&unclear.likeliest)
    )
}

fn commented(line: &str, comment: &str) -> String {
    let width = COMMENT_COLUMN.max(line.chars().count() + 2);
    format!("{line:<width$}# {comment}\n")
}

/// A key, bare where TOML allows it.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::{AppWorkload, Kind, Started},
        config::{Config, Sources},
    };

    fn proposed(name: &str, context: &str) -> Proposed {
        let workload = |kind, role: &str| AppWorkload {
            kind,
            role: role.to_owned(),
            instance: None,
            unclear: None,
            started: Vec::new(),
        };
        Proposed {
            name: name.to_owned(),
            context: context.to_owned(),
            namespace: "shop".to_owned(),
            instance: None,
            production: None,
            workloads: vec![workload(Kind::Worker, "celeryd"), workload(Kind::Web, "web")],
            instances: Vec::new(),
            django: IsDjango::Yes,
        }
    }

    fn unclear(mut one: Proposed, likeliest: &str) -> Proposed {
        let others = vec!["helper".to_owned()];
        one.workloads[1].unclear = Some(UnclearContainer { likeliest: likeliest.to_owned(), others });
        one
    }

    fn loaded(text: &str) -> Config {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("kdj.toml"), text).unwrap();
        let working_directory = Some(directory.path().to_owned());
        Config::load(&Sources { working_directory, ..Sources::default() }).unwrap()
    }

    #[test]
    fn a_file_that_loads() {
        let all = [
            proposed("qa", "acme-staging"),
            Proposed {
                production: Some("its context says production: changes ask for the name".to_owned()),
                ..proposed("prod", "arn:1/\"é\"")
            },
            Proposed {
                instance: Some("{name}".to_owned()),
                instances: (1..9).map(|number| format!("car{number}-qa")).collect(),
                ..unclear(proposed("*-qa", "acme-staging"), "web")
            },
        ];
        let text = document(&all);
        insta::assert_snapshot!(text);
        let config = loaded(&text);
        assert_eq!(config.environments.len(), 3);
        assert_eq!(config.environments["prod"].context.as_ref().unwrap().value, "arn:1/\"é\"");
        assert!(config.environments["prod"].protected.as_ref().unwrap().value);
        assert_eq!(config.environments["*-qa"].roles["web"].container.as_ref().unwrap().value, "web");
    }

    #[test]
    fn containers_that_differ_stand_with_their_environments() {
        let none = BTreeSet::new();
        let text = addition(&[unclear(proposed("a.b", "c"), "one"), unclear(proposed("qa", "c"), "two")], &none);
        let config = loaded(&text);
        assert!(config.roles.is_empty(), "{text}");
        let alike = [unclear(proposed("a", "c"), "one"), unclear(proposed("qa", "c"), "one")];
        let both = loaded(&addition(&alike, &none));
        assert_eq!(both.roles["web"].container.as_ref().unwrap().value, "one");
        // A table that the file has cannot stand there twice.
        let text = addition(&alike, &BTreeSet::from(["web"]));
        let added = loaded(&format!("[roles.web]\ncontainer = \"django\"\n{text}"));
        assert_eq!(added.environments["a"].roles["web"].container.as_ref().unwrap().value, "one");
        let container = |name: &str| config.environments[name].roles["web"].container.as_ref().unwrap().value.clone();
        assert_eq!((container("a.b"), container("qa")), ("one".to_owned(), "two".to_owned()));
    }

    fn started(mut one: Proposed, words: &[&str]) -> Proposed {
        let words = words.iter().map(ToString::to_string).collect();
        one.workloads[1].started = vec![Started { words, directory: None }];
        one
    }

    #[test]
    fn how_django_is_called_stands_there_where_it_is_not_found() {
        let deep = |name: &str| started(proposed(name, "c"), &["python", "/home/shop/src/manage.py", "runserver"]);
        let poetry = |name: &str| started(proposed(name, "c"), &["poetry", "run", "python", "manage.py", "runserver"]);
        let all = document(&[deep("a"), deep("b")]);
        let config = loaded(&all);
        assert_eq!(config.django.workdir.as_ref().unwrap().value, "/home/shop/src");
        assert!(!all.contains("# [django]"), "{all}");
        let text = document(&[deep("a"), poetry("b.c"), proposed("d", "c")]);
        let config = loaded(&text);
        assert!(config.django.workdir.is_none() && text.contains("# [django]"), "{text}");
        let words = config.environments["b.c"].django.manage.as_ref().unwrap().value.clone();
        assert_eq!(words, ["poetry", "run", "python", "manage.py"]);
        assert_eq!(config.environments["a"].django.workdir.as_ref().unwrap().value, "/home/shop/src");
        assert!(config.environments["d"].django.manage.is_none());
        // A file that is there may have a table of its own.
        let added = loaded(&format!("[django]\nworkdir = '/x'\n{}", addition(&[deep("a")], &BTreeSet::new())));
        assert_eq!(added.environments["a"].django.workdir.as_ref().unwrap().value, "/home/shop/src");
    }

    #[test]
    fn what_is_django_only_perhaps_is_said() {
        let maybe = addition(&[Proposed { django: IsDjango::Maybe, ..proposed("a", "c") }], &BTreeSet::new());
        assert!(maybe.contains("# Nothing says that this is Django"), "{maybe}");
    }
}

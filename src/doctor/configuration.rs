//! kdj.toml and config.toml: whether they can be read, and what is odd about what they say.

use std::rc::Rc;

use super::{About, Category, Check, Fix, How, Outcome, Subject, World};
use crate::{
    cluster::Kubeconfig,
    config::Origin,
    environment::{
        self,
        doubts::{self, Doubt},
    },
    names,
};

mod mend;

const FILE: About =
    About::new("configuration.file", "kdj.toml and config.toml are valid", "no command runs while they are not");
const ORIGINS: About = About::new(
    "configuration.origins",
    "nothing leads environments elsewhere than the files say",
    "KDJ_CONTEXT and KDJ_NAMESPACE hold for every command of this shell",
)
.needs(&["configuration.file"]);
const PATTERNS: About = About::new(
    "configuration.patterns",
    "each pattern fits names of its own",
    "a name that two patterns fit equally well is refused",
)
.needs(&["configuration.file"]);
const PLACES: About = About::new(
    "configuration.places",
    "each environment is a place of its own",
    "who thinks of two environments changes one of them twice",
)
.needs(&["configuration.file"]);
const PROTECTION: About = About::new(
    "configuration.protection",
    "what is called production is protected",
    "in a protected environment kdj asks before it changes something",
)
.needs(&["configuration.file"]);
const ALIASES: About =
    About::new("configuration.aliases", "aliases name environments that exist", "they end with an error otherwise")
        .needs(&["configuration.file"]);

/// The category.
pub const CATEGORY: Category =
    Category { name: "configuration", about: &[&FILE, &ORIGINS, &PATTERNS, &PLACES, &PROTECTION, &ALIASES], checks };

fn checks(world: &Rc<World>) -> Vec<Check> {
    let check = |about: &About, judge: fn(&World) -> Outcome| {
        Check::new(about, Subject::All, world, move |world| async move { judge(&world) })
    };
    vec![
        // It reads the files anew: a fix may have changed them.
        Check::new(&FILE, Subject::All, world, |world| async move { mend::file(&world.commands) }),
        check(&ORIGINS, origins),
        check(&PATTERNS, |world| of_doubts(doubts::patterns(&world.config))),
        check(&PLACES, places),
        check(&PROTECTION, protection),
        check(&ALIASES, aliases),
    ]
}

/// What is odd is a warning: it may be meant so.
fn of_doubts(doubts: Vec<Doubt>) -> Outcome {
    let mut all = doubts.into_iter();
    let Some(first) = all.next() else { return Outcome::pass("") };
    let outcome = Outcome::warn(first.what).fix(first.fix);
    all.fold(outcome, |outcome, doubt| outcome.caused_by(format!("also: {}", doubt.what)))
}

fn origins(world: &World) -> Outcome {
    let overrides = [(&world.config.context, "context"), (&world.config.namespace, "namespace")];
    let overrides: Vec<String> = overrides
        .iter()
        .filter_map(|(value, what)| {
            let value = value.as_ref()?;
            Some(format!("{} leads every environment into {what} `{}`", value.origin, names::shown(&value.value)))
        })
        .collect();
    if let [first, rest @ ..] = overrides.as_slice() {
        let outcome = Outcome::warn(first).fix("unset KDJ_CONTEXT KDJ_NAMESPACE");
        return rest.iter().fold(outcome, Outcome::caused_by);
    }
    if world.config.environments.is_empty() {
        return Outcome::pass(
            "no environment is configured: the kubeconfig's contexts serve; `kdj init` makes a kdj.toml",
        );
    }
    let count =
        |from: fn(&Origin) -> bool| world.config.environments.values().filter(|entry| from(&entry.origin)).count();
    let counts = [
        (count(|origin| matches!(origin, Origin::Project(_))), "kdj.toml"),
        (count(|origin| matches!(origin, Origin::User(_))), "config.toml"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, file)| format!("{count} from {file}")).collect();
    Outcome::pass(format!("environments: {}", counts.join(", ")))
}

fn places(world: &World) -> Outcome {
    match &world.kubeconfig {
        Ok(kubeconfig) => of_doubts(doubts::places(&world.config, &Kubeconfig::contexts(kubeconfig))),
        Err(_) => Outcome::skip("the kubeconfig cannot be read, which says where contexts lead"),
    }
}

fn protection(world: &World) -> Outcome {
    let found = doubts::unprotected(&world.config);
    let Some((name, _)) = found.first() else { return Outcome::pass("") };
    let origin = world.config.environments.get(name).map(|entry| entry.origin.clone());
    let shown = names::shown(name);
    let outcome = of_doubts(found.into_iter().map(|(_, doubt)| doubt).collect());
    match origin {
        Some(Origin::Project(location) | Origin::User(location)) => outcome.safe_fix(Fix {
            what: format!("write `protected = true` below `{shown}` in {location}"),
            how: How::Change(Box::new(move || mend::protect(&location))),
        }),
        _ => outcome,
    }
}

/// Aliases that have an environment in them, in the place where commands take it.
fn aliases(world: &World) -> Outcome {
    let config = &world.config;
    if config.environments.is_empty() {
        return Outcome::pass("");
    }
    let doubt = |(name, alias): (&String, &crate::config::Sourced<crate::config::Alias>)| {
        let environment = alias.value.environment()?;
        if environment.contains('/') || environment::is_configured(environment, config) {
            return None;
        }
        let known = config.environments.keys().filter(|name| !name.contains('*')).map(String::as_str);
        let near = names::did_you_mean(environment, known);
        let (shown, alias_of) = (names::shown(name), names::shown(environment));
        Some(Doubt {
            what: format!("the alias `{shown}` ({}) names the environment `{alias_of}`, which is none", alias.origin),
            fix: near.unwrap_or_else(|| "`kdj envs` lists the environments".to_owned()),
        })
    };
    of_doubts(config.aliases.iter().filter_map(doubt).collect())
}

//! kdj.toml and config.toml: whether they can be read, and what is odd about what they say.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    About, Category, Check, Fix, How, Outcome, Subject, World,
    project::trust::{self, Trust},
};
use crate::{
    cluster::Kubeconfig,
    config::{Config, DoctorCheck, Fingerprint, Location, Origin, Sources},
    environment::{
        self,
        doubts::{self, Doubt},
    },
    error::Result,
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
        // This and PROTECTION read the files anew: a fix may have changed them.
        Check::new(&FILE, Subject::All, world, |world| async move { mend::file(&world.commands) }),
        check(&ORIGINS, origins),
        check(&PATTERNS, |world| of_doubts(doubts::patterns(&world.config))),
        check(&PLACES, places),
        Check::new(&PROTECTION, Subject::All, world, |_| async { protection() }),
        check(&ALIASES, aliases),
    ]
}

/// What is odd is a warning: it may be meant so.
fn of_doubts(doubts: Vec<Doubt>) -> Outcome {
    let mut fixes: Vec<String> = doubts.iter().map(|doubt| doubt.fix.clone()).collect();
    fixes.dedup();
    let mut all = doubts.into_iter();
    let Some(first) = all.next() else { return Outcome::pass("") };
    let outcome =
        all.fold(Outcome::warn(first.what), |outcome, doubt| outcome.caused_by(format!("also: {}", doubt.what)));
    fixes.into_iter().fold(outcome, Outcome::fix)
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
        let outcome = Outcome::warn(first).fix("`unset KDJ_CONTEXT KDJ_NAMESPACE`");
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

fn protection() -> Result<Outcome> {
    let config = Config::load(&Sources::of_this_process())?;
    let found = doubts::unprotected(&config);
    let place = |(name, _): &(String, Doubt)| match &config.environments.get(name)?.origin {
        Origin::Project(location) | Origin::User(location) => Some((names::shown(name), location.clone())),
        _ => None,
    };
    let (open, places): (Vec<String>, Vec<Location>) = found.iter().filter_map(place).unzip();
    let outcome = of_doubts(found.into_iter().map(|(_, doubt)| doubt).collect());
    if places.is_empty() {
        return Ok(outcome);
    }
    let below = names::quoted(open.iter().map(String::as_str), ", ");
    let files: BTreeSet<String> = places.iter().map(|place| names::shown(&place.path.to_string_lossy())).collect();
    let files = names::quoted(files.iter().map(String::as_str), ", ");
    let trusts = |file: &Fingerprint| config.doctor.iter().any(is_projects) && trust::of(file) == Trust::Trusted;
    let more = match config.project.as_ref().is_some_and(trusts) {
        true => "; its own checks have to be trusted anew then: `kdj doctor --trust`",
        false => "",
    };
    Ok(outcome.safe_fix(Fix {
        what: format!("write `protected = true` below {below} in {files}{more}"),
        how: How::Change(Box::new(move || mend::protect(&places))),
    }))
}

fn is_projects(check: &DoctorCheck) -> bool {
    matches!(check.origin, Origin::Project(_))
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

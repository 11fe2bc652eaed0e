//! From a name to an [`Environment`]: the exact entry, the pattern that fits best, the literal form, or without any
//! configuration the one context that matches. The kubeconfig's current context never plays a part.

mod mistakes;
#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::BTreeMap};

use super::{DjangoSettings, Environment, KubeContext, Overrides, RoleSettings, pattern, place};
use crate::{
    config::{Config, DatabaseConfig, EnvironmentConfig, NAME_PLACEHOLDER, Origin, RoleConfig, Sourced, check},
    error::{Error, Result},
    names,
};

/// Whether the configuration has an entry or a pattern for `name`.
pub fn is_configured(name: &str, config: &Config) -> bool {
    check::instance(name).is_ok()
        && config.environments.keys().any(|key| key == name || key.contains('*') && pattern::matches(key, name))
}

/// What a name was found to be, before flags and variables have their say.
struct Found<'a> {
    entry: Option<&'a EnvironmentConfig>,
    context: Option<Sourced<String>>,
    namespace: Option<Sourced<String>>,
    instance: Option<String>,
    literal: bool,
    by: String,
}

/// Resolves `name`.
///
/// # Errors
/// When it is unknown, when it means more than one thing, or when the kubeconfig has no such context.
pub fn resolve(name: &str, config: &Config, contexts: &[KubeContext], overrides: &Overrides) -> Result<Environment> {
    let found = find(name, config, contexts, overrides)?;
    complete(name, found, config, contexts, overrides)
}

/// The place of a pattern as it stands, less what depends on the name.
///
/// # Errors
/// When the entry has no context, or the kubeconfig has no such context.
pub(super) fn resolve_pattern(
    pattern: &str,
    config: &Config,
    contexts: &[KubeContext],
    overrides: &Overrides,
) -> Result<Environment> {
    let Some(entry) = config.environments.get(pattern) else { return Err(mistakes::unknown(pattern, config)) };
    let fixed = |namespace: &Sourced<String>| !namespace.value.contains(NAME_PLACEHOLDER);
    let found = Found {
        entry: Some(entry),
        context: entry.context.clone(),
        namespace: entry.namespace.clone().filter(fixed),
        instance: None,
        literal: false,
        by: entry.origin.to_string(),
    };
    complete(pattern, found, config, contexts, overrides)
}

/// Lets flags and variables have their say, and looks the context up.
fn complete(
    name: &str,
    found: Found<'_>,
    config: &Config,
    contexts: &[KubeContext],
    overrides: &Overrides,
) -> Result<Environment> {
    let mut resolved_by = found.by;
    let mut replaced = |what: &str, value: Option<Sourced<String>>| {
        value.inspect(|value| resolved_by.push_str(&format!("; {what} from {}", value.origin)))
    };
    let context = replaced("context", place::context_override(config, overrides, found.literal));
    let namespace = replaced("namespace", place::namespace_override(config, overrides, found.literal));
    let own_context = found.context.clone();
    let own_namespace = found.namespace.clone();

    let Some(context) = context.or(found.context) else {
        return Err(mistakes::no_context(name, found.entry, contexts));
    };
    let Some(known) = contexts.iter().find(|known| known.name == context.value) else {
        return Err(mistakes::unknown_context(name, &context, contexts));
    };
    let namespace = namespace.or(found.namespace).unwrap_or_else(|| place::namespace_of_context(Some(known)));
    check::namespace(&namespace.value).map_err(|what| mistakes::unsound("namespace", &namespace, &what))?;
    // Whether a flag or a variable has led the name away from where it stands.
    let own_namespace = own_namespace.unwrap_or_else(|| place::namespace_of_context(Some(known)));
    let led = own_context.is_none_or(|own| own.value != context.value) || own_namespace.value != namespace.value;

    let mut protected = found.entry.and_then(|entry| entry.protected.as_ref()).is_some_and(|value| value.value);
    // An entry that is reached as it stands has its own say, even one that shares a place with a protected one.
    if !protected && (found.entry.is_none() || led) {
        let entry = place::protecting_entry(config, contexts, known, &namespace.value, found.instance.as_deref());
        if let Some(entry) = entry {
            protected = true;
            resolved_by.push_str(&format!("; protected, as `{}` is", names::shown(entry)));
        }
    }
    let place = || format!("{}/{}", context.value, namespace.value);
    let confirmed_by = if protected && led { place() } else { name.to_owned() };
    Ok(Environment {
        name: name.to_owned(),
        context: context.value,
        namespace: namespace.value,
        instance: found.instance,
        protected,
        confirmed_by,
        session: found.entry.and_then(|entry| entry.session.as_ref()).map(|value| value.value).unwrap_or_default(),
        django: django(config, found.entry),
        database: database(config, found.entry).into(),
        roles: roles(config, found.entry),
        resolved_by,
    })
}

fn find<'a>(name: &str, config: &'a Config, contexts: &[KubeContext], overrides: &Overrides) -> Result<Found<'a>> {
    if name.contains('/') {
        return literal(name, contexts);
    }
    check::name(name).map_err(|what| mistakes::no_name(name, &what))?;
    if name.contains('*') {
        return Err(mistakes::no_name(name, "a pattern stands for many environments, and one is needed"));
    }
    if let Some(entry) = config.environments.get(name) {
        return of_entry(name, entry, format!("{}", entry.origin));
    }
    if let Some((pattern, entry)) = best_pattern(name, config)? {
        // It names an instance, and goes into labels and messages.
        check::instance(name).map_err(|what| mistakes::no_name(name, &what))?;
        return of_entry(name, entry, format!("pattern `{}`, {}", names::shown(pattern), entry.origin));
    }
    if config.environments.is_empty() {
        let context = place::context_override(config, overrides, false);
        return of_context(name, contexts, context.as_ref().map(|context| context.value.as_str()));
    }
    Err(mistakes::unknown(name, config))
}

/// The pattern with the longest literal part among those that fit.
fn best_pattern<'a>(name: &str, config: &'a Config) -> Result<Option<(&'a str, &'a EnvironmentConfig)>> {
    let entries = config.environments.iter().map(|(key, entry)| (key.as_str(), entry));
    let mut fitting: Vec<_> = entries.filter(|(key, _)| key.contains('*') && pattern::matches(key, name)).collect();
    fitting.sort_by_key(|(key, _)| Reverse(pattern::literal_length(key)));
    match fitting[..] {
        [first, second, ..] if pattern::literal_length(first.0) == pattern::literal_length(second.0) => {
            Err(mistakes::tie(name, first, second))
        }
        _ => Ok(fitting.first().copied()),
    }
}

fn of_entry<'a>(name: &str, entry: &'a EnvironmentConfig, by: String) -> Result<Found<'a>> {
    let fill = |template: String| template.replace(NAME_PLACEHOLDER, name);
    let instance = entry.instance.clone().map(|instance| instance.map(fill));
    if let Some(instance) = &instance {
        check::instance(&instance.value).map_err(|what| mistakes::unsound("instance", instance, &what))?;
    }
    Ok(Found {
        entry: Some(entry),
        context: entry.context.clone(),
        namespace: entry.namespace.clone().map(|namespace| namespace.map(fill)),
        instance: instance.map(|instance| instance.value),
        literal: false,
        by,
    })
}

/// `CONTEXT/NAMESPACE[/INSTANCE]`; contexts themselves may contain `/`, so the known ones decide where theirs ends.
fn literal(text: &str, contexts: &[KubeContext]) -> Result<Found<'static>> {
    let known = contexts.iter().map(|context| context.name.as_str());
    let candidates = names::split_after_longest(text, known, '/').into_iter().chain(text.split_once('/'));
    let split = candidates.into_iter().find_map(|(context, rest)| match rest.split('/').collect::<Vec<_>>()[..] {
        [namespace] if !namespace.is_empty() => Some((context, namespace, None)),
        [namespace, instance] if !namespace.is_empty() => Some((context, namespace, Some(instance))),
        _ => None,
    });
    let Some((context, namespace, instance)) = split.filter(|(context, ..)| !context.is_empty()) else {
        return Err(mistakes::no_literal(text, contexts));
    };
    if let Some(instance) = instance {
        let instance = Sourced::new(instance.to_owned(), Origin::Argument);
        check::instance(&instance.value).map_err(|what| mistakes::unsound("instance", &instance, &what))?;
    }
    Ok(Found {
        entry: None,
        context: Some(Sourced::new(context.to_owned(), Origin::Argument)),
        namespace: Some(Sourced::new(namespace.to_owned(), Origin::Argument)),
        instance: instance.map(str::to_owned),
        literal: true,
        by: "literal form".to_owned(),
    })
}

/// Without any environment configured: the one context whose name or namespace is `name`, or ends in `-name`.
fn of_context(name: &str, contexts: &[KubeContext], wanted: Option<&str>) -> Result<Found<'static>> {
    let ends = |text: &str| text.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'));
    let fits = |context: &&KubeContext| ends(&context.name) || context.namespace.as_deref().is_some_and(ends);
    let allowed = |context: &&KubeContext| wanted.is_none_or(|wanted| wanted == context.name);
    let fitting: Vec<&KubeContext> = contexts.iter().filter(allowed).filter(fits).collect();
    let [context] = fitting[..] else {
        return Err(match fitting[..] {
            [] => mistakes::no_context_matches(name, contexts, wanted),
            _ => Error::usage(format!("`{}` may be any of {} contexts", names::shown(name), fitting.len()))
                .caused_by(list_literal_forms(&fitting))
                .hint(format!("type one as it stands there, as in `{}`", fitting[0].literal_form())),
        });
    };
    Ok(Found {
        entry: None,
        context: Some(Sourced::new(context.name.clone(), Origin::Kubeconfig)),
        namespace: None,
        instance: None,
        literal: false,
        by: format!("the one context of the kubeconfig that matches, `{}`", names::shown(&context.name)),
    })
}

fn list_literal_forms(contexts: &[&KubeContext]) -> String {
    let forms: Vec<String> = contexts.iter().map(|context| context.literal_form()).collect();
    format!("no kdj.toml says which:\n{}", forms.join("\n"))
}

fn django(config: &Config, entry: Option<&EnvironmentConfig>) -> DjangoSettings {
    let mut settings = DjangoSettings::default();
    settings.lay(&config.django);
    if let Some(entry) = entry {
        settings.lay(&entry.django);
    }
    settings
}

/// The databases' settings, each with its origin.
pub(super) fn database(config: &Config, entry: Option<&EnvironmentConfig>) -> DatabaseConfig {
    entry.map_or_else(|| config.database.clone(), |entry| config.database.with(&entry.database))
}

fn roles(config: &Config, entry: Option<&EnvironmentConfig>) -> BTreeMap<String, RoleSettings> {
    let mut roles: BTreeMap<String, RoleSettings> = BTreeMap::new();
    let mut lay = |layer: &BTreeMap<String, RoleConfig>| {
        for (name, role) in layer {
            roles.entry(name.clone()).or_default().lay(role);
        }
    };
    lay(&config.roles);
    if let Some(entry) = entry {
        lay(&entry.roles);
    }
    roles
}

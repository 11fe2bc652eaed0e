//! Where an environment is: context and namespace, whichever layer has the last word, and whether the place is
//! protected whatever name it is reached by.

use super::{KubeContext, Overrides, pattern};
use crate::config::{Config, EnvironmentConfig, NAME_PLACEHOLDER, Origin, Sourced};

/// The context that is used instead of the environment's.
///
/// Variables do not count against a literal form: what is typed for this command beats what was exported once.
pub(super) fn context_override(config: &Config, overrides: &Overrides, literal: bool) -> Option<Sourced<String>> {
    let flag = overrides.context.clone().map(|context| Sourced::new(context, Origin::Flag("--context")));
    flag.or_else(|| config.context.clone().filter(|_| !literal))
}

/// The namespace that is used instead of the environment's.
pub(super) fn namespace_override(config: &Config, overrides: &Overrides, literal: bool) -> Option<Sourced<String>> {
    let flag = overrides.namespace.clone().map(|namespace| Sourced::new(namespace, Origin::Flag("--namespace")));
    flag.or_else(|| config.namespace.clone().filter(|_| !literal))
}

/// The namespace when nobody says one: the context's own, else `default`.
pub(super) fn namespace_of_context(context: Option<&KubeContext>) -> Sourced<String> {
    let namespace = context.and_then(|context| context.namespace.clone()).filter(|namespace| !namespace.is_empty());
    match namespace {
        Some(namespace) => Sourced::new(namespace, Origin::Kubeconfig),
        None => Sourced::new("default".to_owned(), Origin::Default),
    }
}

/// The protected entry that stands for this place, if there is one.
///
/// Without this, `--context`, a variable or the literal form would be ways into production past its protection. An entry
/// of one instance protects only that instance, and whoever reaches for the whole namespace. A cluster may have several
/// contexts: whichever leads there.
pub(super) fn protecting_entry<'a>(
    config: &'a Config,
    contexts: &[KubeContext],
    context: &KubeContext,
    namespace: &str,
    instance: Option<&str>,
) -> Option<&'a str> {
    let protects = |name: &str, entry: &EnvironmentConfig| {
        let is_protected = entry.protected.as_ref().is_some_and(|protected| protected.value);
        let configured = entry.context.as_ref();
        let configured = configured.and_then(|configured| contexts.iter().find(|known| known.name == configured.value));
        let Some(configured) = configured.filter(|configured| configured.is_same_cluster(context)) else {
            return false;
        };
        let same_namespace = match &entry.namespace {
            Some(template) => fits(name, &template.value, namespace),
            None => configured.namespace_or_default() == namespace,
        };
        let same_instance = match (&entry.instance, instance) {
            (Some(template), Some(instance)) => fits(name, &template.value, instance),
            _ => true,
        };
        is_protected && same_namespace && same_instance
    };
    config.environments.iter().find(|(name, entry)| protects(name, entry)).map(|(name, _)| name.as_str())
}

/// Whether `value` can have come from the template of the entry `name`.
fn fits(name: &str, template: &str, value: &str) -> bool {
    pattern::matches(&template.replace(NAME_PLACEHOLDER, name), value)
}

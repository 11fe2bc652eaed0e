//! What `kdj envs` lists: the configured environments, or without any the contexts that can serve as one.

use super::{KubeContext, Overrides, SessionMode, place, resolve};
use crate::config::{Config, DatabaseConfig, EnvironmentConfig, Origin, Sourced};

/// An environment of the list, each value with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What to type; a pattern stands for many names.
    pub name: String,
    /// Whether the name is a pattern.
    pub pattern: bool,
    /// Where it is configured.
    pub origin: Origin,
    /// The kubeconfig's context; an entry may lack it.
    pub context: Option<Sourced<String>>,
    /// Whether the kubeconfig has the context; nothing when there is no context, or no kubeconfig to look into.
    pub in_kubeconfig: Option<bool>,
    /// The namespace, or its template; nothing when only the unknown context could say.
    pub namespace: Option<Sourced<String>>,
    /// The instance, or its template.
    pub instance: Option<Sourced<String>>,
    /// Whether changes ask for the name.
    pub protected: Sourced<bool>,
    /// Where sessions open.
    pub session: Sourced<SessionMode>,
    /// How sessions use the databases, as far as it is configured.
    pub database: DatabaseConfig,
}

/// The environments, in the order of their names. `contexts` is nothing when the kubeconfig could not be read.
pub fn list(config: &Config, contexts: Option<&[KubeContext]>, overrides: &Overrides) -> Vec<Listed> {
    let known = contexts.unwrap_or_default();
    if config.environments.is_empty() {
        return known.iter().map(|context| of_context(context, config)).collect();
    }
    let entries = config.environments.iter();
    entries.map(|(name, entry)| of_entry(name, entry, config, contexts, overrides)).collect()
}

/// The names that can be typed as they are: the configured ones that are no pattern.
pub fn names(config: &Config) -> Vec<String> {
    config.environments.keys().filter(|name| !name.contains('*')).cloned().collect()
}

fn of_entry(
    name: &str,
    entry: &EnvironmentConfig,
    config: &Config,
    contexts: Option<&[KubeContext]>,
    overrides: &Overrides,
) -> Listed {
    let context = place::context_override(config, overrides, false).or_else(|| entry.context.clone());
    let known = context.as_ref().zip(contexts).map(|(context, known)| known.iter().find(|k| k.name == context.value));
    let configured = place::namespace_override(config, overrides, false).or_else(|| entry.namespace.clone());
    let namespace = configured.or_else(|| known.flatten().map(|known| place::namespace_of_context(Some(known))));
    Listed {
        name: name.to_owned(),
        pattern: name.contains('*'),
        origin: entry.origin.clone(),
        in_kubeconfig: known.map(|known| known.is_some()),
        context,
        namespace,
        instance: entry.instance.clone(),
        protected: entry.protected.clone().unwrap_or(Sourced::new(false, Origin::Default)),
        session: entry.session.clone().unwrap_or(Sourced::new(SessionMode::default(), Origin::Default)),
        database: resolve::database(config, Some(entry)),
    }
}

fn of_context(context: &KubeContext, config: &Config) -> Listed {
    Listed {
        name: format!("{}/{}", context.name, context.namespace_or_default()),
        pattern: false,
        origin: Origin::Kubeconfig,
        context: Some(Sourced::new(context.name.clone(), Origin::Kubeconfig)),
        in_kubeconfig: Some(true),
        namespace: Some(place::namespace_of_context(Some(context))),
        instance: None,
        protected: Sourced::new(false, Origin::Default),
        session: Sourced::new(SessionMode::default(), Origin::Default),
        database: config.database.clone(),
    }
}

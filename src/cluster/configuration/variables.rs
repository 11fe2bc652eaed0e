//! The environment variables of a container, in Kubernetes' order: `envFrom` from the first to the last, then `env`;
//! whoever comes later counts. What an optional reference does not find is not there.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, EnvVar};
use secrecy::ExposeSecret;

use super::{
    Given, Origin, Value,
    objects::{Found, Kind, Objects},
};

/// The variables, by name, and notes on those that may be others.
pub(super) fn of(container: &Container, objects: &Objects) -> (Vec<Given>, Vec<String>) {
    let mut given = Variables::default();
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        let map = source.config_map_ref.as_ref().map(|it| (Kind::Map, &it.name, it.optional));
        let secret = source.secret_ref.as_ref().map(|it| (Kind::Secret, &it.name, it.optional));
        for (kind, name, optional) in map.into_iter().chain(secret) {
            match objects.get(kind, name) {
                Found::Keys(data) => {
                    let variables = data.iter().filter(|(key, value)| is_variable(key, value.expose_secret()));
                    for (key, value) in variables {
                        given.set(format!("{prefix}{key}"), kind.origin(name, Some(key)), Value::Known(value.clone()));
                    }
                }
                Found::Missing if optional == Some(true) => {}
                Found::Missing => given.add_unnamed(prefix, kind.origin(name, None), Value::Missing),
                Found::Unread => given.add_unnamed(prefix, kind.origin(name, None), Value::Unread),
            }
        }
    }
    for variable in container.env.iter().flatten() {
        if let Some((origin, value)) = of_variable(variable, objects) {
            given.set(variable.name.clone(), origin, value);
        }
    }
    let notes = given.notes();
    (given.sorted(), notes)
}

/// What may be a variable's name: since Kubernetes 1.32 any printable ASCII but `=` (before that, and from 1.30 on, where
/// `RelaxedEnvironmentVariableValidation` is on). Other keys are passed over, and so is what no variable can hold.
fn is_variable(key: &str, value: &[u8]) -> bool {
    !key.is_empty() && key.chars().all(|c| (' '..='~').contains(&c) && c != '=') && !value.contains(&0)
}

/// Where a variable of `env` comes from; `None` when an optional reference finds nothing.
fn of_variable(variable: &EnvVar, objects: &Objects) -> Option<(Origin, Value)> {
    let literal = || (Origin::Literal, Value::Known(variable.value.clone().unwrap_or_default().into_bytes().into()));
    let Some(source) = &variable.value_from else { return Some(literal()) };
    let map = source.config_map_key_ref.as_ref().map(|it| (Kind::Map, &it.name, &it.key, it.optional));
    let secret = source.secret_key_ref.as_ref().map(|it| (Kind::Secret, &it.name, &it.key, it.optional));
    if let Some((kind, name, key, optional)) = map.or(secret) {
        let value = objects.value(kind, name, key);
        let absent = matches!(value, Value::Missing) && optional == Some(true);
        return (!absent).then(|| (kind.origin(name, Some(key)), value));
    }
    let field = source.field_ref.as_ref().map(|it| Origin::Field { path: it.field_path.clone() });
    let resource = source
        .resource_field_ref
        .as_ref()
        .map(|it| Origin::Resource { path: it.resource.clone(), container: it.container_name.clone() });
    Some(field.or(resource).map_or_else(literal, |origin| (origin, Value::Elsewhere)))
}

#[derive(Default)]
struct Variables {
    named: BTreeMap<String, Given>,
    unnamed: Vec<Given>,
    /// What may say a variable, too, and was not read: it comes later, and would count.
    doubts: BTreeMap<String, Origin>,
}

impl Variables {
    fn set(&mut self, name: String, origin: Origin, value: Value) {
        let mut overrides = Vec::new();
        self.doubts.remove(&name);
        if let Some(before) = self.named.remove(&name) {
            overrides = before.overrides;
            overrides.insert(0, before.origin);
        }
        self.named.insert(name.clone(), Given { name, origin, value, overrides });
    }

    fn add_unnamed(&mut self, prefix: &str, origin: Origin, value: Value) {
        if matches!(value, Value::Unread) {
            let may_be = self.named.keys().filter(|name| name.starts_with(prefix));
            self.doubts.extend(may_be.map(|name| (name.clone(), origin.clone())));
        }
        self.unnamed.push(Given { name: format!("{prefix}*"), origin, value, overrides: Vec::new() });
    }

    fn notes(&self) -> Vec<String> {
        let mut names = BTreeMap::<String, Vec<&str>>::new();
        for (name, origin) in &self.doubts {
            names.entry(origin.to_string()).or_default().push(name);
        }
        let note = |(origin, names): (String, Vec<&str>)| {
            format!("{origin} comes later, and was not read: it may say something else of {}", names.join(", "))
        };
        names.into_iter().map(note).collect()
    }

    fn sorted(self) -> Vec<Given> {
        self.named.into_values().chain(self.unnamed).collect()
    }
}

//! The ConfigMaps and Secrets that a container's template names, as far as they were read.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ConfigMap, Container, Pod, Secret};
use secrecy::SecretSlice;

use super::{Origin, Value};
use crate::error::{Error, Result};

type Data = BTreeMap<String, SecretSlice<u8>>;

/// What was read of them; nothing when none was to be.
#[derive(Debug, Default)]
pub(super) struct Objects {
    maps: BTreeMap<String, Option<Data>>,
    /// Their `binaryData`: files have it, and no variables.
    binary: BTreeMap<String, Data>,
    secrets: BTreeMap<String, Option<Data>>,
    /// Of what could not be read, why.
    pub(super) notes: Vec<String>,
}

/// Which of both kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Map,
    Secret,
}

impl Kind {
    /// The origin of a key of such an object, or of all of it.
    pub(super) fn origin(self, name: &str, key: Option<&str>) -> Origin {
        let (name, key) = (name.to_owned(), key.map(str::to_owned));
        match self {
            Self::Map => Origin::ConfigMap { name, key },
            Self::Secret => Origin::Secret { name, key },
        }
    }
}

/// What an object has.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// These keys.
    Keys(&'a Data),
    /// There is none of this name.
    Missing,
    /// It was not read.
    Unread,
}

impl Objects {
    /// What the requests for them gave.
    pub(super) fn new(
        maps: Vec<(String, Result<Option<ConfigMap>>)>,
        secrets: Vec<(String, Result<Option<Secret>>)>,
    ) -> Self {
        let mut own = Self::default();
        for (name, map) in maps {
            match map {
                Ok(map) => {
                    own.binary.extend(map.as_ref().map(|map| (name.clone(), binary(map))));
                    own.maps.insert(name, map.map(of_map));
                }
                Err(error) => own.notes.push(unread(Kind::Map, &name, &error)),
            }
        }
        for (name, secret) in secrets {
            match secret {
                Ok(secret) => {
                    own.secrets.insert(name, secret.map(of_secret));
                }
                Err(error) => own.notes.push(unread(Kind::Secret, &name, &error)),
            }
        }
        own
    }

    /// An object.
    pub(super) fn get(&self, kind: Kind, name: &str) -> Found<'_> {
        let objects = if kind == Kind::Map { &self.maps } else { &self.secrets };
        match objects.get(name) {
            Some(Some(data)) => Found::Keys(data),
            Some(None) => Found::Missing,
            None => Found::Unread,
        }
    }

    /// The `binaryData` of a ConfigMap.
    pub(super) fn binary(&self, kind: Kind, name: &str) -> impl Iterator<Item = (&String, &SecretSlice<u8>)> {
        self.binary.get(name).filter(|_| kind == Kind::Map).into_iter().flatten()
    }

    /// What a file of a key of an object says.
    pub(super) fn file(&self, kind: Kind, name: &str, key: &str) -> Value {
        match self.binary(kind, name).find(|(known, _)| *known == key) {
            Some((_, value)) => Value::Known(value.clone()),
            None => self.value(kind, name, key),
        }
    }

    /// What a variable of a key of an object says.
    pub(super) fn value(&self, kind: Kind, name: &str, key: &str) -> Value {
        match self.get(kind, name) {
            Found::Keys(data) => data.get(key).map_or(Value::Missing, |value| Value::Known(value.clone())),
            Found::Missing => Value::Missing,
            Found::Unread => Value::Unread,
        }
    }
}

fn unread(kind: Kind, name: &str, error: &Error) -> String {
    format!("{} was not read: {error}", kind.origin(name, None))
}

fn of_map(map: ConfigMap) -> Data {
    map.data.into_iter().flatten().map(|(key, value)| (key, value.into_bytes().into())).collect()
}

fn binary(map: &ConfigMap) -> Data {
    map.binary_data.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone().into())).collect()
}

fn of_secret(secret: Secret) -> Data {
    secret.data.into_iter().flatten().map(|(key, value)| (key, value.0.into())).collect()
}

/// The names of the ConfigMaps and Secrets that a container of the template is given anything from; without one, any of
/// its containers.
pub(in crate::cluster) fn named(model: &Pod, container: Option<&str>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut maps, mut secrets) = (BTreeSet::new(), BTreeSet::new());
    let Some(spec) = &model.spec else { return (maps, secrets) };
    let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let wanted: Vec<&Container> = all.filter(|known| container.is_none_or(|name| known.name == name)).collect();
    for source in wanted.iter().flat_map(|it| it.env_from.iter().flatten()) {
        maps.extend(source.config_map_ref.as_ref().map(|it| it.name.clone()));
        secrets.extend(source.secret_ref.as_ref().map(|it| it.name.clone()));
    }
    let variables = wanted.iter().flat_map(|it| it.env.iter().flatten());
    for source in variables.filter_map(|variable| variable.value_from.as_ref()) {
        maps.extend(source.config_map_key_ref.as_ref().map(|it| it.name.clone()));
        secrets.extend(source.secret_key_ref.as_ref().map(|it| it.name.clone()));
    }
    let mounts = wanted.iter().flat_map(|it| it.volume_mounts.iter().flatten());
    let mounts: BTreeSet<&str> = mounts.map(|mount| mount.name.as_str()).collect();
    for volume in spec.volumes.iter().flatten().filter(|volume| mounts.contains(volume.name.as_str())) {
        maps.extend(volume.config_map.as_ref().map(|it| it.name.clone()));
        secrets.extend(volume.secret.as_ref().and_then(|it| it.secret_name.clone()));
        for source in volume.projected.iter().flat_map(|it| it.sources.iter().flatten()) {
            maps.extend(source.config_map.as_ref().map(|it| it.name.clone()));
            secrets.extend(source.secret.as_ref().map(|it| it.name.clone()));
        }
    }
    (maps, secrets)
}

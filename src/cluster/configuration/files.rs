//! The files that are mounted into a container: of ConfigMaps and Secrets each by its path, of other volumes where they are.

use k8s_openapi::api::core::v1::{Container, KeyToPath, Volume, VolumeMount};

use super::{
    Given, Origin, Value,
    objects::{Found, Kind, Objects},
};

/// A file in a volume, by its path there; an empty one is the volume's root.
struct Source {
    path: String,
    origin: Origin,
    value: Value,
}

/// The files, by path.
pub(super) fn of(container: &Container, volumes: &[Volume], objects: &Objects) -> Vec<Given> {
    let mut files = Vec::new();
    for mount in container.volume_mounts.iter().flatten() {
        let Some(volume) = volumes.iter().find(|volume| volume.name == mount.name) else { continue };
        files.extend(sources(volume, objects).into_iter().filter_map(|source| mounted(source, mount)));
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

/// The file as the mount has it: below its path, or, with a `subPath`, only what is there.
fn mounted(source: Source, mount: &VolumeMount) -> Option<Given> {
    let below = mount.mount_path.trim_end_matches('/');
    let sub = mount.sub_path.as_deref().unwrap_or_default().trim_matches('/');
    let rest = match source.path.strip_prefix(sub) {
        _ if source.path.is_empty() || source.path == "*" => &source.path,
        Some(rest) if sub.is_empty() || rest.is_empty() || rest.starts_with('/') => rest.trim_start_matches('/'),
        _ => return None,
    };
    let name = match rest {
        "" if below.is_empty() => "/".to_owned(),
        // The one file of a subPath may be any.
        "" => below.to_owned(),
        "*" if !sub.is_empty() => below.to_owned(),
        rest => format!("{below}/{rest}"),
    };
    Some(Given { name, origin: source.origin, value: source.value, overrides: Vec::new() })
}

fn sources(volume: &Volume, objects: &Objects) -> Vec<Source> {
    if let Some(map) = &volume.config_map {
        return keys(Kind::Map, &map.name, map.items.as_deref(), map.optional, objects);
    }
    if let Some(secret) = &volume.secret {
        let name = secret.secret_name.as_deref().unwrap_or_default();
        return keys(Kind::Secret, name, secret.items.as_deref(), secret.optional, objects);
    }
    let mut found = Vec::new();
    for source in volume.projected.iter().flat_map(|it| it.sources.iter().flatten()) {
        if let Some(map) = &source.config_map {
            found.extend(keys(Kind::Map, &map.name, map.items.as_deref(), map.optional, objects));
        }
        if let Some(secret) = &source.secret {
            found.extend(keys(Kind::Secret, &secret.name, secret.items.as_deref(), secret.optional, objects));
        }
        if let Some(token) = &source.service_account_token {
            found.push(elsewhere(&token.path, "serviceAccountToken", &volume.name));
        }
        for item in source.downward_api.iter().flat_map(|it| it.items.iter().flatten()) {
            found.push(elsewhere(&item.path, "downwardAPI", &volume.name));
        }
        if let Some(path) = source.cluster_trust_bundle.as_ref().map(|it| &it.path) {
            found.push(elsewhere(path, "clusterTrustBundle", &volume.name));
        }
    }
    if volume.projected.is_some() {
        return found;
    }
    let claim = volume.persistent_volume_claim.as_ref().map(|claim| claim.claim_name.as_str());
    vec![elsewhere("", &kind(volume), claim.unwrap_or(&volume.name))]
}

fn elsewhere(path: &str, kind: &str, name: &str) -> Source {
    let origin = Origin::Volume { kind: kind.to_owned(), name: name.to_owned() };
    Source { path: path.to_owned(), origin, value: Value::Elsewhere }
}

/// The kind of a volume, by the name of its field: `emptyDir`.
fn kind(volume: &Volume) -> String {
    let json = serde_json::to_value(volume).unwrap_or_default();
    let mut fields = json.as_object().into_iter().flat_map(serde_json::Map::keys);
    fields.find(|field| *field != "name").cloned().unwrap_or_else(|| "volume".to_owned())
}

/// The files of a ConfigMap's or Secret's keys: those that `items` names, or all.
fn keys(kind: Kind, name: &str, items: Option<&[KeyToPath]>, optional: Option<bool>, objects: &Objects) -> Vec<Source> {
    let one = |path: &str, key: &str| Source {
        path: path.to_owned(),
        origin: kind.origin(name, Some(key)),
        value: objects.file(kind, name, key),
    };
    let all = |value| vec![Source { path: "*".to_owned(), origin: kind.origin(name, None), value }];
    let there = |source: &Source| optional != Some(true) || !matches!(source.value, Value::Missing);
    match (items, objects.get(kind, name)) {
        (Some(items), _) if !items.is_empty() => {
            items.iter().map(|item| one(&item.path, &item.key)).filter(there).collect()
        }
        (_, Found::Keys(data)) => {
            let binary = objects.binary(kind, name).map(|(key, _)| key);
            data.keys().chain(binary).map(|key| one(key, key)).collect()
        }
        (_, Found::Missing) if optional == Some(true) => Vec::new(),
        (_, Found::Missing) => all(Value::Missing),
        (_, Found::Unread) => all(Value::Unread),
    }
}

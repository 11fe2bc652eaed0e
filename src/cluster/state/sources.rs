//! What a broken pod is configured from, if that was changed lately: its ConfigMaps and Secrets, by their metadata. What is
//! in them is not asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Pod, Secret},
    jiff::Timestamp,
};
use kube::{Api, Resource, ResourceExt, api::ListParams};
use serde::de::DeserializeOwned;

use super::{
    super::{Cluster, configuration::named, request::repeatable},
    State,
    read::in_time,
};
use crate::{error::Result, status::Status};

/// When each object was changed last, by its name.
type Changed = BTreeMap<String, Timestamp>;

impl Cluster {
    /// Adds to each problem about a pod what of its configuration was changed lately: two requests at once, and none where
    /// no problem is about a pod. Few may list Secrets, so it is no news when they may not be.
    pub(super) async fn read_sources(&self, state: &State, status: &mut Status) {
        if status.problems.iter().all(|problem| problem.pod.is_none()) {
            return;
        }
        let namespace = &status.namespace;
        let (maps, secrets) =
            futures::join!(in_time(self.changed::<ConfigMap>(namespace)), in_time(self.changed::<Secret>(namespace)));
        if let Err(error) = &maps {
            status.missing.push(format!("ConfigMaps: {}", error.message()));
        }
        if let Some(error) = secrets.as_ref().err().filter(|error| !error.is_forbidden()) {
            status.missing.push(format!("Secrets: {}", error.message()));
        }
        let (maps, secrets) = (maps.unwrap_or_default(), secrets.unwrap_or_default());
        let now = status.taken;
        for problem in &mut status.problems {
            let pod = problem.pod.as_ref().and_then(|name| state.pods.get(name));
            let sources = pod.map(|pod| of(pod, &maps, &secrets)).unwrap_or_default();
            sources.into_iter().for_each(|(what, at)| problem.suspect_change(&what, at, now));
        }
    }

    /// When the objects of a kind were changed last, by their name.
    async fn changed<K>(&self, namespace: &str) -> Result<Changed>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        let api = Api::<K>::namespaced(self.client.clone(), namespace);
        let (what, parameters) = (format!("list {}", K::plural(&())), ListParams::default());
        let list = repeatable(&what, &self.place, &self.observer, || api.list_metadata(&parameters)).await?;
        Ok(list.items.iter().filter_map(|object| Some((object.name_any(), changed(object)?))).collect())
    }
}

/// What each namespace and each pod has of Kubernetes' own.
const OF_THE_CLUSTER: &str = "kube-root-ca.crt";

/// The ConfigMaps and Secrets of a pod that exist, and when each was changed last.
fn of(pod: &Pod, maps: &Changed, secrets: &Changed) -> Vec<(String, Timestamp)> {
    let (named_maps, named_secrets) = named(pod, None);
    let found = |kind: &'static str, names: BTreeSet<String>, all: &Changed| -> Vec<_> {
        let own = names.into_iter().filter(|name| name != OF_THE_CLUSTER);
        own.filter_map(|name| Some((format!("{kind} `{name}`"), *all.get(&name)?))).collect()
    };
    [found("ConfigMap", named_maps, maps), found("Secret", named_secrets, secrets)].concat()
}

/// The newest time at which anybody set a field of an object; else when it was made.
fn changed(object: &impl ResourceExt) -> Option<Timestamp> {
    let fields = object.managed_fields().iter().filter_map(|entry| entry.time.as_ref());
    fields.map(|time| time.0).max().or_else(|| object.creation_timestamp().map(|time| time.0))
}

//! What went on lately: events of the app's objects, and what its newest revisions changed; pure.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{
    api::{
        apps::v1::ReplicaSet,
        core::v1::{Container, Event as KubeEvent, PodSpec},
    },
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{
    super::target::{Owner, revision_number},
    State,
    pods::one_line,
};
use crate::status::{Change, Event, Role, Status};

/// How many events the status has at most: the newest warnings first, since they are the evidence, then the newest others.
const MOST_EVENTS: usize = 100;
/// The annotation that says why a revision was made.
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// The events of the app's objects, the newest first. An environment that is an instance has those of its own workloads
/// only.
pub(super) fn events(state: &State, status: &Status) -> Vec<Event> {
    let mut events: Vec<Event> = state.events.values().filter_map(|event| of_event(event, status)).collect();
    events.sort_by(|a, b| (b.warning, b.at, &b.object).cmp(&(a.warning, a.at, &a.object)));
    events.truncate(MOST_EVENTS);
    events.sort_by(|a, b| (b.at, &b.object).cmp(&(a.at, &a.object)));
    events
}

fn of_event(event: &KubeEvent, status: &Status) -> Option<Event> {
    let about = &event.involved_object;
    let (kind, name) = (about.kind.as_deref()?, about.name.as_deref()?);
    let role = role_of(kind, name, status);
    if role.is_none() && status.instance.is_some() {
        return None;
    }
    Some(Event {
        at: time(event)?,
        warning: event.type_.as_deref() == Some("Warning"),
        object: format!("{}/{name}", kind.to_lowercase()),
        role: role.map(|role| role.name.clone()),
        reason: event.reason.clone().unwrap_or_default(),
        message: one_line(event.message.as_deref().unwrap_or_default()),
        count: event.count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1),
    })
}

/// The role an object is of, by its name: pods and ReplicaSets begin with their workload's. The longest name wins.
fn role_of<'a>(kind: &str, name: &str, status: &'a Status) -> Option<&'a Role> {
    let is_part = matches!(kind, "Pod" | "ReplicaSet" | "Job" | "PersistentVolumeClaim");
    let own = |role: &&Role| {
        let workload = role.workload.rsplit('/').next().unwrap_or_default();
        let scaler = role.autoscaler.as_ref().is_some_and(|it| kind == "HorizontalPodAutoscaler" && it.name == name);
        name == workload || scaler || is_part && name.strip_prefix(workload).is_some_and(|rest| rest.starts_with('-'))
    };
    status.roles.iter().filter(own).max_by_key(|role| role.workload.len())
}

/// When an event happened last.
fn time(event: &KubeEvent) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let first = event.event_time.as_ref().map(|time| time.0);
    series.or(last).or(first).or_else(|| event.creation_timestamp().map(|time| time.0))
}

/// What the newest revision of each Deployment changed.
pub(super) fn changes(state: &State, status: &Status) -> Vec<Change> {
    status.roles.iter().filter_map(|role| change(state, role)).collect()
}

fn change(state: &State, role: &Role) -> Option<Change> {
    let mut own: Vec<(u64, &ReplicaSet)> = state
        .replica_sets
        .values()
        .filter(|set| owner(set).is_some_and(|owner| owner == role.workload))
        .filter_map(|set| Some((revision_number(set)?, set)))
        .collect();
    own.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let [(revision, newest), (_, before), ..] = own.as_slice() else { return None };
    Some(Change {
        workload: role.workload.clone(),
        revision: *revision,
        at: newest.creation_timestamp()?.0,
        cause: newest.annotations().get(CHANGE_CAUSE).map(|cause| one_line(cause)),
        differences: differences(spec(before)?, spec(newest)?),
    })
}

/// Whether a ReplicaSet is of this workload.
pub(super) fn is_of(set: &ReplicaSet, workload: &Owner) -> bool {
    owner(set).is_some_and(|owner| owner == workload.to_string())
}

/// The controller of a ReplicaSet, as workloads are shown: `deployment/web`.
fn owner(set: &ReplicaSet) -> Option<String> {
    let owner = set.owner_references().iter().find(|owner| owner.controller == Some(true))?;
    Some(format!("{}/{}", owner.kind.to_lowercase(), owner.name))
}

fn spec(set: &ReplicaSet) -> Option<&PodSpec> {
    set.spec.as_ref()?.template.as_ref()?.spec.as_ref()
}

/// What differs between two templates, a line each; of variables the names only.
fn differences(before: &PodSpec, after: &PodSpec) -> Vec<String> {
    let mut lines = Vec::new();
    let all = |spec: &PodSpec| -> Vec<Container> {
        spec.init_containers.iter().flatten().chain(&spec.containers).cloned().collect()
    };
    let (old_ones, new_ones) = (all(before), all(after));
    for new in &new_ones {
        let Some(old) = old_ones.iter().find(|old| old.name == new.name) else {
            lines.push(format!("new container `{}`", new.name));
            continue;
        };
        if old.image != new.image {
            let image = |container: &Container| container.image.clone().unwrap_or_default();
            lines.push(format!("image `{}` → `{}`", image(old), image(new)));
        }
        if (&old.command, &old.args) != (&new.command, &new.args) {
            lines.push(format!("command of `{}`", new.name));
        }
        if old.resources != new.resources {
            lines.push(format!("resources of `{}`", new.name));
        }
        if (&old.readiness_probe, &old.liveness_probe, &old.startup_probe)
            != (&new.readiness_probe, &new.liveness_probe, &new.startup_probe)
        {
            lines.push(format!("probes of `{}`", new.name));
        }
        lines.extend(variables(old, new));
    }
    let gone = old_ones.iter().filter(|old| new_ones.iter().all(|new| new.name != old.name));
    lines.extend(gone.map(|old| format!("container `{}` is gone", old.name)));
    if before.volumes != after.volumes {
        lines.push("volumes".to_owned());
    }
    lines
}

/// The variables that came, went, or are set otherwise.
fn variables(old: &Container, new: &Container) -> Vec<String> {
    let named = |container: &Container| -> BTreeMap<String, String> {
        let own = container.env.iter().flatten().map(|it| {
            let value = format!("{:?} {:?}", it.value, it.value_from);
            (it.name.clone(), value)
        });
        let from = container.env_from.iter().flatten().filter_map(|it| {
            let map = it.config_map_ref.as_ref().map(|it| format!("ConfigMap {}", it.name));
            let secret = it.secret_ref.as_ref().map(|it| format!("Secret {}", it.name));
            Some((map.or(secret)?, String::new()))
        });
        own.chain(from).collect()
    };
    let (old, new) = (named(old), named(new));
    let came: BTreeSet<&String> = new.keys().filter(|name| !old.contains_key(*name)).collect();
    let went: BTreeSet<&String> = old.keys().filter(|name| !new.contains_key(*name)).collect();
    let other: BTreeSet<&String> = new
        .iter()
        .filter(|(name, value)| old.get(*name).is_some_and(|old| old != *value))
        .map(|(name, _)| name)
        .collect();
    let line = |what: &str, names: BTreeSet<&String>| {
        let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        (!listed.is_empty()).then(|| format!("{what} {}", listed.join(", ")))
    };
    [line("new variables", came), line("variables gone:", went), line("changed variables", other)]
        .into_iter()
        .flatten()
        .collect()
}

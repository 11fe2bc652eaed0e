//! What went on lately: events of the app's objects, and what its newest revisions changed; pure.

use k8s_openapi::{
    api::{
        apps::v1::ReplicaSet,
        core::v1::{Event as KubeEvent, PodTemplateSpec},
    },
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{
    super::{
        operate::{TemplateChange, template_changes},
        target::{Owner, revision_number},
    },
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
        differences: differences(template(before)?, template(newest)?),
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

fn template(set: &ReplicaSet) -> Option<&PodTemplateSpec> {
    set.spec.as_ref()?.template.as_ref()
}

/// What differs between two templates, a line each; of variables the names only. A restart is no difference.
fn differences(before: &PodTemplateSpec, after: &PodTemplateSpec) -> Vec<String> {
    let (mut lines, mut came, mut went, mut other) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in template_changes(before, after) {
        match change {
            TemplateChange::Image { from: Some(from), to: Some(to), .. } => {
                lines.push(format!("image `{from}` → `{to}`"))
            }
            TemplateChange::Image { container, to: Some(_), .. } => lines.push(format!("new container `{container}`")),
            TemplateChange::Image { container, .. } => lines.push(format!("container `{container}` is gone")),
            TemplateChange::VariableAdded { name } => came.push(format!("`{name}`")),
            TemplateChange::VariableRemoved { name } => went.push(format!("`{name}`")),
            TemplateChange::VariableChanged { name } => other.push(format!("`{name}`")),
            TemplateChange::Restarted => {}
            part => lines.push(part.to_string()),
        }
    }
    for (what, names) in [("new variables", came), ("variables gone:", went), ("changed variables", other)] {
        if !names.is_empty() {
            lines.push(format!("{what} {}", names.join(", ")));
        }
    }
    lines
}

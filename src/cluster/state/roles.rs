//! From workloads and their pods to roles; pure.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentCondition},
        core::v1::{Container, Pod},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{
    super::{
        manager::{self, Manager},
        rollout::{Progress, RolloutState},
        target::{self, Controller, Owner, Roles, Workload, choose_container, image_of, revision_of, words},
    },
    State, pods,
};
use crate::{
    environment::{Environment, Kind},
    status::{self, LastRestart, Role, Rollout, RolloutPhase, Status},
};

/// The label that names the release, by the recommendation of Kubernetes.
const RELEASE: &str = "app.kubernetes.io/version";

/// A workload as its own object has it.
struct Object<'a> {
    owner: Owner,
    meta: &'a ObjectMeta,
    model: Pod,
    rollout: RolloutState,
    /// Whether what the status counts is no matter of a rollout: the last one came to its end.
    settled: bool,
    /// The newest revision, where the object names it.
    newest: Option<String>,
    /// When its conditions changed last.
    changed: Option<Timestamp>,
    /// Whether a rollout that does not get anywhere is given up.
    has_deadline: bool,
}

/// Fills in the roles and the pods.
pub(super) fn fill(status: &mut Status, state: &State, environment: &Environment, roles: &Roles<'_>) {
    let mut groups = target::group(state.pods.values().cloned().collect(), roles);
    for object in objects(state, roles) {
        let pods = match groups.iter().position(|group| group.owner == object.owner) {
            Some(at) => groups.swap_remove(at).pods,
            None => Vec::new(),
        };
        let workload = target::workload(object.owner.clone(), vec![object.model.clone()], roles);
        let newest = object.newest.clone().or_else(|| newest(state, &object, &pods));
        let mut role = of_pods(&workload, &pods, &object.model, environment);
        of_object(&mut role, &object, state);
        add(status, role, &pods, newest.as_deref());
    }
    // What is no Deployment and no StatefulSet, or may not be read, shows by its pods.
    for workload in groups {
        let Some(model) = workload.pods.iter().max_by_key(|pod| (target::is_live(pod), target::created(pod))) else {
            continue;
        };
        let role = of_pods(&workload, &workload.pods, model, environment);
        add(status, role, &workload.pods, None);
    }
    status.roles.sort_by(|a, b| (a.kind, &a.name, &a.workload).cmp(&(b.kind, &b.name, &b.workload)));
    status.pods.sort_by(|a, b| a.name.cmp(&b.name));
}

fn add(status: &mut Status, role: Role, pods: &[Pod], newest: Option<&str>) {
    status.pods.extend(pods.iter().map(|pod| {
        let outdated = newest.is_some_and(|newest| revision_of(pod).is_some_and(|own| own != newest));
        status::Pod { outdated, ..pods::of(pod, &role, status.taken) }
    }));
    status.roles.push(role);
}

/// The Deployments and StatefulSets of the environment.
fn objects<'a>(state: &'a State, roles: &Roles<'_>) -> Vec<Object<'a>> {
    let deployments = state.deployments.values().filter_map(|deployment| {
        Some(Object {
            owner: Owner::new(Controller::Deployment, &deployment.name_any()),
            meta: &deployment.metadata,
            model: target::model(&deployment.spec.as_ref()?.template),
            rollout: RolloutState::of_deployment(deployment),
            settled: is_settled(deployment),
            newest: None,
            changed: last_change(deployment),
            // The API server fills in what is not set; the highest number means never.
            has_deadline: deployment.spec.as_ref()?.progress_deadline_seconds.is_none_or(|it| it < i32::MAX),
        })
    });
    let sets = state.stateful_sets.values().filter_map(|set| {
        let revisions = set.status.as_ref();
        Some(Object {
            owner: Owner::new(Controller::StatefulSet, &set.name_any()),
            meta: &set.metadata,
            model: target::model(&set.spec.as_ref()?.template),
            rollout: RolloutState::of_stateful_set(set),
            settled: revisions.is_some_and(|status| status.current_revision == status.update_revision),
            newest: revisions.and_then(|status| status.update_revision.clone()),
            changed: None,
            has_deadline: false,
        })
    });
    let all = deployments.chain(sets).filter(|object| {
        // What kdj makes plays no role, and other instances are other environments.
        roles.is_in_environment(object.model.labels())
    });
    all.collect()
}

/// Whether the last rollout of a Deployment came to its end: the condition keeps that until the next one begins.
fn is_settled(deployment: &Deployment) -> bool {
    let mut conditions = conditions(deployment);
    conditions.any(|it| it.type_ == "Progressing" && it.reason.as_deref() == Some("NewReplicaSetAvailable"))
}

/// When a Deployment became or ceased to be available, or got on with a rollout.
fn last_change(deployment: &Deployment) -> Option<Timestamp> {
    conditions(deployment)
        .flat_map(|it| [&it.last_transition_time, &it.last_update_time])
        .flatten()
        .map(|at| at.0)
        .max()
}

fn conditions(deployment: &Deployment) -> impl Iterator<Item = &DeploymentCondition> {
    deployment.status.iter().flat_map(|status| status.conditions.iter().flatten())
}

/// What the pods show of their workload. `model` is what its pods are made like.
fn of_pods(workload: &Workload, pods: &[Pod], model: &Pod, environment: &Environment) -> Role {
    let settings = environment.roles.get(&workload.role);
    let configured = settings.and_then(|settings| settings.container.as_deref());
    let container = choose_container(model, None, configured, &workload.role).ok();
    let container = container.or_else(|| target::container_names(model).into_iter().next()).unwrap_or_default();
    let image = image_of(model, &container);
    let live = || pods.iter().filter(|pod| target::is_live(pod));
    let mut digests: Vec<String> = live()
        .filter_map(|pod| target::status_of(pod, &container))
        .map(|status| status.image_id.rsplit('@').next().unwrap_or_default().to_owned())
        .filter(|digest| !digest.is_empty())
        .collect();
    digests.sort();
    digests.dedup();
    let count = |pods: usize| u32::try_from(pods).unwrap_or(u32::MAX);
    let restarts = live().flat_map(pods::statuses).map(|(_, status)| count_of(status.restart_count)).sum();
    let last = live().filter_map(|pod| Some(LastRestart { pod: pod.name_any(), exit: pods::last_exit(pod)? }));
    Role {
        ready: count(live().filter(|pod| target::is_ready(pod)).count()),
        restarts,
        last_restart: last.max_by_key(|last| last.exit.at),
        version: status::version_of(&image),
        release: model.labels().get(RELEASE).cloned().filter(|release| !release.is_empty()),
        image,
        digests,
        words: model.spec.iter().flat_map(|spec| &spec.containers).flat_map(command_line).collect(),
        embeds_beat: workload.kind == Kind::Worker && embeds_beat(model),
        ..Role::new(&workload.role, workload.kind, &workload.owner.to_string())
    }
}

/// What the workload's own object says.
fn of_object(role: &mut Role, object: &Object<'_>, state: &State) {
    let Object { owner, meta, rollout, .. } = object;
    let counts = &rollout.counts;
    role.desired = Some(count_of(counts.desired));
    role.updated = Some(count_of(counts.updated));
    role.available = Some(count_of(counts.available));
    if state.missing.contains_key("pods") {
        role.ready = count_of(counts.ready);
    }
    role.created = meta.creation_timestamp.as_ref().map(|time| time.0);
    role.release = role.release.take().or_else(|| meta.labels.as_ref()?.get(RELEASE).cloned());
    role.changed = object.changed;
    role.has_deadline = object.has_deadline;
    role.failure.clone_from(&rollout.failure);
    role.rollout = rollout_of(object);
    let autoscalers: Vec<_> = state.autoscalers.values().cloned().collect();
    let autoscaler = manager::Autoscaler::find(&autoscalers, owner);
    role.managers = Manager::of(meta, autoscaler.as_ref()).iter().map(ToString::to_string).collect();
    role.autoscaler = autoscaler.map(|it| status::Autoscaler {
        kind: if it.scaled_object.is_some() { "keda" } else { "hpa" },
        name: it.scaled_object.unwrap_or(it.name),
        min: count_of(it.min),
        max: count_of(it.max),
        current: it.current.map(count_of).unwrap_or_default(),
        wanted: count_of(it.desired),
        // A workload that was scaled to zero by hand switches it off, which is no trouble.
        trouble: it.inactive.filter(|_| counts.desired > 0),
    });
}

/// The rollout that is under way, if one is.
fn rollout_of(object: &Object<'_>) -> Option<Rollout> {
    let RolloutState { progress, counts, paused, .. } = &object.rollout;
    let phase = match progress {
        _ if *paused => RolloutPhase::Paused,
        Progress::DeadlineExceeded { .. } => RolloutPhase::Failed,
        Progress::AwaitsDeletion { .. } => RolloutPhase::Waiting,
        Progress::Unobserved | Progress::OldRemaining { .. } => RolloutPhase::Progressing,
        Progress::Updating { .. } | Progress::Unavailable { .. }
            if !object.settled || counts.total > counts.updated =>
        {
            RolloutPhase::Progressing
        }
        _ => return None,
    };
    Some(Rollout { phase, text: object.rollout.to_string(), held_by: None })
}

/// The newest revision of a Deployment: that of the ReplicaSet with the highest number where they are known, else that of
/// the pod made last, since a rollout, a rollback too, makes its pods anew.
fn newest(state: &State, object: &Object<'_>, pods: &[Pod]) -> Option<String> {
    if object.owner.controller != Controller::Deployment {
        return None;
    }
    let own = state.replica_sets.values().filter(|set| super::happenings::is_of(set, &object.owner));
    if let Some(set) = own.max_by_key(|set| target::revision_number(set)) {
        return set.labels().get(target::TEMPLATE_HASH).cloned();
    }
    if object.rollout.counts.updated == 0 && object.rollout.counts.total > 0 {
        // None of them is.
        return Some(String::new());
    }
    pods.iter().max_by_key(|pod| target::created(pod)).and_then(revision_of).map(str::to_owned)
}

/// Whether a Celery worker sends periodic tasks, too.
fn embeds_beat(model: &Pod) -> bool {
    let containers = model.spec.iter().flat_map(|spec| &spec.containers);
    let mut words = containers.map(words);
    words.any(|words| {
        words.iter().any(|word| word == "worker") && words.iter().any(|word| matches!(word.as_str(), "-B" | "--beat"))
    })
}

/// The words of a container's command line, as they stand there.
fn command_line(container: &Container) -> impl Iterator<Item = String> {
    container.command.iter().flatten().chain(container.args.iter().flatten()).cloned()
}

/// A count of the API, which is never negative.
pub(super) fn count_of(count: i32) -> u32 {
    u32::try_from(count).unwrap_or_default()
}

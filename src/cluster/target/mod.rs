//! The pod and container a command runs in: what is asked of the cluster, in as few requests as the answer needs.

use k8s_openapi::{
    api::{
        apps::v1::{ReplicaSet, StatefulSet},
        core::v1::{Pod, Service},
    },
    jiff::Timestamp,
};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

mod choose;
mod container;
mod django;
#[cfg(test)]
pub(super) mod fixtures;
mod glance;
mod idle;
mod kind;
mod overview;
mod pod;
mod revision;
mod role;
mod selector;
mod state;
mod trouble;
mod workload;

pub(in crate::cluster) use self::glance::glance;
pub(super) use self::{
    choose::choose_workload,
    container::{
        app_like, choose_container, container_names, image_of, is_of_app, killed_without_evidence, memory_limit,
        oom_killed, status_of, unclear_containers,
    },
    django::is_django,
    kind::words,
    pod::{choose_pod, created, is_live, is_ready, model, phase},
    revision::{revision_number, revision_of, rollout},
    role::{PREFIX_LABELS, Roles},
    state::{describe, is_running},
    trouble::kubectl_in,
    workload::{Controller, Owner, TEMPLATE_HASH, Workload, group, workload, workload_of},
};
use self::{
    choose::{Candidates, choose_by_service, choose_defaults, find_asked},
    revision::{Newest, find_newest_replica_set, newest, rollout_note},
    role::INSTANCE,
};
pub use self::{
    django::IsDjango,
    glance::PodGlance,
    kind::Kind,
    overview::{Readiness, RoleSummary},
    role::INSTANCE as INSTANCE_LABEL,
};
use super::Cluster;
use crate::{
    environment::Environment,
    error::{Error, Result},
    explained::Explained,
};

#[cfg(test)]
mod tests;

/// What the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A role, or a workload.
    pub role: Option<String>,
    /// A pod: this one or none.
    pub pod: Option<String>,
    /// A container of the pod.
    pub container: Option<String>,
    /// Pods not to take, as they turned out to be gone.
    pub exclude: Vec<String>,
}

/// The container to run in, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid: a StatefulSet's next pod has the same name.
    pub pod_uid: String,
    /// The container's name.
    pub container: String,
    /// The container's image, as its pod names it.
    pub image: String,
    /// The image by digest, as the node resolved it; empty when it has not said.
    pub image_id: String,
    /// The role its workload plays.
    pub role: String,
    /// The kind of that role.
    pub kind: Kind,
    /// The workload: `deployment/web`.
    pub workload: String,
    /// The revision of the workload: the hash of the template the pod was made from.
    pub revision: Option<String>,
    /// What the user should know of the choice.
    pub notes: Vec<String>,
    /// The other containers that run in the pod.
    pub sidecars: Vec<String>,
}

impl Cluster {
    /// Finds the container to run in: one LIST of pods, and further requests only where that leaves a question.
    ///
    /// # Errors
    /// When there is none, or none for sure; the error lists what there is.
    pub async fn target(&self, environment: &Environment, wanted: &Wanted) -> Result<Target> {
        let roles = Roles::new(environment, wanted.role.as_deref())?;
        match &wanted.pod {
            Some(name) => self.target_by_pod(environment, &roles, wanted, name).await,
            None => self.target_by_role(environment, &roles, wanted).await,
        }
    }

    async fn target_by_pod(
        &self,
        environment: &Environment,
        roles: &Roles<'_>,
        wanted: &Wanted,
        name: &str,
    ) -> Result<Target> {
        let pod = self.pod_in(environment, roles, name, &wanted.exclude).await?;
        let now = Timestamp::now();
        let mut notes = Vec::new();
        if !is_ready(&pod) {
            notes.push(format!("pod `{name}` is not ready: {}", state::describe(&pod, now)));
        }
        let workload = workload_of(&pod, roles);
        in_container(environment, wanted, &workload, &pod, notes)
    }

    /// The pod of this name, for what needs no container of it.
    ///
    /// # Errors
    /// When there is none, or it is of another instance, or does not run.
    pub(super) async fn usable_pod(&self, environment: &Environment, name: &str) -> Result<Pod> {
        self.pod_in(environment, &Roles::new(environment, None)?, name, &[]).await
    }

    async fn pod_in(
        &self,
        environment: &Environment,
        roles: &Roles<'_>,
        name: &str,
        exclude: &[String],
    ) -> Result<Pod> {
        let namespace = &environment.namespace;
        let Some(pod) = self.get::<Pod>(namespace, name).await? else {
            let others = self.list::<Pod>(namespace, roles.query(None).as_deref()).await.unwrap_or_default();
            return Err(trouble::no_pod(environment, name, &others));
        };
        if !roles.is_in_environment(pod.labels()) {
            return Err(trouble::other_instance(environment, name, pod.labels().get(INSTANCE)));
        }
        trouble::require_usable(environment, &pod, exclude, Timestamp::now())?;
        Ok(pod)
    }

    async fn target_by_role(&self, environment: &Environment, roles: &Roles<'_>, wanted: &Wanted) -> Result<Target> {
        let query = roles.query(wanted.role.as_deref());
        let pods = self.list::<Pod>(&environment.namespace, query.as_deref()).await?;
        let workloads = group(pods, roles);
        if query == roles.query(None) {
            self.tell_pods(&workloads);
        }
        let choices = match &wanted.role {
            Some(asked) => find_asked(&workloads, asked).into_iter().collect(),
            None => choose_defaults(&workloads, &environment.name)?,
        };
        let Some((last, others)) = choices.split_last() else {
            let idle = self.idle_workloads(environment, roles).await;
            let error = trouble::no_role(environment, wanted.role.as_deref(), &workloads, &idle);
            return Err(error.explained_by(Explained::Workloads, &environment.name));
        };
        let mut notes = Vec::new();
        for choice in others {
            let (workload, pod) = self.ready_pod(environment, choice, wanted, &mut notes).await?;
            match pod {
                Ok(pod) => return in_container(environment, wanted, workload, pod, notes),
                Err(error) => notes = vec![format!("{}, using role `{}`", error.message(), last.role)],
            }
        }
        let (workload, pod) = self.ready_pod(environment, last, wanted, &mut notes).await?;
        in_container(environment, wanted, workload, pod?, notes)
    }

    /// The workload to take of a role, and its ready pod or why it has none.
    async fn ready_pod<'a>(
        &self,
        environment: &Environment,
        candidates: &Candidates<'a>,
        wanted: &Wanted,
        notes: &mut Vec<String>,
    ) -> Result<(&'a Workload, Result<&'a Pod>)> {
        let workload = match candidates.workloads.as_slice() {
            [only] => *only,
            _ => {
                let services = self.list::<Service>(&environment.namespace, None).await?;
                let (workload, note) = choose_by_service(candidates, &services, &environment.name)?;
                notes.push(note);
                workload
            }
        };
        let newest = self.newest_revision(environment, workload).await?;
        if let Some(newest) = &newest {
            notes.push(rollout_note(workload, newest));
        }
        let is_new = |pod: &&Pod| newest.as_deref().is_none_or(|newest| revision_of(pod) == Some(newest));
        let pods: Vec<&Pod> = workload.pods.iter().filter(is_new).collect();
        let pod = choose_pod(&pods, &wanted.exclude).ok_or_else(|| {
            trouble::no_ready_pod(environment, workload, newest.as_deref(), &wanted.exclude, Timestamp::now())
                .explained_by(Explained::Pods, &environment.name)
        });
        Ok((workload, pod))
    }

    /// The newest revision of a workload whose pods are of several.
    async fn newest_revision(&self, environment: &Environment, workload: &Workload) -> Result<Option<String>> {
        let namespace = &environment.namespace;
        match newest(workload) {
            Newest::Any => Ok(None),
            Newest::Known(revision) => Ok(Some(revision)),
            Newest::AskReplicaSets(selector) => {
                let sets = self.list::<ReplicaSet>(namespace, Some(&selector)).await?;
                Ok(find_newest_replica_set(&sets, workload))
            }
            Newest::AskStatefulSet => {
                let set = self.get::<StatefulSet>(namespace, &workload.owner.name).await?;
                Ok(set.and_then(|set| set.status?.update_revision))
            }
        }
    }

    /// That there is no pod of the roles asked for: why, and what there is.
    pub(super) async fn no_pods(&self, environment: &Environment, roles: &Roles<'_>, asked: Option<&str>) -> Error {
        let pods = self.list::<Pod>(&environment.namespace, roles.query(None).as_deref()).await.unwrap_or_default();
        let idle = self.idle_workloads(environment, roles).await;
        trouble::no_role(environment, asked, &group(pods, roles), &idle)
    }
}

/// The target in `pod`: its container chosen and running.
fn in_container(
    environment: &Environment,
    wanted: &Wanted,
    workload: &Workload,
    pod: &Pod,
    notes: Vec<String>,
) -> Result<Target> {
    let settings = environment.roles.get(&workload.role);
    let configured = settings.and_then(|settings| settings.container.as_deref());
    let container = container::choose_container(pod, wanted.container.as_deref(), configured, &workload.role)
        .map_err(|error| error.explained_by(Explained::Container, &environment.name))?;
    container::require_running(pod, &container, Timestamp::now())
        .map_err(|error| error.explained_by(Explained::Pods, &environment.name))?;
    let status = container::status_of(pod, &container);
    Ok(Target {
        namespace: environment.namespace.clone(),
        pod: pod.name_any(),
        pod_uid: pod.uid().unwrap_or_default(),
        image: container::image_of(pod, &container),
        image_id: status.map(|status| status.image_id.clone()).unwrap_or_default(),
        role: workload.role.clone(),
        kind: workload.kind,
        workload: workload.owner.to_string(),
        revision: revision_of(pod).map(str::to_owned),
        sidecars: container::running_beside(pod, &container),
        container,
        notes,
    })
}

/// The target in the pod of a Job: asked for by name, there is nothing to choose.
pub(super) fn in_pod_of_job(pod: &Pod, job: &str, container: &str, role: String) -> Target {
    let status = container::status_of(pod, container);
    Target {
        namespace: pod.namespace().unwrap_or_default(),
        pod: pod.name_any(),
        pod_uid: pod.uid().unwrap_or_default(),
        container: container.to_owned(),
        image: container::image_of(pod, container),
        image_id: status.map(|status| status.image_id.clone()).unwrap_or_default(),
        role,
        kind: Kind::Other,
        workload: format!("job/{job}"),
        revision: None,
        notes: Vec::new(),
        sidecars: container::running_beside(pod, container),
    }
}

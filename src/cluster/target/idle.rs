//! Workloads as their own objects describe them, for the case that they have no pods.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::PodTemplateSpec,
};
use kube::ResourceExt;

use super::{
    super::Cluster,
    kind::{Kind, kind_of},
    pod::model,
    role::Roles,
    workload::{Controller, Owner},
};
use crate::environment::Environment;

/// A workload that has no pods, or may have none.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) owner: Owner,
    pub(super) role: String,
    pub(super) kind: Kind,
    /// How many pods it should have.
    pub(super) replicas: i32,
    /// Why it has fewer, as far as it says.
    pub(super) message: Option<String>,
}

impl Cluster {
    /// The workloads by their own objects. What may not be read is left out: this only explains an error.
    pub(super) async fn idle_workloads(&self, environment: &Environment, roles: &Roles<'_>) -> Vec<Idle> {
        let namespace = &environment.namespace;
        let deployments = self.list::<Deployment>(namespace, None).await.unwrap_or_default();
        let sets = self.list::<StatefulSet>(namespace, None).await.unwrap_or_default();
        let deployments = deployments.iter().filter_map(|deployment| Idle::of_deployment(deployment, roles));
        deployments.chain(sets.iter().filter_map(|set| Idle::of_stateful_set(set, roles))).collect()
    }
}

impl Idle {
    /// Whether `name` means this workload: its role's name or its own.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.role == name || self.owner.name == name || self.owner.to_string() == name
    }

    /// A Deployment, if it is of the environment.
    pub(super) fn of_deployment(deployment: &Deployment, roles: &Roles<'_>) -> Option<Self> {
        let spec = deployment.spec.as_ref()?;
        let conditions = deployment.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let failure = conditions.into_iter().find(|it| it.type_ == "ReplicaFailure" && it.status == "True");
        let message = failure.and_then(|failure| failure.message.clone());
        Self::of(Controller::Deployment, deployment.name_any(), &spec.template, spec.replicas, message, roles)
    }

    /// A StatefulSet, if it is of the environment.
    pub(super) fn of_stateful_set(set: &StatefulSet, roles: &Roles<'_>) -> Option<Self> {
        let spec = set.spec.as_ref()?;
        Self::of(Controller::StatefulSet, set.name_any(), &spec.template, spec.replicas, None, roles)
    }

    fn of(
        controller: Controller,
        name: String,
        template: &PodTemplateSpec,
        replicas: Option<i32>,
        message: Option<String>,
        roles: &Roles<'_>,
    ) -> Option<Self> {
        let model = model(template);
        if !roles.is_in_environment(model.labels()) {
            return None;
        }
        let role = roles.role_of(&name, model.labels());
        let kind = kind_of(&model, &role);
        Some(Self { owner: Owner { controller, name }, role, kind, replicas: replicas.unwrap_or(1), message })
    }
}

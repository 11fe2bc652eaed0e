//! Reads the workloads of an environment.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::PodTemplateSpec,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};
use kube::core::Selector;
use serde_json::Value;

use super::{
    super::{
        Cluster,
        manager::{Autoscaler, Manager},
        rollout::RolloutState,
        target::{self, Controller, Owner, Roles, words},
    },
    Operated,
};
use crate::{
    environment::Environment,
    error::{Error, Result},
};

/// How many seconds a pod gets to end where its template does not say: the API's default.
const GRACE: i64 = 30;

/// The workloads of an environment, and what could not be read of them.
#[derive(Debug)]
pub struct Workloads {
    /// By kind of role and name.
    pub all: Vec<Operated>,
    /// Why it is not known which of them an autoscaler sets.
    pub no_autoscalers: Option<Error>,
    /// Why the StatefulSets are not among them.
    pub no_stateful_sets: Option<Error>,
}

impl Cluster {
    /// The workloads of an environment: LISTs of Deployments, StatefulSets and HPAs at the same time. All are read, whatever
    /// is asked for by name: a name may mean one of each, and each may be a second beat.
    ///
    /// # Errors
    /// When the cluster cannot be reached, Deployments may not be listed, or a configured selector is malformed.
    pub async fn workloads(&self, environment: &Environment) -> Result<Workloads> {
        let roles = Roles::new(environment, None)?;
        let namespace = &environment.namespace;
        let (deployments, sets, autoscalers) = futures::join!(
            self.list::<Deployment>(namespace, None),
            self.list::<StatefulSet>(namespace, None),
            self.list::<HorizontalPodAutoscaler>(namespace, None),
        );
        let (autoscalers, no_autoscalers) = apart(autoscalers);
        let (sets, no_stateful_sets) = apart(sets);
        let reader = Reader { roles: &roles, autoscalers: &autoscalers, namespace };
        let mut all: Vec<Operated> = deployments?.iter().filter_map(|it| reader.deployment(it)).collect();
        all.extend(sets.iter().filter_map(|it| reader.stateful_set(it)));
        all.sort_by(|a, b| (a.kind, &a.role, &a.workload).cmp(&(b.kind, &b.role, &b.workload)));
        if no_stateful_sets.is_none() {
            self.tell_roles(all.iter().filter(|it| !it.deleting).map(|it| (it.kind, it.role.as_str())));
        }
        Ok(Workloads { all, no_autoscalers, no_stateful_sets })
    }
}

/// What is there, and why nothing is.
fn apart<T>(read: Result<Vec<T>>) -> (Vec<T>, Option<Error>) {
    match read {
        Ok(all) => (all, None),
        Err(error) => (Vec::new(), Some(error)),
    }
}

struct Reader<'a> {
    roles: &'a Roles<'a>,
    autoscalers: &'a [HorizontalPodAutoscaler],
    namespace: &'a str,
}

impl Reader<'_> {
    fn deployment(&self, deployment: &Deployment) -> Option<Operated> {
        let spec = deployment.spec.as_ref()?;
        let rollout = RolloutState::of_deployment(deployment);
        let strategy = serde_json::to_value(&spec.strategy).unwrap_or_default();
        let parts = (Controller::Deployment, &deployment.metadata, &spec.template, &spec.selector);
        Some(Operated { strategy, ..self.operated(parts, rollout)? })
    }

    fn stateful_set(&self, set: &StatefulSet) -> Option<Operated> {
        let spec = set.spec.as_ref()?;
        let parts = (Controller::StatefulSet, &set.metadata, &spec.template, &spec.selector);
        let in_order = spec.pod_management_policy.as_deref() != Some("Parallel");
        Some(Operated { in_order, ..self.operated(parts, RolloutState::of_stateful_set(set))? })
    }

    /// The workload, if it is of the environment.
    fn operated(
        &self,
        (controller, object, template, selector): (Controller, &ObjectMeta, &PodTemplateSpec, &LabelSelector),
        rollout: RolloutState,
    ) -> Option<Operated> {
        let model = target::model(template);
        if !self.roles.is_in_environment(kube::ResourceExt::labels(&model)) {
            return None;
        }
        let apps = target::app_like(&model);
        let owner = Owner::new(controller, object.name.as_deref().unwrap_or_default());
        let workload = target::workload(owner.clone(), vec![model], self.roles);
        let autoscaler = Autoscaler::find(self.autoscalers, &owner);
        let pod = template.spec.as_ref();
        let containers = pod.map_or(&[][..], |pod| &pod.containers);
        Some(Operated {
            role: workload.role,
            kind: workload.kind,
            workload: owner.to_string(),
            rollout,
            managers: Manager::of(object, autoscaler.as_ref()),
            autoscaler,
            grace: pod.and_then(|pod| pod.termination_grace_period_seconds).unwrap_or(GRACE),
            commands: containers.iter().map(words).collect(),
            images: containers
                .iter()
                .filter(|container| apps.contains(&container.name))
                .filter_map(|container| container.image.clone())
                .collect(),
            deleting: object.deletion_timestamp.is_some(),
            owner,
            short_name: workload.short_name,
            namespace: self.namespace.to_owned(),
            uid: object.uid.clone().unwrap_or_default(),
            version: object.resource_version.clone().unwrap_or_default(),
            generation: object.generation.unwrap_or_default(),
            selector: Selector::try_from(selector.clone()).map(|it| it.to_string()).unwrap_or_default(),
            strategy: Value::Null,
            in_order: false,
        })
    }
}

//! The template of a role's workload: what a Job's pod is made from. It is read from the workload itself and not from a
//! pod: pods carry what was injected into them, and a rollout leaves pods of two revisions.

mod entrypoint;
mod labels;
mod strip;
mod workloads;

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{Pod, PodTemplateSpec, Service},
    policy::v1::PodDisruptionBudget,
};

use self::labels::Selectors;
pub(super) use self::{
    entrypoint::start_words,
    strip::Stripped,
    workloads::{Templated, choose as choose_template, read as read_workloads},
};
use super::{
    Cluster, Revision,
    target::{self, Wanted},
};
use crate::{
    environment::Environment,
    error::{Error, Result},
};

/// Which role's template is taken when none is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// The shell role's, then web's: for a person's work.
    Shell,
    /// Web's, then the shell role's: for what belongs to a release.
    Web,
}

/// The template of a role's workload, and the container in it that is the app's.
#[derive(Clone, Debug)]
pub struct Template {
    /// The namespace.
    pub namespace: String,
    /// The role.
    pub role: String,
    /// The workload: `deployment/web`.
    pub workload: String,
    /// The app's container.
    pub container: String,
    /// Its image, as the template names it.
    pub image: String,
    /// What the user should know of the choice: a rollout in progress.
    pub notes: Vec<String>,
    /// The template as a pod that was never made.
    model: Pod,
    /// What would take the pod for one of its own.
    selectors: Selectors,
}

impl Cluster {
    /// Reads the template of a role, and what would select its pods: LISTs of Deployments, StatefulSets, Services and
    /// PodDisruptionBudgets, at the same time.
    ///
    /// # Errors
    /// When there is no such role, or several workloads could be meant.
    pub async fn template(
        &self,
        environment: &Environment,
        wanted: &Wanted,
        preference: Preference,
    ) -> Result<Template> {
        let namespace = &environment.namespace;
        let (deployments, sets, services, budgets) = futures::join!(
            self.list::<Deployment>(namespace, None),
            self.list::<StatefulSet>(namespace, None),
            self.list::<Service>(namespace, None),
            self.list::<PodDisruptionBudget>(namespace, None),
        );
        let deployments = deployments?;
        let (sets, no_sets) = match sets {
            Ok(sets) => (sets, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        // Who may not read them gets a pod without the template's labels: none of them can then select it.
        let services = services.ok();
        let selectors = Selectors::new(&deployments, &sets, services.as_deref(), budgets.ok().as_deref());
        let templated = workloads::read(&deployments, &sets);
        let chosen =
            workloads::choose(environment, wanted, preference, templated, services.as_deref().unwrap_or_default());
        // It may be among those that could not be read.
        let Templated { model, workload, role, notes } = chosen.map_err(|error| no_sets.unwrap_or(error))?;
        let configured = environment.roles.get(&role).and_then(|settings| settings.container.as_deref());
        let container = target::choose_container(&model, wanted.container.as_deref(), configured, &role)?;
        let image = target::image_of(&model, &container);
        if image.is_empty() {
            return Err(Error::failed(format!("container `{container}` of `{workload}` has no image")));
        }
        Ok(Template { namespace: namespace.clone(), role, workload, container, image, notes, model, selectors })
    }
}

impl Template {
    /// The template that its workload had in a revision.
    ///
    /// # Errors
    /// When it cannot be read, or no container of it is the app's.
    pub fn of_revision(self, environment: &Environment, revision: &Revision) -> Result<Self> {
        let read = serde_json::from_value::<PodTemplateSpec>(revision.template.clone());
        let mut model = target::model(&read.map_err(|error| {
            Error::failed(format!("cannot read revision {} of {}", revision.number, self.workload)).caused_by(error)
        })?);
        model.metadata.name = self.model.metadata.name;
        let configured = environment.roles.get(&self.role).and_then(|settings| settings.container.as_deref());
        let container = target::choose_container(&model, None, configured, &self.role)?;
        let image = target::image_of(&model, &container);
        Ok(Self { container, image, model, ..self })
    }

    /// The pod to make from it: without what belongs to the workload and not to one run of its image.
    pub(super) fn strip(&self, with_sidecars: bool) -> Stripped {
        strip::strip(&self.model, &self.container, &self.selectors, with_sidecars)
    }
}

#[cfg(test)]
impl Template {
    /// A template that nothing selects.
    pub(in crate::cluster) fn of(model: Pod, container: &str) -> Self {
        Self {
            namespace: "shop-qa".to_owned(),
            role: "web".to_owned(),
            workload: "deployment/web".to_owned(),
            container: container.to_owned(),
            image: target::image_of(&model, container),
            notes: Vec::new(),
            model,
            selectors: Selectors::new(&[], &[], Some(&[]), Some(&[])),
        }
    }
}

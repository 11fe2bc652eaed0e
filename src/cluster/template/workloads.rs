//! Which workload's template to take.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{Pod, Service},
};
use kube::ResourceExt;

use super::{
    super::target::{self, Controller, Owner, Roles, Wanted},
    Preference,
};
use crate::{environment::Environment, error::Result};

/// The template that was chosen, as a pod that was never made.
#[derive(Debug)]
pub(in crate::cluster) struct Templated {
    pub(in crate::cluster) model: Pod,
    /// `deployment/web`
    pub(in crate::cluster) workload: String,
    pub(in crate::cluster) role: String,
    pub(in crate::cluster) notes: Vec<String>,
}

/// A workload's template and how far its rollout is.
pub(in crate::cluster) struct Read {
    owner: Owner,
    model: Pod,
    rollout: Option<String>,
}

/// The templates of these workloads.
pub(in crate::cluster) fn read(deployments: &[Deployment], sets: &[StatefulSet]) -> Vec<Read> {
    let deployments = deployments.iter().filter_map(|deployment| {
        let spec = deployment.spec.as_ref()?;
        let status = deployment.status.clone().unwrap_or_default();
        let seen = status.observed_generation >= deployment.metadata.generation;
        let (wanted, updated) = (spec.replicas.unwrap_or(1), status.updated_replicas.unwrap_or_default());
        let old = status.replicas.unwrap_or_default() - updated;
        let rollout = rollout(seen, wanted, updated, old);
        Some(Read {
            owner: Owner::new(Controller::Deployment, &deployment.name_any()),
            model: target::model(&spec.template),
            rollout,
        })
    });
    let sets = sets.iter().filter_map(|set| {
        let spec = set.spec.as_ref()?;
        let status = set.status.clone().unwrap_or_default();
        let updated = match status.current_revision == status.update_revision {
            true => status.replicas,
            false => status.updated_replicas.unwrap_or_default(),
        };
        let rollout = rollout(true, spec.replicas.unwrap_or(1), updated, status.replicas - updated);
        Some(Read {
            owner: Owner::new(Controller::StatefulSet, &set.name_any()),
            model: target::model(&spec.template),
            rollout,
        })
    });
    deployments.chain(sets).collect()
}

/// What to say of a rollout that is under way; `old` pods are of another revision.
fn rollout(seen: bool, wanted: i32, updated: i32, old: i32) -> Option<String> {
    (!seen || old > 0).then(|| target::rollout(updated, wanted))
}

/// The template of the role asked for, or of the one that is preferred; of several workloads, the one a Service selects.
pub(in crate::cluster) fn choose(
    environment: &Environment,
    wanted: &Wanted,
    preference: Preference,
    read: Vec<Read>,
    services: &[Service],
) -> Result<Templated> {
    let roles = Roles::new(environment, wanted.role.as_deref())?;
    let mut rollouts = Vec::new();
    let mut workloads = Vec::new();
    for Read { owner, mut model, rollout } in read {
        if roles.is_in_environment(model.labels()) {
            model.metadata.name = Some(owner.name.clone());
            rollouts.push((owner.clone(), rollout));
            workloads.push(target::workload(owner, vec![model], &roles));
        }
    }
    let (chosen, mut notes) =
        target::choose_workload(environment, wanted, preference == Preference::Web, &workloads, services)?;
    let rollout = rollouts.into_iter().find(|(owner, _)| *owner == chosen.owner).and_then(|(_, rollout)| rollout);
    notes.extend(rollout.map(|rollout| format!("{rollout}; taking the new one")));
    let model = chosen.pods.first().cloned().unwrap_or_default();
    Ok(Templated { model, workload: chosen.owner.to_string(), role: chosen.role.clone(), notes })
}

#[cfg(test)]
mod tests;

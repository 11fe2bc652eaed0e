//! Autoscalers: HPAs, and KEDA's ScaledObjects behind them.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::ResourceExt;
use serde::Serialize;

use super::{
    super::target::{Controller, Owner},
    Manager, ManagerKind,
};

const KEDA_LABEL: &str = "scaledobject.keda.sh/name";

/// What sets the replicas of a workload by what it measures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Autoscaler {
    /// The HPA's name.
    pub name: String,
    /// The ScaledObject it was made for, if KEDA made it.
    pub scaled_object: Option<String>,
    /// The fewest replicas it sets.
    pub min: i32,
    /// The most.
    pub max: i32,
    /// How many there are, as it sees it.
    pub current: Option<i32>,
    /// How many it wants.
    pub desired: i32,
    /// Why it does not scale, in its words: no metrics, or the workload has 0 replicas, which switches it off.
    pub inactive: Option<String>,
}

impl Autoscaler {
    /// The autoscaler of a workload, among these.
    pub(in crate::cluster) fn find(all: &[HorizontalPodAutoscaler], owner: &Owner) -> Option<Self> {
        all.iter().find(|autoscaler| names(autoscaler, owner)).map(Self::of)
    }

    fn of(autoscaler: &HorizontalPodAutoscaler) -> Self {
        let spec = autoscaler.spec.clone().unwrap_or_default();
        let status = autoscaler.status.clone().unwrap_or_default();
        let keda = autoscaler.owner_references().iter().find(|owner| owner.kind == "ScaledObject");
        let scaled_object =
            keda.map(|owner| owner.name.clone()).or_else(|| autoscaler.labels().get(KEDA_LABEL).cloned());
        let inactive =
            status.conditions.iter().flatten().find(|it| it.type_ == "ScalingActive" && it.status == "False");
        Self {
            name: autoscaler.name_any(),
            scaled_object,
            min: spec.min_replicas.unwrap_or(1),
            max: spec.max_replicas,
            current: status.current_replicas,
            desired: status.desired_replicas,
            inactive: inactive.map(|it| it.message.clone().or_else(|| it.reason.clone()).unwrap_or_default()),
        }
    }

    /// It, as one of those who manage the workload.
    pub fn manager(&self) -> Manager {
        match &self.scaled_object {
            Some(name) => Manager { sets_replicas: Some(true), ..Manager::new(ManagerKind::Keda, name) },
            None => Manager { sets_replicas: Some(true), ..Manager::new(ManagerKind::Hpa, &self.name) },
        }
    }
}

/// Whether the autoscaler is for this workload. The API group is not looked at: only `apps` has these kinds.
fn names(autoscaler: &HorizontalPodAutoscaler, owner: &Owner) -> bool {
    let kind = match &owner.controller {
        Controller::Deployment => "Deployment",
        Controller::StatefulSet => "StatefulSet",
        Controller::ReplicaSet => "ReplicaSet",
        _ => return false,
    };
    let target = autoscaler.spec.as_ref().map(|spec| &spec.scale_target_ref);
    target.is_some_and(|target| target.kind == kind && target.name == owner.name)
}

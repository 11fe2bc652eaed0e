//! Who else sets what a workload is made of, and may undo a change of it: read from the object's labels, annotations,
//! owners and managed fields, and from the autoscalers that name it; pure.
//!
//! What each of them does, from its documentation: an autoscaler sets the replicas every 15 s; an operator sets what
//! its own resource says whenever it looks; Flux applies a Kustomization at every interval, and a HelmRelease when it
//! changes; Argo CD puts back what is in git if self-heal is on, which stands in the Application and not here; Helm sets
//! the chart's values at the next upgrade. The annotation that restarts a workload is in none of the manifests, so that
//! only an operator may take it away.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{FieldsV1, ObjectMeta},
    jiff::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

pub use self::autoscaler::Autoscaler;

mod autoscaler;
#[cfg(test)]
mod tests;

const HELM_RELEASE: &str = "meta.helm.sh/release-name";
const ARGO_TRACKING: &str = "argocd.argoproj.io/tracking-id";
const ARGO_INSTANCE: &str = "argocd.argoproj.io/instance";
/// What Argo CD calls itself in managedFields.
const ARGO_MANAGERS: [&str; 2] = ["argocd-controller", "argocd-application-controller"];
const INSTANCE: &str = "app.kubernetes.io/instance";
const FLUX_KUSTOMIZATION: (&str, &str) = ("kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace");
const FLUX_HELM_RELEASE: (&str, &str) = ("helm.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/namespace");
/// What `kubectl apply`, and Argo CD as it does, leave of the manifest.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What kind of thing manages an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagerKind {
    /// A HorizontalPodAutoscaler.
    Hpa,
    /// A ScaledObject of KEDA, by way of an HPA.
    Keda,
    /// A controller of the object: the resource it was made for stands in its ownerReferences.
    Operator,
    /// A Kustomization of Flux.
    FluxKustomization,
    /// A HelmRelease of Flux.
    FluxHelmRelease,
    /// An Application of Argo CD.
    ArgoCd,
    /// A Helm release.
    Helm,
}

/// What is changed of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// How many replicas it has.
    Replicas,
    /// Its image, variables and whatever else a manifest says of its template.
    Template,
    /// The annotation that restarts it.
    Restart,
}

/// Whether, and when, a manager undoes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reverts {
    /// Within seconds or minutes.
    Soon,
    /// Perhaps, within seconds or minutes: it depends on what cannot be seen from here.
    Maybe,
    /// When it is next released.
    NextRelease,
}

/// Somebody who manages an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manager {
    /// What it is.
    pub kind: ManagerKind,
    /// The name of the release, the application, the autoscaler, the owner.
    pub name: String,
    /// Its namespace, where the object names one.
    pub namespace: Option<String>,
    /// The kind of an operator's own resource: `PostgresCluster`.
    pub resource: Option<String>,
    /// Whether its manifest sets the replicas, as far as the object shows.
    pub sets_replicas: Option<bool>,
}

impl Manager {
    fn new(kind: ManagerKind, name: &str) -> Self {
        Self { kind, name: name.to_owned(), namespace: None, resource: None, sets_replicas: None }
    }

    /// All who manage the object, who undoes changes soonest first. `autoscaler` is the one that names it, if any.
    pub(in crate::cluster) fn of(object: &ObjectMeta, autoscaler: Option<&Autoscaler>) -> Vec<Self> {
        let none = BTreeMap::new();
        let labels = object.labels.as_ref().unwrap_or(&none);
        let annotations = object.annotations.as_ref().unwrap_or(&none);
        let mut managers: Vec<_> = autoscaler.map(Autoscaler::manager).into_iter().collect();
        let owners = object.owner_references.iter().flatten();
        if let Some(owner) = owners.into_iter().find(|owner| owner.controller == Some(true)) {
            let resource = Some(owner.kind.clone());
            managers.push(Self { resource, ..Self::new(ManagerKind::Operator, &owner.name) });
        }
        let of_labels = |kind, (name, namespace): (&str, &str), managers: &[&str]| {
            let manager = Self::new(kind, labels.get(name)?);
            let sets_replicas = sets_replicas(object, managers);
            Some(Self { namespace: labels.get(namespace).cloned(), sets_replicas, ..manager })
        };
        managers.extend(of_labels(ManagerKind::FluxKustomization, FLUX_KUSTOMIZATION, &["kustomize-controller"]));
        let helm_release = of_labels(ManagerKind::FluxHelmRelease, FLUX_HELM_RELEASE, &["helm-controller"]);
        let by_flux = helm_release.is_some();
        managers.extend(helm_release);
        let application = annotations
            .get(ARGO_TRACKING)
            .and_then(|id| id.split(':').next())
            .or_else(|| labels.get(ARGO_INSTANCE).or_else(|| annotations.get(ARGO_INSTANCE)).map(String::as_str))
            // Its own default before 3.0, and a label that others set, too.
            .or_else(|| labels.get(INSTANCE).filter(|_| is_applied_by(object, &ARGO_MANAGERS)).map(String::as_str))
            .filter(|name| !name.is_empty());
        if let Some(name) = application {
            let sets_replicas = sets_replicas(object, &ARGO_MANAGERS).or_else(|| last_applied_replicas(annotations));
            managers.push(Self { sets_replicas, ..Self::new(ManagerKind::ArgoCd, name) });
        }
        // Flux' HelmReleases are Helm releases, too.
        if let Some(name) = annotations.get(HELM_RELEASE).filter(|_| !by_flux) {
            let namespace = annotations.get("meta.helm.sh/release-namespace").cloned();
            managers.push(Self { namespace, ..Self::new(ManagerKind::Helm, name) });
        }
        managers
    }

    /// Whether it undoes a change, and when; `None` when it leaves it alone.
    pub fn reverts(&self, change: Aspect) -> Option<Reverts> {
        use ManagerKind::{ArgoCd, FluxHelmRelease, FluxKustomization, Helm, Hpa, Keda, Operator};
        match (self.kind, change) {
            (Hpa | Keda, Aspect::Replicas) => Some(Reverts::Soon),
            (Hpa | Keda, _) => None,
            (Operator, _) => Some(Reverts::Maybe),
            (_, Aspect::Restart) => None,
            // Its manifest leaves the replicas to others.
            (FluxKustomization | ArgoCd, Aspect::Replicas) if self.sets_replicas == Some(false) => None,
            (FluxKustomization, Aspect::Replicas) if self.sets_replicas == Some(true) => Some(Reverts::Soon),
            (FluxKustomization, Aspect::Template) => Some(Reverts::Soon),
            (FluxKustomization | ArgoCd, _) => Some(Reverts::Maybe),
            (FluxHelmRelease | Helm, _) => Some(Reverts::NextRelease),
        }
    }
}

/// ``Argo CD application `shop` ``, with its name.
impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ManagerKind::Hpa => "HorizontalPodAutoscaler",
            ManagerKind::Keda => "KEDA ScaledObject",
            ManagerKind::Operator => self.resource.as_deref().unwrap_or("owner"),
            ManagerKind::FluxKustomization => "Flux Kustomization",
            ManagerKind::FluxHelmRelease => "Flux HelmRelease",
            ManagerKind::ArgoCd => "Argo CD application",
            ManagerKind::Helm => "Helm release",
        };
        write!(f, "{what} `{}`", self.name)
    }
}

/// Whether one of these field managers has set anything.
fn is_applied_by(object: &ObjectMeta, managers: &[&str]) -> bool {
    let mut names = object.managed_fields.iter().flatten().filter_map(|entry| entry.manager.as_deref());
    names.any(|name| managers.contains(&name))
}

/// Whether one of these field managers set the replicas: `None` when none of them shows up at all, or when somebody else
/// has changed the replicas since, which takes them from whoever set them before.
fn sets_replicas(object: &ObjectMeta, managers: &[&str]) -> Option<bool> {
    let entries = || object.managed_fields.iter().flatten();
    let own = || entries().filter(|entry| entry.manager.as_deref().is_some_and(|name| managers.contains(&name)));
    if own().any(|entry| sets(&entry.fields_v1)) {
        return Some(true);
    }
    let of_others = entries().any(|entry| sets(&entry.fields_v1));
    (own().next().is_some() && !of_others).then_some(false)
}

/// Who set the replicas last, by the name it gives itself: `kubectl`, `argocd-controller`, `kube-controller-manager` (an
/// autoscaler).
pub(super) fn last_to_set_replicas(object: &ObjectMeta) -> Option<String> {
    let entries = object.managed_fields.iter().flatten();
    let set = entries.filter(|entry| sets(&entry.fields_v1)).max_by_key(|entry| entry.time.as_ref().map(|time| time.0));
    set?.manager.clone()
}

/// When it was changed last, by the server's clock.
pub(super) fn last_changed(object: &ObjectMeta) -> Option<Timestamp> {
    object.managed_fields.iter().flatten().filter_map(|entry| Some(entry.time.as_ref()?.0)).max()
}

fn sets(fields: &Option<FieldsV1>) -> bool {
    fields.as_ref().is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
}

/// Whether the manifest that was applied last has replicas; `None` when it is not kept.
fn last_applied_replicas(annotations: &BTreeMap<String, String>) -> Option<bool> {
    let applied: Value = serde_json::from_str(annotations.get(LAST_APPLIED)?).ok()?;
    Some(applied.pointer("/spec/replicas").is_some())
}

//! Reads the revisions of workloads.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{ControllerRevision, ReplicaSet},
        core::v1::{Pod, PodTemplateSpec},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::ResourceExt;
use serde_json::Value;

use super::{
    super::{
        super::{
            Cluster,
            target::{self, Controller, Roles, TEMPLATE_HASH, is_ready, revision_number},
        },
        Operated,
    },
    Revision, Revisions, difference,
};
use crate::{
    environment::Environment,
    error::{Error, Result},
};

/// The numbers a ReplicaSet had before, as the Deployment controller writes them.
const EARLIER: &str = "deployment.kubernetes.io/revision-history";
/// Why somebody changed the template.
pub(super) const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
/// The label of a StatefulSet's pods.
const REVISION_HASH: &str = "controller-revision-hash";

/// What keeps revisions, and the pods that have them.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) replica_sets: Vec<ReplicaSet>,
    pub(super) controller_revisions: Vec<ControllerRevision>,
    pub(super) pods: Vec<Pod>,
    pub(super) no_pods: Option<Error>,
}

impl Cluster {
    /// The revisions of these workloads: a LIST of ReplicaSets where there are Deployments, one of ControllerRevisions where
    /// there are StatefulSets, and one of pods with `pods`, at the same time.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or refuses one of the first two.
    pub async fn revisions(
        &self,
        environment: &Environment,
        workloads: &[&Operated],
        pods: bool,
    ) -> Result<Vec<Revisions>> {
        let has = |controller| workloads.iter().any(|workload| workload.owner.controller == controller);
        let (namespace, roles) = (&environment.namespace, Roles::new(environment, None)?);
        let query = roles.query(None);
        let (sets, revisions, pods) = futures::join!(
            async {
                if has(Controller::Deployment) {
                    self.list::<ReplicaSet>(namespace, None).await
                } else {
                    Ok(Vec::new())
                }
            },
            async {
                match has(Controller::StatefulSet) {
                    true => self.list::<ControllerRevision>(namespace, None).await,
                    false => Ok(Vec::new()),
                }
            },
            async { if pods { self.list::<Pod>(namespace, query.as_deref()).await } else { Ok(Vec::new()) } },
        );
        let (pods, no_pods) = match pods {
            Ok(pods) => (pods, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let kept = Kept { replica_sets: sets?, controller_revisions: revisions?, pods, no_pods };
        Ok(workloads.iter().map(|workload| of(workload, environment, &kept)).collect())
    }
}

/// The revisions of one workload.
pub(super) fn of(workload: &Operated, environment: &Environment, kept: &Kept) -> Revisions {
    let configured = environment.roles.get(&workload.role).and_then(|settings| settings.container.as_deref());
    let image = |template: &PodTemplateSpec| {
        let model = target::model(template);
        let container = target::choose_container(&model, None, configured, &workload.role);
        let first = model.spec.as_ref().and_then(|spec| Some(spec.containers.first()?.name.clone()));
        let container = container.ok().or(first).unwrap_or_default();
        (target::image_of(&model, &container), container)
    };
    let mut all = match workload.owner.controller {
        Controller::StatefulSet => of_stateful_set(workload, kept, &image),
        _ => of_deployment(workload, kept, &image),
    };
    all.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    if let Some(newest) = all.first_mut() {
        newest.current = true;
    }
    for at in 1..all.len() {
        let changes = difference::between(&all[at].template, &all[at - 1].template);
        all[at - 1].changes = Some(changes);
    }
    if kept.no_pods.is_some() {
        for revision in &mut all {
            (revision.pods, revision.ready) = (None, None);
        }
    }
    let no_pods = kept.no_pods.clone();
    Revisions { role: workload.role.clone(), workload: workload.workload.clone(), all, no_pods }
}

type ImageOf<'a> = &'a dyn Fn(&PodTemplateSpec) -> (String, String);

fn of_deployment(workload: &Operated, kept: &Kept, image: ImageOf<'_>) -> Vec<Revision> {
    let own = kept.replica_sets.iter().filter(|set| is_owned(&set.metadata, workload));
    let revision = |set: &ReplicaSet| {
        let template = set.spec.as_ref()?.template.clone()?;
        let name = set.name_any();
        let earlier = set.annotations().get(EARLIER).map(String::as_str).unwrap_or_default();
        let pods = kept.pods.iter().filter(|pod| pod.owner_references().iter().any(|owner| owner.name == name));
        let number = i64::try_from(revision_number(set)?).ok()?;
        let new = New { number, metadata: &set.metadata, image: image(&template), pods: pods.collect() };
        let json = serde_json::to_value(&template).unwrap_or_default();
        let earlier = earlier.split(',').filter_map(|number| number.parse().ok()).collect();
        Some(Revision { earlier, ..new.revision(json) })
    };
    own.filter_map(revision).collect()
}

fn of_stateful_set(workload: &Operated, kept: &Kept, image: ImageOf<'_>) -> Vec<Revision> {
    let own = kept.controller_revisions.iter().filter(|revision| is_owned(&revision.metadata, workload));
    let revision = |kept_revision: &ControllerRevision| {
        let json = clean(&kept_revision.data.as_ref()?.0["spec"]["template"]);
        let template: PodTemplateSpec = serde_json::from_value(json.clone()).ok()?;
        let name = kept_revision.name_any();
        let pods = kept.pods.iter().filter(|pod| pod.labels().get(REVISION_HASH) == Some(&name));
        let metadata = &kept_revision.metadata;
        let new = New { number: kept_revision.revision, metadata, image: image(&template), pods: pods.collect() };
        Some(new.revision(json))
    };
    own.filter_map(revision).collect()
}

fn is_owned(object: &ObjectMeta, workload: &Operated) -> bool {
    let mut owners = object.owner_references.iter().flatten();
    owners.any(|owner| owner.controller == Some(true) && owner.uid == workload.uid)
}

struct New<'a> {
    number: i64,
    metadata: &'a ObjectMeta,
    /// The app's image, and its container.
    image: (String, String),
    pods: Vec<&'a Pod>,
}

impl New<'_> {
    fn revision(self, template: Value) -> Revision {
        let Self { number, metadata, image: (image, container), pods } = self;
        let resolved = pods.iter().filter_map(|pod| target::status_of(pod, &container));
        let image_id = resolved.map(|status| status.image_id.clone()).find(|id| !id.is_empty());
        let annotations: BTreeMap<_, _> = metadata.annotations.clone().unwrap_or_default();
        Revision {
            number,
            name: metadata.name.clone().unwrap_or_default(),
            current: false,
            image,
            image_id,
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            cause: annotations.get(CHANGE_CAUSE).cloned(),
            pods: Some(pods.len()),
            ready: Some(pods.iter().filter(|pod| is_ready(pod)).count()),
            ready_pod: pods.iter().find(|pod| is_ready(pod)).map(|pod| (pod.name_any(), container)),
            earlier: Vec::new(),
            changes: None,
            template: clean(&template),
        }
    }
}

/// A template without what the controller has put into it. ControllerRevisions are patches.
pub(super) fn clean(template: &Value) -> Value {
    let mut template = template.clone();
    template.as_object_mut().map(|fields| fields.remove("$patch"));
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(TEMPLATE_HASH);
    }
    if let Some(metadata) = template["metadata"].as_object_mut() {
        metadata.remove("creationTimestamp");
    }
    template
}

//! Changes a workload: its replicas, and the annotation that restarts it.

use std::fmt::Debug;

use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, StatefulSet},
        autoscaling::v1::Scale,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
    jiff::Timestamp,
};
use kube::{
    Api, Error as KubeError, Resource,
    api::{ListParams, Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    super::{
        Cluster,
        manager::last_to_set_replicas,
        request::{error, is_broken_connection, repeatable, unrepeatable},
        target::Controller,
    },
    Operated,
};
use crate::error::{Error, Result};

/// How often the replicas are set anew when only the status has changed meanwhile, as it does while pods come and go.
const ATTEMPTS: u32 = 5;

/// Who sets a field, for managedFields.
const FIELD_MANAGER: &str = "kdj";

/// What `kubectl rollout restart` sets.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// What came of setting the replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// They are set.
    Set,
    /// Somebody else changed them meanwhile, and they were left alone.
    ChangedMeanwhile {
        /// How many there are to be now.
        now: i32,
        /// Who set them, in the word of managedFields.
        by: Option<String>,
    },
}

impl Cluster {
    /// Sets the replicas of a workload, if they are still what they were when it was read: one PATCH of its `scale`
    /// subresource, which needs no right to change anything else, with the resource version as its precondition. With
    /// `dry_run` the server checks it and changes nothing.
    ///
    /// # Errors
    /// When the server refuses, or the workload is gone.
    pub async fn set_replicas(&self, workload: &Operated, replicas: i32, dry_run: bool) -> Result<Replicas> {
        let what = format!("scale {}", workload.workload);
        let parameters = parameters(dry_run);
        let mut version = workload.version.clone();
        for _ in 0..ATTEMPTS {
            let patch = json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}});
            let attempt = || self.patch_scale(workload, &parameters, &patch);
            let is_unclear = match unrepeatable(&what, &self.place, &self.observer, attempt).await? {
                Ok(_) => return Ok(Replicas::Set),
                Err(KubeError::Api(status)) if status.code == 409 => false,
                Err(KubeError::Service(failure)) if is_broken_connection(failure.as_ref()) => true,
                Err(failure) => return Err(error::explain(failure, &what, &self.place)),
            };
            let now = self.read_again(workload).await?;
            if is_unclear && now.replicas == replicas {
                return Ok(Replicas::Set);
            }
            if now.replicas != workload.replicas() {
                return Ok(Replicas::ChangedMeanwhile { now: now.replicas, by: now.by });
            }
            version = now.version;
        }
        Err(Error::failed(format!("cannot {what}"))
            .caused_by(format!("it changed {ATTEMPTS} times while its replicas were to be set"))
            .hint("try again"))
    }

    /// Restarts a workload as `kubectl rollout restart` does: one PATCH of its template's annotations. `recreate` makes
    /// the Deployment let its old pods go before new ones come, for good: see [`Cluster::put_back_strategy`].
    ///
    /// # Errors
    /// When the server refuses, or the workload is gone.
    pub async fn restart(&self, workload: &Operated, recreate: bool, dry_run: bool) -> Result<Changed> {
        let patch = restart_patch(recreate);
        self.patch_workload(&format!("restart {}", workload.workload), workload, &patch, dry_run).await
    }

    /// Whether the workload's specification has changed since it was read.
    ///
    /// # Errors
    /// When it cannot be read, or is gone.
    pub async fn has_changed(&self, workload: &Operated) -> Result<bool> {
        Ok(self.read_again(workload).await?.generation != workload.generation)
    }

    /// Gives a Deployment back the strategy it had when it was read, if nobody but kdj has changed it since, once: whoever
    /// did may want the strategy it has, or be in the midst of a rollout. A LIST of one, and a PATCH with the resource
    /// version as its precondition. It begins no rollout.
    ///
    /// # Errors
    /// When somebody else changed it, the server refuses, or the workload is gone.
    pub async fn put_back_strategy(&self, workload: &Operated) -> Result<()> {
        let what = format!("put back the strategy of {}", workload.workload);
        for _ in 0..ATTEMPTS {
            let now = self.read_again(workload).await?;
            if !now.recreates {
                // An attempt whose answer was lost, or somebody else's.
                return Ok(());
            }
            if now.generation != workload.generation + 1 {
                return Err(Error::failed("somebody changed it meanwhile"));
            }
            let patch = json!({"metadata": {"resourceVersion": now.version}, "spec": {"strategy": workload.strategy}});
            let (parameters, patch) = (parameters(false), Patch::Merge(patch));
            let attempt = || self.patch_once(workload, &parameters, &patch);
            match unrepeatable(&what, &self.place, &self.observer, attempt).await? {
                Ok(_) => return Ok(()),
                Err(KubeError::Api(status)) if status.code == 409 => {}
                Err(KubeError::Service(failure)) if is_broken_connection(failure.as_ref()) => {}
                Err(failure) => return Err(error::explain(failure, &what, &self.place)),
            }
        }
        Err(Error::failed(format!("cannot {what}")).caused_by(format!("it changed {ATTEMPTS} times meanwhile")))
    }

    /// A PATCH that says the same however often it is made.
    async fn patch_workload(&self, what: &str, workload: &Operated, patch: &Value, dry_run: bool) -> Result<Changed> {
        let (parameters, patch) = (parameters(dry_run), Patch::Merge(patch));
        let attempt = || self.patch_once(workload, &parameters, &patch);
        repeatable(what, &self.place, &self.observer, attempt).await
    }

    /// One PATCH of the workload.
    pub(super) async fn patch_once(
        &self,
        workload: &Operated,
        parameters: &PatchParams,
        patch: &Patch<impl Serialize + Debug>,
    ) -> Result<Changed, KubeError> {
        let name = &workload.owner.name;
        let metadata = match workload.owner.controller {
            Controller::StatefulSet => self.api::<StatefulSet>(workload).patch(name, parameters, patch).await?.metadata,
            _ => self.api::<Deployment>(workload).patch(name, parameters, patch).await?.metadata,
        };
        Ok(Changed { version: metadata.resource_version.unwrap_or_default() })
    }

    async fn patch_scale(
        &self,
        workload: &Operated,
        parameters: &PatchParams,
        patch: &(impl Serialize + Debug),
    ) -> Result<Scale, KubeError> {
        let (name, patch) = (&workload.owner.name, Patch::Merge(patch));
        match workload.owner.controller {
            Controller::StatefulSet => self.api::<StatefulSet>(workload).patch_scale(name, parameters, &patch).await,
            _ => self.api::<Deployment>(workload).patch_scale(name, parameters, &patch).await,
        }
    }

    /// The workload as it is now. A LIST of one: who could list them before can do so again.
    async fn read_again(&self, workload: &Operated) -> Result<Now> {
        let one = ListParams::default().fields(&format!("metadata.name={}", workload.owner.name));
        let namespace = &workload.namespace;
        let found = match workload.owner.controller {
            Controller::StatefulSet => {
                let found = self.list_matching::<StatefulSet>(namespace, &one).await?.pop();
                found.map(|it| Now::of(it.spec.and_then(|spec| spec.replicas), false, &it.metadata))
            }
            _ => {
                let found = self.list_matching::<Deployment>(namespace, &one).await?.pop();
                found.map(|it| {
                    let spec = it.spec.unwrap_or_default();
                    let recreates = spec.strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("Recreate"));
                    Now::of(spec.replicas, recreates, &it.metadata)
                })
            }
        };
        found.filter(|now| now.uid == workload.uid).ok_or_else(|| {
            Error::failed(format!("{} is gone", workload.workload)).caused_by("it was deleted meanwhile")
        })
    }

    fn api<K>(&self, workload: &Operated) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned,
    {
        Api::namespaced(self.client.clone(), &workload.namespace)
    }
}

/// What restarts a workload now, as a merge patch; see [`Cluster::restart`].
pub fn restart_patch(recreate: bool) -> Value {
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut patch = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}});
    if recreate {
        patch["spec"]["strategy"] = json!({"type": "Recreate", "rollingUpdate": null});
    }
    patch
}

/// A workload whose template was changed.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Its version since: what is seen of it after this is about the change.
    pub(super) version: String,
}

struct Now {
    replicas: i32,
    /// Whether its strategy is Recreate.
    recreates: bool,
    generation: i64,
    version: String,
    uid: String,
    by: Option<String>,
}

impl Now {
    fn of(replicas: Option<i32>, recreates: bool, object: &ObjectMeta) -> Self {
        Self {
            replicas: replicas.unwrap_or(1),
            recreates,
            generation: object.generation.unwrap_or_default(),
            version: object.resource_version.clone().unwrap_or_default(),
            uid: object.uid.clone().unwrap_or_default(),
            by: last_to_set_replicas(object),
        }
    }
}

pub(super) fn parameters(dry_run: bool) -> PatchParams {
    PatchParams { dry_run, field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}

//! Goes back to a revision, as `kubectl rollout undo` does: its template becomes the workload's.

use std::time::Duration;

use http::Request;
use kube::{Error as KubeError, api::Patch};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    super::{
        super::{
            Cluster,
            request::{error, is_broken_connection, repeatable, unrepeatable},
            target::Controller,
        },
        Operated,
        change::{Changed, parameters},
    },
    Revision,
    read::{CHANGE_CAUSE, clean},
};
use crate::error::{Error, Result};

/// How often it is tried anew when only the status has changed meanwhile, as it does while pods come and go.
const ATTEMPTS: u32 = 5;
/// How long it is left to its controller.
const PAUSE: Duration = Duration::from_millis(300);
/// Where the Deployment controller writes the number of the current revision.
const REVISION: &str = "deployment.kubernetes.io/revision";

impl Cluster {
    /// Gives a workload the template it had in the revision `to`, if its current one is still `from`: a LIST of one for the
    /// template, one for the workload, and a PATCH with the resource version as its precondition. `recreate` makes
    /// a Deployment let its old pods go before new ones come: see [`Cluster::put_back_strategy`]. With `dry_run` the server
    /// checks it and changes nothing. The objects are read as they are: kdj may know fewer of their fields than the server.
    ///
    /// # Errors
    /// When the server refuses, when the revision or the workload is gone, or somebody changed it meanwhile.
    pub async fn roll_back(
        &self,
        workload: &Operated,
        from: &Revision,
        to: &Revision,
        recreate: bool,
        dry_run: bool,
    ) -> Result<Changed> {
        let is_set = workload.owner.controller == Controller::StatefulSet;
        let (objects, keeper) =
            if is_set { ("statefulsets", "controllerrevisions") } else { ("deployments", "replicasets") };
        let kept = self.one(workload, keeper, &to.name).await?.ok_or_else(|| {
            Error::failed(format!("revision {} of `{}` is gone", to.number, workload.role))
                .caused_by("it was deleted meanwhile: a workload keeps `revisionHistoryLimit` of them")
        })?;
        let template = if is_set { &kept["data"]["spec"]["template"] } else { &kept["spec"]["template"] };
        let mut template = clean(template);
        let wanted = template.clone();
        template["$patch"] = json!("replace");
        let cause = kept["metadata"]["annotations"][CHANGE_CAUSE].clone();
        let (what, parameters) = (format!("roll back {}", workload.workload), parameters(dry_run));
        for _ in 0..ATTEMPTS {
            let object = self.one(workload, objects, &workload.owner.name).await?;
            let gone = || Error::failed(format!("{} is gone", workload.workload)).caused_by("it was deleted meanwhile");
            let object = object.filter(|it| it["metadata"]["uid"] == workload.uid).ok_or_else(gone)?;
            let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
            if clean(&object["spec"]["template"]) == wanted {
                // An attempt whose answer was lost, or somebody else's.
                return Ok(Changed { version });
            }
            if !is_seen(&object) {
                // An autoscaler has just set something: what is current is said in a moment.
                sleep(PAUSE).await;
                continue;
            }
            if !is_current(from, &object, is_set) {
                return Err(Error::failed(format!(
                    "`{}` was changed meanwhile: it was not rolled back",
                    workload.role
                ))
                .caused_by(format!("its current revision is no longer {}", from.number)));
            }
            let metadata = json!({"resourceVersion": version, "annotations": {CHANGE_CAUSE: cause}});
            let mut patch = json!({"metadata": metadata, "spec": {"template": template}});
            if recreate {
                patch["spec"]["strategy"] = json!({"$patch": "replace", "type": "Recreate"});
            }
            let patch = Patch::Strategic(patch);
            let attempt = || self.patch_once(workload, &parameters, &patch);
            match unrepeatable(&what, &self.place, &self.observer, attempt).await? {
                Ok(changed) => return Ok(changed),
                Err(KubeError::Api(status)) if status.code == 409 => {}
                Err(KubeError::Service(failure)) if is_broken_connection(failure.as_ref()) => {}
                Err(failure) => return Err(error::explain(failure, &what, &self.place)),
            }
        }
        Err(Error::failed(format!("cannot {what}"))
            .caused_by(format!("it was changing each of {ATTEMPTS} times when its template was to be set"))
            .hint("try again"))
    }

    /// An object as it is. A LIST of one: who could list them before can do so again.
    async fn one(&self, workload: &Operated, resource: &str, name: &str) -> Result<Option<Value>> {
        let namespace = &workload.namespace;
        let path = format!("/apis/apps/v1/namespaces/{namespace}/{resource}?fieldSelector=metadata.name%3D{name}");
        let what = format!("list {resource}");
        let request = || async {
            let request = Request::get(&path).body(Vec::new()).map_err(KubeError::HttpError)?;
            self.client.request::<Value>(request).await
        };
        let mut list = repeatable(&what, &self.place, &self.observer, request).await?;
        Ok(list["items"].as_array_mut().and_then(Vec::pop))
    }
}

/// Whether the controller has seen the workload as it is.
fn is_seen(object: &Value) -> bool {
    object["status"]["observedGeneration"].as_i64() >= object["metadata"]["generation"].as_i64()
}

/// Whether a revision is what the workload has now, once its controller has seen it.
fn is_current(revision: &Revision, object: &Value, is_set: bool) -> bool {
    let number = revision.number.to_string();
    match is_set {
        true => object["status"]["updateRevision"] == revision.name.as_str(),
        false => object["metadata"]["annotations"][REVISION] == number.as_str(),
    }
}

//! What came of a Job, written onto it.

use k8s_openapi::api::batch::v1::Job;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{
    super::{Cluster, request::repeatable},
    JobHandle,
};
use crate::error::Result;

/// The annotation with a migration's receipt.
const RECEIPT: &str = "kdj.dev/receipt";

impl Cluster {
    /// Writes a receipt onto a Job, if it is still this one.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn note_receipt(&self, job: &JobHandle, receipt: &str) -> Result<()> {
        let jobs = Api::<Job>::namespaced(self.client.clone(), &job.namespace);
        // The uid is a precondition: a patch that would change it is refused.
        let patch = Patch::Merge(json!({"metadata": {"uid": job.uid, "annotations": {RECEIPT: receipt}}}));
        let parameters = PatchParams::default();
        let what = format!("patch job {}", job.name);
        repeatable(&what, &self.place, &self.observer, || jobs.patch(&job.name, &parameters, &patch)).await.map(drop)
    }
}

//! Makes a Job, once: tried without effect first, and looked up by its name when the answer gets lost.

use std::time::Duration;

use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{
    Api, Error as KubeError, ResourceExt,
    api::{DeleteParams, PostParams, Preconditions},
};
use tokio::time::sleep;

use super::{
    super::{
        Cluster, Glimpse,
        request::{error, never_sent, unrepeatable},
        template::Template,
    },
    JobHandle, JobSummary, NONCE, NewJob,
    manifest::{Manifest, manifest},
};
use crate::error::Result;

/// When a Job is looked for whose creation got no answer.
const LOOKS: [Duration; 4] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// What came of making a Job.
#[derive(Debug)]
pub enum Created {
    /// It exists now; and what was left out of its template.
    Made(JobHandle, Vec<String>),
    /// There is one of this name, or was until a moment ago.
    Exists,
}

impl Cluster {
    /// Makes a Job of a role's template. First the server is asked what it would say to the Job's pod (a dry run), so that
    /// quota, policies and missing service accounts show before anything exists. To the Job itself it says it at once.
    ///
    /// # Errors
    /// When the server refuses; with [`Failure::Lost`](crate::exit::Failure::Lost) when nobody knows whether it exists.
    pub async fn create_job(&self, template: &Template, new: &NewJob) -> Result<Created> {
        let Manifest { job, pod, notes } = manifest(template, new);
        let jobs = Api::<Job>::namespaced(self.client.clone(), &template.namespace);
        let pods = Api::<Pod>::namespaced(self.client.clone(), &template.namespace);
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let what = format!("create job {}", new.name);
        let tried = unrepeatable("try the job's pod", &self.place, &self.observer, || pods.create(&dry, &pod)).await;
        match tried? {
            Ok(_) => {}
            // Who may not create pods learns it later, from the Job's events.
            Err(failure) if lacks_the_right(&failure) => {}
            Err(failure) => {
                // The quota may be used up by the very Job of this name.
                return match self.get::<Job>(&template.namespace, &new.name).await {
                    Ok(Some(_)) => Ok(Created::Exists),
                    _ => Err(error::explain(failure, &format!("{what}'s pod"), &self.place)),
                };
            }
        }
        let real = PostParams::default();
        let answer = unrepeatable(&what, &self.place, &self.observer, || jobs.create(&real, &job)).await;
        let (failure, existed) = match answer {
            Ok(Ok(made)) => return Ok(self.made(&made, notes)),
            Ok(Err(failure)) if is_refused(&failure) => return Err(error::explain(failure, &what, &self.place)),
            // An earlier attempt may have made it: what stands before the server can say 503 after that.
            Ok(Err(failure)) => {
                let existed = is_taken(&failure);
                (error::explain(failure, &what, &self.place), existed)
            }
            Err(failure) => (failure, false),
        };
        let nonce = job.annotations().get(NONCE);
        for pause in LOOKS {
            sleep(pause).await;
            match self.get::<Job>(&template.namespace, &new.name).await {
                Ok(Some(made)) if made.annotations().get(NONCE) == nonce => {
                    return Ok(self.made(&made, notes));
                }
                Ok(Some(_)) => return Ok(Created::Exists),
                // Another's, that was being deleted.
                Ok(None) if existed => return Ok(Created::Exists),
                // The server may still be at it.
                Ok(None) => {}
                Err(_) => break,
            }
        }
        Err(failure.outcome_unknown("whether the Job exists, nobody knows"))
    }

    fn made(&self, job: &Job, notes: Vec<String>) -> Created {
        if let Some(summary) = JobSummary::of(job) {
            self.tell(Glimpse::NewJob(Box::new(summary)));
        }
        Created::Made(JobHandle::of(job), notes)
    }

    /// The manifest of a Job that is not made, as JSON.
    pub fn manifest_of(&self, template: &Template, new: &NewJob) -> String {
        let job = manifest(template, new).job;
        serde_json::to_string_pretty(&job).unwrap_or_default()
    }

    /// Deletes a Job and its pods, if it is still this one. `false` when it was gone already.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn delete_job(&self, handle: &JobHandle) -> Result<bool> {
        let jobs = Api::<Job>::namespaced(self.client.clone(), &handle.namespace);
        // The default leaves a Job's pods behind. The name of a migration's Job is its lock: kept until its pod is gone.
        let mut parameters = if handle.is_lock { DeleteParams::foreground() } else { DeleteParams::background() };
        parameters.preconditions = Some(Preconditions { uid: Some(handle.uid.clone()), ..Preconditions::default() });
        let what = format!("delete job {}", handle.name);
        let delete = || jobs.delete(&handle.name, &parameters);
        let deleted = match unrepeatable(&what, &self.place, &self.observer, delete).await? {
            Ok(_) => true,
            Err(KubeError::Api(status)) if matches!(status.code, 404 | 409) => false,
            Err(failure) => return Err(error::explain(failure, &what, &self.place)),
        };
        self.tell(Glimpse::GoneJob(handle.name.clone()));
        Ok(deleted)
    }
}

/// Whether the server has said no: then nothing exists. That there is one of this name is no answer yet: it may be ours.
fn is_refused(failure: &KubeError) -> bool {
    match failure {
        KubeError::Api(status) => status.code < 500 && !is_taken(failure),
        failure => never_sent(failure),
    }
}

/// Whether there is one of this name, or was a moment ago.
fn is_taken(failure: &KubeError) -> bool {
    matches!(failure, KubeError::Api(status) if status.reason == "AlreadyExists")
}

fn lacks_the_right(failure: &KubeError) -> bool {
    matches!(failure, KubeError::Api(status) if status.code == 403 && status.message.contains("cannot create resource"))
}

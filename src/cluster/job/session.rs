//! The pod of a session: a Job's, into which programs are executed.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use tokio::time::sleep;

use super::{
    super::{Cluster, Target, target},
    JobHandle, News, ROLE, Verdict,
    pod_watch::PodWatch,
    start::{Start, Started},
    state::{self, PodState},
};
use crate::error::Result;

/// How often a pod is looked at whose session has ended: the kubelet reports it a second or so later.
const LOOKS: u32 = 6;
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

impl Cluster {
    /// Waits until the Job's container runs, and returns where something can be executed. The inner error is how the Job
    /// ended without.
    ///
    /// # Errors
    /// When its pods may not be read, or the server has been away for too long. The Job goes on.
    pub async fn session_target(
        &self,
        job: &JobHandle,
        start_limit: Duration,
        news: &mut dyn FnMut(News),
    ) -> Result<Result<Target, Verdict>> {
        let mut pods = PodWatch::new(self, job);
        Ok(match Start::new(self, job, Some(start_limit)).wait(&mut pods, news).await? {
            Ok(Started { verdict: Some(verdict), .. }) | Err(verdict) => Err(verdict),
            Ok(Started { pod, verdict: None }) => {
                let role = pod.labels().get(ROLE).cloned().unwrap_or_default();
                Ok(target::in_pod_of_job(&pod, &job.name, &job.container, role))
            }
        })
    }

    /// Whether the container of a session has never run, as far as its pod tells.
    ///
    /// # Errors
    /// When the pods cannot be read.
    pub async fn session_never_ran(&self, job: &JobHandle) -> Result<bool> {
        let Some(pod) = self.pod_of(job).await? else { return Ok(true) };
        let state = target::status_of(&pod, &job.container).and_then(|status| status.state.clone()).unwrap_or_default();
        Ok(state.running.is_none() && state.terminated.is_none())
    }

    /// How the container of a session ended; `None` when it has not, or nobody knows.
    pub async fn session_end(&self, job: &JobHandle) -> Option<Verdict> {
        for look in 0..LOOKS {
            if look > 0 {
                sleep(PAUSE).await;
            }
            let Some(pod) = self.pod_of(job).await.ok()? else { return Some(self.verdict_without_pod(job).await) };
            match state::read(&pod, &job.container, Timestamp::now()) {
                PodState::Ended(verdict) => return Some(verdict),
                _ if pod.metadata.deletion_timestamp.is_some() => return Some(Verdict::Deleted),
                PodState::Waiting { .. } | PodState::Running => {}
            }
        }
        None
    }
}

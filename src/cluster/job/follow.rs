//! Follows a Job: its log, how it ended.

use std::time::Duration;

use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Pod},
    jiff::Timestamp,
};
use kube::ResourceExt;
use tokio::sync::{mpsc, watch};

use super::{
    super::Cluster,
    JobHandle, JobState, JobSummary,
    log::{ContainerLog, LogEnd},
    pod_watch::{PodWatch, Seen},
    start::Started,
    state::{self, PodState},
};
use crate::{
    error::{Error, Result},
    streams::Pieces,
};

/// What is told while a Job is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It does not run yet, and why.
    Waiting(String),
    /// Its container runs, or has run.
    Started {
        /// Its pod.
        pod: String,
        /// The image by digest, as the node resolved it.
        image_id: String,
    },
    /// The server does not answer. The Job goes on.
    Away(String),
}

/// How a Job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its container ended by itself with this code.
    Exited(u8),
    /// Its container was ended with this code, and why.
    Killed {
        /// The exit code.
        code: u8,
        /// By what.
        why: String,
    },
    /// Its time was over.
    TimedOut,
    /// Its command is not in the image; the runtime's words.
    NotFound(String),
    /// Its command cannot be executed; the runtime's words.
    CannotExec(String),
    /// Its container never ran; why.
    NotStarted(String),
    /// Its pod is lost, and nobody knows what it did.
    Unknown(String),
    /// Somebody deleted it.
    Deleted,
    /// It goes on, and nobody reads its log any more.
    OutputClosed,
}

impl Verdict {
    /// Whether the container never ran: there is no log.
    pub fn never_ran(&self) -> bool {
        matches!(self, Verdict::NotFound(_) | Verdict::CannotExec(_) | Verdict::NotStarted(_))
    }
}

impl Cluster {
    /// Follows a Job to its end: its log goes to `log` from the first line, what there is to say to `news`. It may take
    /// `start_limit` until its container runs.
    ///
    /// # Errors
    /// When its pods or their log may not be read, or the server has been away for too long. The Job goes on.
    pub async fn follow(
        &self,
        job: &JobHandle,
        start_limit: Option<Duration>,
        log: mpsc::Sender<Pieces>,
        news: &mut dyn FnMut(News),
    ) -> Result<Verdict> {
        let mut pods = PodWatch::new(self, job);
        let Started { pod, verdict } = match self.wait_for_start(job, start_limit, &mut pods, news).await? {
            Ok(started) => started,
            Err(verdict) => return Ok(verdict),
        };
        if let Some(verdict) = verdict.as_ref().filter(|verdict| verdict.never_ran()) {
            return Ok(verdict.clone());
        }
        let (ended, end) = watch::channel(verdict.is_some());
        let source =
            ContainerLog { cluster: self, namespace: &job.namespace, pod: &pod.name_any(), container: &job.container };
        let copy = source.copy(&log, end);
        let watch_end = async {
            let verdict = match verdict {
                Some(verdict) => Ok(verdict),
                None => self.wait_for_end(job, &mut pods, news).await,
            };
            let _ = ended.send(true);
            verdict
        };
        tokio::pin!(copy, watch_end);
        tokio::select! {
            verdict = &mut watch_end => match copy.await? {
                LogEnd::OutputClosed => Ok(Verdict::OutputClosed),
                LogEnd::Complete | LogEnd::Gone => verdict,
            },
            copied = &mut copy => match copied? {
                LogEnd::OutputClosed => Ok(Verdict::OutputClosed),
                LogEnd::Complete | LogEnd::Gone => watch_end.await,
            },
        }
    }

    /// A Job's log as far as it is.
    ///
    /// # Errors
    /// When it has none yet, or it may not be read.
    pub async fn job_log(&self, job: &JobHandle, log: mpsc::Sender<Pieces>) -> Result<()> {
        let own = format!("{}={}", super::CONTROLLER_UID, job.uid);
        let pods = self.list::<Pod>(&job.namespace, Some(&own)).await?;
        let gone = || Error::failed(format!("job `{}` has no pod, and so no log", job.name));
        let pod = pods.into_iter().max_by_key(ResourceExt::creation_timestamp).ok_or_else(gone)?;
        if let PodState::Waiting { why, .. } = state::read(&pod, &job.container, Timestamp::now()) {
            return Err(Error::failed(format!("job `{}` has no log yet", job.name)).caused_by(why));
        }
        let pod = pod.name_any();
        let source = ContainerLog { cluster: self, namespace: &job.namespace, pod: &pod, container: &job.container };
        let (_running, no_end) = watch::channel(true);
        match source.copy(&log, no_end).await? {
            LogEnd::Gone => Err(gone()),
            LogEnd::Complete | LogEnd::OutputClosed => Ok(()),
        }
    }

    async fn wait_for_end(
        &self,
        job: &JobHandle,
        pods: &mut PodWatch<'_>,
        news: &mut dyn FnMut(News),
    ) -> Result<Verdict> {
        loop {
            match pods.next().await? {
                Seen::Pod(pod) => {
                    if let PodState::Ended(verdict) = state::read(&pod, &job.container, Timestamp::now()) {
                        return Ok(verdict);
                    }
                }
                Seen::Gone => return Ok(self.verdict_without_pod(job).await),
                Seen::Away(reason) => news(News::Away(reason)),
            }
        }
    }

    /// How the Job ended, when its pod is gone and cannot tell.
    pub(super) async fn verdict_without_pod(&self, job: &JobHandle) -> Verdict {
        self.verdict_of_job(job).await.unwrap_or_else(|| Verdict::Unknown("its pod is gone".to_owned()))
    }

    /// How the Job ended by its own account; `None` when it has not, or cannot be asked.
    pub(super) async fn verdict_of_job(&self, handle: &JobHandle) -> Option<Verdict> {
        let job = self.get::<Job>(&handle.namespace, &handle.name).await.ok()?;
        let Some(job) = job.filter(|job| job.uid().as_deref() == Some(&handle.uid)) else {
            return Some(Verdict::Deleted);
        };
        if job.metadata.deletion_timestamp.is_some() {
            return Some(Verdict::Deleted);
        }
        let summary = JobSummary::of(&job)?;
        match (summary.state, summary.why.as_deref()) {
            (JobState::Complete, _) => Some(Verdict::Exited(0)),
            (JobState::Failed, Some("DeadlineExceeded")) => Some(Verdict::TimedOut),
            (JobState::Failed, why) => Some(Verdict::Unknown(format!("its pod is gone ({})", why.unwrap_or("failed")))),
            (JobState::Pending | JobState::Running, _) => None,
        }
    }
}

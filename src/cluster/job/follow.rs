//! Follows a Job: why it does not start yet, its log, how it ended.

use std::time::Duration;

use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Pod},
    jiff::Timestamp,
};
use kube::ResourceExt;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    super::{
        Cluster,
        target::{image_of, status_of},
    },
    JobHandle, JobState, JobSummary,
    log::{ContainerLog, LogEnd},
    pod_watch::{PodWatch, Seen},
    state::{self, PodState},
};
use crate::{
    error::{Error, Result},
    streams::Pieces,
};

/// How often the events are asked for while nothing starts.
const QUESTION: Duration = Duration::from_secs(2);
/// How long a Job may be refused its pod before that counts as final.
const REFUSAL_LIMIT: Duration = Duration::from_secs(10);

/// What is told while a Job is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It does not run yet, and why.
    Waiting(String),
    /// Its container runs, or has run.
    Started {
        /// Its pod.
        pod: String,
        /// The image, as the manifest names it.
        image: String,
        /// The image by digest, as the node resolved it; by its id where it was not pulled.
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

/// A Job that has started: its pod, and how it ended when it has.
struct Started {
    pod: String,
    verdict: Option<Verdict>,
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
        let source = ContainerLog { cluster: self, namespace: &job.namespace, pod: &pod, container: &job.container };
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
        let gone = || Error::failed(format!("job `{}` has no pod, and so no log", job.name));
        let pod = self.pod_of(job).await?.ok_or_else(gone)?;
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

    /// Whether the Job's container has ended, whatever the Job itself says yet: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn has_ended(&self, job: &JobHandle) -> Result<bool> {
        let pod = self.pod_of(job).await?;
        let state = pod.map(|pod| state::read(&pod, &job.container, Timestamp::now()));
        Ok(matches!(state, Some(PodState::Ended(_))))
    }

    async fn pod_of(&self, job: &JobHandle) -> Result<Option<Pod>> {
        let own = format!("{}={}", super::CONTROLLER_UID, job.uid);
        let pods = self.list::<Pod>(&job.namespace, Some(&own)).await?;
        Ok(pods.into_iter().max_by_key(ResourceExt::creation_timestamp))
    }

    /// Waits until the container runs or has run. The inner error is how it ended without.
    async fn wait_for_start(
        &self,
        job: &JobHandle,
        limit: Option<Duration>,
        pods: &mut PodWatch<'_>,
        news: &mut dyn FnMut(News),
    ) -> Result<Result<Started, Verdict>> {
        let begun = Instant::now();
        let mut questions = interval(QUESTION);
        questions.set_missed_tick_behavior(MissedTickBehavior::Delay);
        questions.tick().await;
        let mut why = "no pod yet".to_owned();
        let mut pod: Option<Pod> = None;
        let mut gives_up: Option<Instant> = None;
        loop {
            tokio::select! {
                biased;
                seen = pods.next() => match seen? {
                    Seen::Pod(seen) => match state::read(&seen, &job.container, Timestamp::now()) {
                        PodState::Running => return Ok(Ok(started(&seen, job, None, news))),
                        PodState::Ended(verdict) => return Ok(Ok(started(&seen, job, Some(verdict), news))),
                        PodState::Waiting { why: reason, patience } => {
                            why = reason;
                            pod = Some(*seen);
                            gives_up = patience.map(|patience| gives_up.unwrap_or(Instant::now() + patience));
                        }
                    },
                    Seen::Gone => return Ok(Err(self.verdict_without_pod(job).await)),
                    Seen::Away(reason) => news(News::Away(reason)),
                },
                _ = questions.tick() => {
                    // Where the pod itself does not say it.
                    if !why.contains(": ") && let Some(trouble) = self.start_trouble(job, pod.as_ref()).await {
                        if pod.is_none() && (trouble.hopeless || begun.elapsed() > REFUSAL_LIMIT) {
                            return Ok(Err(Verdict::NotStarted(trouble.message)));
                        }
                        news(News::Waiting(trouble.message));
                    } else {
                        news(News::Waiting(why.clone()));
                    }
                    if pod.is_none() && let Some(verdict) = self.verdict_of_job(job).await {
                        return Ok(Err(verdict));
                    }
                }
            }
            if gives_up.is_some_and(|at| Instant::now() >= at) {
                return Ok(Err(Verdict::NotStarted(why)));
            }
            if limit.is_some_and(|limit| begun.elapsed() > limit) {
                let waited = begun.elapsed().as_secs();
                return Ok(Err(Verdict::NotStarted(format!("not running after {waited} s: {why}"))));
            }
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
    async fn verdict_without_pod(&self, job: &JobHandle) -> Verdict {
        self.verdict_of_job(job).await.unwrap_or_else(|| Verdict::Unknown("its pod is gone".to_owned()))
    }

    /// How the Job ended by its own account; `None` when it has not, or cannot be asked.
    async fn verdict_of_job(&self, handle: &JobHandle) -> Option<Verdict> {
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

fn started(pod: &Pod, job: &JobHandle, verdict: Option<Verdict>, news: &mut dyn FnMut(News)) -> Started {
    let image_id = status_of(pod, &job.container).map(|status| status.image_id.clone()).unwrap_or_default();
    if !verdict.as_ref().is_some_and(Verdict::never_ran) {
        news(News::Started { pod: pod.name_any(), image: image_of(pod, &job.container), image_id });
    }
    Started { pod: pod.name_any(), verdict }
}

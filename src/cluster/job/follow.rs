//! Follows a Job: why it does not start yet, its log, how it ended.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Pod},
    jiff::Timestamp,
};
use kube::ResourceExt;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    super::{
        Cluster,
        logs::{LogEnd, Runs},
    },
    JobHandle, JobState, JobSummary,
    pod_watch::{PodWatch, Seen},
    start::{Start, Started},
    state::{self, PodState},
};
use crate::{error::Result, streams::Pieces};

/// How long the other containers may go on by themselves when the app's has ended.
const SIDECAR_LIMIT: Duration = Duration::from_secs(3);
/// The pause between two looks at what is about to change.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a Job whose pod is gone is asked how it ended: its controller takes a moment.
const QUESTIONS: u32 = 10;

/// How long nothing more is said of a server that is away.
const AWAY_QUIET: Duration = Duration::from_secs(30);

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
    /// The log, or the rest of it, cannot be read, and why. How the Job ends is told all the same.
    NoLog(String),
    /// These containers went on when the app's had ended; the Job was deleted for it.
    SidecarsEnded(Vec<String>),
    /// These containers go on: the Job is to be kept, is not this kdj's to delete, or could not be.
    SidecarsGoOn(Vec<String>),
    /// These containers ran beside the app's, and the pod cannot be looked at: perhaps they go on.
    SidecarsUnseen(Vec<String>),
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
    /// Its pod ended, and its container never ran; why.
    NotStarted(String),
    /// It does not run yet, and is not worth waiting for; why. It might start all the same.
    GivenUp(String),
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
        matches!(self, Verdict::NotFound(_) | Verdict::CannotExec(_) | Verdict::NotStarted(_) | Verdict::GivenUp(_))
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
        let Started { pod, verdict } = match Start::new(self, job, start_limit).wait(&mut pods, news).await? {
            Ok(started) => started,
            Err(verdict) => return Ok(verdict),
        };
        if let Some(verdict) = verdict.as_ref().filter(|verdict| verdict.never_ran()) {
            return Ok(verdict.clone());
        }
        let news = RefCell::new(news);
        let told_away = Cell::new(None::<Instant>);
        let tell = |it| {
            // The pod and its log are both away when the server is: one word is enough.
            let again = matches!(it, News::Away(_)) && told_away.get().is_some_and(|at| at.elapsed() < AWAY_QUIET);
            if !again {
                if matches!(it, News::Away(_)) {
                    told_away.set(Some(Instant::now()));
                }
                (*news.borrow_mut())(it);
            }
        };
        let (runs, seen) = watch::channel(Runs::once(verdict.is_none()));
        let name = pod.name_any();
        let away = |why| tell(News::Away(why));
        let copy = self.copy_log(job, &name, log, seen, &away);
        let watch_end = async {
            let verdict = match verdict {
                Some(verdict) => Ok(verdict),
                None => self.wait_for_end(job, &mut pods, &mut { tell }).await,
            };
            let _ = runs.send(Runs::once(false));
            verdict
        };
        tokio::pin!(copy, watch_end);
        let (early, copied) = tokio::select! {
            verdict = &mut watch_end => (Some(verdict?), copy.await),
            copied = &mut copy => (None, copied),
        };
        // How it ends is worth knowing without the log, too.
        match copied {
            Ok(LogEnd::OutputClosed) => return Ok(Verdict::OutputClosed),
            Ok(LogEnd::Gone { why, .. }) => tell(News::NoLog(why)),
            Err(error) => tell(News::NoLog(error.to_string())),
            Ok(LogEnd::Complete) => {}
        }
        let verdict = match early {
            Some(verdict) => verdict,
            None => watch_end.await?,
        };
        if pod.spec.as_ref().is_some_and(|spec| spec.containers.len() > 1) {
            self.end_sidecars(job, &pod, &verdict, &mut { tell }).await;
        }
        Ok(verdict)
    }

    /// Deletes a Job whose app has ended and whose other containers go on: nothing is to run till its deadline. Who only
    /// attached to it is told.
    async fn end_sidecars(&self, job: &JobHandle, pod: &Pod, verdict: &Verdict, news: &mut dyn FnMut(News)) {
        if !matches!(verdict, Verdict::Exited(_) | Verdict::Killed { .. }) {
            return;
        }
        let limit = Instant::now() + SIDECAR_LIMIT;
        loop {
            let pod = match self.get::<Pod>(&job.namespace, &pod.name_any()).await {
                Ok(Some(pod)) => pod,
                Ok(None) => return,
                // Nobody sees whether they end by themselves.
                Err(_) => {
                    let others = state::others_running(pod, &job.container);
                    if !others.is_empty() {
                        news(News::SidecarsUnseen(others));
                    }
                    return;
                }
            };
            let others = state::others_running(&pod, &job.container);
            if others.is_empty() {
                return;
            }
            if job.kept || !job.is_new() {
                return news(News::SidecarsGoOn(others));
            }
            if Instant::now() >= limit {
                let deleted = self.delete_job(job).await.is_ok();
                return news(if deleted { News::SidecarsEnded(others) } else { News::SidecarsGoOn(others) });
            }
            sleep(PAUSE).await;
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

    pub(super) async fn pod_of(&self, job: &JobHandle) -> Result<Option<Pod>> {
        let own = format!("{}={}", super::CONTROLLER_UID, job.uid);
        let pods = self.list::<Pod>(&job.namespace, Some(&own)).await?;
        Ok(pods.into_iter().max_by_key(ResourceExt::creation_timestamp))
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
                    match state::read(&pod, &job.container, Timestamp::now()) {
                        // It has run: what says otherwise has forgotten it.
                        PodState::Ended(Verdict::NotStarted(why)) => return Ok(Verdict::Unknown(why)),
                        PodState::Ended(verdict) => return Ok(verdict),
                        PodState::Running | PodState::Waiting { .. } => {}
                    }
                }
                Seen::Gone => return Ok(self.verdict_without_pod(job).await),
                Seen::Away(reason) => news(News::Away(reason)),
            }
        }
    }

    /// How the Job ended, when its pod is gone and cannot tell.
    pub(super) async fn verdict_without_pod(&self, job: &JobHandle) -> Verdict {
        for _ in 0..QUESTIONS {
            if let Some(verdict) = self.verdict_of_job(job).await {
                return verdict;
            }
            sleep(PAUSE).await;
        }
        Verdict::Unknown("its pod is gone".to_owned())
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

//! Waits for a Job's container to run, and says what it waits for; gives up on what will not heal.

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::ResourceExt;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};

use super::{
    super::{
        Cluster,
        target::{image_of, status_of},
    },
    JobHandle, News, Verdict,
    pod_watch::{PodWatch, Seen},
    state::{self, PodState},
};
use crate::error::Result;

/// How often the events are asked for while nothing starts.
const QUESTION: Duration = Duration::from_secs(2);
/// How long the answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A Job that has started: its pod, and how it ended when it has.
pub(super) struct Started {
    pub(super) pod: Pod,
    pub(super) verdict: Option<Verdict>,
}

/// A Job that is waited for.
pub(super) struct Start<'a> {
    cluster: &'a Cluster,
    job: &'a JobHandle,
    begun: Instant,
    limit: Option<Duration>,
    /// What it waits for.
    why: String,
    pod: Option<Pod>,
    /// When that is no longer worth waiting for.
    gives_up: Option<Instant>,
    /// When the pod was last looked at to be sure.
    looked: Option<Instant>,
}

impl<'a> Start<'a> {
    pub(super) fn new(cluster: &'a Cluster, job: &'a JobHandle, limit: Option<Duration>) -> Self {
        let why = "no pod yet".to_owned();
        Self { cluster, job, begun: Instant::now(), limit, why, pod: None, gives_up: None, looked: None }
    }

    /// Waits until the container runs or has run. The inner error is how it ended without.
    pub(super) async fn wait(
        mut self,
        pods: &mut PodWatch<'_>,
        news: &mut dyn FnMut(News),
    ) -> Result<Result<Started, Verdict>> {
        let mut questions = interval(QUESTION);
        questions.set_missed_tick_behavior(MissedTickBehavior::Delay);
        questions.tick().await;
        loop {
            let (seen, end) = match self.next(pods, &mut questions, news).await? {
                Next::Seen(seen) => (Some(seen), None),
                // Before it is given up, and deleted, the pod is looked at: what is known of it may be old news.
                Next::End(verdict) => (pods.look().await?, Some(verdict)),
            };
            self.looked = end.as_ref().map(|_| Instant::now()).or(self.looked);
            let had_pod = self.pod.is_some();
            match seen {
                Some(Seen::Pod(pod)) => match state::read(&pod, &self.job.container, Timestamp::now()) {
                    PodState::Running => return Ok(Ok(self.started(*pod, None, news))),
                    PodState::Ended(verdict) => return Ok(Ok(self.started(*pod, Some(verdict), news))),
                    PodState::Waiting { why, patience } => {
                        self.why = why;
                        self.pod = Some(*pod);
                        let ends = patience.map(|patience| Instant::now() + patience);
                        self.gives_up = ends.map(|at| self.gives_up.map_or(at, |earlier| earlier.min(at)));
                    }
                },
                Some(Seen::Gone) => return Ok(Err(self.cluster.verdict_without_pod(self.job).await)),
                Some(Seen::Away(why)) => news(News::Away(why)),
                None => {}
            }
            match end {
                // Nobody gives up on what cannot be seen.
                _ if pods.is_away() => {}
                // What was said of a Job without a pod is no longer true of one that has one.
                Some(Some(verdict)) if had_pod == self.pod.is_some() => return Ok(Err(verdict)),
                Some(_) if self.is_hopeless() => return Ok(Err(Verdict::GivenUp(self.why))),
                Some(_) if self.is_late() => {
                    let waited = self.begun.elapsed().as_secs();
                    return Ok(Err(Verdict::GivenUp(format!("not running after {waited} s: {}", self.why))));
                }
                _ => {}
            }
        }
    }

    /// What comes next. Neither do the questions in between disturb the watch, nor does it wait for them.
    async fn next(
        &self,
        pods: &mut PodWatch<'_>,
        questions: &mut Interval,
        news: &mut dyn FnMut(News),
    ) -> Result<Next> {
        let seen = pods.next();
        tokio::pin!(seen);
        let time_is_up = async {
            match self.end() {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        let verdict = async {
            loop {
                questions.tick().await;
                if let Ok(Some(verdict)) = timeout(ANSWER_LIMIT, self.question(news)).await {
                    return verdict;
                }
            }
        };
        tokio::select! {
            biased;
            seen = seen => seen.map(Next::Seen),
            () = time_is_up => Ok(Next::End(None)),
            verdict = verdict => Ok(Next::End(Some(verdict))),
        }
    }

    /// When it is given up at the earliest. While the server is away, it is looked at now and then.
    fn end(&self) -> Option<Instant> {
        let late = self.limit.map(|limit| self.begun + limit);
        let end = self.gives_up.into_iter().chain(late).min()?;
        Some(self.looked.map_or(end, |looked| end.max(looked + QUESTION)))
    }

    /// Asks for what the pod itself does not say; a verdict when nothing will come of the Job.
    async fn question(&self, news: &mut dyn FnMut(News)) -> Option<Verdict> {
        let says_it = self.why.contains(": ");
        let trouble = if says_it { None } else { self.cluster.start_trouble(self.job, self.pod.as_ref()).await };
        match trouble {
            Some(trouble) if trouble.patience.is_some_and(|patience| self.begun.elapsed() >= patience) => {
                return Some(Verdict::GivenUp(trouble.message));
            }
            Some(trouble) => news(News::Waiting(trouble.message)),
            None => news(News::Waiting(self.why.clone())),
        }
        if self.pod.is_none() { self.cluster.verdict_of_job(self.job).await } else { None }
    }

    fn is_late(&self) -> bool {
        self.limit.is_some_and(|limit| self.begun.elapsed() >= limit)
    }

    fn is_hopeless(&self) -> bool {
        self.gives_up.is_some_and(|at| Instant::now() >= at)
    }

    fn started(&self, pod: Pod, verdict: Option<Verdict>, news: &mut dyn FnMut(News)) -> Started {
        let status = status_of(&pod, &self.job.container);
        let image_id = status.map(|status| status.image_id.clone()).unwrap_or_default();
        if !verdict.as_ref().is_some_and(Verdict::never_ran) {
            let image = image_of(&pod, &self.job.container);
            news(News::Started { pod: pod.name_any(), image, image_id });
        }
        Started { pod, verdict }
    }
}

/// What comes next while a Job is waited for.
enum Next {
    Seen(Seen),
    /// It has ended, or never will begin, or (`None`) was waited for long enough.
    End(Option<Verdict>),
}

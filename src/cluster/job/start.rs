//! Waits for a Job's container: why it does not run yet, and when that will not change.

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::ResourceExt;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    super::{Cluster, target::status_of},
    JobHandle, News, Verdict,
    pod_watch::{PodWatch, Seen},
    state::{self, PodState},
};
use crate::error::Result;

/// How often the events are asked for while nothing starts.
const QUESTION: Duration = Duration::from_secs(2);
/// How long a Job may be refused its pod before that counts as final.
const REFUSAL_LIMIT: Duration = Duration::from_secs(10);

/// A Job that has started: its pod, and how it ended when it has.
pub(super) struct Started {
    pub(super) pod: Pod,
    pub(super) verdict: Option<Verdict>,
}

impl Cluster {
    /// Waits until the container runs or has run. The inner error is how it ended without.
    pub(super) async fn wait_for_start(
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
}

fn started(pod: &Pod, job: &JobHandle, verdict: Option<Verdict>, news: &mut dyn FnMut(News)) -> Started {
    let image_id = status_of(pod, &job.container).map(|status| status.image_id.clone()).unwrap_or_default();
    if !verdict.as_ref().is_some_and(Verdict::never_ran) {
        news(News::Started { pod: pod.name_any(), image_id });
    }
    Started { pod: pod.clone(), verdict }
}

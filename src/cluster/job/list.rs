//! The Jobs kdj made, as the cluster remembers them.

use std::time::Duration;

use k8s_openapi::{
    api::batch::v1::{Job, JobStatus},
    jiff::Timestamp,
};
use kube::{ResourceExt, api::ListParams};

use super::{
    super::{Cluster, Glimpse},
    COMMAND, CONTAINER, ENVIRONMENT, HOST, INSTANCE, JobHandle, JobKind, KIND, MANAGED_BY, REASON, RECORD, ROLE,
    START_LIMIT, USER,
    manifest::label,
};
use crate::{environment::Environment, error::Result};

/// How far a Job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its pod does not run yet.
    Pending,
    /// Its pod runs.
    Running,
    /// It ended well.
    Complete,
    /// It ended badly.
    Failed,
}

impl JobState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            JobState::Pending => "pending",
            JobState::Running => "running",
            JobState::Complete => "complete",
            JobState::Failed => "failed",
        }
    }
}

/// A Job of kdj's.
#[derive(Clone, Debug)]
pub struct JobSummary {
    /// The Job itself.
    pub handle: JobHandle,
    /// What it is for.
    pub kind: JobKind,
    /// How far it is.
    pub state: JobState,
    /// Why it failed, in the Job controller's word: `DeadlineExceeded`.
    pub why: Option<String>,
    /// The environment it was made for, by the name used then.
    pub environment: String,
    /// Its role.
    pub role: String,
    /// Who made it.
    pub user: String,
    /// From which machine.
    pub host: String,
    /// Its command, secrets left out.
    pub command: String,
    /// Why it was made.
    pub reason: Option<String>,
    /// The id of the record of its making.
    pub record: Option<String>,
    /// How long its maker waits for its start.
    pub start_limit: Option<Duration>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

impl Cluster {
    /// The Jobs kdj made in an environment, the newest first: one request.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn jobs(&self, environment: &Environment, kinds: &[JobKind]) -> Result<Vec<JobSummary>> {
        let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
        let mut selector = format!("{}={},{KIND} in ({})", MANAGED_BY.0, MANAGED_BY.1, words.join(","));
        if let Some(instance) = &environment.instance {
            selector.push_str(&format!(",{INSTANCE}={}", label(instance)));
        }
        let parameters = ListParams::default().labels(&selector);
        let jobs = self.list_matching::<Job>(&environment.namespace, &parameters).await?;
        let mut jobs: Vec<JobSummary> = jobs.iter().filter_map(JobSummary::of).collect();
        jobs.sort_by(|a, b| (b.created, &a.handle.name).cmp(&(a.created, &b.handle.name)));
        self.tell(Glimpse::Jobs(kinds.to_vec(), jobs.clone()));
        Ok(jobs)
    }

    /// The Job of this name that kdj made, `None` when there is none.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn job(&self, environment: &Environment, name: &str) -> Result<Option<JobSummary>> {
        let job = self.get::<Job>(&environment.namespace, name).await?;
        // Another instance's Job is another environment's, though it has the same namespace.
        let instance = environment.instance.as_deref().map(label);
        let job = job.filter(|job| instance.is_none() || job.labels().get(INSTANCE) == instance.as_ref());
        Ok(job.as_ref().and_then(JobSummary::of))
    }
}

impl JobSummary {
    /// What `job` says of itself; `None` when kdj did not make it.
    pub(super) fn of(job: &Job) -> Option<Self> {
        if job.labels().get(MANAGED_BY.0).map(String::as_str) != Some(MANAGED_BY.1) {
            return None;
        }
        let kind = JobKind::of(job.labels().get(KIND)?)?;
        let annotation = |key: &str| job.annotations().get(key).cloned();
        let status = job.status.clone().unwrap_or_default();
        let (state, why) = state(&status);
        let finished = status.conditions.iter().flatten().find(|it| is_end(&it.type_) && it.status == "True");
        let finished = status.completion_time.or_else(|| finished.and_then(|it| it.last_transition_time.clone()));
        Some(Self {
            // Its pod was made long ago: a watch begins with what is there.
            handle: JobHandle { resource_version: None, ..JobHandle::of(job) },
            kind,
            state,
            why,
            environment: annotation(ENVIRONMENT).unwrap_or_default(),
            role: job.labels().get(ROLE).cloned().unwrap_or_default(),
            user: annotation(USER).unwrap_or_default(),
            host: annotation(HOST).unwrap_or_default(),
            command: annotation(COMMAND).unwrap_or_default(),
            reason: annotation(REASON),
            record: annotation(RECORD).filter(|id| !id.is_empty()),
            start_limit: annotation(START_LIMIT).and_then(|limit| limit.parse().ok()).map(Duration::from_secs),
            created: job.creation_timestamp().map(|time| time.0),
            finished: finished.map(|time| time.0),
        })
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.state, JobState::Complete | JobState::Failed)
    }
}

impl JobHandle {
    /// Whether it has just been made, by this kdj: then it may be unmade without asking.
    pub fn is_new(&self) -> bool {
        self.resource_version.is_some()
    }

    /// The handle of a Job that exists.
    pub(super) fn of(job: &Job) -> Self {
        let spec = job.spec.as_ref();
        let seconds = |value: Option<i64>| value.and_then(|it| u64::try_from(it).ok()).map(Duration::from_secs);
        let own = seconds(spec.and_then(|spec| spec.template.spec.as_ref()?.active_deadline_seconds));
        Self {
            namespace: job.namespace().unwrap_or_default(),
            name: job.name_any(),
            uid: job.uid().unwrap_or_default(),
            container: job.annotations().get(CONTAINER).cloned().unwrap_or_default(),
            timeout: own,
            is_lock: job.labels().get(KIND).map(String::as_str) == Some(JobKind::Migrate.word()),
            kept: spec.is_some_and(|spec| spec.ttl_seconds_after_finished.is_none()),
            resource_version: job.resource_version(),
        }
    }
}

fn is_end(condition: &str) -> bool {
    matches!(condition, "Complete" | "Failed")
}

/// How far the Job is, and why it failed. `FailureTarget` and `SuccessCriteriaMet` come before the pod has ended: they
/// are no end.
fn state(status: &JobStatus) -> (JobState, Option<String>) {
    let condition = |name: &str| {
        status.conditions.iter().flatten().find(|condition| condition.type_ == name && condition.status == "True")
    };
    if let Some(failed) = condition("Failed") {
        return (JobState::Failed, failed.reason.clone());
    }
    if condition("Complete").is_some() {
        return (JobState::Complete, None);
    }
    let ready = status.ready.unwrap_or_default() > 0;
    (if ready { JobState::Running } else { JobState::Pending }, None)
}

#[cfg(test)]
mod tests;

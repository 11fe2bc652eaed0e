//! What becomes of a Job that kdj creates: its pod, what that prints, how it ends, turn by turn.
//!
//! [`player`] takes the turns; [`pod`] is the Job's pod as each leaves it.

mod player;
mod pod;

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;

pub use self::player::play;

/// Any change of an object.
#[derive(Clone)]
pub struct Change(Arc<dyn Fn(&mut Value) + Send + Sync>);

impl Change {
    fn of(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self(Arc::new(change))
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a change")
    }
}

/// One turn of what becomes of a Job. "The container" is the app's: the template's first.
#[derive(Clone, Debug)]
pub enum Turn {
    /// The pod appears; no node has it yet.
    Appears,
    /// No node takes the pod, for this reason.
    Unschedulable(String),
    /// A node has the pod; its containers are created.
    Scheduled,
    /// The image is pulled: an Event says so.
    Pulling,
    /// The container waits, with this reason and message: `ErrImagePull`, `CreateContainerConfigError`.
    Waits(String, String),
    /// All containers run.
    Starts,
    /// The container prints.
    Prints(Vec<u8>),
    /// The container prints so many lines, `line 1` and so on.
    PrintsLines(usize),
    /// The container ends with this code and reason, and the Job with it. Other containers end, too, unless the run
    /// [leaves them](Run::others_go_on).
    Ends(i32, String),
    /// An Event about the pod, with reason and message.
    PodEvent(String, String),
    /// An Event about the Job: `FailedCreate`.
    JobEvent(String, String),
    /// The Job fails, with reason and message: `DeadlineExceeded`. Its pod stays as it is.
    JobFails(String, String),
    /// The pod is gone; its Job does not notice.
    PodGone,
    /// Any other change of the pod.
    PodChanges(Change),
    /// Any other change of the Job.
    JobChanges(Change),
    /// Nothing, for so long.
    Pause(Duration),
    /// Nothing, until [`go_on`](super::ApiServer::go_on).
    Hold,
}

impl Turn {
    /// No node takes the pod.
    pub fn unschedulable(message: &str) -> Self {
        Self::Unschedulable(message.to_owned())
    }

    /// The container waits.
    pub fn waits(reason: &str, message: &str) -> Self {
        Self::Waits(reason.to_owned(), message.to_owned())
    }

    /// The container prints.
    pub fn prints(bytes: impl AsRef<[u8]>) -> Self {
        Self::Prints(bytes.as_ref().to_vec())
    }

    /// The container ends.
    pub fn ends(code: i32) -> Self {
        Self::Ends(code, if code == 0 { "Completed" } else { "Error" }.to_owned())
    }

    /// The container is killed for its memory.
    pub fn oom_killed() -> Self {
        Self::Ends(137, "OOMKilled".to_owned())
    }

    /// An Event about the pod.
    pub fn pod_event(reason: &str, message: &str) -> Self {
        Self::PodEvent(reason.to_owned(), message.to_owned())
    }

    /// An Event about the Job.
    pub fn job_event(reason: &str, message: &str) -> Self {
        Self::JobEvent(reason.to_owned(), message.to_owned())
    }

    /// The Job fails.
    pub fn job_fails(reason: &str, message: &str) -> Self {
        Self::JobFails(reason.to_owned(), message.to_owned())
    }

    /// Any other change of the pod.
    pub fn pod_changes(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::PodChanges(Change::of(change))
    }

    /// Any other change of the Job.
    pub fn job_changes(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::JobChanges(Change::of(change))
    }
}

/// A Job that a test expects to be created, and what becomes of it. It ends early when the Job is deleted.
#[derive(Clone, Debug)]
pub struct Run {
    job: Option<String>,
    times: Option<usize>,
    others_go_on: bool,
    turns: Vec<Turn>,
}

impl Run {
    /// This happens, from the pod's appearing on.
    pub fn plays(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self { job: None, times: Some(1), others_go_on: false, turns: turns.into_iter().collect() }
    }

    /// The pod appears and starts without a hitch; then this happens.
    pub fn starts_and(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self::plays([Turn::Appears, Turn::Scheduled, Turn::Pulling, Turn::Starts].into_iter().chain(turns))
    }

    /// The container prints this and ends with this code.
    pub fn prints(text: &str, code: i32) -> Self {
        Self::starts_and([Turn::prints(text), Turn::ends(code)])
    }

    /// For Jobs whose name begins so.
    pub fn of_job(mut self, prefix: &str) -> Self {
        self.job = Some(prefix.to_owned());
        self
    }

    /// Again and again, and not missed when it never comes.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// The other containers run on when the app's ends: a sidecar that never lets the Job end.
    pub fn others_go_on(mut self) -> Self {
        self.others_go_on = true;
        self
    }
}

/// A [`Run`] that waits for its Job.
pub struct Scripted {
    run: Run,
    used: usize,
}

impl Scripted {
    /// Not used yet.
    pub fn new(run: Run) -> Self {
        Self { run, used: 0 }
    }

    /// Whether it is for this Job.
    pub fn matches(&self, job: &Value) -> bool {
        let name = job["metadata"]["name"].as_str().unwrap_or_default();
        self.run.job.as_deref().is_none_or(|prefix| name.starts_with(prefix))
            && self.run.times.is_none_or(|times| self.used < times)
    }

    /// Uses it.
    pub fn take(&mut self) -> Run {
        self.used += 1;
        self.run.clone()
    }

    /// What is amiss at the end.
    pub fn complaint(&self) -> Option<String> {
        let missed = self.run.times.is_some_and(|times| self.used < times);
        missed.then(|| format!("the Job of this run was never created: {:?}", self.run))
    }
}

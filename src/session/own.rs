//! A session's own pod: whether one is wanted, what it is to be like, and what is said of it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use super::{
    outcome::{KILLED, TERMINATED},
    runtime_words,
};
use crate::{
    cluster::{Cluster, Ending, JobHandle, Target, Verdict, Wanted},
    environment::{Environment, SessionMode},
    error::{Error, Result},
    exit::Failure,
    keeper, ui,
};

/// How long the question may take how a pod ended.
const QUESTION_LIMIT: Duration = Duration::from_secs(7);

/// 128 and SIGINT's number: what Ctrl-C ends a process with.
const INTERRUPTED: u8 = 130;
/// 128 and SIGQUIT's number: what Ctrl-\ ends a process with.
const QUIT: u8 = 131;

/// In which pod a session opens, as the flags say.
#[derive(Clone, Debug, Default)]
pub struct Opens {
    /// In a running one or in one of its own; as configured when nothing is said.
    pub asked: Option<SessionMode>,
    /// What a pod of its own is to be like.
    pub settings: PodSettings,
}

/// What a session's own pod is to be like, where it differs from the template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodSettings {
    /// CPU to ask for.
    pub cpu: Option<String>,
    /// Memory to ask for and to be limited to.
    pub memory: Option<String>,
    /// The image.
    pub image: Option<String>,
    /// How long it may live.
    pub timeout: Option<Duration>,
}

impl Opens {
    /// Whether it opens in a pod of its own. A pod asked for by name is a running one.
    ///
    /// # Errors
    /// When it does not, and something is said about such a pod.
    pub fn is_fresh(&self, environment: &Environment, wanted: &Wanted) -> Result<bool> {
        let mode = match (&wanted.pod, self.asked) {
            (Some(_), _) => SessionMode::Exec,
            (None, asked) => asked.unwrap_or(environment.session),
        };
        if mode == SessionMode::Exec && self.settings != PodSettings::default() {
            return Err(Error::usage(
                "`--cpu`, `--memory`, `--image` and `--timeout` are for a pod of the session's own",
            )
            .hint("ask for one: `--fresh`"));
        }
        Ok(mode == SessionMode::Fresh)
    }
}

/// A pod made for one session.
pub struct Own {
    /// Its Job, of the same name as the session.
    pub(super) job: JobHandle,
    /// Whether the program goes on when the connection ends.
    pub(super) kept: bool,
    /// Whether it was made just now: nothing is lost with it when the session does not open.
    pub(super) new: bool,
    /// When the cluster ends it.
    pub(super) until: Timestamp,
}

impl Own {
    /// For how long it may live on: `12h`.
    pub(super) fn left(&self) -> String {
        ui::left(Timestamp::now(), self.until)
    }

    /// Whether the Job is left alone after this ending, since the program goes on or may.
    pub(super) fn stays(&self, ending: &Ending) -> bool {
        match ending {
            Ending::Lost(_) => true,
            Ending::Left | Ending::Signal(_) => self.kept,
            _ => false,
        }
    }

    /// Whether only the pod tells if the program has ended: what is executed is not the program but what connects with
    /// it, and may fail or be killed by itself. Before a program was taken up again, a key may have ended it, too.
    pub(super) fn is_unclear(&self, ending: &Ending) -> bool {
        self.kept
            && match ending {
                Ending::Exited(code) => match *code {
                    keeper::MAY_GO_ON | KILLED | TERMINATED => true,
                    INTERRUPTED | QUIT => !self.new,
                    _ => false,
                },
                Ending::Refused(_) | Ending::OutputClosed => true,
                // In a pod of its own: it did not begin.
                Ending::NotFound(_) | Ending::CannotExec(_) | Ending::Gone(_) => !self.new,
                Ending::Lost(_) | Ending::Left | Ending::Signal(_) => false,
            }
    }

    /// Whether the Job is left alone after this error: it is not the program's end, and of a new one nobody knows
    /// whether it began.
    pub(super) fn stays_after(&self, error: &Error) -> bool {
        !self.new || error.failure() == Failure::Lost
    }

    /// How the pod ended; `None` when it has not, or nobody knows.
    pub(super) async fn end(&self, cluster: &Cluster) -> Option<Verdict> {
        timeout(QUESTION_LIMIT, cluster.session_end(&self.job)).await.ok()?
    }

    /// Says how to come back, and how to end it.
    pub(super) fn hints(&self, error: Error, environment: &Environment) -> Error {
        let (left, environment, name) = (self.left(), &environment.name, &self.job.name);
        let again = format!("take it up again, for another {left}: `kdj sessions attach {environment} {name}`");
        let error = if self.kept { error.hint(again) } else { error };
        error.hint(format!("end it: `kdj sessions end {environment} {name}`"))
    }

    /// Why the session ended: how its pod did, or, when the program was killed in it, by what.
    pub(super) async fn why(&self, cluster: &Cluster, target: &Target, killed: bool) -> Option<String> {
        match self.end(cluster).await {
            Some(verdict) => Some(words(&verdict)),
            None if killed => cluster.why_ended(target, killed).await,
            None => None,
        }
    }

    /// The error of a session whose pod has ended.
    pub(super) fn over(&self, verdict: &Verdict) -> Error {
        let failure = if *verdict == Verdict::TimedOut { Failure::TimedOut } else { Failure::Lost };
        Error::new(failure, format!("session `{}` is over", self.job.name)).caused_by(words(verdict))
    }
}

/// How a pod ended.
pub(super) fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::TimedOut => "its time was over, and the cluster ended it".to_owned(),
        Verdict::Deleted => "its job was deleted".to_owned(),
        Verdict::Exited(code) => format!("its container ended with exit code {code}"),
        Verdict::Killed { why, .. } | Verdict::Unknown(why) => why.clone(),
        Verdict::NotFound(why) | Verdict::CannotExec(why) | Verdict::NotStarted(why) | Verdict::GivenUp(why) => {
            runtime_words(why).to_owned()
        }
        Verdict::OutputClosed => "nobody reads its output".to_owned(),
    }
}

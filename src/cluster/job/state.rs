//! How far a Job's pod is, read from the pod alone.

use std::time::Duration;

use k8s_openapi::{
    api::core::v1::{ContainerStateTerminated, ContainerStateWaiting, Pod, PodStatus},
    jiff::{SignedDuration, Timestamp},
};
use kube::ResourceExt;

use super::{
    super::{
        session::{Ending, start_failure},
        target::{describe, is_running, killed_without_evidence, oom_killed, status_of},
    },
    Verdict,
};

/// How long an image may fail to be pulled, or a container to be made: registries and runtimes have their moments.
const PULL_LIMIT: Duration = Duration::from_secs(60);
/// The exit code containerd and the kubelet give a container that could not be started.
const START_ERROR: &str = "StartError";
/// The code of a container that nobody knows the end of.
const UNKNOWN: &str = "ContainerStatusUnknown";

/// How far a pod is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PodState {
    /// Its container does not run yet: why, and how long that may last when it hardly heals by itself.
    Waiting { why: String, patience: Option<Duration> },
    /// Its container runs.
    Running,
    /// Its container has ended.
    Ended(Verdict),
}

/// Reads the state of `pod`; `container` is its app's.
pub(super) fn read(pod: &Pod, container: &str, now: Timestamp) -> PodState {
    let status = pod.status.clone().unwrap_or_default();
    let own = status_of(pod, container);
    let state = own.and_then(|own| own.state.clone()).unwrap_or_default();
    if let Some(ended) = &state.terminated {
        return PodState::Ended(verdict(pod, &status, container, ended));
    }
    let failed = status.phase.as_deref() == Some("Failed");
    if state.running.is_some() {
        return match failed {
            // So a pod looks whose node is lost.
            true => PodState::Ended(Verdict::Unknown(format!("pod {}: {}", pod.name_any(), describe(pod, now)))),
            false => PodState::Running,
        };
    }
    if failed {
        return PodState::Ended(without_container(pod, &status, now));
    }
    let all = status.init_container_statuses.iter().flatten().chain(own);
    let patience = all.filter_map(|status| status.state.as_ref()?.waiting.as_ref()).find_map(patience);
    PodState::Waiting { why: describe(pod, now), patience }
}

/// The containers that run beside the app's; native sidecars are none, as they end with it.
pub(super) fn others_running(pod: &Pod, container: &str) -> Vec<String> {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let others = statuses.filter(|status| status.name != container);
    others.filter(|status| is_running(status)).map(|status| status.name.clone()).collect()
}

/// 128 and SIGKILL's number.
const KILLED: u8 = 137;

/// How a container ended. What befell its pod afterwards is no verdict on it.
fn verdict(pod: &Pod, status: &PodStatus, container: &str, ended: &ContainerStateTerminated) -> Verdict {
    let message = ended.message.clone().unwrap_or_default();
    let code = u8::try_from(ended.exit_code).unwrap_or(u8::MAX);
    match ended.reason.as_deref() {
        Some(START_ERROR) => {
            return match start_failure(message) {
                Ending::NotFound(message) => Verdict::NotFound(message),
                Ending::CannotExec(message) => Verdict::CannotExec(message),
                Ending::Gone(message) | Ending::Refused(message) | Ending::Lost(message) => {
                    Verdict::NotStarted(message)
                }
                _ => Verdict::NotStarted("the runtime gave no reason".to_owned()),
            };
        }
        // So the kubelet words it, too, when the time ran out before the container was made.
        Some(UNKNOWN) if is_late(status) => return Verdict::TimedOut,
        Some(UNKNOWN) => return Verdict::Unknown(format!("the node lost container `{container}`")),
        Some("OOMKilled") => return Verdict::Killed { code, why: oom_killed(pod, container) },
        _ => {}
    }
    let before =
        |time: Option<Timestamp>| time.is_some_and(|time| ended.finished_at.as_ref().is_some_and(|end| end.0 < time));
    if is_late(status) {
        return if before(deadline(pod, status)) { Verdict::Exited(code) } else { Verdict::TimedOut };
    }
    let why = match (status.reason.as_deref(), disruption(status), asked_to_go(pod)) {
        (Some(reason), ..) => format!("{reason}: {}", status.message.as_deref().unwrap_or("no message")),
        (None, Some((time, _)), _) if before(time) => return Verdict::Exited(code),
        (None, Some((_, message)), _) => message,
        (None, None, Some(time)) if !before(Some(time)) => "it was deleted".to_owned(),
        (None, None, _) if code == KILLED => {
            return Verdict::Killed { code, why: killed_without_evidence(Some(pod), container) };
        }
        (None, None, _) => return Verdict::Exited(code),
    };
    Verdict::Killed { code, why: format!("pod {}: {why}", pod.name_any()) }
}

fn is_late(status: &PodStatus) -> bool {
    status.reason.as_deref() == Some("DeadlineExceeded")
}

/// When the pod's time is over.
fn deadline(pod: &Pod, status: &PodStatus) -> Option<Timestamp> {
    let limit = pod.spec.as_ref()?.active_deadline_seconds?;
    Some(status.start_time.as_ref()?.0 + SignedDuration::from_secs(limit))
}

/// When somebody deleted the pod: the timestamp says when it has to be gone.
fn asked_to_go(pod: &Pod) -> Option<Timestamp> {
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or_default();
    Some(pod.metadata.deletion_timestamp.as_ref()?.0 - SignedDuration::from_secs(grace))
}

/// How a pod ended whose container never ran.
fn without_container(pod: &Pod, status: &PodStatus, now: Timestamp) -> Verdict {
    if is_late(status) {
        return Verdict::NotStarted(format!("the time ran out before pod {} ran", pod.name_any()));
    }
    let init = status.init_container_statuses.iter().flatten().find_map(|init| {
        let ended = init.state.as_ref()?.terminated.as_ref().filter(|ended| ended.exit_code != 0)?;
        Some(format!("init container `{}` ended with exit code {}", init.name, ended.exit_code))
    });
    Verdict::NotStarted(init.unwrap_or_else(|| describe(pod, now)))
}

/// When the pod was evicted or preempted, and why.
fn disruption(status: &PodStatus) -> Option<(Option<Timestamp>, String)> {
    let mut conditions = status.conditions.iter().flatten();
    let target = conditions.find(|it| it.type_ == "DisruptionTarget" && it.status == "True")?;
    let reason = target.reason.as_deref().unwrap_or("disrupted");
    let message = format!("{reason}: {}", target.message.as_deref().unwrap_or("no message"));
    Some((target.last_transition_time.as_ref().map(|time| time.0), message))
}

/// How long it is worth to wait for a container that waits: not at all, a while, or (`None`) as long as may be.
pub(in crate::cluster) fn patience(waiting: &ContainerStateWaiting) -> Option<Duration> {
    let message = waiting.message.as_deref().unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match waiting.reason.as_deref().unwrap_or_default() {
        "InvalidImageName" | "ErrImageNeverPull" => Some(Duration::ZERO),
        "ErrImagePull" | "ImagePullBackOff" => {
            let final_words = says(&["not found", "manifest unknown", "does not exist", "access denied"]);
            Some(if final_words { Duration::ZERO } else { PULL_LIMIT })
        }
        "CreateContainerError" | "RunContainerError" => {
            let final_words = matches!(start_failure(message.to_owned()), Ending::NotFound(_) | Ending::CannotExec(_));
            Some(if final_words { Duration::ZERO } else { PULL_LIMIT })
        }
        // "failed to sync secret cache" heals by itself.
        "CreateContainerConfigError" => {
            says(&["not found", "couldn't find key", "non-root", "run as root"]).then_some(Duration::ZERO)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! How far a Job's pod is, read from the pod alone.

use std::time::Duration;

use k8s_openapi::{
    api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod, PodStatus},
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{
    super::{
        session::{Ending, start_failure},
        target::{describe, status_of},
    },
    Verdict,
};

/// How long an image may fail to be pulled: registries have their moments.
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
    if state.running.is_some() {
        return PodState::Running;
    }
    if status.phase.as_deref() == Some("Failed") {
        return PodState::Ended(without_container(pod, &status, now));
    }
    PodState::Waiting { why: describe(pod, now), patience: patience(&status, own) }
}

/// How a container ended.
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
        Some(UNKNOWN) => return Verdict::Unknown(format!("the node lost container `{container}`")),
        Some("OOMKilled") => {
            let limit = memory_limit(pod, container).map(|limit| format!(", its memory limit is {limit}"));
            let why = format!("container `{container}` was OOMKilled{}", limit.unwrap_or_default());
            return Verdict::Killed { code, why };
        }
        _ => {}
    }
    if status.reason.as_deref() == Some("DeadlineExceeded") {
        return Verdict::TimedOut;
    }
    let why = match status.reason.as_deref() {
        Some(reason) => format!("{reason}: {}", status.message.as_deref().unwrap_or("no message")),
        None => match disruption(status) {
            Some(message) => message,
            None if pod.metadata.deletion_timestamp.is_some() => "its pod was deleted".to_owned(),
            None => return Verdict::Exited(code),
        },
    };
    Verdict::Killed { code, why: format!("pod {}: {why}", pod.name_any()) }
}

/// How a pod ended whose container never ran.
fn without_container(pod: &Pod, status: &PodStatus, now: Timestamp) -> Verdict {
    if status.reason.as_deref() == Some("DeadlineExceeded") {
        return Verdict::NotStarted(format!("the time ran out before pod {} ran", pod.name_any()));
    }
    let init = status.init_container_statuses.iter().flatten().find_map(|init| {
        let ended = init.state.as_ref()?.terminated.as_ref().filter(|ended| ended.exit_code != 0)?;
        Some(format!("init container `{}` ended with exit code {}", init.name, ended.exit_code))
    });
    Verdict::NotStarted(init.unwrap_or_else(|| describe(pod, now)))
}

fn disruption(status: &PodStatus) -> Option<String> {
    let conditions = status.conditions.iter().flatten();
    let target = conditions.filter(|it| it.type_ == "DisruptionTarget" && it.status == "True").next()?;
    Some(format!(
        "{}: {}",
        target.reason.as_deref().unwrap_or("disrupted"),
        target.message.as_deref().unwrap_or("no message")
    ))
}

/// How long it is worth to wait for a container in trouble: not at all, a while, or (`None`) as long as may be.
fn patience(status: &PodStatus, own: Option<&ContainerStatus>) -> Option<Duration> {
    let init = status.init_container_statuses.iter().flatten();
    let waiting = |status: &ContainerStatus| status.state.as_ref().and_then(|state| state.waiting.clone());
    init.chain(own).filter_map(waiting).find_map(|waiting| {
        let message = waiting.message.as_deref().unwrap_or_default();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match waiting.reason.as_deref().unwrap_or_default() {
            "InvalidImageName" | "ErrImageNeverPull" => Some(Duration::ZERO),
            "ErrImagePull" | "ImagePullBackOff" => {
                let final_words = says(&["not found", "manifest unknown", "does not exist", "access denied"]);
                Some(if final_words { Duration::ZERO } else { PULL_LIMIT })
            }
            // "failed to sync secret cache" heals by itself.
            "CreateContainerConfigError" => {
                says(&["not found", "couldn't find key", "non-root", "run as root"]).then_some(Duration::ZERO)
            }
            _ => None,
        }
    })
}

fn memory_limit(pod: &Pod, container: &str) -> Option<String> {
    let container = pod.spec.as_ref()?.containers.iter().find(|candidate| candidate.name == container)?;
    Some(container.resources.as_ref()?.limits.as_ref()?.get("memory")?.0.clone())
}

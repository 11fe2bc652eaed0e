//! What state a pod is in and why, in one line.

use k8s_openapi::{
    api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodCondition, PodStatus},
    jiff::Timestamp,
};

/// How much of the start and of the end of a long message of the cluster is shown: pull errors name the image first and
/// the cause last.
const MESSAGE_START: usize = 100;
const MESSAGE_END: usize = 80;

/// Why a pod is as it is: `CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts`, `ready`.
pub(in crate::cluster) fn describe(pod: &Pod, now: Timestamp) -> String {
    let Some(status) = &pod.status else { return "Pending".to_owned() };
    if let Some(deleted) = &pod.metadata.deletion_timestamp {
        return format!("Terminating, asked to go {}", ago(deleted.0, now));
    }
    match status.phase.as_deref() {
        Some("Succeeded") => return "Completed".to_owned(),
        Some("Failed") => return failed(status, now),
        Some("Unknown") => return with_message("Unknown, its node is lost", status.message.as_deref()),
        _ => {}
    }
    if let Some(scheduled) = condition(status, "PodScheduled").filter(|scheduled| scheduled.status == "False") {
        let reason = scheduled.reason.as_deref().unwrap_or("not scheduled");
        return with_message(&format!("Pending, {reason}"), scheduled.message.as_deref());
    }
    let init = status.init_container_statuses.iter().flatten().find_map(|container| {
        problem(container, now).map(|problem| format!("init container `{}`: {problem}", container.name))
    });
    if let Some(init) = init {
        return init;
    }
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    let trouble = containers.iter().find_map(|container| Some((container, problem(container, now)?)));
    match trouble {
        Some((_, problem)) if containers.len() == 1 => problem,
        Some((container, problem)) => format!("container `{}`: {problem}", container.name),
        None => without_problem(status, containers),
    }
}

/// The state of a pod in which no container is in trouble.
fn without_problem(status: &PodStatus, containers: &[ContainerStatus]) -> String {
    if status.phase.as_deref() == Some("Pending") {
        return "Pending".to_owned();
    }
    if let Some(container) = containers.iter().find(|container| !container.ready) {
        let restarts = restarts(container.restart_count);
        return format!("running, container `{}` is not ready{restarts}", container.name);
    }
    match condition(status, "Ready") {
        Some(ready) if ready.status == "True" => "ready".to_owned(),
        ready => with_message("running, not ready", ready.and_then(|ready| ready.message.as_deref())),
    }
}

/// Why a container does not run, if it should and does not.
pub(super) fn problem(status: &ContainerStatus, now: Timestamp) -> Option<String> {
    let state = status.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or("waiting");
        let last = status.last_state.as_ref().and_then(|last| last.terminated.as_ref());
        return Some(match (reason, last) {
            ("PodInitializing", _) => return None,
            ("CrashLoopBackOff", Some(last)) => {
                format!("{reason}, last {}{}", exit(last, now), restarts(status.restart_count))
            }
            _ => with_message(reason, waiting.message.as_deref()),
        });
    }
    let terminated = state.terminated.as_ref()?;
    let done = terminated.exit_code == 0 && terminated.signal.is_none();
    (!done).then(|| format!("{}{}", exit(terminated, now), restarts(status.restart_count)))
}

/// The state of one container, in a word or a line: `running`, `waiting: ImagePullBackOff: …`, `exit 0 (Completed) …`.
pub(super) fn describe_container(status: &ContainerStatus, now: Timestamp) -> String {
    if is_running(status) {
        return "running".to_owned();
    }
    let terminated = |state: &ContainerState| state.terminated.as_ref().map(|terminated| exit(terminated, now));
    problem(status, now).or_else(|| status.state.as_ref().and_then(terminated)).unwrap_or_else(|| "waiting".to_owned())
}

/// Whether a container runs.
pub(in crate::cluster) fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

/// `exit 1 (Error) 12 s ago`.
fn exit(terminated: &ContainerStateTerminated, now: Timestamp) -> String {
    let reason = terminated.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let when = terminated.finished_at.as_ref().map(|time| format!(" {}", ago(time.0, now))).unwrap_or_default();
    format!("exit {}{reason}{when}", terminated.exit_code)
}

fn failed(status: &PodStatus, now: Timestamp) -> String {
    match &status.reason {
        Some(reason) => with_message(reason, status.message.as_deref()),
        None => {
            let problem = status.container_statuses.iter().flatten().find_map(|container| problem(container, now));
            problem.map_or_else(|| "Failed".to_owned(), |problem| format!("Failed, {problem}"))
        }
    }
}

fn condition<'a>(status: &'a PodStatus, name: &str) -> Option<&'a PodCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == name)
}

fn restarts(count: i32) -> String {
    match count {
        0 => String::new(),
        1 => ", 1 restart".to_owned(),
        count => format!(", {count} restarts"),
    }
}

/// `what`, and the cluster's message on one line and not too long.
fn with_message(what: &str, message: Option<&str>) -> String {
    let message = message.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let message = message.trim_end_matches('.');
    let characters: Vec<char> = message.chars().collect();
    if message.is_empty() {
        what.to_owned()
    } else if characters.len() <= MESSAGE_START + MESSAGE_END {
        format!("{what}: {message}")
    } else {
        let start: String = characters[..MESSAGE_START].iter().collect();
        let end: String = characters[characters.len() - MESSAGE_END..].iter().collect();
        format!("{what}: {start} … {end}")
    }
}

/// How long ago, in its largest unit: `12 s ago`, `3 h ago`.
pub(super) fn ago(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(time.as_second()).max(0);
    match seconds {
        0..=119 => format!("{seconds} s ago"),
        120..=7199 => format!("{} min ago", seconds / 60),
        7200..=172_799 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::target::fixtures::{now, pod};

    fn waiting(reason: &str, message: &str) -> Value {
        json!({"waiting": {"reason": reason, "message": message}})
    }

    #[test]
    fn a_pod_s_state_names_its_cause() {
        let init = json!([{"name": "migrate", "image": "i", "imageID": "", "ready": false, "restartCount": 2,
            "state": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-03-01T11:50:00Z"}}}]);
        let oom = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-03-01T09:00:00Z"}});
        for (pod, expected) in [
            (pod("a"), "ready"),
            (pod("a").crash_looping(), "CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts"),
            (pod("a").state(oom, Value::Null, 1), "exit 137 (OOMKilled) 3 h ago, 1 restart"),
            (
                pod("a").state(waiting("ImagePullBackOff", "Back-off pulling image \"shop:9\""), Value::Null, 0),
                "ImagePullBackOff: Back-off pulling image \"shop:9\"",
            ),
            (
                pod("a").state(waiting("CreateContainerConfigError", "secret \"shop\" not found"), Value::Null, 0),
                "CreateContainerConfigError: secret \"shop\" not found",
            ),
            (pod("a").unschedulable(), "Pending, Unschedulable: 0/3 nodes are available: 3 Insufficient cpu"),
            (pod("a").phase("Pending"), "Pending"),
            (pod("a").not_ready(), "running, not ready"),
            (
                pod("a").container("web", &[]).set("/status/containerStatuses/0/ready", json!(false)),
                "running, container `web` is not ready",
            ),
            (pod("a").terminating(), "Terminating, asked to go 10 s ago"),
            (pod("a").phase("Succeeded"), "Completed"),
            (
                pod("a")
                    .phase("Failed")
                    .set("/status/reason", json!("Evicted"))
                    .set("/status/message", json!("The node was low on resource: memory. \n")),
                "Evicted: The node was low on resource: memory",
            ),
            (pod("a").phase("Unknown"), "Unknown, its node is lost"),
            (
                pod("a").phase("Pending").set("/status/initContainerStatuses", init),
                "init container `migrate`: exit 1 (Error) 10 min ago, 2 restarts",
            ),
            (
                pod("a").container("app", &[]).container("proxy", &[]).crash_looping(),
                "container `app`: CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts",
            ),
        ] {
            assert_eq!(describe(&pod.build(), now()), expected);
        }
    }

    #[test]
    fn long_messages_keep_their_start_and_end() {
        let message = format!("pulling shop:9{}no such host", "é".repeat(500));
        let text = describe(&pod("a").state(waiting("ErrImagePull", &message), Value::Null, 0).build(), now());
        assert!(text.starts_with("ErrImagePull: pulling shop:9é") && text.ends_with("éno such host"), "{text}");
        assert_eq!(text.chars().count(), "ErrImagePull:  … ".len() - 2 + MESSAGE_START + MESSAGE_END);
    }
}

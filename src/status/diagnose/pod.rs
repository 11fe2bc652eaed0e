//! Why one pod does not do its work.

use jiff::Timestamp;

use super::{
    super::{Container, Event, Pod, Waiting},
    LATELY, STARTING, ago,
};

/// How long a pod may be without its volumes and its network before somebody says so, in seconds.
const MOUNTING: i64 = 20;
/// From how many restarts on a container that runs at the moment ends again and again.
const MANY_RESTARTS: u32 = 2;

/// What is the matter with a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// How sure it is the cause of what is broken: the lower, the surer.
    pub(super) rank: u8,
    /// Whether it does not pass by itself.
    pub(super) lasting: bool,
    /// What it is, in a line, without the pod's name.
    pub(super) text: String,
    /// What speaks for it.
    pub(super) evidence: Vec<String>,
    /// The container whose log says more.
    pub(super) logged: Option<String>,
    /// What to do about it.
    pub(super) remedy: Remedy,
}

/// What to do about a trouble: which command comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Read the log of its container, which has ended.
    Log,
    /// Read the log of the run before.
    PreviousLog,
    /// See what was released, and go back.
    Releases,
    /// See which variables and files it gets.
    Config,
    /// See how many there are of everything.
    Scale,
    /// See what the cluster says of it.
    Events,
}

/// What is the matter with a live pod that is not ready; `None` when nothing is, or it has only begun to start.
pub(super) fn trouble(pod: &Pod, events: &[Event], now: Timestamp) -> Option<Trouble> {
    let told = |reasons: &[&str]| evidence(pod, events, reasons);
    if let Some(why) = &pod.unschedulable {
        let evidence = told(&["FailedScheduling"]);
        return Some(trouble_of(2, format!("no node takes it: {why}"), evidence, Remedy::Scale));
    }
    if pod.phase == "Unknown" {
        return Some(trouble_of(2, format!("its node does not answer: {}", pod.reason), Vec::new(), Remedy::Events));
    }
    if let Some(found) = pod.containers.iter().find_map(|container| of_container(pod, container, events, now)) {
        return Some(found);
    }
    let creating = pod.containers.iter().any(|container| {
        container
            .waiting
            .as_ref()
            .is_some_and(|it| matches!(it.reason.as_str(), "ContainerCreating" | "PodInitializing"))
    });
    let age = pod.age(now);
    if creating && age > MOUNTING {
        let mounts = told(&["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedBinding"]);
        if let Some(first) = mounts.first() {
            let text = format!("it cannot get what it needs to start: {}", message_of(first));
            return Some(trouble_of(1, text, mounts, Remedy::Config));
        }
    }
    if pod.ready {
        return None;
    }
    not_ready(pod, events, now)
}

/// A pod whose containers all run, or are on their way, and that is not ready.
fn not_ready(pod: &Pod, events: &[Event], now: Timestamp) -> Option<Trouble> {
    let container = pod.containers.iter().find(|container| !container.init && !container.ready);
    let probes = evidence(pod, events, &["Unhealthy", "ProbeWarning"]);
    let age = container.and_then(|it| it.running_since).map_or(pod.age(now), |at| now.as_second() - at.as_second());
    let name = container.map(|container| format!("container `{}` ", container.name)).unwrap_or_default();
    let why = match probes.first() {
        Some(probe) => format!("{name}is not ready: {}", message_of(probe)),
        None => format!("{name}is not ready"),
    };
    let logged = container.filter(|it| it.running_since.is_some()).map(|container| container.name.clone());
    let remedy = if logged.is_some() { Remedy::Log } else { Remedy::Events };
    Some(Trouble { lasting: age > STARTING, logged, ..trouble_of(4, why, probes, remedy) })
}

fn of_container(pod: &Pod, container: &Container, events: &[Event], now: Timestamp) -> Option<Trouble> {
    let name = match container.init {
        true => format!("init container `{}`", container.name),
        false => format!("container `{}`", container.name),
    };
    let told = |reasons: &[&str]| evidence(pod, events, reasons);
    if let Some(Waiting { reason, message }) = &container.waiting {
        match reason.as_str() {
            "ErrImagePull"
            | "ImagePullBackOff"
            | "InvalidImageName"
            | "ErrImageNeverPull"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "ErrImagePullBackOff" => {
                let evidence = told(&["Failed", "InspectFailed", "ErrImageNeverPull"]);
                let why = evidence.iter().map(|line| message_of(line)).find(|line| line.contains("rpc error"));
                let why = root_of(why.unwrap_or(message));
                let text = format!("image `{}` cannot be pulled ({reason}){why}", container.image);
                return Some(trouble_of(0, text, evidence, Remedy::Releases));
            }
            "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "StartError"
            | "PreCreateHookError"
            | "PreStartHookError"
            | "PostStartHookError" => {
                let text = format!("{name} cannot be started ({reason}): {message}");
                return Some(trouble_of(0, text, told(&["Failed"]), Remedy::Config));
            }
            "CrashLoopBackOff" => return Some(crashing(pod, container, &name, events, Remedy::Log, now)),
            _ => {}
        }
    }
    if container.exit.as_ref().is_some_and(|exit| !(container.init && exit.is_success())) {
        return Some(crashing(pod, container, &name, events, Remedy::Log, now));
    }
    let since = container.running_since?;
    let again = container.restarts >= MANY_RESTARTS && now.as_second() - since.as_second() < STARTING;
    let failed = container.last_exit.as_ref().is_some_and(|exit| !exit.is_success() && exit.age(now) < LATELY);
    (again && failed).then(|| crashing(pod, container, &name, events, Remedy::PreviousLog, now))
}

/// A container that ends and is started again and again.
fn crashing(pod: &Pod, container: &Container, name: &str, events: &[Event], remedy: Remedy, now: Timestamp) -> Trouble {
    let Some(exit) = container.exit.as_ref().or(container.last_exit.as_ref()) else {
        return trouble_of(1, format!("{name} ends again and again"), Vec::new(), remedy);
    };
    let limit = container.memory_limit.as_ref();
    let probes = evidence(pod, events, &["Unhealthy"]);
    let liveness = probes.iter().find(|line| line.contains("Liveness") || line.contains("Startup"));
    let why = match exit.code {
        _ if exit.is_oom() => {
            let limit = limit.map(|limit| format!(", its memory limit is {limit}")).unwrap_or_default();
            format!("{name} was OOMKilled{limit}")
        }
        137 | 143 if liveness.is_some() => {
            let probe = liveness.map(|line| message_of(line)).unwrap_or_default();
            format!("{name} was killed by its probe: {probe}")
        }
        137 => {
            let limit = limit.map(|limit| format!("the memory limit ({limit})"));
            let limit = limit.unwrap_or_else(|| "want of memory".to_owned());
            format!("{name} ends with exit 137: SIGKILL, often {limit}")
        }
        0 => format!("{name} ends with exit 0: what it starts does not stay"),
        127 => format!("{name} ends with exit 127: its command was not found"),
        126 => format!("{name} ends with exit 126: its command cannot be executed"),
        _ => format!("{name} ends with {}", exit.text()),
    };
    let times = match container.restarts {
        0 => String::new(),
        1 => ", restarted once".to_owned(),
        times => format!(", restarted {times} times"),
    };
    let when = exit.at.map(|at| format!(", last {}", ago(at, now))).unwrap_or_default();
    let evidence = evidence(pod, events, &["BackOff", "Unhealthy", "Killing", "OOMKilling"]);
    let logged = Some(container.name.clone());
    Trouble { logged, ..trouble_of(1, format!("{why}{times}{when}"), evidence, remedy) }
}

fn trouble_of(rank: u8, text: String, evidence: Vec<String>, remedy: Remedy) -> Trouble {
    Trouble { rank, lasting: true, text, evidence, logged: None, remedy }
}

/// What the cluster told of a pod for these reasons, a line each, the newest first.
fn evidence(pod: &Pod, events: &[Event], reasons: &[&str]) -> Vec<String> {
    let object = format!("pod/{}", pod.name);
    let about = events.iter().filter(|event| event.object == object && reasons.contains(&event.reason.as_str()));
    let mut lines: Vec<String> = about.map(|event| format!("{}: {}", event.reason, event.message)).collect();
    lines.dedup();
    lines.truncate(3);
    lines
}

/// The message of a line of evidence.
fn message_of(line: &str) -> &str {
    line.split_once(": ").map_or(line, |(_, message)| message)
}

/// The end of a pull error, which names the cause: `…: not found`.
fn root_of(message: &str) -> String {
    let last = message.trim_end_matches('.').rsplit(": ").next().unwrap_or_default().trim();
    if last.is_empty() || last.contains("Back-off") { String::new() } else { format!(": {last}") }
}

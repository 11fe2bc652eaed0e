//! Why one pod does not do its work.

use jiff::Timestamp;

use super::{
    super::{Container, Event, Pod, Waiting},
    LATELY, STARTING, STARTING_SLOWLY, ago,
};

/// The rank of a pod that merely is not ready.
pub(super) const NOT_READY: u8 = 4;
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
    /// Whether that container ended by itself: what it raised is the cause.
    pub(super) raised: bool,
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
        return Some(without_node(pod, why, events, now));
    }
    if pod.abandoned || pod.phase == "Unknown" {
        let node = pod.node.as_ref().map(|node| format!(" {node}")).unwrap_or_default();
        let evidence = told(&["NodeNotReady"]);
        return Some(trouble_of(2, format!("its node{node} does not answer"), evidence, Remedy::Events));
    }
    // A container that never ran tells more than the others, which may end because of it.
    let found = pod.containers.iter().filter_map(|container| of_container(pod, container, events, now));
    if let Some(found) = found.min_by_key(|found| found.rank) {
        return Some(found);
    }
    let mut waiting = pod.containers.iter().filter_map(|container| container.waiting.as_ref());
    let creating = waiting.any(|it| is_being_made(&it.reason));
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

/// A pod that should be gone, and keeps another from taking its place.
pub(super) fn stuck(pod: &Pod, now: Timestamp) -> Option<Trouble> {
    let overdue = pod.overdue(now).filter(|overdue| *overdue > STARTING)?;
    let at = now.as_second() - overdue;
    let when = Timestamp::from_second(at).map(|at| format!(" {}", ago(at, now))).unwrap_or_default();
    let node = pod.node.as_ref().map(|node| format!(" {node}")).unwrap_or_default();
    let text = format!("it was to be gone{when} and is not: its node{node} does not answer, or a finalizer keeps it");
    Some(trouble_of(2, text, Vec::new(), Remedy::Events))
}

/// A pod that has no node. Where nodes are made when they are needed, one takes minutes; until it is sure that none comes,
/// it is waited for.
fn without_node(pod: &Pod, why: &str, events: &[Event], now: Timestamp) -> Trouble {
    /// How long it may take where nobody says that a node is made, in seconds.
    const PATIENCE: i64 = 300;
    let told = |reasons: &[&str]| evidence(pod, events, reasons);
    let age = pod.age(now);
    let (coming, none) = (told(&["TriggeredScaleUp"]), told(&["NotTriggerScaleUp"]));
    let fits_nowhere = age > MOUNTING && why.contains("didn't match Pod's node affinity/selector");
    let lasting = match coming.is_empty() {
        true => age > PATIENCE || fits_nowhere || !none.is_empty(),
        false => age > STARTING_SLOWLY,
    };
    let evidence = [told(&["FailedScheduling"]), coming, none].concat();
    Trouble { lasting, ..trouble_of(2, format!("no node takes it: {why}"), evidence, Remedy::Scale) }
}

/// A pod whose containers all run, or are on their way, and that is not ready.
fn not_ready(pod: &Pod, events: &[Event], now: Timestamp) -> Option<Trouble> {
    let limit = if starts_slowly(pod) { STARTING_SLOWLY } else { STARTING };
    let init = pod.containers.iter().find(|it| it.init && !it.ready && it.running_since.is_some());
    if let Some(init) = init {
        let text = format!("init container `{}` runs, and the others wait for it", init.name);
        let logged = Some(init.name.clone());
        let lasting = pod.age(now) > limit;
        return Some(Trouble { lasting, logged, ..trouble_of(NOT_READY, text, Vec::new(), Remedy::Log) });
    }
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
    Some(Trouble { lasting: age > limit, logged, ..trouble_of(NOT_READY, why, probes, remedy) })
}

/// Whether something says that it takes its time: an image is pulled, an init container runs, a startup probe has not
/// passed.
fn starts_slowly(pod: &Pod) -> bool {
    pod.containers.iter().any(|container| {
        let is_made = || container.waiting.as_ref().is_some_and(|it| is_being_made(&it.reason));
        container.starting || is_made() || container.init && !container.ready && container.running_since.is_some()
    })
}

fn is_being_made(reason: &str) -> bool {
    matches!(reason, "ContainerCreating" | "PodInitializing")
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
    // Restarts count a pod's whole life: what ran for long before ended once.
    let failed = container.last_exit.as_ref().is_some_and(|exit| {
        !exit.is_success() && exit.age(now) < LATELY && exit.lasted().is_none_or(|lasted| lasted < LATELY)
    });
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
    let raised = !exit.is_oom() && !matches!(exit.code, 0 | 126 | 127 | 137 | 143);
    Trouble { logged, raised, ..trouble_of(1, format!("{why}{times}{when}"), evidence, remedy) }
}

fn trouble_of(rank: u8, text: String, evidence: Vec<String>, remedy: Remedy) -> Trouble {
    Trouble { rank, lasting: true, text, evidence, logged: None, raised: false, remedy }
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

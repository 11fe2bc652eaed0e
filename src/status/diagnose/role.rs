//! What is wrong with one workload: of its pods' troubles the likeliest, and what it says itself.

use super::{
    super::{Cause, Change, Event, Health, Pod, Problem, Role, RolloutPhase, Severity, Status},
    LATELY, STARTING, ago,
    pod::{Remedy, Trouble, trouble},
};

/// What the rules say of a workload.
pub(super) struct Judged {
    pub(super) health: Health,
    pub(super) problems: Vec<Problem>,
    /// What holds its rollout.
    pub(super) held_by: Option<String>,
}

/// A pod and what is the matter with it.
type Found<'a> = (&'a Pod, Trouble);

/// Judges a workload.
pub(super) fn judge(status: &Status, role: &Role) -> Judged {
    let mut found: Vec<Found<'_>> = status
        .pods_of(role)
        .filter(|pod| pod.is_live())
        .filter_map(|pod| Some((pod, trouble(pod, &status.events, status.taken)?)))
        .collect();
    found.sort_by(|(a, x), (b, y)| {
        (!x.lasting, x.rank, a.outdated, &a.name).cmp(&(!y.lasting, y.rank, b.outdated, &b.name))
    });
    let held_by = held_by(role, &found);
    let health = health(status, role, &found);
    let mut problems = Vec::new();
    match health {
        Health::Broken => problems.push(broken(status, role, &found)),
        _ => problems.extend(warnings(status, role)),
    }
    let health = match health {
        Health::Ok if !problems.is_empty() => Health::Warning,
        health => health,
    };
    Judged { health, problems, held_by }
}

fn health(status: &Status, role: &Role, found: &[Found<'_>]) -> Health {
    let live: Vec<&Pod> = status.pods_of(role).filter(|pod| pod.is_live()).collect();
    let count = u32::try_from(live.len()).unwrap_or(u32::MAX);
    let desired = role.desired.unwrap_or(count);
    let phase = role.rollout.as_ref().map(|rollout| rollout.phase);
    if role.is_idle() {
        return if live.is_empty() { Health::Idle } else { Health::Changing };
    }
    let is_short = role.ready < desired;
    if found.iter().any(|(pod, trouble)| trouble.lasting && !is_rolling_out(role, pod, trouble)) {
        return Health::Broken;
    }
    let failed = failure(status, role).is_some();
    if phase == Some(RolloutPhase::Failed) || failed && (is_short || phase.is_some()) {
        return Health::Broken;
    }
    match phase {
        Some(RolloutPhase::Paused) => Health::Warning,
        Some(_) => Health::Changing,
        None if is_short => {
            // A workload that has just been made or scaled gets its pods within moments.
            let is_starting = found.iter().any(|(pod, _)| pod.age(status.taken) < STARTING) || count < desired;
            if is_starting || found.iter().all(|(_, trouble)| !trouble.lasting) {
                Health::Changing
            } else {
                Health::Broken
            }
        }
        None => Health::Ok,
    }
}

/// Why the workload cannot make pods: a Deployment says so itself, of others it stands in events.
fn failure(status: &Status, role: &Role) -> Option<String> {
    let live = status.pods_of(role).filter(|pod| pod.is_live()).count();
    let lacks = role.desired.is_some_and(|desired| live < usize::try_from(desired).unwrap_or(usize::MAX));
    let told = || {
        let of = |event: &&Event| event.reason == "FailedCreate" && event.object == role.workload;
        let event =
            status.events.iter().filter(of).find(|event| status.taken.as_second() - event.at.as_second() < LATELY)?;
        Some(event.message.clone())
    };
    role.failure.clone().or_else(|| if lacks { told() } else { None })
}

/// A pod of the new revision that is not ready yet may take until its rollout's deadline.
fn is_rolling_out(role: &Role, pod: &Pod, trouble: &Trouble) -> bool {
    let goes_on = role.rollout.as_ref().is_some_and(|rollout| rollout.phase == RolloutPhase::Progressing);
    const NOT_READY: u8 = 4;
    goes_on && !pod.outdated && trouble.rank >= NOT_READY
}

/// The pod that keeps a rollout from going on, or what keeps the workload from making one.
fn held_by(role: &Role, found: &[Found<'_>]) -> Option<String> {
    role.rollout.as_ref()?;
    let new = found.iter().find(|(pod, _)| !pod.outdated);
    new.map(|(pod, trouble)| format!("{}: {}", pod.name, trouble.text)).or_else(|| role.failure.clone())
}

fn broken(status: &Status, role: &Role, found: &[Found<'_>]) -> Problem {
    let title = role.title(&status.roles);
    let desired = role.desired.unwrap_or_else(|| u32::try_from(status.pods_of(role).count()).unwrap_or(u32::MAX));
    let failed = role.rollout.as_ref().filter(|rollout| rollout.phase == RolloutPhase::Failed);
    let what = match (&role.rollout, role.ready >= desired) {
        (Some(_), true) => {
            format!("{title}: the rollout does not get through, {} old pods serve", role.ready)
        }
        (None, true) => format!("{title}: keeps crashing, {} of {desired} pods ready at the moment", role.ready),
        _ => format!("{title}: {} of {desired} pods ready", role.ready),
    };
    let mut causes = Vec::new();
    let failure = failure(status, role);
    if let Some(failure) = &failure {
        causes.push(Cause {
            text: format!("no pod can be made: {failure}"),
            evidence: told(status, role, "FailedCreate"),
        });
    }
    causes.extend(grouped(found));
    let change = status.changes.iter().find(|change| change.workload == role.workload);
    if let Some(change) = change.filter(|change| is_recent(change, status)) {
        causes.push(changed(change, status));
    }
    if let Some(failed) = failed {
        causes.push(Cause { text: failed.text.clone(), evidence: Vec::new() });
    }
    if causes.is_empty() {
        causes.push(Cause { text: "the cluster does not say why".to_owned(), evidence: Vec::new() });
    }
    let worst = found.first().filter(|_| failure.is_none());
    let next = match worst {
        Some((pod, trouble)) => command(status, role, pod, trouble.remedy),
        None => format!("kdj scale {}", shell_words::quote(&status.environment)),
    };
    Problem {
        severity: Severity::Broken,
        role: Some(role.name.clone()),
        workload: Some(role.workload.clone()),
        pod: worst.map(|(pod, _)| pod.name.clone()),
        container: worst.and_then(|(_, trouble)| trouble.logged.clone()),
        previous: worst.is_some_and(|(_, trouble)| trouble.remedy == Remedy::PreviousLog),
        what,
        causes,
        traceback: Vec::new(),
        next: Some(next),
    }
}

/// Pods with the same trouble are one cause.
fn grouped(found: &[Found<'_>]) -> Vec<Cause> {
    let mut causes: Vec<(Vec<&str>, &Trouble)> = Vec::new();
    for (pod, trouble) in found {
        let kind = |it: &Trouble| (it.rank, it.text.split(", restarted").next().unwrap_or_default().to_owned());
        match causes.iter_mut().find(|(_, other)| kind(other) == kind(trouble)) {
            Some((pods, _)) => pods.push(&pod.name),
            None => causes.push((vec![&pod.name], trouble)),
        }
    }
    let cause = |(pods, trouble): (Vec<&str>, &Trouble)| {
        let pods = match pods.as_slice() {
            [only] => format!("pod {only}"),
            pods => format!("{} pods, {} among them", pods.len(), pods.first().copied().unwrap_or_default()),
        };
        Cause { text: format!("{} ({pods})", trouble.text), evidence: trouble.evidence.clone() }
    };
    causes.into_iter().map(cause).collect()
}

fn is_recent(change: &Change, status: &Status) -> bool {
    const A_DAY: i64 = 24 * 3600;
    status.taken.as_second() - change.at.as_second() < A_DAY
}

fn changed(change: &Change, status: &Status) -> Cause {
    let what =
        if change.differences.is_empty() { "nothing that is seen".to_owned() } else { change.differences.join("; ") };
    let when = ago(change.at, status.taken);
    let text = format!("revision {} was released {when}, it changed {what}", change.revision);
    Cause { text, evidence: change.cause.iter().map(|cause| format!("change cause: {cause}")).collect() }
}

/// What the cluster told of a workload, or of a ReplicaSet of it.
fn told(status: &Status, role: &Role, reason: &str) -> Vec<String> {
    let name = role.workload.rsplit('/').next().unwrap_or_default();
    let about = status.events.iter().filter(|event| {
        event.reason == reason && event.object.split('/').nth(1).is_some_and(|object| object.starts_with(name))
    });
    about.map(|event| format!("{}: {}", event.reason, event.message)).take(2).collect()
}

/// The command to type next.
fn command(status: &Status, role: &Role, pod: &Pod, remedy: Remedy) -> String {
    let environment = shell_words::quote(&status.environment);
    let name = shell_words::quote(&role.name);
    match remedy {
        Remedy::Log => format!("kdj logs {environment} --pod {} --no-follow --tail 50", pod.name),
        Remedy::PreviousLog => format!("kdj logs {environment} --pod {} --previous", pod.name),
        Remedy::Releases => format!("kdj releases {environment}"),
        Remedy::Config => format!("kdj config {environment} {name}"),
        Remedy::Scale => format!("kdj scale {environment}"),
        Remedy::Events => format!("kdj logs {environment} {name} --events"),
    }
}

/// What works, and wants a look.
fn warnings(status: &Status, role: &Role) -> Vec<Problem> {
    let mut warnings = Vec::new();
    let environment = shell_words::quote(&status.environment);
    let mut warn = |what: String, text: String, pod: Option<&str>, next: String| {
        warnings.push(Problem {
            severity: Severity::Warning,
            role: Some(role.name.clone()),
            workload: Some(role.workload.clone()),
            pod: pod.map(str::to_owned),
            container: None,
            previous: false,
            what,
            causes: vec![Cause { text, evidence: Vec::new() }],
            traceback: Vec::new(),
            next: Some(next),
        });
    };
    let title = role.title(&status.roles);
    if let Some(rollout) = role.rollout.as_ref().filter(|rollout| rollout.phase == RolloutPhase::Paused) {
        let resume = format!(
            "kubectl --context {} -n {} rollout resume {}",
            shell_words::quote(&status.context),
            shell_words::quote(&status.namespace),
            role.workload,
        );
        warn(format!("{title}: its rollout is paused"), rollout.text.clone(), None, resume);
    }
    if let Some(last) =
        role.last_restart.as_ref().filter(|last| !last.exit.is_success() && last.exit.age(status.taken) < LATELY)
    {
        let when = last.exit.at.map(|at| ago(at, status.taken)).unwrap_or_default();
        let text = format!("pod {} ended with {} {when}", last.pod, last.exit.text());
        let next = format!("kdj logs {environment} --pod {} --previous", last.pod);
        warn(format!("{title}: a container was restarted lately"), text, Some(&last.pod), next);
    }
    if let Some(autoscaler) = &role.autoscaler {
        let next = format!("kdj scale {environment}");
        if let Some(trouble) = &autoscaler.trouble {
            warn(format!("{title}: {} does not scale it", autoscaler.range()), trouble.clone(), None, next);
        } else if autoscaler.is_at_its_limit() {
            let text = format!("it wants {} pods or more, and may not have more", autoscaler.wanted);
            warn(format!("{title}: {} is at its limit", autoscaler.range()), text, None, next);
        }
    }
    warnings
}

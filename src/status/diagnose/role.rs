//! What is wrong with one workload: of its pods' troubles the likeliest, and what it says itself.

use super::{
    super::{Cause, Change, Event, Health, Pod, Problem, Role, RolloutPhase, Severity, Status},
    STARTING, STARTING_SLOWLY, ago,
    command::{about_pod, about_role},
    pod::{NOT_READY, Remedy, Trouble, stuck, trouble},
    warnings::warnings,
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
    if lacks_pods(status, role) {
        found.extend(status.pods_of(role).filter_map(|pod| Some((pod, stuck(pod, status.taken)?))));
    }
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
    let phase = role.rollout.as_ref().map(|rollout| rollout.phase);
    if role.is_idle() {
        return if live(status, role) == 0 { Health::Idle } else { Health::Changing };
    }
    let is_short = role.ready < desired(status, role);
    if found.iter().any(|(pod, trouble)| trouble.lasting && !is_rolling_out(status, role, pod, trouble)) {
        return Health::Broken;
    }
    let failed = failure(status, role).is_some();
    if phase == Some(RolloutPhase::Failed) || failed && (is_short || phase.is_some()) {
        return Health::Broken;
    }
    match phase {
        Some(RolloutPhase::Paused | RolloutPhase::Waiting) => Health::Warning,
        Some(_) => Health::Changing,
        // Pods that are there only take their time, else their trouble would be a lasting one.
        None if is_short && (is_made_lately(status, role) || !lacks_pods(status, role)) => Health::Changing,
        None if is_short => Health::Broken,
        None => Health::Ok,
    }
}

/// How many pods there are that neither go nor are gone.
fn live(status: &Status, role: &Role) -> u32 {
    u32::try_from(status.pods_of(role).filter(|pod| pod.is_live()).count()).unwrap_or(u32::MAX)
}

/// How many there should be; where nobody says, as many as there are.
fn desired(status: &Status, role: &Role) -> u32 {
    role.desired.unwrap_or_else(|| live(status, role))
}

/// Whether there are fewer pods than there should be, ready or not; without pods, whether fewer are ready.
fn lacks_pods(status: &Status, role: &Role) -> bool {
    let there = if status.sees_pods() { live(status, role) } else { role.ready };
    there < desired(status, role)
}

/// Whether the workload may still be getting its pods, which takes moments: something about it has just changed.
fn is_made_lately(status: &Status, role: &Role) -> bool {
    let now = status.taken.as_second();
    let of_pods = status.pods_of(role).flat_map(|pod| [pod.created, pod.terminating]).flatten();
    let told = status.events.iter().filter(|event| {
        event.role.as_ref() == Some(&role.name)
            && matches!(event.reason.as_str(), "ScalingReplicaSet" | "SuccessfulCreate")
    });
    let times = [role.created, role.changed].into_iter().flatten().chain(of_pods).chain(told.map(|event| event.at));
    let newest = times.map(|at| at.as_second()).max();
    newest.is_some_and(|newest| now - newest < STARTING)
}

/// Why the workload cannot make pods: a Deployment says so itself, of others it stands in events.
fn failure(status: &Status, role: &Role) -> Option<String> {
    /// A controller tries again after 1000 s at the latest.
    const AGAIN: i64 = 1200;
    let told = || {
        let newest = status.pods_of(role).filter_map(|pod| pod.created).max();
        let of = |event: &&Event| {
            let is_recent = status.taken.as_second() - event.at.as_second() < AGAIN;
            event.reason == "FailedCreate" && event.object == role.workload && is_recent && newest < Some(event.at)
        };
        Some(status.events.iter().find(of)?.message.clone())
    };
    role.failure.clone().or_else(|| if status.sees_pods() && lacks_pods(status, role) { told() } else { None })
}

/// A pod of the new revision that is not ready yet may take until its rollout's deadline.
fn is_rolling_out(status: &Status, role: &Role, pod: &Pod, trouble: &Trouble) -> bool {
    let goes_on = role.rollout.as_ref().is_some_and(|rollout| rollout.phase == RolloutPhase::Progressing);
    let has_time = role.has_deadline || pod.age(status.taken) < STARTING_SLOWLY;
    goes_on && has_time && !pod.outdated && trouble.rank >= NOT_READY
}

/// The pod that keeps a rollout from going on, or what keeps the workload from making one.
fn held_by(role: &Role, found: &[Found<'_>]) -> Option<String> {
    role.rollout.as_ref()?;
    let new = found.iter().find(|(pod, _)| !pod.outdated);
    new.map(|(pod, trouble)| format!("{}: {}", pod.name, trouble.text)).or_else(|| role.failure.clone())
}

fn broken(status: &Status, role: &Role, found: &[Found<'_>]) -> Problem {
    let title = role.title(&status.roles);
    let desired = desired(status, role);
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
    if causes.is_empty() && lacks_pods(status, role) {
        let there = live(status, role);
        causes.push(Cause::new(match status.sees_pods() {
            true => format!("there are {there} pods of {desired}, and no more are made"),
            false => "its pods could not be read, which would tell".to_owned(),
        }));
    }
    let change = status.changes.iter().find(|change| change.workload == role.workload);
    if let Some(change) = change.filter(|change| is_recent(change, status)) {
        causes.push(changed(change, status));
    }
    if let Some(failed) = failed {
        causes.push(Cause::new(&failed.text));
    }
    if causes.is_empty() {
        causes.push(Cause::new("the cluster does not say why"));
    }
    let worst = found.first().filter(|_| failure.is_none());
    let next = match worst {
        Some((pod, trouble)) => about_pod(status, role, pod, trouble),
        None => about_role(status, role, Remedy::Scale),
    };
    let first = causes.remove(0);
    let mut problem = Problem::new(Severity::Broken, what, first).of(role).then(next);
    problem.causes.extend(causes);
    if let Some((pod, trouble)) = worst {
        problem.pod = Some(pod.name.clone());
        problem.container.clone_from(&trouble.logged);
        problem.previous = trouble.remedy == Remedy::PreviousLog;
        problem.raised = trouble.raised;
    }
    problem
}

/// What two pods have in common that have the same trouble: not how often, when, and at which address of theirs.
fn kind(trouble: &Trouble) -> (u8, &str) {
    let ends = if trouble.rank == NOT_READY { [": ", ": "] } else { [", restarted", ", last "] };
    let text = ends.iter().fold(trouble.text.as_str(), |text, end| text.split(end).next().unwrap_or(text));
    (trouble.rank, text)
}

/// Pods with the same trouble are one cause.
fn grouped(found: &[Found<'_>]) -> Vec<Cause> {
    let mut causes: Vec<(Vec<&str>, &Trouble)> = Vec::new();
    for (pod, trouble) in found {
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
        let is_own = event.role.as_ref() == Some(&role.name) || event.object.split('/').nth(1) == Some(name);
        event.reason == reason && is_own
    });
    about.map(|event| format!("{}: {}", event.reason, event.message)).take(2).collect()
}

//! Errors for when there is no pod to take: which, why, and what to type next.

use k8s_openapi::{
    api::core::v1::{ContainerState, Pod},
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{idle::Idle, pod, revision::revision_of, state, workload::Workload};
use crate::{
    environment::Environment,
    error::{Error, Result},
    names,
};

#[cfg(test)]
mod tests;

/// How many pods are listed one by one.
const MOST_LISTED: usize = 4;

/// The roles of an environment and their kinds: ``its roles are `web` (web), `celeryd` (worker)``.
pub(super) fn roles(workloads: &[Workload]) -> String {
    roles_with(workloads, &[])
}

fn roles_with(workloads: &[Workload], idle: &[Idle]) -> String {
    let running = workloads.iter().map(|workload| (workload.role.as_str(), workload.kind));
    let mut roles: Vec<_> = running.chain(idle.iter().map(|idle| (idle.role.as_str(), idle.kind))).collect();
    roles.sort_by_key(|(role, kind)| (*kind, *role));
    roles.dedup_by_key(|(role, _)| *role);
    let roles: Vec<String> = roles.into_iter().map(|(role, kind)| format!("`{role}` ({kind})")).collect();
    if roles.is_empty() { "it has no workloads".to_owned() } else { format!("its roles are {}", roles.join(", ")) }
}

/// No workload with pods is of the role `asked`, or none was asked for and none is fit: scaled to zero, without pods
/// for another reason, or unknown.
pub(super) fn no_role(environment: &Environment, asked: Option<&str>, workloads: &[Workload], idle: &[Idle]) -> Error {
    let name = &environment.name;
    if let Some(idle) = find_idle(asked, idle) {
        return without_pods(environment, idle);
    }
    if workloads.is_empty() && idle.is_empty() && asked.is_none_or(|role| !environment.roles.contains_key(role)) {
        return nothing_there(environment);
    }
    let role = asked.unwrap_or("web");
    let error = Error::usage(format!("no role `{role}` in `{name}`"));
    let selector = environment.roles.get(role).and_then(|role| role.selector.as_ref());
    let error = match selector {
        Some(selector) => error.caused_by(format!("its configured selector `{selector}` matches no workload")),
        None => error.caused_by(roles_with(workloads, idle)),
    };
    let running = workloads.iter().flat_map(|workload| [workload.role.as_str(), workload.owner.name.as_str()]);
    let known = running.chain(idle.iter().map(|idle| idle.role.as_str()));
    match names::find_nearest(role, known) {
        Some(nearest) if asked.is_some() => error.hint(format!("did you mean `--role {nearest}`?")),
        _ if asked.is_none() => error.hint("name the role to run in: `--role ROLE`"),
        _ => error,
    }
}

fn find_idle<'a>(asked: Option<&str>, idle: &'a [Idle]) -> Option<&'a Idle> {
    match asked {
        Some(asked) => idle.iter().find(|idle| idle.is_called(asked)),
        None => ["web", "shell"].iter().find_map(|kind| idle.iter().find(|idle| idle.kind.to_string() == *kind)),
    }
}

fn without_pods(environment: &Environment, idle: &Idle) -> Error {
    let (name, role) = (&environment.name, &idle.role);
    if idle.replicas == 0 {
        return Error::failed(format!("role `{role}` has 0 replicas in `{name}`"))
            .caused_by(format!("`{}` is scaled to zero", idle.owner))
            .hint(format!("start one: `{}`", kubectl(environment, &format!("scale {} --replicas=1", idle.owner))));
    }
    let why = idle.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    Error::failed(format!("no pods for role `{role}` in `{name}`"))
        .caused_by(format!("`{}` wants {} and has none{why}", idle.owner, idle.replicas))
        .hint(format!("see why: `{}`", kubectl(environment, &format!("describe {}", idle.owner))))
}

fn nothing_there(environment: &Environment) -> Error {
    let Environment { name, context, namespace, .. } = environment;
    let error = Error::failed(format!("no pods in `{name}`"));
    match &environment.instance {
        Some(instance) => error
            .caused_by(format!("namespace `{namespace}` of context `{context}` has no instance `{instance}`"))
            .hint("list the instances that exist: `kdj envs --live`"),
        None => error
            .caused_by(format!("namespace `{namespace}` of context `{context}` has no workloads"))
            .hint(format!("look there: `{}`", kubectl(environment, "get pods"))),
    }
}

/// No pod of the workload is ready, of its `newest` revision where that is known.
pub(super) fn no_ready_pod(
    environment: &Environment,
    workload: &Workload,
    newest: Option<&str>,
    exclude: &[String],
    now: Timestamp,
) -> Error {
    let is_new = |pod: &Pod| newest.is_none_or(|newest| revision_of(pod) == Some(newest));
    let live: Vec<&Pod> = workload.live_pods().filter(|pod| is_new(pod)).collect();
    let pods = if live.is_empty() { workload.pods.iter().filter(|pod| is_new(pod)).collect() } else { live };
    let of = if newest.is_some() { " of the newest revision" } else { "" };
    let mut error = Error::failed(format!("no ready pod{of} for role `{}` in `{}`", workload.role, environment.name))
        .caused_by(readiness(&pods, exclude, now));
    let old = workload.live_pods().find(|pod| !is_new(pod) && pod::is_ready(pod));
    if let Some(old) = old {
        error = error.hint(format!("to use the old revision all the same, add `--pod {}`", old.name_any()));
    }
    let worst = pods.iter().find(|pod| !pod::is_ready(pod));
    match worst {
        Some(worst) => error.hint(see_why(environment, worst)),
        None => error,
    }
}

/// A pod that was asked for by name and cannot be entered.
///
/// # Errors
/// Always, but for a live, running pod.
pub(super) fn require_usable(environment: &Environment, pod: &Pod, exclude: &[String], now: Timestamp) -> Result<()> {
    let name = pod.name_any();
    if exclude.contains(&name) {
        return Err(Error::failed(format!("pod `{name}` is gone")).caused_by("its node no longer knows it"));
    }
    if pod::is_live(pod) && pod::phase(pod) == "Running" {
        return Ok(());
    }
    let error = Error::failed(format!("pod `{name}` cannot be entered")).caused_by(state::describe(pod, now));
    Err(if pod::is_live(pod) { error.hint(see_why(environment, pod)) } else { error })
}

/// No pod has the name that was asked for.
pub(super) fn no_pod(environment: &Environment, asked: &str, pods: &[Pod]) -> Error {
    let error = Error::failed(format!("no pod `{asked}` in `{}`", environment.name));
    let names: Vec<String> = pods.iter().filter(|pod| pod::is_live(pod)).map(ResourceExt::name_any).collect();
    let error = match names.as_slice() {
        [] => error.caused_by("it has no running pods"),
        names => {
            error.caused_by(format!("its pods are {}", listed(names.iter().map(|name| format!("`{name}`")), ", ")))
        }
    };
    match names::find_nearest(asked, names.iter().map(String::as_str)) {
        Some(nearest) => error.hint(format!("did you mean `--pod {nearest}`?")),
        None => error,
    }
}

/// The pod is of another instance than the environment's.
pub(super) fn other_instance(environment: &Environment, pod: &str, own: Option<&String>) -> Error {
    let wanted = environment.instance.as_deref().unwrap_or_default();
    let own = own.map_or("of no instance".to_owned(), |own| format!("of instance `{own}`"));
    Error::failed(format!("pod `{pod}` is not in `{}`", environment.name))
        .caused_by(format!("it is {own}, the environment is instance `{wanted}`"))
}

/// `0 of 2 pods ready (web-7c9d: CrashLoopBackOff, …; web-5f2a: Pending)`.
fn readiness(pods: &[&Pod], exclude: &[String], now: Timestamp) -> String {
    let states = pods.iter().map(|pod| {
        let name = pod.name_any();
        let state = if exclude.contains(&name) { "gone when tried".to_owned() } else { state::describe(pod, now) };
        format!("{name}: {state}")
    });
    let plural = if pods.len() == 1 { "pod" } else { "pods" };
    format!("0 of {} {plural} ready ({})", pods.len(), listed(states, "; "))
}

fn listed(items: impl ExactSizeIterator<Item = String>, separator: &str) -> String {
    let more = items.len().saturating_sub(MOST_LISTED);
    let mut shown: Vec<String> = items.take(MOST_LISTED).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(separator)
}

/// The command that shows why a pod is not ready: the log of the container that ended, else its description.
fn see_why(environment: &Environment, pod: &Pod) -> String {
    let name = pod.name_any();
    let statuses = pod.status.iter().flat_map(|status| {
        status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten())
    });
    let command = statuses.into_iter().find_map(|status| {
        let failed = |state: &ContainerState| state.terminated.as_ref().is_some_and(|ended| ended.exit_code != 0);
        let container = &status.name;
        if status.state.as_ref().is_some_and(failed) {
            Some(format!("logs {name} -c {container}"))
        } else {
            let crashed = !status.ready && status.last_state.as_ref().is_some_and(failed);
            crashed.then(|| format!("logs {name} -c {container} --previous"))
        }
    });
    let command = command.unwrap_or_else(|| format!("describe pod {name}"));
    format!("see why: `{}`", kubectl(environment, &command))
}

/// A kubectl command on the environment's context and namespace, to paste.
fn kubectl(environment: &Environment, command: &str) -> String {
    kubectl_in(&environment.context, &environment.namespace, command)
}

/// A kubectl command, to paste.
pub(in crate::cluster) fn kubectl_in(context: &str, namespace: &str, command: &str) -> String {
    let quote = |word| shell_words::quote(word);
    format!("kubectl --context {} -n {} {command}", quote(context), quote(namespace))
}

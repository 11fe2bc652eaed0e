//! Which container of a pod is the app's.

use k8s_openapi::{
    api::core::v1::{Container, ContainerStatus, Pod},
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::{
    kind::{kind_of_command, words},
    pod::is_own,
    state::{describe_container, is_running},
};
use crate::error::{Error, Result};
use crate::names;

#[cfg(test)]
mod tests;

/// The annotation that names the container kubectl takes.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// Containers that are not the app's where there are others, by their own name or their image's.
#[rustfmt::skip]
const SIDECARS: [&str; 28] = [
    "istio-proxy", "proxyv2", "linkerd-proxy", "envoy", "consul-dataplane", "cloudsql-proxy", "cloud-sql-proxy",
    "vault-agent", "fluent-bit", "fluentd", "filebeat", "vector", "promtail", "datadog-agent", "nginx",
    "nginx-unprivileged", "haproxy", "traefik", "oauth2-proxy", "pgbouncer", "statsd", "otc-container", "tailscale",
    "redis", "memcached", "postgres", "rabbitmq", "git-sync",
];

/// The container to enter: the asked-for one, the configured one, the annotated one, the only one, the one that looks
/// like the app. `role` is the role its workload plays.
///
/// # Errors
/// When the asked-for or the configured one does not exist, or more than one or none looks like the app.
pub(in crate::cluster) fn choose_container(
    pod: &Pod,
    asked: Option<&str>,
    configured: Option<&str>,
    role: &str,
) -> Result<String> {
    if let Some(name) = asked {
        return if exists(pod, name) { Ok(name.to_owned()) } else { Err(unknown(pod, name)) };
    }
    if let Some(name) = configured {
        return if exists(pod, name) { Ok(name.to_owned()) } else { Err(misconfigured(pod, name, role)) };
    }
    if let Some(name) = pod.annotations().get(DEFAULT_CONTAINER).filter(|name| exists(pod, name)) {
        return Ok(name.clone());
    }
    let containers = app_containers(pod);
    if let [only] = containers {
        return Ok(only.name.clone());
    }
    find_app(containers, role).map(|app| app.name.clone()).ok_or_else(|| ambiguous(pod))
}

/// Whether a container is a known companion of apps, and not an app.
pub(super) fn is_sidecar(container: &Container) -> bool {
    let image = container.image.as_deref().unwrap_or_default();
    let image = image.split('@').next().unwrap_or_default();
    let image = image.rsplit('/').next().unwrap_or_default();
    let image = image.split(':').next().unwrap_or_default();
    [container.name.as_str(), image].into_iter().any(|name| {
        SIDECARS.contains(&name)
            || ["otel", "opentelemetry", "vault-agent", "istio-", "linkerd-"]
                .iter()
                .any(|start| name.starts_with(start))
            || ["-exporter", "_exporter", "-sidecar"].iter().any(|end| name.ends_with(end))
    })
}

/// Whether a pod has known companions of apps only: a database, a cache, a proxy.
pub(super) fn has_no_app(pod: &Pod) -> bool {
    let containers = app_containers(pod);
    !containers.is_empty() && containers.iter().all(is_sidecar)
}

/// Whether a pod is of the app: neither kdj's own, nor one of a companion of apps only.
pub(in crate::cluster) fn is_of_app(pod: &Pod) -> bool {
    !is_own(pod) && !has_no_app(pod)
}

/// The containers that may be the app's: all but known companions, or all where there are only those.
pub(in crate::cluster) fn app_like(pod: &Pod) -> Vec<String> {
    let only_companions = has_no_app(pod);
    let containers = app_containers(pod).iter().filter(|container| only_companions || !is_sidecar(container));
    containers.map(|container| container.name.clone()).collect()
}

/// The names of all containers of a pod: ordinary, init and ephemeral.
pub(in crate::cluster) fn container_names(pod: &Pod) -> Vec<String> {
    names(pod).into_iter().map(|(name, _)| name.to_owned()).collect()
}

/// The status of a container of any sort: ordinary, init or ephemeral.
pub(in crate::cluster) fn status_of<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let lists = [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    lists.into_iter().flatten().flatten().find(|status| status.name == name)
}

/// The image of a container of any sort, as the pod names it.
pub(in crate::cluster) fn image_of(pod: &Pod, name: &str) -> String {
    let Some(spec) = &pod.spec else { return String::new() };
    let ordinary = spec.containers.iter().chain(spec.init_containers.iter().flatten()).map(|it| (&it.name, &it.image));
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|it| (&it.name, &it.image));
    let found = ordinary.chain(ephemeral).find(|(known, _)| *known == name);
    found.and_then(|(_, image)| image.clone()).unwrap_or_default()
}

/// The memory a container is limited to, if it is.
pub(in crate::cluster) fn memory_limit(pod: &Pod, name: &str) -> Option<String> {
    let container = app_containers(pod).iter().find(|container| container.name == name)?;
    Some(container.resources.as_ref()?.limits.as_ref()?.get("memory")?.0.clone())
}

/// That a container was killed for want of memory, and its limit.
pub(in crate::cluster) fn oom_killed(pod: &Pod, name: &str) -> String {
    let limit = memory_limit(pod, name).map(|limit| format!(", its memory limit is {limit}")).unwrap_or_default();
    format!("container `{name}` was OOMKilled{limit}")
}

/// What a SIGKILL means when nothing speaks for anything. containerd 1.6 loses the word of the kernel's now and then.
pub(in crate::cluster) fn killed_without_evidence(pod: Option<&Pod>, name: &str) -> String {
    let limit = pod.and_then(|pod| memory_limit(pod, name));
    let memory = limit.map_or("want of memory".to_owned(), |limit| format!("the memory limit ({limit})"));
    format!("SIGKILL: often {memory}, when nobody killed it")
}

/// The other containers that run beside `container`.
pub(super) fn running_beside(pod: &Pod, container: &str) -> Vec<String> {
    let names = names(pod).into_iter().map(|(name, _)| name);
    let runs = |name: &&str| *name != container && status_of(pod, name).is_some_and(is_running);
    names.filter(runs).map(str::to_owned).collect()
}

/// Fails unless `container` runs in `pod`.
///
/// # Errors
/// When it does not run, with its state.
pub(super) fn require_running(pod: &Pod, container: &str, now: Timestamp) -> Result<()> {
    let status = status_of(pod, container);
    if status.is_some_and(is_running) {
        return Ok(());
    }
    let state = status.map_or_else(|| "not started yet".to_owned(), |status| describe_container(status, now));
    Err(Error::failed(format!("container `{container}` of pod `{}` is not running", pod.name_any())).caused_by(state))
}

fn app_containers(pod: &Pod) -> &[Container] {
    pod.spec.as_ref().map_or(&[][..], |spec| &spec.containers)
}

/// All containers of a pod, and what to say of those that are not ordinary ones.
fn names(pod: &Pod) -> Vec<(&str, &'static str)> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let ordinary = spec.containers.iter().map(|container| (container.name.as_str(), ""));
    let init = spec.init_containers.iter().flatten().map(|container| (container.name.as_str(), " (init)"));
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|it| (it.name.as_str(), " (ephemeral)"));
    ordinary.chain(init).chain(ephemeral).collect()
}

fn exists(pod: &Pod, name: &str) -> bool {
    names(pod).iter().any(|(known, _)| *known == name)
}

/// The one container that looks most like the app, if one does.
fn find_app<'a>(containers: &'a [Container], role: &str) -> Option<&'a Container> {
    let apps: Vec<&Container> = containers.iter().filter(|container| !is_sidecar(container)).collect();
    if let [only] = apps.as_slice() {
        return Some(only);
    }
    let best = apps.iter().map(|container| evidence(container, role)).max().filter(|best| *best > 0)?;
    let mut alike = apps.into_iter().filter(|container| evidence(container, role) == best);
    alike.next().filter(|_| alike.next().is_none())
}

/// The containers of a pod that may be the app's, the likeliest first, where none is surely it.
pub(in crate::cluster) fn unclear_containers(pod: &Pod, role: &str) -> Vec<String> {
    if choose_container(pod, None, None, role).is_ok() {
        return Vec::new();
    }
    let mut containers: Vec<&Container> = app_containers(pod).iter().collect();
    containers.sort_by_key(|container| (is_sidecar(container), std::cmp::Reverse(evidence(container, role))));
    containers.into_iter().map(|container| container.name.clone()).collect()
}

/// How much speaks for a container running the Django app.
fn evidence(container: &Container, role: &str) -> u32 {
    let words = words(container);
    let has_variable = |name: &str| container.env.iter().flatten().any(|variable| variable.name == name);
    let has_word = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let signs = [
        (8, has_variable("DJANGO_SETTINGS_MODULE")),
        (4, kind_of_command(container).is_some()),
        (3, has_word(&["manage.py", "django-admin"])),
        (2, has_word(&["python", "python3", "celery"])),
        (2, has_variable("DATABASE_URL")),
        (1, ["django", "app", "web", role].contains(&container.name.as_str())),
    ];
    signs.into_iter().filter(|(_, seen)| *seen).map(|(weight, _)| weight).sum()
}

fn listed(pod: &Pod) -> String {
    let names: Vec<String> = names(pod).into_iter().map(|(name, sort)| format!("`{name}`{sort}")).collect();
    format!("its containers are {}", names.join(", "))
}

fn unknown(pod: &Pod, name: &str) -> Error {
    let error = Error::usage(format!("no container `{name}` in pod `{}`", pod.name_any())).caused_by(listed(pod));
    match names::find_nearest(name, names(pod).into_iter().map(|(name, _)| name)) {
        Some(nearest) => error.hint(format!("did you mean `--container {nearest}`?")),
        None => error,
    }
}

fn misconfigured(pod: &Pod, name: &str, role: &str) -> Error {
    Error::usage(format!("no container `{name}`, which is configured for role `{role}`, in pod `{}`", pod.name_any()))
        .caused_by(listed(pod))
        .hint(format!("correct `container` in `[roles.{role}]`, or choose one with `--container CONTAINER`"))
}

fn ambiguous(pod: &Pod) -> Error {
    let error = Error::usage(format!("no container of pod `{}` is surely the app's", pod.name_any()));
    let likely = app_containers(pod).iter().find(|container| !is_sidecar(container));
    let likely = likely.map_or("CONTAINER", |container| &container.name);
    error.caused_by(listed(pod)).hint(format!("name it: `--container {likely}`"))
}

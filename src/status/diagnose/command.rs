//! The command to type next.

use super::{
    super::{Pod, Role, Status},
    pod::{Remedy, Trouble},
};

/// About a pod.
pub(super) fn about_pod(status: &Status, role: &Role, pod: &Pod, trouble: &Trouble) -> String {
    let environment = shell_words::quote(&status.environment);
    let container = trouble.logged.as_ref().map(|name| flag(pod, name)).unwrap_or_default();
    let pod = pattern(status, &pod.name);
    match trouble.remedy {
        Remedy::Log => format!("kdj logs {environment} --pod {pod}{container} --no-follow --tail 50"),
        Remedy::PreviousLog => format!("kdj logs {environment} --pod {pod}{container} --previous"),
        remedy => about_role(status, role, remedy),
    }
}

/// ` -c NAME`, where there are others beside it: without it the log is that of the app's.
pub(super) fn flag(pod: &Pod, container: &str) -> String {
    if pod.containers.len() > 1 { format!(" -c {}", shell_words::quote(container)) } else { String::new() }
}

/// A pod's name as `kdj logs --pod` takes it: a pattern, which is not to mean `db-10` where it says `db-1`.
pub(super) fn pattern(status: &Status, name: &str) -> String {
    let is_ambiguous = status.pods.iter().any(|other| other.name != name && other.name.contains(name));
    if is_ambiguous { format!("'^{name}$'") } else { name.to_owned() }
}

/// About a workload.
pub(super) fn about_role(status: &Status, role: &Role, remedy: Remedy) -> String {
    let (environment, name) = (shell_words::quote(&status.environment), shell_words::quote(&role.name));
    match remedy {
        Remedy::Releases => format!("kdj releases {environment}"),
        Remedy::Config => format!("kdj config {environment} {name}"),
        Remedy::Scale => format!("kdj scale {environment}"),
        Remedy::Events => format!("kdj logs {environment} {name} --events"),
        Remedy::Log | Remedy::PreviousLog => format!("kdj logs {environment} {name} --no-follow --tail 50"),
    }
}

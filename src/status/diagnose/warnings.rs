//! What works, and wants a look.

use super::{
    super::{Cause, Container, Problem, Role, RolloutPhase, Severity, Status},
    LATELY, ago,
    command::{about_role, flag, pattern},
    pod::Remedy,
};

/// What wants a look about a workload.
pub(super) fn warnings(status: &Status, role: &Role) -> Vec<Problem> {
    let mut warnings = Vec::new();
    let environment = shell_words::quote(&status.environment);
    let mut warn = |what: String, text: String, pod: Option<&str>, next: String| {
        let problem = Problem::new(Severity::Warning, what, Cause::new(text)).of(role).then(next);
        warnings.push(Problem { pod: pod.map(str::to_owned), ..problem });
    };
    let title = role.title(&status.roles);
    let (context, namespace) = (shell_words::quote(&status.context), shell_words::quote(&status.namespace));
    let kubectl = format!("kubectl --context {context} -n {namespace}");
    if let Some(rollout) = role.rollout.as_ref().filter(|rollout| rollout.phase == RolloutPhase::Paused) {
        let resume = format!("{kubectl} rollout resume {}", role.workload);
        warn(format!("{title}: its rollout is paused"), rollout.text.clone(), None, resume);
    }
    if let Some(rollout) = role.rollout.as_ref().filter(|rollout| rollout.phase == RolloutPhase::Waiting) {
        let old = status.pods_of(role).find(|pod| pod.is_live() && pod.outdated);
        let delete = old.map(|pod| format!("{kubectl} delete pod {}", pod.name));
        let next = delete.unwrap_or_else(|| about_role(status, role, Remedy::Events));
        warn(format!("{title}: its rollout waits for somebody"), rollout.text.clone(), None, next);
    }
    if let Some(last) =
        role.last_restart.as_ref().filter(|last| !last.exit.is_success() && last.exit.age(status.taken) < LATELY)
    {
        let when = last.exit.at.map(|at| ago(at, status.taken)).unwrap_or_default();
        let text = format!("pod {} ended with {} {when}", last.pod, last.exit.text());
        let pod = status.pods_of(role).find(|pod| pod.name == last.pod);
        let container = pod.and_then(|pod| {
            let own =
                |it: &&Container| it.last_exit.as_ref() == Some(&last.exit) || it.exit.as_ref() == Some(&last.exit);
            Some(flag(pod, &pod.containers.iter().find(own)?.name))
        });
        let container = container.unwrap_or_default();
        let next = format!("kdj logs {environment} --pod {}{container} --previous", pattern(status, &last.pod));
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

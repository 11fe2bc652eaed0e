//! Which pod of a workload to take.

use k8s_openapi::{
    api::core::v1::{Pod, PodTemplateSpec},
    jiff::Timestamp,
};
use kube::ResourceExt;

use super::super::MANAGED_BY;

/// Whether a pod is neither going nor gone.
pub(in crate::cluster) fn is_live(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && !matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether a pod can be entered: running, ready and staying.
pub(in crate::cluster) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    is_live(pod) && phase(pod) == "Running" && ready
}

/// Whether kdj made the pod: such pods play no role.
pub(super) fn is_own(pod: &Pod) -> bool {
    pod.labels().get(MANAGED_BY.0).is_some_and(|by| by == MANAGED_BY.1)
}

/// A workload's template as a pod that was never made.
pub(in crate::cluster) fn model(template: &PodTemplateSpec) -> Pod {
    Pod { metadata: template.metadata.clone().unwrap_or_default(), spec: template.spec.clone(), status: None }
}

/// The pod's phase, empty when it has none.
pub(in crate::cluster) fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// When the pod was made.
pub(in crate::cluster) fn created(pod: &Pod) -> Option<Timestamp> {
    pod.creation_timestamp().map(|time| time.0)
}

/// The ready pod to take, always the same of the same pods: the oldest, as the least likely to go, then by name.
pub(in crate::cluster) fn choose_pod<'a>(pods: &[&'a Pod], exclude: &[String]) -> Option<&'a Pod> {
    let ready = pods.iter().copied().filter(|pod| is_ready(pod) && !exclude.contains(&pod.name_any()));
    ready.min_by_key(|pod| (created(pod), pod.name_any()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::target::fixtures::{PodBuilder, pod};

    fn chosen(pods: Vec<PodBuilder>, exclude: &[&str]) -> Option<String> {
        let pods: Vec<Pod> = pods.into_iter().map(PodBuilder::build).collect();
        let exclude: Vec<String> = exclude.iter().map(|name| (*name).to_owned()).collect();
        choose_pod(&pods.iter().collect::<Vec<_>>(), &exclude).map(ResourceExt::name_any)
    }

    #[test]
    fn only_a_ready_pod_that_stays_is_taken() {
        for (first, expected) in [
            (pod("a"), "a"),
            (pod("a").terminating(), "b"),
            (pod("a").not_ready(), "b"),
            (pod("a").phase("Pending"), "b"),
            (pod("a").phase("Failed"), "b"),
            (pod("a").phase("Succeeded"), "b"),
            (pod("a").phase("Unknown"), "b"),
            (pod("a").crash_looping(), "b"),
        ] {
            assert_eq!(chosen(vec![first, pod("b")], &[]).as_deref(), Some(expected));
        }
        assert_eq!(chosen(vec![pod("a").terminating()], &[]), None);
        assert_eq!(chosen(vec![], &[]), None);
    }

    #[test]
    fn the_oldest_then_the_first_by_name_is_taken() {
        let old = || pod("z").created("2026-02-01T00:00:00Z");
        assert_eq!(chosen(vec![pod("b"), pod("a"), old()], &[]).as_deref(), Some("z"));
        assert_eq!(chosen(vec![pod("b"), pod("a")], &[]).as_deref(), Some("a"));
    }

    #[test]
    fn an_excluded_pod_is_not_taken() {
        assert_eq!(chosen(vec![pod("a"), pod("b")], &["a"]).as_deref(), Some("b"));
        assert_eq!(chosen(vec![pod("a")], &["a"]), None);
    }
}

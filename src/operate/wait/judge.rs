//! Whether a goal is reached, and whether it ever will be; pure.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::Goal;
use crate::cluster::{PodView, Progress, View};

/// Why a goal will not be reached.
pub(super) enum Hopeless {
    /// The controller says so.
    Said(String),
    /// A pod will not become ready.
    Pod(PodView),
}

/// Since when which pods are in trouble.
#[derive(Default)]
pub(super) struct Lasting(BTreeMap<String, Instant>);

impl Lasting {
    /// Takes in what is known now.
    pub(super) fn see(&mut self, view: &View) {
        let now = Instant::now();
        let in_trouble = view.pods.iter().filter(|pod| pod.trouble.is_some());
        self.0 = in_trouble.map(|pod| (pod.uid.clone(), self.0.get(&pod.uid).copied().unwrap_or(now))).collect();
    }

    /// How long a pod has been.
    pub(super) fn lasts(&self, pod: &PodView) -> Duration {
        self.0.get(&pod.uid).map(Instant::elapsed).unwrap_or_default()
    }
}

/// Whether it is as it should be.
pub(super) fn is_reached(goal: Goal, view: &View) -> bool {
    match goal {
        // Its status and its pods are told by two watches: either may be ahead of the other.
        Goal::Replicas(wanted) => {
            let all_stay = view.pods.iter().all(|pod| !pod.going);
            view.rollout.is_at_scale() && all_stay && i32::try_from(view.pods.len()) == Ok(wanted)
        }
        Goal::Rollout => view.rollout.is_complete(),
    }
}

/// Why it will not be reached. `before` is how far the workload was before it was changed, `lasts` for how long a pod has been
/// in trouble.
pub(super) fn hopeless(
    goal: Goal,
    before: &Progress,
    view: &View,
    lasts: impl Fn(&PodView) -> Duration,
) -> Option<Hopeless> {
    // A Deployment that has let its old pods go first still says what it said of them.
    if let (Goal::Rollout, Progress::DeadlineExceeded { message }) = (goal, &view.rollout.progress)
        && view.rollout.progress != *before
    {
        return Some(Hopeless::Said(format!("progress deadline exceeded: {message}")));
    }
    let is_over = |pod: &&PodView| pod.trouble.as_ref().is_some_and(|trouble| lasts(pod) >= trouble.patience);
    view.pods.iter().filter(|pod| is_awaited(goal, pod, view)).find(is_over).cloned().map(Hopeless::Pod)
}

/// Whether the pod has to become ready: a new one for a rollout; for a number of replicas any, unless there are more than
/// that and this one may be the one that goes. In the midst of a rollout there are more until the new ones are ready.
fn is_awaited(goal: Goal, pod: &PodView, view: &View) -> bool {
    let staying = view.pods.iter().filter(|pod| !pod.going).count();
    !pod.going
        && match goal {
            Goal::Rollout => !pod.old,
            Goal::Replicas(0) => false,
            Goal::Replicas(wanted) => {
                is_rolling_over(view) || i32::try_from(staying).is_ok_and(|staying| staying <= wanted)
            }
        }
}

/// Whether some of its pods are of an older revision.
pub(super) fn is_rolling_over(view: &View) -> bool {
    view.rollout.counts.updated < view.rollout.counts.total
}

/// The first pod that has to become ready and is not.
pub(super) fn worst(view: &View, goal: Goal) -> Option<&PodView> {
    view.pods.iter().find(|pod| !pod.ready && is_awaited(goal, pod, view))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Counts, PodTrouble, RolloutState, Strategy};

    fn view(progress: Progress, desired: i32, pods: Vec<PodView>) -> View {
        let ready = i32::try_from(pods.iter().filter(|pod| pod.ready).count()).unwrap();
        let counts = Counts { desired, total: desired, updated: desired, ready, available: ready };
        let rollout = RolloutState { progress, counts, paused: false, strategy: Strategy::Recreate, failure: None };
        View { rollout, replicas_by: None, changed: None, pods }
    }

    fn ready(name: &str) -> PodView {
        let name = name.to_owned();
        PodView {
            uid: name.clone(),
            name,
            ready: true,
            going: false,
            old: false,
            state: "ready".to_owned(),
            trouble: None,
        }
    }

    /// One whose container waits, which may last for so many seconds.
    fn troubled(name: &str, patience: u64) -> PodView {
        let trouble = PodTrouble { container: "app".to_owned(), ran: true, patience: Duration::from_secs(patience) };
        PodView { ready: false, trouble: Some(trouble), ..ready(name) }
    }

    fn is_hopeless(goal: Goal, view: &View, lasts: u64) -> bool {
        hopeless(goal, &Progress::Complete { kept: 0 }, view, |_| Duration::from_secs(lasts)).is_some()
    }

    const DONE: Progress = Progress::Complete { kept: 0 };

    #[test]
    fn a_shrink_is_over_when_the_pods_have_gone_too() {
        let goal = Goal::Replicas(1);
        // The workload's status is new, the pods are those of before.
        assert!(!is_reached(goal, &view(DONE, 1, vec![ready("a"), PodView { ready: false, ..ready("b") }])));
        assert!(!is_reached(
            goal,
            &view(DONE, 1, vec![ready("a"), PodView { ready: false, going: true, ..ready("b") }])
        ));
        assert!(is_reached(goal, &view(DONE, 1, vec![ready("a")])));
        assert!(is_reached(Goal::Replicas(0), &view(DONE, 0, vec![])));
    }

    #[test]
    fn who_switches_a_broken_role_off_does_not_wait_for_its_pods() {
        let broken = view(DONE, 0, vec![troubled("a", 0)]);
        assert!(!is_hopeless(Goal::Replicas(0), &broken, 0));
        assert!(worst(&broken, Goal::Replicas(0)).is_none());
        let both = view(DONE, 1, vec![troubled("a", 0), troubled("b", 0)]);
        assert!(!is_hopeless(Goal::Replicas(1), &both, 0));
        assert!(is_hopeless(Goal::Replicas(2), &both, 0));
    }

    #[test]
    fn the_new_pods_of_a_rollout_are_waited_for_though_there_are_more_than_wanted() {
        let mut rolling = view(DONE, 2, vec![ready("a"), troubled("b", 0), troubled("c", 0)]);
        rolling.rollout.counts = Counts { total: 3, updated: 2, ..rolling.rollout.counts };
        assert_eq!(worst(&rolling, Goal::Replicas(2)).unwrap().name, "b");
        assert!(is_hopeless(Goal::Replicas(2), &rolling, 0));
        assert!(!is_hopeless(Goal::Replicas(0), &rolling, 0));
    }

    #[test]
    fn a_pod_in_trouble_has_the_time_its_trouble_may_last() {
        let new = view(Progress::Updating { updated: 0, wanted: 1 }, 1, vec![troubled("a", 60)]);
        assert!(!is_hopeless(Goal::Rollout, &new, 59));
        assert!(is_hopeless(Goal::Rollout, &new, 60));
        let old = view(DONE, 1, vec![PodView { old: true, ..troubled("a", 0) }]);
        assert!(!is_hopeless(Goal::Rollout, &old, 60));
    }

    #[test]
    fn trouble_lasts_as_long_as_the_pod_is_in_it() {
        let mut lasting = Lasting::default();
        lasting.see(&view(DONE, 1, vec![troubled("a", 60)]));
        std::thread::sleep(Duration::from_millis(20));
        lasting.see(&view(DONE, 1, vec![troubled("a", 60), troubled("b", 60)]));
        assert!(lasting.lasts(&troubled("a", 60)) >= Duration::from_millis(20));
        assert!(lasting.lasts(&troubled("b", 60)) < Duration::from_millis(20));
        lasting.see(&view(DONE, 1, vec![ready("a")]));
        assert_eq!(lasting.lasts(&troubled("a", 60)), Duration::ZERO);
    }

    #[test]
    fn a_deadline_of_before_is_none_of_this_rollout() {
        let late = |of: &str| Progress::DeadlineExceeded {
            message: format!("ReplicaSet \"{of}\" has timed out progressing."),
        };
        let new = view(late("beat-1"), 1, vec![]);
        assert!(hopeless(Goal::Rollout, &late("beat-1"), &new, |_| Duration::ZERO).is_none());
        assert!(hopeless(Goal::Rollout, &late("beat-0"), &new, |_| Duration::ZERO).is_some());
        assert!(hopeless(Goal::Rollout, &DONE, &new, |_| Duration::ZERO).is_some());
    }
}

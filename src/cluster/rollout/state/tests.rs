use serde_json::{Value, json};

use super::*;
use crate::cluster::target::fixtures::object;

/// A Deployment of generation 2: desired, and in its status total, updated, ready, available.
fn deployment(desired: i32, counts: [i32; 4], change: impl FnOnce(&mut Value)) -> RolloutState {
    let [total, updated, ready, available] = counts;
    let mut value = json!({
        "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": desired, "selector": {}, "template": {}},
        "status": {"observedGeneration": 2, "replicas": total, "updatedReplicas": updated, "readyReplicas": ready,
            "availableReplicas": available},
    });
    change(&mut value);
    RolloutState::of_deployment(&object(value))
}

/// A StatefulSet of generation 2, its pods of revisions `a` (current) and `b` (update).
fn set(desired: i32, counts: [i32; 3], partition: i32, change: impl FnOnce(&mut Value)) -> RolloutState {
    let [total, updated, ready] = counts;
    let mut value = json!({
        "metadata": {"name": "db", "generation": 2},
        "spec": {"replicas": desired, "selector": {}, "template": {}, "serviceName": "db",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}},
        "status": {"observedGeneration": 2, "replicas": total, "updatedReplicas": updated, "readyReplicas": ready,
            "availableReplicas": ready, "currentRevision": "a", "updateRevision": "b"},
    });
    change(&mut value);
    RolloutState::of_stateful_set(&object(value))
}

fn same(_: &mut Value) {}

#[test]
fn a_deployment_goes_through_these_states() {
    for (desired, counts, expected) in [
        (3, [3, 0, 3, 3], "0 of 3 pods updated"),
        (3, [4, 1, 3, 3], "1 of 3 pods updated"),
        (3, [4, 3, 3, 3], "1 old pod to go"),
        (3, [5, 3, 3, 3], "2 old pods to go"),
        (3, [3, 3, 2, 2], "2 of 3 pods available"),
        // Ready, but not for minReadySeconds yet.
        (3, [3, 3, 3, 2], "2 of 3 pods available"),
        (3, [3, 3, 3, 3], "complete"),
        // Scaling: kubectl calls the surplus complete, the controller does not.
        (1, [3, 3, 3, 3], "2 pods too many"),
        (5, [3, 3, 3, 3], "3 of 5 pods updated"),
        (0, [1, 1, 1, 1], "1 pod too many"),
        (0, [0, 0, 0, 0], "complete"),
    ] {
        let state = deployment(desired, counts, same);
        assert_eq!(state.to_string(), expected, "{desired} {counts:?}");
        assert_eq!(state.is_complete(), expected == "complete");
    }
}

#[test]
fn what_was_not_observed_says_nothing() {
    let fresh = deployment(3, [3, 3, 3, 3], |it| it["metadata"]["generation"] = json!(3));
    assert_eq!(fresh.progress, Progress::Unobserved);
    assert!(!fresh.is_complete() && !fresh.is_at_scale());
    let new = deployment(1, [0; 4], |it| it["status"] = json!({}));
    assert_eq!(new.progress, Progress::Unobserved);
    assert_eq!(set(3, [3, 3, 3], 0, |it| it["metadata"]["generation"] = json!(3)).progress, Progress::Unobserved);
    assert_eq!(set(1, [0; 3], 0, |it| it["status"] = json!({"replicas": 0})).progress, Progress::Unobserved);
}

#[test]
fn an_overdue_deployment_says_so_until_it_goes_on() {
    let condition = |reason: &str, message: &str| {
        let condition = json!([{"type": "Progressing", "status": "False", "reason": reason, "message": message}]);
        move |it: &mut Value| it["status"]["conditions"] = condition
    };
    let message = "ReplicaSet \"web-1\" has timed out progressing.";
    let overdue = deployment(3, [4, 1, 3, 3], condition("ProgressDeadlineExceeded", message));
    assert_eq!(overdue.to_string(), format!("progress deadline exceeded: {message}"));
    let going = deployment(3, [4, 1, 3, 3], condition("ReplicaSetUpdated", ""));
    assert_eq!(going.progress, Progress::Updating { updated: 1, wanted: 3 });
}

#[test]
fn pods_that_cannot_be_made_are_a_failure_with_a_reason() {
    let condition = |status: &str| {
        let message = "pods \"web-1\" is forbidden: exceeded quota: small";
        json!([{"type": "ReplicaFailure", "status": status, "reason": "FailedCreate", "message": message}])
    };
    let failing = deployment(3, [1, 1, 1, 1], |it| it["status"]["conditions"] = condition("True"));
    assert_eq!(failing.failure.as_deref(), Some("pods \"web-1\" is forbidden: exceeded quota: small"));
    assert_eq!(deployment(3, [1, 1, 1, 1], |it| it["status"]["conditions"] = condition("False")).failure, None);
}

#[test]
fn a_paused_deployment_waits_for_somebody_only_with_a_new_template() {
    let paused = |it: &mut Value| it["spec"]["paused"] = json!(true);
    let waiting = deployment(3, [3, 0, 3, 3], paused);
    assert!(waiting.paused && !waiting.is_complete());
    assert_eq!(waiting.to_string(), "0 of 3 pods updated, paused");
    let idle = deployment(3, [3, 3, 3, 3], paused);
    assert!(idle.is_complete());
}

#[test]
fn a_stateful_set_goes_through_these_states() {
    let one_revision = |it: &mut Value| it["status"]["currentRevision"] = json!("b");
    for (desired, counts, partition, expected) in [
        (3, [3, 0, 3], 0, "0 of 3 pods updated"),
        (3, [3, 1, 2], 0, "1 of 3 pods updated"),
        (3, [3, 3, 2], 0, "2 of 3 pods available"),
        (3, [3, 3, 3], 0, "complete"),
        (3, [3, 0, 3], 2, "0 of 1 pods updated"),
        (3, [3, 1, 2], 2, "2 of 3 pods available"),
        (3, [3, 1, 3], 2, "complete; its partition keeps 2 old pods"),
        (3, [3, 0, 3], 5, "complete; its partition keeps 3 old pods"),
    ] {
        assert_eq!(set(desired, counts, partition, same).to_string(), expected, "{desired} {counts:?} {partition}");
    }
    for (desired, counts, expected) in [
        (3, [3, 3, 3], "complete"),
        (3, [1, 1, 1], "1 of 3 pods available"),
        (1, [3, 3, 3], "2 pods too many"),
        (0, [0, 0, 0], "complete"),
    ] {
        assert_eq!(set(desired, counts, 0, one_revision).to_string(), expected, "{desired} {counts:?}");
    }
}

#[test]
fn on_delete_waits_for_somebody() {
    let on_delete = |it: &mut Value| it["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    let state = set(3, [3, 1, 3], 0, on_delete);
    assert_eq!((state.strategy, state.is_complete()), (Strategy::OnDelete, false));
    assert_eq!(state.to_string(), "2 old pods until they are deleted by hand");
    assert!(set(3, [3, 3, 3], 0, on_delete).is_complete());
    assert_eq!(set(3, [3, 3, 2], 0, on_delete).to_string(), "2 of 3 pods available");
}

#[test]
fn scale_is_reached_when_all_pods_are_ready_of_whatever_revision() {
    for (desired, counts, expected) in [
        (3, [3, 3, 3, 3], true),
        (3, [3, 1, 3, 3], true),
        (3, [3, 3, 2, 2], false),
        (3, [4, 3, 3, 3], false),
        (3, [2, 2, 2, 2], false),
        (0, [0, 0, 0, 0], true),
        (0, [1, 1, 0, 0], false),
    ] {
        assert_eq!(deployment(desired, counts, same).is_at_scale(), expected, "{desired} {counts:?}");
    }
    assert!(set(2, [2, 0, 2], 0, same).is_at_scale());
}

#[test]
fn defaults_are_those_of_the_api() {
    let bare = deployment(0, [1, 1, 1, 1], |it| it["spec"] = json!({"selector": {}, "template": {}}));
    assert_eq!((bare.counts.desired, bare.strategy, bare.is_complete()), (1, Strategy::RollingUpdate, true));
    let recreate = deployment(1, [1, 1, 1, 1], |it| it["spec"]["strategy"] = json!({"type": "Recreate"}));
    assert_eq!(recreate.strategy, Strategy::Recreate);
}

#[test]
fn its_json_has_these_names() {
    let state = deployment(3, [4, 1, 3, 3], same);
    let expected = json!({
        "progress": {"step": "updating", "updated": 1, "wanted": 3},
        "pods": {"desired": 3, "total": 4, "updated": 1, "ready": 3, "available": 3},
        "paused": false, "strategy": "rolling_update", "failure": null,
    });
    assert_eq!(serde_json::to_value(state).unwrap(), expected);
}

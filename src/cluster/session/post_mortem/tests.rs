//! What the cluster's objects say of an end.

use serde_json::json;

use super::*;
use crate::cluster::Kind;

fn target() -> Target {
    Target {
        namespace: "shop".into(),
        pod: "web-7c9d8f-aaaaa".into(),
        pod_uid: "uid-1".into(),
        container: "app".into(),
        image: String::new(),
        image_id: String::new(),
        role: "web".into(),
        kind: Kind::Web,
        workload: "deployment/web".into(),
        revision: Some("7c9d8f".into()),
        notes: Vec::new(),
        sidecars: Vec::new(),
    }
}

fn pod(container: serde_json::Value) -> Pod {
    let limits = json!({"memory": "256Mi"});
    serde_json::from_value(json!({
        "metadata": {"name": "web-7c9d8f-aaaaa", "uid": "uid-1"},
        "spec": {"containers": [{"name": "app", "resources": {"limits": limits}}]},
        "status": {"containerStatuses": [container]},
    }))
    .unwrap()
}

fn status(restarts: i32, ended: &str, reason: &str) -> serde_json::Value {
    json!({
        "name": "app", "image": "i", "imageID": "i", "ready": true, "restartCount": restarts,
        "lastState": {"terminated": {"exitCode": 137, "reason": reason, "finishedAt": ended}},
    })
}

fn set(deployment: &str, name: &str, hash: &str, revision: &str) -> ReplicaSet {
    serde_json::from_value(json!({
        "metadata": {
            "name": name, "labels": {TEMPLATE_HASH: hash},
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": deployment, "uid": deployment,
                "controller": true,
            }],
        },
        "spec": {"selector": {}},
    }))
    .unwrap()
}

#[test]
fn only_a_container_that_has_just_ended_ended_the_session() {
    let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    let read = |status, restarts| read_pod(Some(&pod(status)), &target(), restarts, now);
    let oom = Finding::Reason("container `app` was OOMKilled, its memory limit is 256Mi".to_owned());
    assert_eq!(read(status(1, "2026-01-01T11:59:58Z", "OOMKilled"), None), oom);
    assert_eq!(read(status(1, "2026-01-01T09:00:00Z", "OOMKilled"), None), Finding::Nothing);
    // Restarted before one's eyes; the node's clock is wrong.
    assert_eq!(read(status(2, "2026-01-01T09:00:00Z", "OOMKilled"), Some(1)), oom);
    assert_eq!(read(status(2, "2026-01-01T09:00:00Z", "OOMKilled"), Some(2)), Finding::Nothing);
}

#[test]
fn a_container_that_ends_with_its_pod_is_the_pod_s_deletion() {
    let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    let read = |reason| {
        let mut pod = pod(status(0, "2026-01-01T11:59:58Z", reason));
        pod.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now));
        read_pod(Some(&pod), &target(), None, now)
    };
    assert_eq!(read("Error"), Finding::Deleted);
    assert!(matches!(read("OOMKilled"), Finding::Reason(_)));
}

#[test]
fn a_kill_without_evidence_is_worded_with_care() {
    let pod = pod(status(0, "2026-01-01T09:00:00Z", "Completed"));
    let words = killed_without_evidence(Some(&pod), &target().container);
    assert_eq!(words, "SIGKILL: often the memory limit (256Mi), when nobody killed it");
}

#[test]
fn the_pods_replica_set_is_found_by_its_hash_and_owner() {
    let sets = [
        // The same template, another Deployment, and a name that begins as the pod's.
        set("site", "web-7c9d8f", "7c9d8f", "9"),
        set("web", "a-name-of-its-own", "7c9d8f", "3"),
        set("web", "web-9e9e9e", "9e9e9e", "12"),
        set("site", "site-1", "1", "20"),
    ];
    assert_eq!(read_rollout(&sets, &target()), Some((3, 12)));
    assert_eq!(read_rollout(&sets[..2], &target()), None);
    assert_eq!(read_rollout(&sets, &Target { revision: None, ..target() }), None);
}

#[test]
fn a_node_that_is_not_ready_is_named() {
    let node = |status: &str| -> Node {
        let conditions =
            json!([{"type": "Ready", "status": status, "message": "Kubelet stopped posting node status."}]);
        serde_json::from_value(json!({"metadata": {"name": "n1"}, "status": {"conditions": conditions}})).unwrap()
    };
    assert_eq!(read_node(&node("True"), &target()), None);
    let reason = read_node(&node("Unknown"), &target());
    let expected = "node n1 of pod web-7c9d8f-aaaaa is not ready: Kubelet stopped posting node status.";
    assert_eq!(reason.as_deref(), Some(expected));
}

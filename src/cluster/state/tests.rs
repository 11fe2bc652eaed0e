//! From objects, as the API server sends them, to what the status says.

use k8s_openapi::jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{super::target::fixtures::environment, *};
use crate::status::{Health, RolloutPhase};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A time so many seconds before that, as the API has it.
fn before(seconds: i64) -> String {
    now().checked_sub(SignedDuration::from_secs(seconds)).unwrap().to_string()
}

fn object<K: DeserializeOwned + ResourceExt>(value: Value) -> Objects<K> {
    by_name(vec![serde_json::from_value(value).unwrap()])
}

fn status(state: &State) -> Status {
    linked(state, Link::Live)
}

fn linked(state: &State, link: Link) -> Status {
    let environment = environment("qa", None);
    let roles = Roles::new(&environment, None).unwrap();
    state.status(&environment, &roles, link, now())
}

/// A StatefulSet of one pod, made long ago, with this update strategy and status.
fn set(strategy: Value, status: Value) -> Objects<StatefulSet> {
    object(json!({
        "metadata": {"name": "db", "generation": 2, "creationTimestamp": before(90_000)},
        "spec": {
            "replicas": 1, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "updateStrategy": strategy,
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": "db:2"}]}},
        },
        "status": status,
    }))
}

/// Its pod, of this revision, changed.
fn db(revision: &str, change: impl FnOnce(&mut Value)) -> Objects<Pod> {
    let mut pod = json!({
        "metadata": {
            "name": "db-0", "uid": "u", "creationTimestamp": before(9000),
            "labels": {"app": "db", "controller-revision-hash": revision},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "s", "controller": true},
            ],
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "db", "image": "db:2"}]},
        "status": {
            "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": "db", "ready": true, "restartCount": 0, "image": "db:2", "imageID": "", "started": true,
                "state": {"running": {"startedAt": before(8990)}},
            }],
        },
    });
    change(&mut pod);
    object(pod)
}

fn counts(ready: u32, current: &str, update: &str, updated: u32) -> Value {
    json!({
        "replicas": 1, "readyReplicas": ready, "updatedReplicas": updated, "observedGeneration": 2,
        "currentRevision": current, "updateRevision": update,
    })
}

#[test]
fn on_delete_waits_for_somebody_and_is_not_broken() {
    let state = State {
        stateful_sets: set(json!({"type": "OnDelete"}), counts(1, "a", "b", 0)),
        pods: db("a", |_| {}),
        ..State::default()
    };
    let seen = status(&state);
    assert_eq!(seen.health, Health::Warning, "{}", seen.headline);
    let rollout = seen.roles[0].rollout.as_ref().unwrap();
    assert_eq!(
        (rollout.phase, rollout.text.as_str()),
        (RolloutPhase::Waiting, "1 old pod until they are deleted by hand")
    );
    assert!(seen.pods[0].outdated && !seen.roles[0].has_deadline);
}

#[test]
fn a_set_that_never_gets_ready_is_broken_after_a_while() {
    let seen = |age: i64| {
        let unready = |pod: &mut Value| {
            pod["metadata"]["creationTimestamp"] = json!(before(age));
            pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]);
            pod["status"]["containerStatuses"][0]["ready"] = json!(false);
            pod["status"]["containerStatuses"][0]["state"] = json!({"running": {"startedAt": before(age)}});
        };
        let state = State {
            stateful_sets: set(json!({"type": "RollingUpdate"}), counts(0, "a", "b", 1)),
            pods: db("b", unready),
            ..State::default()
        };
        status(&state).health
    };
    assert_eq!((seen(300), seen(3600)), (Health::Changing, Health::Broken));
}

#[test]
fn a_pod_whose_node_is_lost_is_told_from_one_that_is_not_ready() {
    let seen = |conditions: Value| {
        let state = State {
            stateful_sets: set(json!({"type": "RollingUpdate"}), counts(0, "a", "a", 1)),
            pods: db("a", |pod| pod["status"]["conditions"] = conditions),
            ..State::default()
        };
        status(&state).headline
    };
    let lost = seen(json!([{"type": "Ready", "status": "False"}]));
    assert!(lost.contains("its node node-1 does not answer"), "{lost}");
    let gated = seen(json!([{"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"}]));
    assert!(gated.contains("is not ready"), "{gated}");
}

#[test]
fn a_pod_that_stays_though_it_was_deleted_is_the_cause() {
    let seen = |seconds: i64| {
        let state = State {
            stateful_sets: set(json!({"type": "RollingUpdate"}), counts(0, "a", "a", 1)),
            pods: db("a", |pod| pod["metadata"]["deletionTimestamp"] = json!(before(seconds))),
            ..State::default()
        };
        status(&state)
    };
    assert_eq!(seen(10).health, Health::Changing);
    let stuck = seen(7200);
    assert!(stuck.is_broken() && stuck.headline.contains("it was to be gone 2h ago and is not"), "{}", stuck.headline);
}

/// A Deployment of two pods that settled and lost them at that time.
fn deployment(lost: i64) -> Objects<Deployment> {
    object(json!({
        "metadata": {"name": "web", "generation": 1, "creationTimestamp": before(90_000)},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "progressDeadlineSeconds": 600,
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "w:1"}]}},
        },
        "status": {
            "replicas": 2, "updatedReplicas": 2, "observedGeneration": 1,
            "conditions": [
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "lastUpdateTime": before(80_000)},
                {"type": "Available", "status": "False", "lastTransitionTime": before(lost)},
            ],
        },
    }))
}

#[test]
fn without_pods_a_deployment_that_is_short_for_long_is_broken() {
    let seen = |lost| {
        let mut state = State { deployments: deployment(lost), ..State::default() };
        state.lacks("pods", &Error::failed("`dev` may not `list` `pods`"));
        status(&state)
    };
    assert_eq!(seen(20).health, Health::Changing);
    let broken = seen(40_000);
    assert!(broken.is_broken() && broken.roles[0].has_deadline, "{}", broken.headline);
    assert!(broken.headline.contains("its pods could not be read"), "{}", broken.headline);
}

#[test]
fn startup_probes_count_while_they_have_not_passed() {
    let pod = |probe: bool, started: bool| {
        let change = |pod: &mut Value| {
            if probe {
                pod["spec"]["containers"][0]["startupProbe"] = json!({"exec": {"command": ["true"]}});
            }
            pod["status"]["containerStatuses"][0]["started"] = json!(started);
        };
        let state = State { pods: db("a", change), ..State::default() };
        status(&state).pods[0].containers[0].starting
    };
    assert_eq!((pod(true, false), pod(true, true), pod(false, false)), (true, false, false));
}

#[test]
fn many_events_do_not_push_the_warnings_out() {
    let event = |number: i64, kind: &str, reason: &str| {
        json!({
            "metadata": {"name": format!("e{number}")}, "type": kind, "reason": reason, "message": "x",
            "involvedObject": {"kind": "Pod", "name": "db-0"}, "lastTimestamp": before(number),
        })
    };
    let normal = (0..200).map(|number| event(number, "Normal", "Killing"));
    let events = normal.chain([event(500, "Warning", "Unhealthy")]).map(|event| serde_json::from_value(event).unwrap());
    let state = State { pods: db("a", |_| {}), events: by_name(events.collect()), ..State::default() };
    let seen = status(&state);
    assert_eq!(seen.events.len(), 100);
    assert_eq!(seen.events.last().map(|event| event.reason.as_str()), Some("Unhealthy"));
}

#[test]
fn init_containers_are_compared_too() {
    let set = |revision: &str, image: &str| {
        json!({
            "metadata": {
                "name": format!("web-{revision}"), "creationTimestamp": before(100),
                "annotations": {"deployment.kubernetes.io/revision": revision},
                "ownerReferences": [
                    {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "d", "controller": true},
                ],
            },
            "spec": {"selector": {}, "template": {"spec": {
                "initContainers": [{"name": "migrate", "image": image}], "containers": [{"name": "web", "image": "w:1"}],
            }}},
        })
    };
    let sets = [set("1", "m:1"), set("2", "m:2")].map(|set| serde_json::from_value(set).unwrap());
    let state = State { deployments: deployment(5), replica_sets: by_name(sets.to_vec()), ..State::default() };
    assert_eq!(status(&state).changes[0].differences, ["image `m:1` → `m:2`"]);
}

#[test]
fn where_workloads_may_not_be_seen_emptiness_is_not_certain() {
    let mut state = State::default();
    state.lacks("Deployments", &Error::failed("`dev` may not `list` `deployments`"));
    let seen = status(&state);
    assert!(seen.headline.contains("there may be some that were not seen"), "{}", seen.headline);
}

#[test]
fn what_was_starting_when_the_connection_was_lost_has_not_taken_too_long() {
    let starting = |pod: &mut Value| {
        pod["metadata"]["creationTimestamp"] = json!(before(3630));
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]);
        pod["status"]["containerStatuses"][0]["ready"] = json!(false);
        pod["status"]["containerStatuses"][0]["state"] = json!({"running": {"startedAt": before(3630)}});
    };
    let state = State {
        stateful_sets: set(json!({"type": "RollingUpdate"}), counts(0, "a", "a", 1)),
        pods: db("a", starting),
        ..State::default()
    };
    assert_eq!(status(&state).health, Health::Broken);
    let lost = Link::Lost { since: before(3600).parse().unwrap(), why: "refused".to_owned() };
    let seen = linked(&state, lost);
    assert_eq!((seen.health, seen.taken), (Health::Changing, now()));
}

#[test]
fn a_native_sidecar_is_a_container_like_the_others() {
    let with_sidecar = |pod: &mut Value| {
        pod["spec"]["initContainers"] =
            json!([{"name": "proxy", "image": "p:1", "restartPolicy": "Always"}, {"name": "migrate", "image": "m:1"}]);
        let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": before(8991)}});
        let running = json!({"running": {"startedAt": before(8995)}});
        let container = |name: &str, ready, state: &Value| json!({"name": name, "ready": ready, "restartCount": 0, "image": "", "imageID": "", "state": state});
        pod["status"]["initContainerStatuses"] =
            json!([container("proxy", false, &running), container("migrate", true, &ended)]);
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]);
    };
    let seen = status(&State { pods: db("a", with_sidecar), ..State::default() });
    assert_eq!(seen.pods[0].ready_containers(), (1, 2));
    assert!(seen.headline.contains("container `proxy` is not ready"), "{}", seen.headline);
}

//! The pod of a Job, from its appearing to its end.

use serde_json::{Value, json};

use crate::harness::api_server::now;

/// A name as the cluster makes them, always the same ones in the same test.
pub fn name(job: &Value, number: usize) -> String {
    format!("{}-x7k{:02x}", job["metadata"]["name"].as_str().unwrap_or_default(), number % 256)
}

/// The pod as it appears.
pub fn new(job: &Value, name: &str) -> Value {
    let (template, owner) = (&job["spec"]["template"], &job["metadata"]);
    json!({
        "metadata": {
            "name": name, "namespace": owner["namespace"],
            "labels": template["metadata"]["labels"], "annotations": template["metadata"]["annotations"],
            "ownerReferences": [{
                "apiVersion": "batch/v1", "kind": "Job", "name": owner["name"], "uid": owner["uid"],
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": template["spec"],
        "status": {"phase": "Pending"},
    })
}

/// No node takes it.
pub fn unschedulable(pod: &mut Value, message: &str) {
    pod["status"]["conditions"] =
        json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]);
}

/// A node has it, and creates its containers.
pub fn scheduled(pod: &mut Value) {
    pod["spec"]["nodeName"] = json!("node-1");
    pod["status"]["startTime"] = json!(now());
    pod["status"]["conditions"] = json!([
        {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False", "reason": "ContainersNotReady"},
    ]);
    let states = states(pod, |_| json!({"waiting": {"reason": "ContainerCreating"}}));
    pod["status"]["containerStatuses"] = states;
}

/// The app's container waits.
pub fn waits(pod: &mut Value, reason: &str, message: &str) {
    pod["status"]["containerStatuses"][0]["state"] = json!({"waiting": {"reason": reason, "message": message}});
}

/// All containers run.
pub fn starts(pod: &mut Value) {
    let time = now();
    pod["status"]["phase"] = json!("Running");
    pod["status"]["conditions"] =
        json!([{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}]);
    pod["status"]["containerStatuses"] = states(pod, |_| json!({"running": {"startedAt": time}}));
}

/// The app's container ends; the others do, too, or go on.
pub fn ends(pod: &mut Value, code: i32, reason: &str, others_go_on: bool) {
    let running = json!({"running": {"startedAt": now()}});
    let ended = |code: i32, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": now(), "finishedAt": now()}});
    pod["status"]["containerStatuses"] = states(pod, |number| match number {
        0 => ended(code, reason),
        _ if others_go_on => running.clone(),
        _ => ended(0, "Completed"),
    });
    if !others_go_on {
        pod["status"]["phase"] = json!(if code == 0 { "Succeeded" } else { "Failed" });
    }
    pod["status"]["conditions"] = json!([
        {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False", "reason": "PodCompleted"},
    ]);
}

/// The statuses of all containers, with the state of each by its number.
fn states(pod: &Value, state: impl Fn(usize) -> Value) -> Value {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten().enumerate();
    containers
        .map(|(number, container)| {
            let state = state(number);
            let ready = !state["running"].is_null();
            json!({
                "name": container["name"], "image": container["image"], "ready": ready, "started": ready,
                "imageID": format!("{}@sha256:0a1b2c", container["image"].as_str().unwrap_or_default()),
                "restartCount": 0, "state": state, "lastState": {},
            })
        })
        .collect()
}

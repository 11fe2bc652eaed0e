//! Objects for a test's own namespace, as cheap as pods can be.

use serde_json::{Value, json};

/// A Deployment of one replica whose pods play the role `name`.
pub fn deployment(name: &str, pod: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"component": name}},
            "template": {"metadata": {"labels": {"component": name}}, "spec": pod},
        },
    })
}

/// A StatefulSet whose pods play the role `name`.
pub fn stateful_set(name: &str, replicas: u32, pod: Value) -> Value {
    let mut set = deployment(name, pod);
    set["kind"] = "StatefulSet".into();
    set["spec"]["replicas"] = replicas.into();
    set["spec"]["podManagementPolicy"] = "Parallel".into();
    set["spec"]["serviceName"] = name.into();
    set
}

/// A pod that nobody controls.
pub fn bare_pod(name: &str, labels: Value, pod: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": pod})
}

/// A pod's spec. Its containers are killed at once when it is deleted.
pub fn pod<const N: usize>(containers: [Value; N]) -> Value {
    json!({"containers": containers.as_slice(), "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false})
}

/// A container that runs this command.
pub fn container<const N: usize>(name: &str, image: &str, command: [&str; N]) -> Value {
    let mut container = json!({"name": name, "image": image});
    if N > 0 {
        container["command"] = json!(command.as_slice());
    }
    container
}

/// A container that sleeps.
pub fn sleeping(name: &str, image: &str) -> Value {
    container(name, image, ["sleep", "infinity"])
}

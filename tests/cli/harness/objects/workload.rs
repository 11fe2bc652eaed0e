//! Deployments, ReplicaSets, StatefulSets, Services.

use serde_json::{Value, json};

use super::Object;

macro_rules! object {
    ($(#[$doc:meta])* $name:ident, $resource:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(Value);

        impl $name {
            /// A label of its own.
            pub fn label(mut self, key: &str, value: &str) -> Self {
                self.0["metadata"]["labels"][key] = json!(value);
                self
            }

            /// Any other change.
            pub fn json(mut self, change: impl FnOnce(&mut Value)) -> Self {
                change(&mut self.0);
                self
            }
        }

        impl Object for $name {
            const RESOURCE: &'static str = $resource;

            fn into_json(self) -> Value {
                self.0
            }
        }
    };
}

object!(
    /// A Deployment.
    Deployment, "deployments"
);
object!(
    /// A ReplicaSet.
    ReplicaSet, "replicasets"
);
object!(
    /// A StatefulSet.
    StatefulSet, "statefulsets"
);
object!(
    /// A Service.
    Service, "services"
);

impl Deployment {
    /// A Deployment of `replicas` ready pods, which selects `app.kubernetes.io/component=NAME`.
    pub fn new(name: &str, replicas: u32) -> Self {
        Self(workload(name, replicas))
    }

    /// What it selects instead.
    pub fn selects(mut self, labels: &[(&str, &str)]) -> Self {
        select(&mut self.0, labels);
        self
    }

    /// The container of its template.
    pub fn container(mut self, name: &str, image: &str, command: &[&str]) -> Self {
        template_container(&mut self.0, name, image, command);
        self
    }
}

impl StatefulSet {
    /// A StatefulSet of `replicas` ready pods, which selects `app.kubernetes.io/component=NAME`.
    pub fn new(name: &str, replicas: u32) -> Self {
        Self(workload(name, replicas))
    }
}

impl ReplicaSet {
    /// The ReplicaSet `WORKLOAD-HASH` of a Deployment, of this revision.
    pub fn of(deployment: &str, hash: &str, revision: u32, replicas: u32) -> Self {
        let mut json = workload(&format!("{deployment}-{hash}"), replicas);
        json["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": revision.to_string()});
        json["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "apps/v1", "kind": "Deployment", "name": deployment, "uid": format!("uid-{deployment}"),
            "controller": true,
        }]);
        select(&mut json, &[("app.kubernetes.io/component", deployment), ("pod-template-hash", hash)]);
        Self(json)
    }

    /// What it selects instead.
    pub fn selects(mut self, labels: &[(&str, &str)]) -> Self {
        select(&mut self.0, labels);
        self
    }
}

impl Service {
    /// A Service with one port, which selects these labels.
    pub fn new(name: &str, selector: &[(&str, &str)]) -> Self {
        let selector: Value = selector.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
        Self(json!({
            "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": {}},
            "spec": {"selector": selector, "ports": [{"port": 80, "targetPort": 8000}], "type": "ClusterIP"},
        }))
    }
}

fn workload(name: &str, replicas: u32) -> Value {
    let mut json = json!({
        "metadata": {
            "name": name, "uid": format!("uid-{name}"), "labels": {}, "generation": 1,
            "creationTimestamp": "2026-10-01T08:00:00Z",
        },
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": {}}, "spec": {"containers": []}}},
        "status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                   "updatedReplicas": replicas, "observedGeneration": 1},
    });
    select(&mut json, &[("app.kubernetes.io/component", name)]);
    json
}

/// Sets the selector, and the same labels on the workload and its template.
fn select(json: &mut Value, labels: &[(&str, &str)]) {
    let labels: Value = labels.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
    json["metadata"]["labels"] = labels.clone();
    json["spec"]["template"]["metadata"]["labels"] = labels.clone();
    json["spec"]["selector"] = json!({"matchLabels": labels});
}

fn template_container(json: &mut Value, name: &str, image: &str, command: &[&str]) {
    if let Some(containers) = json["spec"]["template"]["spec"]["containers"].as_array_mut() {
        containers.push(json!({"name": name, "image": image, "command": command}));
    }
}

//! Pods and environments for the tests of this module, built as the API server would send them.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::environment::{DjangoSettings, Environment, RoleSettings, SessionMode};

/// The time all tests run at.
pub(in crate::cluster) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// An object of the API from its JSON.
pub(in crate::cluster) fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub(in crate::cluster) fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// An environment in namespace `shop-NAME` of context `acme`.
pub(in crate::cluster) fn environment(name: &str, instance: Option<&str>) -> Environment {
    Environment {
        name: name.to_owned(),
        context: "acme".to_owned(),
        namespace: format!("shop-{name}"),
        instance: instance.map(str::to_owned),
        protected: false,
        confirmed_by: name.to_owned(),
        session: SessionMode::Exec,
        django: DjangoSettings::default(),
        database: crate::environment::DatabaseSettings::default(),
        roles: BTreeMap::new(),
        resolved_by: String::new(),
    }
}

pub(in crate::cluster) fn with_role(
    mut environment: Environment,
    name: &str,
    selector: Option<&str>,
    container: Option<&str>,
) -> Environment {
    let settings = RoleSettings { selector: selector.map(str::to_owned), container: container.map(str::to_owned) };
    environment.roles.insert(name.to_owned(), settings);
    environment
}

/// A running, ready pod, until told otherwise. Without containers it gets one, `app`, when it is built.
pub(in crate::cluster) fn pod(name: &str) -> PodBuilder {
    PodBuilder(json!({
        "metadata": {
            "name": name, "uid": format!("uid-{name}"), "namespace": "shop-qa", "labels": {},
            "creationTimestamp": "2026-03-01T10:00:00Z",
        },
        "spec": {"containers": []},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": []},
    }))
}

#[derive(Clone)]
pub(in crate::cluster) struct PodBuilder(Value);

impl PodBuilder {
    pub(in crate::cluster) fn build(self) -> Pod {
        object(self.with_a_container().0)
    }

    fn with_a_container(self) -> Self {
        if self.0["spec"]["containers"] == json!([]) { self.container("app", &[]) } else { self }
    }

    /// Replaces any part of the pod, by JSON pointer.
    pub(in crate::cluster) fn set(mut self, pointer: &str, value: Value) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.0.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = value;
        self
    }

    pub(in crate::cluster) fn label(self, key: &str, value: &str) -> Self {
        self.set(&format!("/metadata/labels/{}", key.replace('/', "~1")), json!(value))
    }

    pub(in crate::cluster) fn annotation(self, key: &str, value: &str) -> Self {
        self.set("/metadata/annotations", json!({key: value}))
    }

    pub(in crate::cluster) fn created(self, time: &str) -> Self {
        self.set("/metadata/creationTimestamp", json!(time))
    }

    pub(in crate::cluster) fn owned_by(self, kind: &str, name: &str) -> Self {
        let owner =
            json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": format!("uid-{name}"), "controller": true});
        self.set("/metadata/ownerReferences", json!([owner]))
    }

    /// Of the ReplicaSet of `hash` of a Deployment.
    pub(in crate::cluster) fn of_deployment(self, name: &str, hash: &str) -> Self {
        self.label("pod-template-hash", hash).owned_by("ReplicaSet", &format!("{name}-{hash}"))
    }

    pub(in crate::cluster) fn terminating(self) -> Self {
        self.set("/metadata/deletionTimestamp", json!("2026-03-01T11:59:50Z"))
    }

    pub(in crate::cluster) fn phase(self, phase: &str) -> Self {
        self.set("/status/phase", json!(phase)).not_ready()
    }

    pub(in crate::cluster) fn not_ready(self) -> Self {
        self.set("/status/conditions", json!([{"type": "Ready", "status": "False"}]))
    }

    /// Adds a running container with this command.
    pub(in crate::cluster) fn container(self, name: &str, command: &[&str]) -> Self {
        self.container_of(json!({"name": name, "image": format!("shop/{name}:1"), "command": command}))
    }

    /// Adds a running container.
    pub(in crate::cluster) fn container_of(mut self, container: Value) -> Self {
        let name = container["name"].clone();
        let image = container["image"].clone();
        let status = json!({
            "name": name, "image": image, "imageID": "sha256:1", "ready": true, "restartCount": 0,
            "state": {"running": {"startedAt": "2026-03-01T10:00:05Z"}},
        });
        self.0["spec"]["containers"].as_array_mut().unwrap().push(container);
        self.0["status"]["containerStatuses"].as_array_mut().unwrap().push(status);
        self
    }

    /// Sets the state of the only container, not ready any more.
    pub(in crate::cluster) fn state(self, state: Value, last: Value, restarts: u32) -> Self {
        let with_one = self.with_a_container();
        with_one
            .not_ready()
            .patch_status(json!({"state": state, "lastState": last, "restartCount": restarts, "ready": false}))
    }

    fn patch_status(mut self, patch: Value) -> Self {
        let status = &mut self.0["status"]["containerStatuses"][0];
        for (key, value) in patch.as_object().unwrap() {
            status[key] = value.clone();
        }
        self
    }

    pub(in crate::cluster) fn crash_looping(self) -> Self {
        let last = json!({"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-03-01T11:59:48Z"}});
        let message = "back-off 5m0s restarting failed container=app";
        self.state(json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}}), last, 7)
    }

    pub(in crate::cluster) fn unschedulable(self) -> Self {
        let with_one = self.with_a_container();
        with_one.phase("Pending").set("/status/containerStatuses", json!([])).set(
            "/status/conditions",
            json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "0/3 nodes are available: 3 Insufficient cpu."}]),
        )
    }
}

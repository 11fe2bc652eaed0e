//! Pods in every state a test needs.

use serde_json::{Value, json};

use super::Object;

/// A pod being described. It runs and is ready, with no container, unless told otherwise.
#[derive(Clone, Debug)]
pub struct Pod {
    json: Value,
    ready: bool,
    state: Value,
    last_state: Value,
    restarts: u32,
}

impl Pod {
    /// A pod that runs and is ready.
    pub fn ready(name: &str) -> Self {
        let json = json!({
            "metadata": {
                "name": name, "uid": format!("uid-{name}"), "labels": {}, "annotations": {}, "ownerReferences": [],
                "creationTimestamp": "2026-11-01T08:00:00Z",
            },
            "spec": {"containers": [], "nodeName": "node-1"},
            "status": {"phase": "Running"},
        });
        let state = json!({"running": {"startedAt": "2026-11-01T08:00:05Z"}});
        Self { json, ready: true, state, last_state: json!({}), restarts: 0 }
    }

    /// A pod that runs and is not ready.
    pub fn not_ready(name: &str) -> Self {
        Self { ready: false, ..Self::ready(name) }
    }

    /// A pod whose containers wait: `ContainerCreating`, `ImagePullBackOff`.
    pub fn waiting(name: &str, reason: &str, message: &str) -> Self {
        let mut pod = Self::not_ready(name);
        pod.json["status"]["phase"] = json!("Pending");
        pod.state = json!({"waiting": {"reason": reason, "message": message}});
        pod
    }

    /// A pod that no node takes.
    pub fn unschedulable(name: &str, message: &str) -> Self {
        let mut pod = Self::not_ready(name);
        pod.json["status"] = json!({
            "phase": "Pending",
            "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}],
        });
        pod.json["spec"]["nodeName"].take();
        pod.state = Value::Null;
        pod
    }

    /// A pod whose containers end with this code and reason again and again.
    pub fn crash_looping(name: &str, exit_code: i32, reason: &str) -> Self {
        let mut pod = Self::waiting(name, "CrashLoopBackOff", "back-off 5m0s restarting failed container");
        pod.json["status"]["phase"] = json!("Running");
        pod.restarts = 7;
        pod.last_state(exit_code, reason)
    }

    /// How its containers ended the last time.
    pub fn last_state(mut self, exit_code: i32, reason: &str) -> Self {
        let finished = "2026-11-01T09:00:00Z";
        self.last_state = json!({"terminated": {"exitCode": exit_code, "reason": reason, "finishedAt": finished}});
        self.restarts = self.restarts.max(1);
        self
    }

    /// Its containers ended with this code, and stay so.
    pub fn ended(mut self, exit_code: i32, reason: &str) -> Self {
        self.ready = false;
        self.json["status"]["phase"] = json!(if exit_code == 0 { "Succeeded" } else { "Failed" });
        let finished = "2026-11-01T09:00:00Z";
        self.state = json!({"terminated": {"exitCode": exit_code, "reason": reason, "finishedAt": finished}});
        self
    }

    /// It is being deleted.
    pub fn terminating(mut self) -> Self {
        self.json["metadata"]["deletionTimestamp"] = json!("2026-11-01T09:30:00Z");
        self
    }

    /// It was evicted.
    pub fn evicted(mut self, message: &str) -> Self {
        self.ready = false;
        self.json["status"] = json!({"phase": "Failed", "reason": "Evicted", "message": message});
        self
    }

    /// It belongs to this ReplicaSet: `("web", "7c9d8f")`.
    pub fn owned_by_replica_set(mut self, workload: &str, hash: &str) -> Self {
        self = self.label("pod-template-hash", hash);
        self.owned_by("ReplicaSet", &format!("{workload}-{hash}"))
    }

    /// It belongs to this StatefulSet.
    pub fn owned_by_stateful_set(self, name: &str) -> Self {
        self.owned_by("StatefulSet", name)
    }

    /// It belongs to this Job.
    pub fn owned_by_job(mut self, name: &str) -> Self {
        let uid = format!("uid-{name}");
        self = self
            .label("job-name", name)
            .label("batch.kubernetes.io/job-name", name)
            .label("batch.kubernetes.io/controller-uid", &uid);
        self.owned_by("Job", name)
    }

    fn owned_by(mut self, kind: &str, name: &str) -> Self {
        let version = if kind == "Job" { "batch/v1" } else { "apps/v1" };
        self.json["metadata"]["ownerReferences"] = json!([{
            "apiVersion": version, "kind": kind, "name": name, "uid": format!("uid-{name}"), "controller": true,
        }]);
        self
    }

    /// The usual label of a role.
    pub fn component(self, role: &str) -> Self {
        self.label("app.kubernetes.io/component", role)
    }

    /// The usual label of a single-tenant instance.
    pub fn instance(self, name: &str) -> Self {
        self.label("app.kubernetes.io/instance", name)
    }

    /// A label.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.json["metadata"]["labels"][key] = json!(value);
        self
    }

    /// An annotation.
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.json["metadata"]["annotations"][key] = json!(value);
        self
    }

    /// When it was made.
    pub fn created(mut self, time: &str) -> Self {
        self.json["metadata"]["creationTimestamp"] = json!(time);
        self
    }

    /// A container with this image and command.
    pub fn container(self, name: &str, image: &str, command: &[&str]) -> Self {
        self.container_json(json!({"name": name, "image": image, "command": command}))
    }

    /// A container, as the API has it.
    pub fn container_json(mut self, container: Value) -> Self {
        if let Some(containers) = self.json["spec"]["containers"].as_array_mut() {
            containers.push(container);
        }
        self
    }

    /// The container of a Django app behind gunicorn.
    pub fn django(self, name: &str) -> Self {
        self.container_json(json!({
            "name": name, "image": "registry.acme.dev/shop:1.42", "workingDir": "/app",
            "command": ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"],
            "env": [{"name": "DJANGO_SETTINGS_MODULE", "value": "shop.settings"}],
            "resources": {"limits": {"memory": "512Mi"}},
        }))
    }

    /// Any other change.
    pub fn json(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.json);
        self
    }
}

impl Object for Pod {
    const RESOURCE: &'static str = "pods";

    fn into_json(self) -> Value {
        let Self { mut json, ready, state, last_state, restarts } = self;
        let containers = json["spec"]["containers"].as_array().cloned().unwrap_or_default();
        if !state.is_null() {
            let status = |container: &Value| {
                json!({
                    "name": container["name"], "image": container["image"], "ready": ready, "started": ready,
                    "imageID": format!("{}@sha256:0a1b2c", container["image"].as_str().unwrap_or_default()),
                    "restartCount": restarts, "state": state, "lastState": last_state,
                })
            };
            json["status"]["containerStatuses"] = containers.iter().map(status).collect();
        }
        if json["status"]["conditions"].is_null() {
            let word = if ready { "True" } else { "False" };
            json["status"]["conditions"] =
                json!([{"type": "Ready", "status": word}, {"type": "ContainersReady", "status": word}]);
        }
        json
    }
}

//! Jobs that are there when the test begins.

use serde_json::{Value, json};

use super::Object;

/// A Job being described. It is running unless told otherwise.
#[derive(Clone, Debug)]
pub struct Job(Value);

impl Job {
    /// A Job that runs, with one pod.
    pub fn new(name: &str) -> Self {
        let uid = format!("uid-{name}");
        Self(json!({
            "metadata": {
                "name": name, "uid": uid, "labels": {}, "annotations": {}, "generation": 1,
                "creationTimestamp": "2026-11-01T08:00:00Z",
            },
            "spec": {
                "backoffLimit": 0, "completions": 1, "parallelism": 1,
                "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}},
                "template": {"metadata": {"labels": {}}, "spec": {"containers": [], "restartPolicy": "Never"}},
            },
            "status": {"active": 1, "startTime": "2026-11-01T08:00:00Z"},
        }))
    }

    /// It ended well.
    pub fn complete(mut self) -> Self {
        complete(&mut self.0, "2026-11-01T08:05:00Z");
        self
    }

    /// It failed: `BackoffLimitExceeded`, `DeadlineExceeded`, `PodFailurePolicy`.
    pub fn failed(mut self, reason: &str, message: &str) -> Self {
        fail(&mut self.0, reason, message, "2026-11-01T08:05:00Z");
        self
    }

    /// A label.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.0["metadata"]["labels"][key] = json!(value);
        self
    }

    /// An annotation.
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.0["metadata"]["annotations"][key] = json!(value);
        self
    }

    /// Any other change.
    pub fn json(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.0);
        self
    }
}

impl Object for Job {
    const RESOURCE: &'static str = "jobs";

    fn into_json(self) -> Value {
        self.0
    }
}

/// A Job ends well.
pub fn complete(job: &mut Value, time: &str) {
    let start = job["status"]["startTime"].clone();
    let condition =
        |name: &str| condition(name, "CompletionsReached", "Reached expected number of succeeded pods", time);
    job["status"] = json!({
        "startTime": start, "succeeded": 1, "completionTime": time,
        "conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
    });
}

/// A Job fails.
pub fn fail(job: &mut Value, reason: &str, message: &str, time: &str) {
    let start = job["status"]["startTime"].clone();
    let condition = |name: &str| condition(name, reason, message, time);
    job["status"] = json!({
        "startTime": start, "failed": 1, "conditions": [condition("FailureTarget"), condition("Failed")],
    });
}

fn condition(name: &str, reason: &str, message: &str, time: &str) -> Value {
    json!({"type": name, "status": "True", "reason": reason, "message": message, "lastTransitionTime": time})
}

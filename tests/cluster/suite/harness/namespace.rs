//! A namespace that one test alone changes, and that goes with it.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{Cluster, Kdj};

/// A namespace of its own, with the objects a test needs. Its environment in kdj is called `own`.
pub struct Namespace<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Namespace<'a> {
    /// Makes the namespace and what is in it.
    #[track_caller]
    pub fn with<const N: usize>(cluster: &'a Cluster, objects: [Value; N]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let process = std::process::id().to_string();
        let name = format!("kdj-test-{process}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let metadata = json!({"name": name, "labels": {"kdj.test/process": process}});
        let namespace = Self { cluster, name };
        // No pod can be made before its service account, which the cluster itself would make a moment later.
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace.name}});
        let first = [json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}), account];
        namespace.apply(first.into_iter().chain(objects));
        namespace
    }

    /// Makes or changes objects.
    #[track_caller]
    pub fn apply(&self, objects: impl IntoIterator<Item = Value>) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects.into_iter().collect::<Vec<_>>()});
        let words = ["-n", &self.name, "apply", "--server-side", "--force-conflicts", "-f", "-"];
        self.cluster.kubectl_with(&words, &list.to_string());
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster it is in.
    pub fn cluster(&self) -> &'a Cluster {
        self.cluster
    }

    /// Runs kubectl in it.
    #[track_caller]
    pub fn kubectl<const N: usize>(&self, arguments: [&str; N]) -> String {
        self.kubectl_with(arguments, "")
    }

    /// Runs kubectl in it, with something on stdin.
    #[track_caller]
    pub fn kubectl_with<const N: usize>(&self, arguments: [&str; N], input: &str) -> String {
        let words: Vec<&str> = ["-n", &self.name].into_iter().chain(arguments).collect();
        self.cluster.kubectl_with(&words, input)
    }

    /// Waits until these workloads have all their pods.
    #[track_caller]
    pub fn wait_for_rollout<const N: usize>(&self, workloads: [&str; N]) {
        for workload in workloads {
            self.kubectl(["rollout", "status", "--timeout", "90s", workload]);
        }
    }

    /// Waits until a part of an object has a value: `pod/web-0`, `{.status.phase}`, `Running`.
    #[track_caller]
    pub fn wait_for(&self, what: &str, path: &str, value: &str) {
        self.kubectl(["wait", "--timeout", "90s", what, &format!("--for=jsonpath={path}={value}")]);
    }

    /// The pods of a role, oldest first.
    #[track_caller]
    pub fn pods(&self, role: &str) -> Vec<String> {
        let selector = format!("component={role}");
        let path = "jsonpath={.items[*].metadata.name}";
        let names =
            self.kubectl(["get", "pods", "-l", &selector, "--sort-by", ".metadata.creationTimestamp", "-o", path]);
        names.split_whitespace().map(str::to_owned).collect()
    }

    /// kdj with the environment `own`.
    pub fn kdj(&self) -> Kdj {
        let config = format!("[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\n", self.name);
        self.cluster.kdj().config(&config)
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        let name = &self.name;
        for words in [
            &["-n", name, "delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false"][..],
            &["delete", "namespace", name, "--wait=false"],
        ] {
            let _ = self.cluster.try_kubectl(words, "");
        }
    }
}

//! Jobs on the real cluster: nothing of the log is lost, codes are true, nothing is selected, nothing is left behind.

mod cut;
mod log;
mod outcome;
mod place;
mod rights;

use serde_json::{Value, json};

use super::harness::{Cluster, Kdj, Namespace, SHOP, objects};

/// A namespace with a web workload as cheap as can be, and the rights of a developer.
fn namespace(cluster: &Cluster) -> Namespace<'_> {
    let subject = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "developers"}]);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "developer"});
    let developers = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "developers"},
        "roleRef": role, "subjects": subject,
    });
    Namespace::with(cluster, [web(), developers])
}

/// The workload. Its own pod never needs to run.
fn web() -> Value {
    let mut web = objects::deployment("web", objects::pod([objects::sleeping("app", SHOP)]));
    web["spec"]["replicas"] = 0.into();
    web
}

/// `run own OPTIONS -- sh -c SCRIPT`
fn script<'a, const N: usize>(options: [&'a str; N], script: &'a str) -> Vec<&'a str> {
    ["run", "own"].into_iter().chain(options).chain(["--", "sh", "-c", script]).collect()
}

/// The names of kdj's Jobs in the namespace.
fn jobs(kdj: &Kdj) -> Vec<String> {
    let listed = kdj.run(["jobs", "own", "-o", "name"]).expect_code(0).stdout_text();
    listed.lines().map(str::to_owned).collect()
}

/// The name in `job kdj-run-x7k2mn,` of what kdj said.
#[track_caller]
fn name(stderr: &str) -> String {
    let (_, rest) = stderr.split_once(" job kdj-run-").expect("a job's name");
    format!("kdj-run-{}", rest.split([',', ' ', '`', ':']).next().unwrap_or_default())
}

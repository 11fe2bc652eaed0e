//! Sessions in pods of their own, on the real cluster: they outlive what ends others, and leave nothing behind.

mod away;
mod end;
mod images;
mod rights;

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::harness::{
    Cluster, Kdj, Namespace, Pty, SHOP, objects,
    wait::{DEADLINE, poll_until},
};

/// A namespace with a workload as cheap as can be, the Service that selects it, and a developer's rights.
fn namespace(cluster: &Cluster) -> Namespace<'_> {
    let subject = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "developers"}]);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "developer"});
    let developers = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "developers"},
        "roleRef": role, "subjects": subject,
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"component": "web"}, "ports": [{"port": 80}]},
    });
    Namespace::with(cluster, [web(), service, developers])
}

/// The workload; its own pods need not run.
fn web() -> Value {
    let mut container = objects::sleeping("app", SHOP);
    container["env"] = json!([
        {"name": "DATABASE_URL", "value": "sqlite:////tmp/db"},
        {"name": "DJANGO_SECRET_KEY", "value": "canary-sessions-django-5Hq1"},
    ]);
    let mut web = objects::deployment("web", objects::pod([container]));
    web["spec"]["replicas"] = 0.into();
    web
}

/// A shell in a pod of its own, at its prompt.
#[track_caller]
fn shell(kdj: &Kdj) -> Pty {
    let mut pty = Pty::run(kdj, ["shell", "own", "--fresh"]);
    pty.wait_for("$ ");
    pty
}

/// The names of the open sessions.
fn sessions(kdj: &Kdj) -> Vec<String> {
    let listed = kdj.run(["sessions", "own", "-o", "name"]).expect_code(0).stdout_text();
    listed.lines().map(str::to_owned).collect()
}

/// The only session there is.
#[track_caller]
fn only(kdj: &Kdj) -> String {
    let names = sessions(kdj);
    assert_eq!(names.len(), 1, "{names:?}");
    names.into_iter().next().expect("a session")
}

/// Takes a session up again, by its name alone.
fn attach(kdj: &Kdj, name: &str) -> Pty {
    Pty::run(kdj, ["sessions", "attach", name])
}

/// kdj is gone, at once and without a word.
fn kill(mut pty: Pty) {
    pty.signal(pty.pid(), Signal::KILL);
    let _ = pty.finish();
}

/// Waits until neither Job nor pod is left of any session.
#[track_caller]
fn expect_nothing_left(namespace: &Namespace<'_>) {
    poll_until("nothing to be left of the session", DEADLINE, || {
        let words = ["get", "jobs,pods", "-l", "kdj.dev/kind=session", "-o", "name"];
        let left = namespace.kubectl(words).trim().is_empty();
        if !left {
            std::thread::sleep(Duration::from_millis(300));
        }
        left.then_some(())
    });
}

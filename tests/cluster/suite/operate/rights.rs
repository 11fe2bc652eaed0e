//! Who may, who may not, and what is recorded.

use serde_json::{Value, json};

use super::{
    super::harness::{Kdj, Namespace, cluster},
    kdj, part, replicas, running, web,
};

/// A group that may do this in the namespace.
fn allow(namespace: &Namespace<'_>, group: &str, rules: Value) {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": group}, "rules": rules});
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": group},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": group},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
    });
    namespace.apply([role, binding]);
}

#[test]
fn a_viewer_sees_and_is_told_what_is_missing() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let place = format!("acme-staging-viewer/{}", namespace.name());
    let kdj = kdj(&namespace);
    let _ = kdj.run(["scale", &place]).expect_code(0).prints("web=1\n");
    let output = kdj.run(["scale", &place, "web=2"]).expect_code(1).prints("");
    let _ = output.says(&[
        "error: `viewer` may not `patch` `deployments/scale`",
        r#"{apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["patch"]}"#,
    ]);
    let _ =
        kdj.run(["scale", &place, "web=2", "--dry-run"]).expect_code(1).says(&["may not `patch` `deployments/scale`"]);
    let output = kdj.run(["restart", &place, "web"]).expect_code(1).prints("");
    let _ = output.says(&["error: `viewer` may not `patch` `deployments` in namespace"]);
    assert_eq!(
        (replicas(&namespace, "deployment/web"), part(&namespace, "deployment/web", "{.metadata.generation}")),
        ("1".into(), "1".into())
    );
}

#[test]
fn the_least_rights_are_enough() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let lists = json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]});
    let scale = json!({"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]});
    let pods = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]});
    let patch = json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]});
    allow(&namespace, "scalers", json!([lists, scale]));
    allow(&namespace, "waiters", json!([lists, scale, pods]));
    allow(&namespace, "restarters", json!([lists, patch, pods]));
    let kdj = kdj(&namespace);
    let run = |group: &str, words: &[&str]| kdj.run(words.iter().copied().chain(["--as", "ada", "--as-group", group]));
    let output = run("scalers", &["scale", "own", "web=2"]).expect_code(0);
    let _ = output.says(&["warning: whether an autoscaler will set other numbers is not known: `ada` may not `list` `horizontalpodautoscalers`", "web: 1 -> 2"]);
    // Without a watch it is looked at now and then.
    let _ = run("waiters", &["scale", "own", "web=1", "--wait"]).expect_code(0).says(&["web: 1 pod ready after "]);
    let _ = run("restarters", &["restart", "own", "web"]).expect_code(0).says(&["web: restarted, after "]);
    let output = run("scalers", &["scale", "own"]).expect_code(0).prints("web=1\n");
    let _ = output.says(&["warning: the StatefulSets are left out: `ada` may not `list` `statefulsets`"]);
}

/// kdj with the namespace as the protected environment `live`.
fn live(namespace: &Namespace<'_>) -> Kdj {
    let place = format!("context = \"acme-staging\"\nnamespace = \"{}\"\n", namespace.name());
    kdj(namespace).config(&format!("[environments.live]\n{place}protected = true\n"))
}

#[test]
fn a_protected_environment_asks_and_keeps_a_record() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let kdj = live(&namespace);
    let _ = kdj.run(["scale", "live"]).expect_code(0).prints("web=1\n");
    let _ = kdj.run(["scale", "live", "web=2", "--dry-run"]).expect_code(0);
    for words in [&["scale", "live", "web=2", "--yes"][..], &["restart", "live", "--yes"]] {
        let output = kdj.run(words).expect_code(1);
        let verb = words[0];
        let _ = output.says(&[&format!("refusing to {verb} protected environment `live`"), "pass `--confirm live`"]);
    }
    assert_eq!(part(&namespace, "deployment/web", "{.metadata.generation}"), "1");
    let confirmed = ["--confirm", "live", "--reason", "ticket 7"];
    let _ = kdj.run(["scale", "live", "web=2"].iter().chain(&confirmed)).expect_code(0).says(&["live (protected)"]);
    let _ = kdj.run(["restart", "live", "web"].iter().chain(&confirmed)).expect_code(0);
    assert_eq!(replicas(&namespace, "deployment/web"), "2");

    let document = kdj.run(["audit", "live", "-o", "json"]).expect_code(0).stdout_text();
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let changes = document["changes"].as_array().expect("changes");
    let mut seen: Vec<_> = changes.iter().map(|change| (change["verb"].clone(), change["command"].clone())).collect();
    seen.sort_by_key(|(verb, _)| verb.to_string());
    assert_eq!(seen, [(json!("restart"), json!(["web"])), (json!("scale"), json!(["web=2"]))]);
    for change in changes {
        assert_eq!(
            (&change["reason"], &change["exit"], &change["object"]),
            (&json!("ticket 7"), &json!(0), &json!("deployment/web"))
        );
        assert_eq!(change["recorded"], json!(["local", "cluster"]));
    }
    let events = namespace.kubectl(["get", "events", "-l", "app.kubernetes.io/managed-by=kdj", "-o", "json"]);
    let events: Value = serde_json::from_str(&events).expect("JSON");
    let involved = &events["items"][0]["involvedObject"];
    assert_eq!((&involved["kind"], &involved["name"]), (&json!("Deployment"), &json!("web")));
}

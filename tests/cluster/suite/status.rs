//! `kdj status` on real things: what is well, each way to be broken, and what happens while somebody watches.

mod broken;
mod watch;

use serde_json::{Value, json};

use super::harness::{Kdj, Namespace, SHOP, cluster, objects, wait::poll_until};

/// The status of one environment, as JSON.
fn status<const N: usize>(kdj: &Kdj, arguments: [&str; N]) -> Value {
    let words: Vec<&str> = ["status"].into_iter().chain(arguments).chain(["-o", "json"]).collect();
    let output = kdj.run(words);
    let document: Value =
        serde_json::from_str(&output.stdout_text()).unwrap_or_else(|error| panic!("{error}\n{output}"));
    document["environments"][0].clone()
}

/// A role of it.
fn role<'a>(status: &'a Value, name: &str) -> &'a Value {
    let mut roles = status["roles"].as_array().into_iter().flatten();
    roles.find(|role| role["name"] == name).unwrap_or_else(|| panic!("no role {name} in {status}"))
}

#[test]
fn a_healthy_environment_takes_four_requests() {
    let Some(cluster) = cluster() else { return };
    let user = format!("status-{}", std::process::id());
    let kdj = cluster.kdj();
    let output = kdj.run(["status", "prod", "--as", &user, "--as-group", "system:masters"]).expect_code(0);
    let text = output.stdout_text();
    for part in ["prod (acme-prod/shop, protected): ", "celerybeat   beat     1/1", "web          web      3/3"] {
        assert!(text.contains(part), "{part}\n{output}");
    }
    if let Some(mut requests) = cluster.requests_of(&user) {
        requests.sort();
        let expected = ["list deployments", "list horizontalpodautoscalers", "list pods", "list statefulsets"];
        assert_eq!(requests, expected);
    }
    let prod = status(&kdj, ["prod"]);
    let web = role(&prod, "web");
    assert_eq!((&web["version"], &web["desired"], &web["ready"]), (&json!("1"), &json!(3), &json!(3)));
    assert!(web["digests"][0].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{web}");
    assert_eq!(prod["beat"], json!({"desired": 1, "running": 1, "ok": true}));
}

#[test]
fn a_viewer_sees_it_and_who_sees_less_is_told() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let output = kdj.run(["status", "acme-staging-viewer/shop"]).expect_code(0);
    assert!(output.stdout_text().contains("web          web      3/3"), "{output}");

    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]);
    let namespace = Namespace::with(
        cluster,
        [
            objects::deployment("web", objects::pod([objects::sleeping("app", SHOP)])),
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "few"}, "rules": rules}),
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "few"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "few"},
                "subjects": [{"kind": "User", "name": "status-few", "apiGroup": "rbac.authorization.k8s.io"}],
            }),
        ],
    );
    namespace.wait_for_rollout(["deployment/web"]);
    let output = namespace.kdj().run(["status", "own", "--as", "status-few"]).expect_code(0);
    assert!(output.stdout_text().contains("web    web    1 "), "{output}");
    let _ = output.says(&[
        "own: not seen: Deployments: `status-few` may not `list` `deployments`",
        "own: not seen: StatefulSets:",
        "own: not seen: HPAs:",
    ]);
}

#[test]
fn a_namespace_that_is_being_deleted_is_said_to_be() {
    let Some(cluster) = cluster() else { return };
    let held = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["kdj.test/hold"]},
    });
    let namespace = Namespace::with(cluster, [held]);
    let kdj = namespace.kdj();
    let shows = |phrase: &str| {
        poll_until(phrase, std::time::Duration::from_secs(60), || {
            let output = kdj.run(["status", "own"]).expect_code(1);
            output.stdout_text().contains(phrase).then_some(())
        });
    };
    shows("no workloads in namespace");
    let name = namespace.name().to_owned();
    cluster.kubectl(["delete", "namespace", &name, "--wait=false"]);
    shows("is being deleted");
    namespace.kubectl(["patch", "configmap", "held", "--type=merge", "-p", "{\"metadata\":{\"finalizers\":null}}"]);
    shows(&format!("no namespace `{name}`"));
}

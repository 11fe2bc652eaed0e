//! `kdj init` on a real cluster: as who sees everything, and as who sees one namespace.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::harness::{Cluster, Kdj, Namespace, cluster, objects};

/// A kubeconfig with these contexts of the test cluster only, the first of them with a namespace.
fn with_contexts(cluster: &Cluster, kept: &[&str], namespace: Option<&str>) -> String {
    cluster.changed_kubeconfig(|document| {
        let contexts = document["contexts"].as_array_mut().expect("contexts");
        contexts.retain(|context| kept.iter().any(|kept| context["name"] == *kept));
        for context in contexts.iter_mut().filter(|context| context["name"] == kept[0]) {
            context["context"]["namespace"] = json!(namespace);
        }
        document["current-context"] = Value::Null;
    })
}

fn newcomer(cluster: &Cluster, kept: &[&str], namespace: Option<&str>) -> Kdj {
    let kdj = Kdj::on(Path::new("unused")).file("home/.kube/config", &with_contexts(cluster, kept, namespace));
    let path = kdj.directory().join("home/.kube/config");
    kdj.variable("KUBECONFIG", path)
}

#[test]
fn the_whole_cluster_becomes_a_file() {
    let Some(cluster) = cluster() else { return };
    let kdj = newcomer(cluster, &["acme-staging", "acme-prod", "elsewhere"], None);
    let output = kdj.run(["init", "--dry-run"]).expect_code(0);
    let text = output.stdout_text();
    for entry in [
        "[environments.qa]\ncontext   = \"acme-staging\"\nnamespace = \"shop-qa\"\n",
        "[environments.\"*-qa\"]\ncontext   = \"acme-staging\"\nnamespace = \"tenants-qa\"\ninstance  = \"{name}\"",
        "[environments.shop]\ncontext   = \"acme-prod\"\nnamespace = \"shop\"\nprotected = true",
    ] {
        assert!(text.contains(entry), "it lacks\n{entry}\n\n{output}");
    }
    let _ = output.says(&["context `elsewhere` is left out: cannot reach the API server"]);
    assert!(!text.contains("kube-system"), "{text}");
    // What it says works.
    let kdj = kdj.config(&text);
    let _ = kdj.run(["shell", "qa", "--", "true"]).expect_code(0);
    let _ = kdj.run(["shell", "car1-qa", "--", "true"]).expect_code(0);
}

#[test]
fn who_sees_one_namespace_gets_that_one() {
    let Some(cluster) = cluster() else { return };
    let kdj = newcomer(cluster, &["acme-staging-dev", "acme-prod-dev"], Some("shop-qa"));
    let output = kdj.run(["init", "--yes"]).expect_code(0);
    let output = output.says(&[
        "context acme-staging-dev: shop-qa; only namespace `shop-qa` was looked into",
        "context `acme-prod-dev` is left out: `dev` may not `list` `pods` in namespace `default`",
        "# web (web), celeryd (worker), celerybeat (beat)",
        "✓ qa: pod shell-",
    ]);
    let file = kdj.directory().join("project/kdj.toml");
    let text = fs::read_to_string(&file).expect("a file");
    assert_eq!(text.matches("\n[environments.").count(), 1, "{output}");
    let _ = kdj.run(["pyshell", "qa", "-c", "print(6 * 7)"]).expect_code(0).prints("42\n");
    // A namespace that is named is added by hand, and nothing is overwritten.
    let output = kdj.run(["init", "--yes", "--context", "acme-staging-dev", "-n", "tenants-qa"]).expect_code(0);
    assert!(output.stdout_text().contains("instance  = \"{name}\""), "{output}");
    assert_eq!(fs::read_to_string(&file).expect("a file"), text);
}

#[test]
fn a_manage_py_in_a_place_of_its_own_is_written() {
    let Some(cluster) = cluster() else { return };
    let script = "mkdir -p /tmp/deep/shop && cp -r . /tmp/deep/shop && cd /tmp/deep/shop\npython manage.py version && touch /tmp/ready && sleep infinity";
    let mut container = objects::container("app", "registry.local/shop:1", ["sh", "-c", script]);
    container["readinessProbe"] = json!({"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1});
    let namespace = Namespace::with(cluster, [objects::deployment("web", objects::pod([container]))]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = newcomer(cluster, &["acme-staging"], None);
    let output = kdj.run(["init", "--dry-run", "-n", namespace.name()]).expect_code(0);
    let text = output.stdout_text();
    assert!(text.contains("\n[django]\nworkdir = \"/tmp/deep/shop\"\n"), "{output}");
    let name = text.split("[environments.").nth(1).and_then(|rest| rest.split(']').next()).expect("an entry");
    let kdj = kdj.config(&text);
    let _ = kdj.run(["shell", name, "--", "pwd"]).expect_code(0).prints("/tmp/deep/shop\n");
    let _ = kdj.run(["manage", name, "--", "version"]).expect_code(0);
}

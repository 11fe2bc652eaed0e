//! The revisions that real controllers keep, of Deployments and StatefulSets.

use serde_json::{Value, json};

use super::{
    super::harness::{CommandOutput, PLAIN, SHOP, cluster, objects},
    kdj, running, web,
};

#[track_caller]
fn rows(output: &CommandOutput) -> Vec<String> {
    let output = output.stdout_text();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split("   ").map(str::trim).filter(|it| !it.is_empty()).collect();
        cells[..5].join("|")
    };
    output.lines().map(row).collect()
}

#[test]
fn each_rollout_is_a_revision_with_what_it_changed() {
    let Some(cluster) = cluster() else { return };
    let mut set = objects::stateful_set("consumer", 1, objects::pod([objects::sleeping("app", SHOP)]));
    let namespace = running(cluster, [web(1)]);
    namespace.apply([set.clone()]);
    namespace.wait_for_rollout(["statefulset/consumer"]);
    let kdj = kdj(&namespace);
    namespace.kubectl(["set", "image", "deployment/web", &format!("app={PLAIN}")]);
    namespace.kubectl(["annotate", "deployment/web", "kubernetes.io/change-cause=a lighter image"]);
    namespace.wait_for_rollout(["deployment/web"]);
    namespace.kubectl(["set", "env", "deployment/web", "API_TOKEN=canary-releases-5Gf2", "FLAG=1"]);
    namespace.wait_for_rollout(["deployment/web"]);
    set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(PLAIN);
    namespace.apply([set]);
    namespace.wait_for_rollout(["statefulset/consumer"]);

    let output = kdj.run(["releases", "own", "-v"]).expect_code(0).never_says(&["canary-releases-5Gf2"]);
    let image = format!("image {SHOP} -> {PLAIN}");
    let found = rows(&output);
    for row in [
        format!("web|3|current, 1/1 ready|{PLAIN}|+API_TOKEN, +FLAG"),
        format!("web|2|old|{PLAIN}|{image}"),
        format!("web|1|old|{SHOP}|<none>"),
        format!("consumer|2|current, 1/1 ready|{PLAIN}|{image}"),
        format!("consumer|1|old|{SHOP}|<none>"),
    ] {
        assert!(found.contains(&row), "{row}: {output}");
    }
    // Back and forth: the number of old is told.
    namespace.kubectl(["rollout", "undo", "deployment/web", "--to-revision=1"]);
    namespace.wait_for_rollout(["deployment/web"]);
    let output = kdj.run(["releases", "own", "web", "-o", "json"]).expect_code(0).never_says(&["canary-releases-5Gf2"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let newest = &json["workloads"][0]["revisions"][0];
    assert_eq!((&newest["number"], &newest["current"], &newest["ready"]), (&json!(4), &json!(true), &json!(1)));
    assert!(newest["image_id"].as_str().is_some_and(|id| id.contains("sha256:")), "{json:#}");
    assert_eq!(newest["image"], SHOP);
    let viewer = kdj.run(["releases", &format!("acme-staging-viewer/{}", namespace.name())]).expect_code(0);
    assert!(viewer.stdout_text().contains("current, 1/1 ready"), "{viewer}");
}

//! Restarting the real app, and workloads that go well.

use serde_json::{Value, json};

use super::{
    super::harness::{SHOP, cluster, objects},
    beat, kdj, part, pods_of, running, shop, web, worker,
};

const RESTARTED: &str = r"{.spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt}";

/// Where each of these stands in a text, which must be in this order.
#[track_caller]
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is not in its place in {text}")).1;
    }
}

#[test]
fn all_roles_of_the_app_are_restarted_in_order() {
    let Some(cluster) = cluster() else { return };
    let namespace = shop(cluster);
    let roles = ["web", "shell", "celeryd", "celerybeat"];
    let before: Vec<_> = roles.iter().map(|role| pods_of(&namespace, role)).collect();
    let redis = part(&namespace, "deployment/redis", "{.metadata.generation}");
    let output = kdj(&namespace).run(["restart", "own"]).expect_code(0).prints("");
    assert_in_order(
        &output.stderr,
        &[
            "left out, as not the app's: postgres, redis\n",
            "warning: `celerybeat` has the strategy RollingUpdate",
            "web: restarted, after ",
            "shell: restarted, after ",
            "celeryd: restarted, after ",
            "celerybeat: restarted, after ",
        ],
    );
    for (role, before) in roles.iter().zip(before) {
        let workload = format!("deployment/{role}");
        assert!(part(&namespace, &workload, RESTARTED).ends_with('Z'));
        namespace.wait_for_rollout([workload.as_str()]);
        let after = pods_of(&namespace, role);
        assert_eq!(after.len(), before.len(), "{role}");
        assert!(before.iter().all(|pod| !after.contains(pod)), "{role}: {before:?} {after:?}");
    }
    assert_eq!(part(&namespace, "deployment/redis", "{.metadata.generation}"), redis);
    // Its own strategy is back.
    assert_eq!(part(&namespace, "deployment/celerybeat", "{.spec.strategy.type}"), "RollingUpdate");
    assert_eq!(part(&namespace, "deployment/celerybeat", "{.spec.strategy.rollingUpdate.maxSurge}"), "25%");
}

#[test]
fn budgets_are_about_evictions_and_hold_nothing_up() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(2)]);
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"component": "web"}}}});
    namespace.apply([budget]);
    let before = pods_of(&namespace, "web");
    let _ = kdj(&namespace).run(["restart", "own", "web"]).expect_code(0).says(&["web: restarted, after "]);
    assert!(pods_of(&namespace, "web").iter().all(|pod| !before.contains(pod)));
}

#[test]
fn stateful_sets_are_restarted_pod_by_pod() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let pod = || objects::pod([objects::sleeping("app", SHOP)]);
    let mut by_hand = objects::stateful_set("by-hand", 2, pod());
    by_hand["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    namespace.apply([objects::stateful_set("queue", 2, pod()), by_hand]);
    namespace.wait_for_rollout(["statefulset/queue"]);
    let uids = |role: &str| -> Vec<String> {
        let list: Value =
            serde_json::from_str(&namespace.kubectl(["get", "pods", "-l", &format!("component={role}"), "-o", "json"]))
                .expect("JSON");
        list["items"].as_array().expect("pods").iter().map(|pod| pod["metadata"]["uid"].to_string()).collect()
    };
    let (before, by_hand_before) = (uids("queue"), uids("by-hand"));
    let kdj = kdj(&namespace);
    let _ = kdj.run(["restart", "own", "queue"]).expect_code(0).says(&["queue: restarted, after "]);
    assert!(uids("queue").iter().all(|uid| !before.contains(uid)));
    let output = kdj.run(["restart", "own", "by-hand"]).expect_code(0);
    let _ = output.says(&[
        "warning: the pods of `by-hand` are replaced when they are deleted (updateStrategy: OnDelete)",
        "by-hand: its template is new; delete its pods one by one",
    ]);
    assert_eq!(uids("by-hand"), by_hand_before);
}

#[test]
fn what_is_not_waited_for_is_said() {
    let Some(cluster) = cluster() else { return };
    let mut idle = worker(1);
    idle["spec"]["replicas"] = json!(0);
    let namespace = running(cluster, [web(1)]);
    namespace.apply([idle]);
    let kdj = kdj(&namespace);
    let dry = kdj.run(["restart", "own", "web", "--dry-run"]).expect_code(0);
    let _ = dry.says(&["web: would be restarted (dry run: nothing was changed)"]);
    let explained = kdj.run(["--explain", "restart", "own", "web"]).expect_code(0).stdout_text();
    assert!(explained.ends_with("rollout restart deployment/web\n"), "{explained}");
    assert_eq!(part(&namespace, "deployment/web", RESTARTED), "");
    let output = kdj.run(["restart", "own", "--no-wait"]).expect_code(0);
    let _ = output.says(&["web: restarted; not waited for", "celeryd: has 0 replicas, and nothing to restart"]);
    assert!(!part(&namespace, "deployment/web", RESTARTED).is_empty());
    assert_eq!(part(&namespace, "deployment/celeryd", RESTARTED), "");
}

#[test]
fn an_operator_that_may_undo_a_restart_is_named() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1), beat()]);
    namespace.apply([json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop-qa"}, "data": {}})]);
    let uid = part(&namespace, "configmap/shop-qa", "{.metadata.uid}");
    let marks = json!({"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:own/web"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "shop-qa", "uid": uid, "controller": true}]}});
    namespace.kubectl(["patch", "deployment/web", "--type=merge", "-p", &marks.to_string()]);
    let output = kdj(&namespace).run(["restart", "own", "web"]).expect_code(0);
    // What is in git knows nothing of the annotation: Argo CD leaves it.
    let _ = output
        .says(&["warning: `web` is managed by ConfigMap `shop-qa`, which may undo this"])
        .never_says(&["Argo CD"]);
}

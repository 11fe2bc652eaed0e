//! What the cluster does not let happen, and what a command line does not mean.

use serde_json::json;

use super::{
    super::harness::{SHOP, cluster, objects},
    kdj, part, replicas, running, web, worker,
};

#[test]
fn a_quota_is_named_by_the_wait() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}});
    namespace.apply([quota]);
    namespace.wait_for("resourcequota/few", "{.status.used.pods}", "1");
    let output = kdj(&namespace).run(["scale", "own", "web=4", "--wait"]).expect_code(1);
    let _ = output.says(&[
        "web: 1 -> 4",
        "error: `web` does not get to 4 ready pods",
        "exceeded quota: few",
        "2 of 4 pods ready",
        "hint: see why: `kdj status own --why`, `kdj logs own web`",
    ]);
}

#[test]
fn a_quota_keeps_a_stateful_set_too() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}});
    let set = objects::stateful_set("queue", 1, objects::pod([objects::sleeping("app", SHOP)]));
    namespace.apply([set, quota]);
    namespace.wait_for_rollout(["statefulset/queue"]);
    let output = kdj(&namespace).run(["scale", "own", "queue=3", "--wait"]).expect_code(1);
    let _ = output.says(&["error: `queue` does not get to 3 ready pods", "FailedCreate: ", "exceeded quota: few"]);
}

#[test]
fn pods_that_crash_end_the_wait_with_their_last_words() {
    let Some(cluster) = cluster() else { return };
    let script = "echo 'ImproperlyConfigured: no such database' >&2; exit 3 # gunicorn";
    let mut crash = objects::container("app", SHOP, ["sh", "-c", script]);
    // Without it a container that crashes slowly is ready for a moment.
    crash["readinessProbe"] = json!({"exec": {"command": ["false"]}, "periodSeconds": 1});
    let namespace = running(cluster, []);
    let mut web = objects::deployment("web", objects::pod([crash]));
    web["spec"]["replicas"] = json!(0);
    namespace.apply([web]);
    let output = kdj(&namespace).run(["scale", "own", "web=1", "--wait"]).expect_code(1);
    let _ = output.says(&[
        "error: `web` does not get to 1 ready pods",
        "CrashLoopBackOff, last exit 3",
        "the last line of its log: ImproperlyConfigured: no such database",
    ]);
    // To switch it off is the remedy.
    let output = kdj(&namespace).run(["scale", "own", "web=0", "--wait"]).expect_code(0);
    let _ = output.says(&["web: no pods left after "]);
}

#[test]
fn a_wait_has_an_end() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let probe = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "app", "readinessProbe": {"exec": {"command": ["sh", "-c", "echo not yet; exit 1"]}, "periodSeconds": 1, "timeoutSeconds": 10}}]}}}});
    namespace.kubectl(["patch", "deployment/web", "-p", &probe.to_string()]);
    let output = kdj(&namespace).run(["scale", "own", "web=2", "--wait", "--timeout", "30s"]).expect_code(1);
    let _ = output.says(&["`web` does not get to 2 ready pods", "after 30 s: ", "Readiness probe failed: not yet"]);
}

#[test]
fn a_namespace_that_is_deleted_ends_the_wait() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    // No node has so much.
    let much = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "app", "resources": {"requests": {"memory": "1000Gi"}}}]}}}});
    namespace.kubectl(["patch", "deployment/web", "-p", &much.to_string()]);
    let kdj = kdj(&namespace);
    let waiting = kdj.start(["scale", "own", "web=2", "--wait"]);
    waiting.wait_for_stderr("web: 1 -> 2");
    cluster.kubectl(["delete", "namespace", namespace.name(), "--wait=false"]);
    let _ = waiting.finish().expect_code(1).says(&["error: deployment/web is gone", "it was deleted meanwhile"]);
}

#[test]
fn nothing_is_changed_unless_all_is_right() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1), worker(1)]);
    let kdj = kdj(&namespace);
    for (words, code, expected) in [
        (
            &["web=2", "wbe=3"][..],
            2,
            &["no role `wbe` in `own`", "its roles are `web` (web), `celeryd` (worker)", "did you mean `web`?"][..],
        ),
        (&["web=2", "celeryd-2"], 2, &["`celeryd` has 1 replica: that cannot be done"]),
        (&["web=2", "deployment/web=3"], 2, &["`web` is named twice"]),
        (&["web=2", "celeryd"], 2, &["it says no number", "ROLE=N, ROLE+N or ROLE-N is expected"]),
    ] {
        let _ = kdj.run(["scale", "own"].iter().chain(words)).expect_code(code).says(expected);
    }
    let output = kdj.run(["scale", "own", "web=3", "celeryd+1", "--dry-run", "-o", "json"]).expect_code(0);
    let output = output.says(&["web: 1 -> 3 (dry run: nothing was changed)", "celeryd: 1 -> 2 (dry run"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&document["dry_run"], &document["changes"][0]["to"]), (&json!(true), &json!(3)));
    let explained = kdj.run(["--explain", "scale", "own", "web=3"]).expect_code(0).stdout_text();
    assert!(explained.ends_with("scale deployment/web '--current-replicas=1' '--replicas=3'\n"), "{explained}");
    for workload in ["deployment/web", "deployment/celeryd"] {
        assert_eq!(replicas(&namespace, workload), "1");
        assert_eq!(part(&namespace, workload, "{.metadata.generation}"), "1");
    }
}

#[test]
fn what_is_being_deleted_is_left_alone() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let finalizer = |list: &str| format!(r#"{{"metadata":{{"finalizers":[{list}]}}}}"#);
    namespace.kubectl(["patch", "deployment/web", "--type=merge", "-p", &finalizer("\"kdj.dev/test\"")]);
    cluster.kubectl(["delete", "namespace", namespace.name(), "--wait=false"]);
    super::poll_until("the Deployment is being deleted", super::DEADLINE, || {
        (!part(&namespace, "deployment/web", "{.metadata.deletionTimestamp}").is_empty()).then_some(())
    });
    let kdj = kdj(&namespace);
    let _ = kdj.run(["scale", "own", "web=2"]).expect_code(1).says(&["error: `web` is being deleted"]);
    let _ = kdj.run(["restart", "own", "web"]).expect_code(1).says(&["error: `web` is being deleted"]);
    namespace.kubectl(["patch", "deployment/web", "--type=merge", "-p", &finalizer("")]);
    super::poll_until("the Deployment is gone", super::DEADLINE, || {
        let found =
            cluster.try_kubectl(&["-n", namespace.name(), "get", "deployments", "-o", "name"], "").expect("kubectl");
        found.stdout.is_empty().then_some(())
    });
    for words in [&["scale", "own"][..], &["scale", "own", "web=2"], &["restart", "own"]] {
        let _ = kdj.run(words).expect_code(1).says(&["no workloads in `own`", "has no Deployments and StatefulSets"]);
    }
}

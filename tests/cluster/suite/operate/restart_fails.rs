//! Restarts that do not come to their end: why, what still runs, and what to type next.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    super::harness::{Namespace, SHOP, cluster, objects},
    command_in, follow_hint, kdj, part, pods_of, running, web, worker,
};

/// A Deployment that runs as long as its ConfigMap says so.
fn by_mode(namespace: &Namespace<'_>) {
    let script = "[ \"$MODE\" = ok ] && exec sleep infinity; echo 'Traceback (most recent call last):' >&2; \
                  echo 'ImproperlyConfigured: MODE is unknown' >&2; exit 1 # gunicorn shop.wsgi";
    let mut app = objects::container("app", SHOP, ["sh", "-c", script]);
    app["envFrom"] = json!([{"configMapRef": {"name": "mode"}}]);
    // Without it a container that crashes slowly is ready for a moment.
    app["readinessProbe"] =
        json!({"exec": {"command": ["sh", "-c", "[ \"$MODE\" = ok ]"]}, "periodSeconds": 1, "timeoutSeconds": 10});
    namespace.apply([mode("ok"), objects::deployment("web", objects::pod([app]))]);
    namespace.wait_for_rollout(["deployment/web"]);
}

fn mode(mode: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mode"}, "data": {"MODE": mode}})
}

#[test]
fn new_pods_that_crash_end_it_with_their_last_words() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [worker(1)]);
    by_mode(&namespace);
    let (web, celeryd) = (pods_of(&namespace, "web"), pods_of(&namespace, "celeryd"));
    namespace.apply([mode("broken")]);
    // The node hears of it in a moment, and gives new pods what it knows.
    std::thread::sleep(Duration::from_secs(5));
    let output = kdj(&namespace).run(["restart", "own"]).expect_code(1).prints("");
    let _ = output.says(&[
        "error: the rollout of `web` does not get on",
        "CrashLoopBackOff, last exit 1",
        "the last line of its log: ImproperlyConfigured: MODE is unknown",
        "1 of its old pods still run: nothing more is taken away",
        "not restarted: `celeryd`",
        "hint: see why: `kdj status own --why`, `kdj logs own web`",
        "hint: go back to the revision before: `kdj rollback own web`",
    ]);
    assert!(pods_of(&namespace, "web").contains(&web[0]), "the old pod runs");
    assert_eq!(pods_of(&namespace, "celeryd"), celeryd);
}

#[test]
fn a_rollout_that_is_never_ready_ends_by_its_deadline() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, []);
    let ready = "test -e /tmp/ready || { echo not yet; exit 1; }";
    let mut app = objects::container("app", SHOP, ["sh", "-c", "exec sleep infinity # gunicorn"]);
    app["readinessProbe"] = json!({"exec": {"command": ["sh", "-c", ready]}, "periodSeconds": 1, "timeoutSeconds": 10});
    namespace.apply([objects::deployment("web", objects::pod([app]))]);
    super::poll_until("a pod to make ready", super::DEADLINE, || {
        let pod = pods_of(&namespace, "web").pop()?;
        let words = ["-n", namespace.name(), "exec", &pod, "--", "touch", "/tmp/ready"];
        cluster.try_kubectl(&words, "").ok()?.status.success().then_some(())
    });
    namespace.wait_for_rollout(["deployment/web"]);
    namespace.kubectl(["patch", "deployment/web", "--type=merge", "-p", r#"{"spec":{"progressDeadlineSeconds":25}}"#]);
    let output = kdj(&namespace).run(["restart", "own", "web"]).expect_code(1);
    let _ = output.says(&[
        "error: the rollout of `web` does not get on",
        "progress deadline exceeded: ReplicaSet",
        "running, container `app` is not ready; Unhealthy: Readiness probe failed: not yet",
        "1 of its old pods still run",
    ]);
}

#[test]
fn a_quota_without_room_for_one_more_is_named() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}});
    namespace.apply([quota]);
    namespace.wait_for("resourcequota/few", "{.status.used.pods}", "1");
    let output = kdj(&namespace).run(["restart", "own", "web"]).expect_code(1);
    let _ = output.says(&["error: the rollout of `web` does not get on", "exceeded quota: few", "0 of 1 pods updated"]);
}

#[test]
fn a_stateful_set_that_waits_for_a_broken_pod_is_helped_by_deleting_it() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, []);
    let script = "echo 'ImproperlyConfigured: no such database' >&2; sleep 2; exit 3";
    let crash = objects::container("app", SHOP, ["sh", "-c", script]);
    let mut set = objects::stateful_set("queue", 2, objects::pod([crash]));
    set["spec"]["podManagementPolicy"] = json!("OrderedReady");
    set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = json!({"exec": {"command": ["false"]}});
    namespace.apply([set]);
    namespace.wait_for("statefulset/queue", "{.status.currentReplicas}", "1");
    let output = kdj(&namespace).run(["restart", "own", "queue", "--timeout", "12s"]).expect_code(1);
    let output = output.says(&[
        "error: the rollout of `queue` does not get on",
        "hint: a StatefulSet replaces no pod while queue-0 is not ready: ",
    ]);
    let revision = |path: &str| part(&namespace, "statefulset/queue", path);
    let newest = revision("{.status.updateRevision}");
    let label = r"{.metadata.labels.controller-revision-hash}";
    assert_ne!(part(&namespace, "pod/queue-0", label), newest);
    follow_hint(cluster, &command_in(&output.stderr, "is not ready: "));
    super::poll_until("a pod of the new revision", super::DEADLINE, || {
        let pods = namespace.kubectl(["get", "pods", "-o", &format!("jsonpath={{range .items[*]}}{}{{end}}", label)]);
        (pods == newest).then_some(())
    });
}

#[test]
fn a_paused_deployment_is_refused_before_anything_is_restarted() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1), worker(1)]);
    namespace.kubectl(["rollout", "pause", "deployment/celeryd"]);
    let output = kdj(&namespace).run(["restart", "own"]).expect_code(1);
    let _ = output
        .says(&["error: refusing to restart `celeryd`: its rollouts are paused", "rollout resume deployment/celeryd`"]);
    for workload in ["deployment/web", "deployment/celeryd"] {
        assert_eq!(part(&namespace, workload, "{.spec.template.metadata.annotations}"), "");
    }
    // Its scale is another matter.
    let output = kdj(&namespace).run(["scale", "own", "celeryd=2", "--wait"]).expect_code(0);
    let _ = output.says(&["the rollouts of `celeryd` are paused", "celeryd: 2 pods ready after "]);
}

#[test]
fn who_leaves_is_told_what_goes_on() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [worker(1)]);
    let mut app = objects::container("app", SHOP, ["sh", "-c", "exec sleep infinity # gunicorn"]);
    app["readinessProbe"] = json!({"exec": {"command": ["true"]}, "initialDelaySeconds": 15});
    namespace.apply([objects::deployment("web", objects::pod([app]))]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = kdj(&namespace);
    let running = kdj.start(["restart", "own"]);
    running.wait_for_stderr("web: ");
    std::thread::sleep(Duration::from_millis(500));
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130);
    let _ = output.says(&[
        "left: the rollout of `web` goes on without kdj",
        "not restarted: `celeryd`",
        "hint: see how far it is: `kdj status own`",
    ]);
    namespace.wait_for_rollout(["deployment/web"]);
    assert_eq!(part(&namespace, "deployment/celeryd", "{.spec.template.metadata.annotations}"), "");
}

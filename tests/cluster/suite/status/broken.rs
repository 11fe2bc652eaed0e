//! Each way to be broken, on the cluster itself.

use serde_json::{Value, json};

use super::{
    super::harness::{
        Namespace, SHOP, cluster, objects,
        wait::{DEADLINE, poll_until},
    },
    role, status,
};

/// A Deployment of one container.
fn of(name: &str, container: Value) -> Value {
    objects::deployment(name, objects::pod([container]))
}

/// The problem of a role, once its first cause has all of these words.
#[track_caller]
fn problem(namespace: &Namespace<'_>, name: &str, words: &[&str]) -> Value {
    let kdj = namespace.kdj();
    poll_until(&format!("{name}: {words:?}"), DEADLINE, || {
        let seen = status(&kdj, ["own", "--why"]);
        let mut problems = seen["problems"].as_array().into_iter().flatten();
        let problem = problems.find(|problem| problem["role"] == name)?;
        let causes = problem["causes"][0]["text"].as_str().unwrap_or_default();
        words.iter().all(|word| causes.contains(word)).then(|| problem.clone())
    })
}

#[test]
fn what_ends_what_cannot_start_and_what_is_not_ready() {
    let Some(cluster) = cluster() else { return };
    let crash = ["python", "-c", "import os\ndef key():\n    return os.environ['KDJ_KEY']\nkey()"];
    let mut web = objects::container("app", SHOP, crash);
    web["envFrom"] = json!([{"configMapRef": {"name": "options"}}, {"secretRef": {"name": "keys"}}]);
    let given = |kind, name| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    let mut hungry = objects::container("app", SHOP, ["python", "-c", "x = bytearray(400_000_000); print(len(x))"]);
    hungry["resources"] = json!({"limits": {"memory": "64Mi"}});
    let mut secretless = objects::sleeping("app", SHOP);
    secretless["env"] = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "nosuch", "key": "a"}}}]);
    let mut nowhere = of("nowhere", objects::sleeping("app", SHOP));
    nowhere["spec"]["template"]["spec"]["nodeSelector"] = json!({"nosuch": "node"});
    let mut app = objects::sleeping("app", SHOP);
    app["volumeMounts"] = json!([{"name": "v", "mountPath": "/settings"}]);
    let mut mountless = of("mountless", app);
    mountless["spec"]["template"]["spec"]["volumes"] = json!([{"name": "v", "configMap": {"name": "settings"}}]);
    let mut idle = of("celeryd", objects::sleeping("app", SHOP));
    idle["spec"]["replicas"] = 0.into();
    let mut beats = of("beat", objects::sleeping("app", SHOP));
    beats["spec"]["replicas"] = 2.into();
    let namespace = Namespace::with(
        cluster,
        [
            given("ConfigMap", "options"),
            given("Secret", "keys"),
            of("web", web),
            of("pull", objects::sleeping("app", "registry.local/nosuch:1")),
            of("hungry", hungry),
            of("secretless", secretless),
            nowhere,
            mountless,
            idle,
            beats,
        ],
    );

    let web = problem(&namespace, "web", &["KeyError: 'KDJ_KEY'", "container `app` ends with exit 1, restarted"]);
    let lines: Vec<&str> = web["traceback"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert_eq!(lines.first(), Some(&"Traceback (most recent call last):"), "{web}");
    assert_eq!(lines.last(), Some(&"KeyError: 'KDJ_KEY'"), "{web}");
    let causes = web["causes"].to_string();
    for source in ["ConfigMap `options` was changed ", "Secret `keys` was changed "] {
        assert!(causes.contains(source), "{web}");
    }
    assert!(!causes.contains("kube-root-ca.crt"), "{web}");
    // The command that it names shows what it promises.
    let next = web["next"].as_str().expect("a command").replace("--tail 50", "--tail 9");
    let words: Vec<&str> = next.split(' ').skip(1).collect();
    poll_until(&next, DEADLINE, || namespace.kdj().run(&words).stdout_text().contains("KDJ_KEY").then_some(()));

    for (name, words) in [
        ("pull", &["image `registry.local/nosuch:1` cannot be pulled"][..]),
        ("hungry", &["container `app` was OOMKilled, its memory limit is 64Mi"]),
        ("secretless", &["CreateContainerConfigError", "secret \"nosuch\" not found"]),
        ("nowhere", &["no node takes it", "0/1 nodes are available"]),
        ("mountless", &["configmap \"settings\" not found"]),
    ] {
        let problem = problem(&namespace, name, words);
        assert_eq!(problem["severity"], "broken", "{problem}");
    }
    let seen = status(&namespace.kdj(), ["own"]);
    assert_eq!((&role(&seen, "celeryd")["health"], &role(&seen, "beat")["health"]), (&json!("idle"), &json!("broken")));
    assert_eq!(seen["beat"], json!({"desired": 2, "running": 2, "ok": false}));
    let output = namespace.kdj().run(["status", "own"]).expect_code(1);
    assert!(output.stdout_text().contains("2 beats\n  why: each sends every periodic task"), "{output}");
}

#[test]
fn a_rollout_that_does_not_get_through_and_one_that_is_paused() {
    let Some(cluster) = cluster() else { return };
    let mut web = of("web", objects::sleeping("app", SHOP));
    let worker = of("worker", objects::sleeping("app", SHOP));
    let namespace = Namespace::with(cluster, [web.clone(), worker.clone()]);
    namespace.wait_for_rollout(["deployment/web", "deployment/worker"]);
    let kdj = namespace.kdj();
    let _ = kdj.run(["status", "own"]).expect_code(0);

    let container = &mut web["spec"]["template"]["spec"]["containers"][0];
    container["readinessProbe"] = json!({"exec": {"command": ["false"]}, "periodSeconds": 1, "timeoutSeconds": 10});
    container["env"] = json!([{"name": "NEW_KEY", "value": "canary-value"}]);
    let mut paused = worker;
    paused["spec"]["paused"] = true.into();
    paused["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "X", "value": "1"}]);
    namespace.apply([web, paused]);

    // At first it only goes on, and what holds it is named.
    let seen = poll_until("the rollout", DEADLINE, || {
        let seen = status(&kdj, ["own"]);
        let rollout = &role(&seen, "web")["rollout"];
        (rollout["phase"] == "progressing" && !rollout["held_by"].is_null()).then_some(seen)
    });
    assert_eq!(role(&seen, "web")["health"], "changing", "{seen}");
    namespace.kubectl(["patch", "deployment/web", "--type=merge", "-p", r#"{"spec":{"progressDeadlineSeconds":5}}"#]);
    let web = problem(&namespace, "web", &["container `app` is not ready: Readiness probe failed"]);
    assert_eq!(web["what"], "web: the rollout does not get through, 1 old pods serve", "{web}");
    let causes = web["causes"].to_string();
    assert!(causes.contains("new variables `NEW_KEY`") && causes.contains("progress deadline exceeded"), "{web}");
    let output = kdj.run(["status", "own", "--why"]).expect_code(1).never_says(&["canary-value"]);
    assert!(output.stdout_text().contains("worker: its rollout is paused"), "{output}");
    assert!(output.stdout_text().contains("rollout resume deployment/worker"), "{output}");
    let old: Vec<bool> = role_pods(&status(&kdj, ["own"]), "web");
    assert_eq!(old.iter().filter(|old| **old).count(), 1, "one pod is of the old revision");
}

/// Whether each pod of a role is of an old revision.
fn role_pods(status: &Value, role: &str) -> Vec<bool> {
    let pods = status["pods"].as_array().into_iter().flatten().filter(|pod| pod["role"] == role);
    pods.map(|pod| pod["outdated"] == true).collect()
}

#[test]
fn a_quota_that_is_used_up() {
    let Some(cluster) = cluster() else { return };
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}},
    });
    let mut web = of("web", objects::sleeping("app", SHOP));
    web["spec"]["replicas"] = 2.into();
    let namespace = Namespace::with(cluster, [quota]);
    // Until it is counted, a quota limits nothing.
    namespace.wait_for("resourcequota/few", "{.status.hard.pods}", "1");
    namespace.apply([web]);
    namespace.wait_for("deployment/web", "{.status.readyReplicas}", "1");
    let web = problem(&namespace, "web", &["no pod can be made:", "exceeded quota: few"]);
    assert_eq!(web["what"], "web: 1 of 2 pods ready", "{web}");
}

#[test]
fn a_stateful_set_that_waits_for_somebody_is_not_broken() {
    let Some(cluster) = cluster() else { return };
    let mut db = objects::stateful_set("db", 1, objects::pod([objects::sleeping("app", SHOP)]));
    db["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    let namespace = Namespace::with(cluster, [db.clone()]);
    let kdj = namespace.kdj();
    poll_until("the first pod", DEADLINE, || (role(&status(&kdj, ["own"]), "db")["ready"] == 1).then_some(()));
    db["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "X", "value": "1"}]);
    namespace.apply([db]);
    let seen = poll_until("the new revision", DEADLINE, || {
        let seen = status(&kdj, ["own"]);
        (role(&seen, "db")["rollout"]["phase"] == "waiting").then_some(seen)
    });
    assert_eq!((&seen["health"], &seen["pods"][0]["outdated"]), (&json!("warning"), &json!(true)), "{seen}");
    let output = kdj.run(["status", "own"]).expect_code(0);
    // The command that it names does it.
    let next = seen["problems"][0]["next"].as_str().expect("a command");
    assert!(next.ends_with("delete pod db-0"), "{output}");
    namespace.kubectl(["delete", "pod", "db-0"]);
    poll_until("the rollout", DEADLINE, || (status(&kdj, ["own"])["health"] == "ok").then_some(()));
}

//! No pod to enter: which, why, and what to type next.

use std::time::Duration;

use serde_json::json;

use super::harness::{
    Namespace, SHOP, cluster, objects,
    wait::{DEADLINE, poll_until},
};

#[test]
fn a_namespace_of_broken_workloads() {
    let Some(cluster) = cluster() else { return };
    let one = |container| objects::pod([container]);
    let mut pending = objects::deployment("beat", one(objects::sleeping("app", SHOP)));
    pending["spec"]["template"]["spec"]["nodeSelector"] = json!({"nosuch": "node"});
    let mut idle = objects::deployment("celeryd", one(objects::sleeping("app", SHOP)));
    idle["spec"]["replicas"] = 0.into();
    let mut unready = objects::sleeping("app", SHOP);
    unready["readinessProbe"] = json!({"exec": {"command": ["false"]}, "periodSeconds": 1});
    let crash = ["sh", "-c", "echo the database is away >&2; exit 3"];
    let namespace = Namespace::with(
        cluster,
        [
            objects::deployment("web", one(objects::container("app", SHOP, crash))),
            objects::deployment("pull", one(objects::sleeping("app", "registry.local/nosuch:1"))),
            objects::deployment("unready", one(unready)),
            objects::deployment(
                "two",
                objects::pod([objects::sleeping("one", SHOP), objects::sleeping("other", SHOP)]),
            ),
            objects::bare_pod("done", json!({}), {
                let mut pod = one(objects::container("app", SHOP, ["true"]));
                pod["restartPolicy"] = "Never".into();
                pod
            }),
            pending,
            idle,
        ],
    );
    let kdj = namespace.kdj();
    let wait_for_reason = |component: &str, wanted: &str| {
        poll_until(&format!("{wanted} of {component}"), DEADLINE, || {
            let reason = "jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}";
            let reasons = namespace.kubectl(["get", "pods", "-l", &format!("component={component}"), "-o", reason]);
            reasons.contains(wanted).then_some(())
        });
    };
    wait_for_reason("web", "CrashLoopBackOff");

    // All pods of the role crash: which, why, the last exit, and a command that shows more.
    let web = namespace.pods("web").remove(0);
    let output = poll_until("no pod that runs", DEADLINE, || {
        let output = kdj.run(["shell", "own", "--", "true"]);
        (output.code == Some(125) && output.stderr.contains("CrashLoopBackOff")).then_some(output)
    });
    let hint = format!("kubectl --context acme-staging -n {} logs {web} -c app --previous", namespace.name());
    let output = output.says(&[
        "no ready pod for role `web` in `own`",
        &format!("0 of 1 pod ready ({web}: CrashLoopBackOff, last exit 3 (Error)"),
        "restart",
        &hint,
    ]);
    let command = output.stderr.split('`').find(|words| words.starts_with("kubectl ")).expect("a kubectl command");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    // While the container is restarted there is no previous log for a moment.
    poll_until(&format!("what `{command}` shows"), Duration::from_secs(30), || {
        let output = cluster.try_kubectl(&words, "").expect("kubectl runs");
        (output.stdout == b"the database is away\n").then_some(())
    });
    // While it is restarted it runs for a moment.
    poll_until("that it is told of", Duration::from_secs(60), || {
        let output = kdj.run(["shell", "own", "--pod", &web, "--", "true"]);
        let is_told = ["is not running", "exit 3 (Error)"].iter().all(|words| output.stderr.contains(words));
        (output.code == Some(125) && is_told).then_some(())
    });

    namespace.kubectl([
        "wait",
        "--timeout=90s",
        "--for=jsonpath={.status.phase}=Running",
        "pod",
        "-l",
        "component=unready",
    ]);
    namespace.wait_for_rollout(["deployment/two"]);
    namespace.wait_for("pod/done", "{.status.phase}", "Succeeded");
    wait_for_reason("pull", "ImagePull");
    for (arguments, phrases) in [
        (["--role", "pull"], &["no ready pod for role `pull`", "ImagePull", "registry.local/nosuch:1"][..]),
        (["--role", "beat"], &["no ready pod for role `beat`", "Pending, Unschedulable: 0/1 nodes are available"]),
        (["--role", "celeryd"], &["role `celeryd` has 0 replicas in `own`", "`deployment/celeryd` is scaled to zero"]),
        (["--role", "unready"], &["no ready pod for role `unready`", "container `app` is not ready"]),
        (["--role", "two"], &["surely the app's", "`one`, `other`", "--container one"]),
        (["--role", "nosuch"], &["no role `nosuch` in `own`", "`web` (web)", "`celeryd` (worker)"]),
        (["--pod", "done"], &["pod `done` cannot be entered", "Completed"]),
    ] {
        let words = ["shell", "own"].into_iter().chain(arguments).chain(["--", "true"]);
        let _ = kdj.run(words).expect_code(125).says(phrases);
    }

    // What is asked for by name may be entered although it is not ready, with a word about it.
    let unready = namespace.pods("unready").remove(0);
    let output = kdj.run(["shell", "own", "--pod", &unready, "--", "true"]).expect_code(0);
    let _ = output.says(&[&format!("pod `{unready}` is not ready: ")]);
    let _ = kdj.run(["shell", "own", "--role", "two", "-c", "other", "--", "true"]).expect_code(0);
}

#[test]
fn without_manage_py_the_configuration_is_named() {
    let Some(cluster) = cluster() else { return };
    let mut container = objects::sleeping("app", SHOP);
    container["workingDir"] = "/tmp".into();
    let mut pod = objects::pod([container]);
    pod["volumes"] = json!([{"name": "nothing", "emptyDir": {}}]);
    pod["containers"][0]["volumeMounts"] = json!([{"name": "nothing", "mountPath": "/app"}]);
    // The entry point is in /app, too.
    let namespace = Namespace::with(cluster, [objects::deployment("web", pod)]);
    namespace.wait_for_rollout(["deployment/web"]);
    for arguments in [&["manage", "own", "--", "check"][..], &["pyshell", "own", "-c", "print(1)"]] {
        let output = namespace.kdj().run(arguments).expect_code(127).prints("");
        let _ = output.says(&["no manage.py in /tmp", "DJANGO_SETTINGS_MODULE", "kdj.toml"]);
    }
}

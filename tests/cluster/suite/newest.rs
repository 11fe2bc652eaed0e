//! Which of a workload's pods is taken while pods come and go.

use serde_json::json;

use super::harness::{Kdj, Namespace, SHOP, cluster, objects, wait::poll_until};

/// Where a command runs: the pod's name, by its host name.
#[track_caller]
fn host<const N: usize>(kdj: &Kdj, arguments: [&str; N]) -> String {
    let words = ["-q", "shell", "own"].into_iter().chain(arguments).chain(["--", "cat", "/etc/hostname"]);
    kdj.run(words).expect_code(0).stdout_text().trim().to_owned()
}

#[test]
fn a_pod_that_is_going_is_not_taken() {
    let Some(cluster) = cluster() else { return };
    let mut pod = objects::pod([objects::sleeping("app", SHOP)]);
    pod["terminationGracePeriodSeconds"] = 60.into();
    let mut web = objects::deployment("web", pod);
    web["spec"]["replicas"] = 2.into();
    let namespace = Namespace::with(cluster, [web]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj();
    let first = host(&kdj, []);
    // It sleeps as process 1 and so takes no notice: it stays, ready, until its grace period is over.
    namespace.kubectl(["delete", "pod", &first, "--wait=false"]);
    let kdj = namespace.kdj();
    let second = host(&kdj, []);
    assert!(second != first && second.starts_with("web-"), "{first} is going, {second} was taken");
    let output = kdj.run(["shell", "own", "--pod", &first, "--", "true"]).expect_code(125);
    let _ = output.says(&[&format!("pod `{first}` cannot be entered"), "Terminating"]);
}

#[test]
fn a_pod_that_went_since_it_was_chosen_is_replaced() {
    let Some(cluster) = cluster() else { return };
    let mut web = objects::deployment("web", objects::pod([objects::sleeping("app", SHOP)]));
    web["spec"]["replicas"] = 2.into();
    let namespace = Namespace::with(cluster, [web]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj();
    let first = host(&kdj, []);
    namespace.kubectl(["delete", "pod", &first, "--force", "--grace-period=0"]);
    // kdj still remembers the first one.
    let output = kdj.run(["shell", "own", "--", "cat", "/etc/hostname"]).expect_code(0);
    let second = output.stdout_text().trim().to_owned();
    assert_ne!(first, second);
    let _ = output.says(&[&format!("pod {first} went away; using {second}")]);
    let output = kdj.run(["shell", "own", "--pod", &first, "--", "true"]).expect_code(125);
    let _ = output.says(&[&format!("no pod `{first}` in `own`"), &second]);
}

#[test]
fn in_a_rollout_the_newest_revision_is_taken() {
    let Some(cluster) = cluster() else { return };
    let mut web = objects::deployment("web", objects::pod([objects::sleeping("app", SHOP)]));
    web["spec"]["replicas"] = 2.into();
    web["spec"]["strategy"] = json!({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}});
    let namespace = Namespace::with(cluster, [web.clone()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let old = namespace.pods("web");
    // The new pod is ready at once, and counts as available much later: the rollout stands still at one of three.
    web["spec"]["minReadySeconds"] = 600.into();
    web["spec"]["progressDeadlineSeconds"] = 1200.into();
    web["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "NEW", "value": "1"}]);
    namespace.apply([web.clone()]);
    poll_until("the new pod to be ready", std::time::Duration::from_secs(60), || {
        (namespace.kubectl(["get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"]) == "3").then_some(())
    });
    let output = namespace.kdj().run(["shell", "own", "--", "printenv", "NEW"]).expect_code(0).prints("1\n");
    let _ = output.says(&["rollout in progress: 1 of 3 pods are of the new revision"]);
    assert_eq!(host(&namespace.kdj(), ["--pod", &old[0]]), old[0], "a pod asked for by name is never replaced");

    // A new revision that does not come up is not passed over in silence.
    web["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.local/nosuch:1".into();
    namespace.apply([web]);
    poll_until("the broken pod to be there", std::time::Duration::from_secs(60), || {
        let waiting = "jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}";
        namespace.kubectl(["get", "pods", "-o", waiting]).contains("Image").then_some(())
    });
    let output = namespace.kdj().run(["shell", "own", "--", "true"]).expect_code(125);
    let _ = output.says(&[
        "no ready pod of the newest revision for role `web` in `own`",
        "0 of 1 pod ready",
        "registry.local/nosuch:1",
        "--pod web-",
    ]);
}

#[test]
fn labels_alone_do_not_make_a_pod_the_workload_s() {
    let Some(cluster) = cluster() else { return };
    let sleeping = || objects::pod([objects::sleeping("app", SHOP)]);
    let namespace = Namespace::with(
        cluster,
        [
            // Made first: it would be the oldest.
            objects::bare_pod("web-left-behind", json!({"component": "web"}), sleeping()),
            objects::deployment("web", sleeping()),
        ],
    );
    namespace.kubectl(["wait", "--timeout=90s", "--for=condition=Ready", "pod/web-left-behind"]);
    namespace.wait_for_rollout(["deployment/web"]);
    let taken = host(&namespace.kdj(), ["--role", "web"]);
    assert_ne!(taken, "web-left-behind");

    // A second Deployment whose pods have the first one's labels too: no guess.
    let mut other = objects::deployment("web-copy", sleeping());
    other["spec"]["selector"]["matchLabels"] = json!({"copy": "yes"});
    other["spec"]["template"]["metadata"]["labels"] = json!({"component": "web", "copy": "yes"});
    namespace.apply([other]);
    namespace.wait_for_rollout(["deployment/web-copy"]);
    let output = namespace.kdj().run(["shell", "own", "--", "true"]).expect_code(125);
    let _ = output.says(&[
        "role `web` has 2 workloads in `own`",
        "`deployment/web`",
        "`deployment/web-copy`",
        "--role web",
    ]);
    let copy = host(&namespace.kdj(), ["--role", "web-copy"]);
    assert!(copy.starts_with("web-copy-"), "{copy}");
    // By its whole name, since `web` is the role of both.
    assert_eq!(host(&namespace.kdj(), ["--role", "deployment/web"]), taken);
}

#[test]
fn of_a_stateful_set_the_updated_pod_is_taken() {
    let Some(cluster) = cluster() else { return };
    let mut set = objects::stateful_set("web", 2, objects::pod([objects::sleeping("app", SHOP)]));
    let namespace = Namespace::with(cluster, [set.clone()]);
    namespace.wait_for_rollout(["statefulset/web"]);
    let first = host(&namespace.kdj(), []);
    assert!(["web-0", "web-1"].contains(&first.as_str()), "{first}");
    set["spec"]["updateStrategy"] = json!({"rollingUpdate": {"partition": 1}});
    set["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "NEW", "value": "1"}]);
    namespace.apply([set]);
    namespace.wait_for_rollout(["statefulset/web"]);
    let output = namespace.kdj().run(["shell", "own", "--", "cat", "/etc/hostname"]).expect_code(0).prints("web-1\n");
    let _ = output.says(&["rollout in progress: 1 of 2 pods are of the new revision"]);
    let _ =
        namespace.kdj().run(["shell", "own", "--pod", "web-1", "--", "printenv", "NEW"]).expect_code(0).prints("1\n");
}

//! Sessions that end because of what happens to their pod: the code, the reason, the terminal.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use super::{
    harness::{Cluster, CommandOutput, Namespace, Pty, SHOP, Stdin, cluster, objects},
    terminal::PROMPT,
};

const SCRIPT: &str = "echo started; exec sleep 1000";

/// A Deployment whose container ends as its file `end` says, and otherwise sleeps.
fn web() -> Value {
    let wait = "until [ -e /tmp/end ]; do sleep 0.2; done; . /tmp/end";
    let mut container = objects::container("app", SHOP, ["bash", "-c", wait]);
    container["resources"] = json!({"limits": {"memory": "96Mi"}});
    objects::deployment("web", objects::pod([container]))
}

/// Does something to the pod while a command runs in it.
#[track_caller]
fn interrupted(cluster: &Cluster, deed: impl FnOnce(&Namespace<'_>, &str)) -> CommandOutput {
    let namespace = Namespace::with(cluster, [web()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let pod = namespace.pods("web").remove(0);
    let running = namespace.kdj().stdin(Stdin::Open).start(["shell", "own", "--", "sh", "-c", SCRIPT]);
    running.wait_for_stdout("started\n");
    deed(&namespace, &pod);
    let output = running.finish();
    assert!([Some(137), Some(143), Some(255)].contains(&output.code), "{output}");
    output
}

fn write_end(namespace: &Namespace<'_>, pod: &str, script: &str) {
    namespace.kubectl_with(["exec", "-i", pod, "--", "sh", "-c", "cat >/tmp/next && mv /tmp/next /tmp/end"], script);
}

#[test]
fn a_pod_that_is_deleted() {
    let Some(cluster) = cluster() else { return };
    let output = interrupted(cluster, |namespace, pod| drop(namespace.kubectl(["delete", "pod", pod, "--wait=false"])));
    let _ = output.says(&["was deleted"]);
}

#[test]
fn a_rollout() {
    let Some(cluster) = cluster() else { return };
    let output = interrupted(cluster, |namespace, _| {
        let mut web = web();
        web["spec"]["template"]["metadata"]["annotations"] = json!({"new": "yes"});
        namespace.apply([web]);
    });
    let _ = output.says(&["a rollout of deployment/web from revision 1 to 2 replaced pod web-"]);
}

#[test]
fn an_eviction() {
    let Some(cluster) = cluster() else { return };
    let output = interrupted(cluster, |namespace, pod| {
        let metadata = json!({"name": pod, "namespace": namespace.name()});
        let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata});
        let path = format!("/api/v1/namespaces/{}/pods/{pod}/eviction", namespace.name());
        namespace.kubectl_with(["create", "--raw", &path, "-f", "-"], &eviction.to_string());
    });
    let _ = output.says(&["evict"]);
}

#[test]
fn a_container_out_of_memory() {
    let Some(cluster) = cluster() else { return };
    let output = interrupted(cluster, |namespace, pod| {
        write_end(namespace, pod, "exec python -c 'x = bytearray(400 << 20)'");
    });
    assert_eq!(output.code, Some(137), "{output}");
    let _ = output.says(&["container `app` was OOMKilled, its memory limit is 96Mi"]);
}

#[test]
fn a_container_that_ends() {
    let Some(cluster) = cluster() else { return };
    let output = interrupted(cluster, |namespace, pod| write_end(namespace, pod, "exit 3"));
    let _ = output.says(&["container `app` ended with exit code 3"]);
}

#[test]
fn the_terminal_is_given_back() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, [web()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj();
    let mut pty = Pty::run(&kdj, ["shell", "own"]);
    pty.wait_for(PROMPT);
    pty.press("sleep 1000\r");
    pty.wait_for("sleep 1000\r\n");
    assert!(pty.modes().is_raw());
    namespace.kubectl(["delete", "pod", "-l", "component=web", "--wait=false"]);
    pty.wait_for("delete");
    let code = pty.finish().code();
    assert!([Some(129), Some(137), Some(143), Some(255)].contains(&code), "{code:?}: {}", pty.text());
    pty.expect_restored();
}

#[test]
fn after_a_bad_end_another_pod_is_chosen() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, [web()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj().stdin(Stdin::Open);
    let running = kdj.start(["shell", "own", "--", "sh", "-c", SCRIPT]);
    running.wait_for_stdout("started\n");
    namespace.kubectl(["delete", "pod", "-l", "component=web", "--wait=false"]);
    let _ = running.finish();
    // The next pod of the Deployment may take a moment.
    let start = std::time::Instant::now();
    loop {
        let output = kdj.run(["shell", "own", "--", "true"]);
        if output.code == Some(0) {
            break;
        }
        let _ = output.expect_code(125).says(&["no ready pod for role `web`"]);
        assert!(start.elapsed() < Duration::from_secs(60), "no pod");
        thread::sleep(Duration::from_millis(500));
    }
}

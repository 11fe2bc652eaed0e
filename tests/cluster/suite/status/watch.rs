//! What somebody sees who watches.

use super::super::harness::{Door, Namespace, Pty, SHOP, cluster, objects};

fn two_pods() -> serde_json::Value {
    let mut web = objects::deployment("web", objects::pod([objects::sleeping("app", SHOP)]));
    web["spec"]["replicas"] = 2.into();
    web
}

#[test]
fn a_pod_that_is_deleted_underneath() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, [two_pods()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let mut pty = Pty::run(&namespace.kdj(), ["status", "own", "-w"]);
    pty.wait_for("2/2");
    let pod = namespace.pods("web").remove(0);
    namespace.kubectl(["delete", "pod", &pod, "--wait=false"]);
    pty.wait_for("1/2");
    let seen = pty.length();
    namespace.wait_for_rollout(["deployment/web"]);
    super::super::harness::wait::poll_until("2/2 again", std::time::Duration::from_secs(30), || {
        pty.text()[seen..].contains("2/2").then_some(())
    });
    pty.press("\x03");
    assert_eq!(pty.finish().code(), Some(130));
    pty.expect_restored();
    let text = pty.text();
    let left = text.rfind("\x1b[?1049l").expect("the terminal's own screen is back");
    assert!(text[left..].contains("2/2"), "{text:?}");
}

#[test]
fn a_cut_connection_is_said_and_healed() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, [two_pods()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let door = Door::open(cluster);
    let kdj = door.lead(cluster, namespace.kdj());
    let running = kdj.start(["status", "own", "-w"]);
    running.wait_for_stdout("own: web 2/2 ready");
    door.shut();
    running.wait_for_stdout("own: no connection since ");
    namespace.kubectl(["scale", "deployment/web", "--replicas=1"]);
    door.open_again();
    running.wait_for_stdout("own: web 1/1 ready");
    running.wait_for_stdout("own: over: no connection");
    running.signal(rustix::process::Signal::INT);
    let _ = running.finish().expect_code(130);
}

//! Images that differ: without bash, without Python, with an entrypoint that takes its time.

use serde_json::json;

use super::{
    super::harness::{Namespace, PLAIN, Pty, SHOP, cluster, objects},
    attach, expect_nothing_left, kill, namespace, only,
};

/// An image with neither Python nor the app.
const DATA: &str = "registry.local/data:1";

#[test]
fn without_bash() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = Pty::run(&kdj, ["shell", "own", "--fresh", "--image", PLAIN]);
    pty.wait_for("$ ");
    pty.press("kept=1; echo shell=$0\r");
    pty.wait_for("shell=sh\r\n");
    kill(pty);
    let mut pty = attach(&kdj, &only(&kdj));
    pty.wait_for("shell=sh");
    pty.press("exit $kept\r");
    assert_eq!(pty.finish().code(), Some(1), "{}", pty.text());
    expect_nothing_left(&namespace);
}

#[test]
fn without_python_nothing_is_kept() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = Pty::run(&kdj, ["shell", "own", "--fresh", "--image", DATA]);
    pty.wait_for("this session cannot be taken up again");
    pty.wait_for("# ");
    let mut late = attach(&kdj, &only(&kdj));
    late.wait_for("no Python 3.6 or later in its image");
    assert_eq!(late.finish().code(), Some(255), "{}", late.text());
    pty.press("exit 5\r");
    assert_eq!(pty.finish().code(), Some(5));
    expect_nothing_left(&namespace);
    let _ = kdj.run(["shell", "own", "--fresh", "--image", DATA, "--", "sh", "-c", "exit 8"]).expect_code(8);
    let mut pty = Pty::run(&kdj, ["pyshell", "own", "--fresh", "--image", DATA]);
    pty.wait_for("no Python 3.6 or later in the image");
    assert_eq!(pty.finish().code(), Some(127), "{}", pty.text());
    expect_nothing_left(&namespace);
}

#[test]
fn an_image_without_a_shell_is_refused() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let words = ["shell", "own", "--fresh", "--image", super::super::harness::BARE, "--", "pause"];
    let output = namespace.kdj().run(words).expect_code(125);
    let _ = output.says(&["the session's pod did not start in `own`", "\"sh\": executable file not found"]);
    expect_nothing_left(&namespace);
}

#[test]
fn an_entrypoint_that_takes_its_time_comes_first() {
    let Some(cluster) = cluster() else { return };
    let script =
        "#!/bin/sh\nsleep 4\nexport DATABASE_URL=sqlite:////tmp/db DJANGO_SECRET_KEY=canary-late-9Fq\nexec \"$@\"\n";
    let scripts =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "scripts"}, "data": {"point.sh": script}});
    let mut container = objects::container("app", SHOP, ["/entry/point.sh"]);
    container["args"] = json!(["sleep", "infinity"]);
    container["volumeMounts"] = json!([{"name": "entry", "mountPath": "/entry"}]);
    let mut pod = objects::pod([container]);
    pod["volumes"] = json!([{"name": "entry", "configMap": {"name": "scripts", "defaultMode": 0o755}}]);
    let mut web = objects::deployment("web", pod);
    web["spec"]["replicas"] = 0.into();
    let namespace = Namespace::with(cluster, [scripts, web]);
    let kdj = namespace.kdj();
    // What has no terminal waits for it, too.
    let code = "from django.conf import settings; print(settings.SECRET_KEY[-8:])";
    let _ = kdj.run(["pyshell", "own", "--fresh", "-c", code]).expect_code(0).prints("late-9Fq\n");
    let mut pty = Pty::run(&kdj, ["shell", "own", "--fresh"]);
    pty.wait_for("waiting for the container's entrypoint");
    pty.wait_for("$ ");
    // The shell has what the entrypoint prepared.
    pty.press("echo ${DJANGO_SECRET_KEY#canary-}; exit\r");
    pty.wait_for("late-9Fq\r\n");
    assert_eq!(pty.finish().code(), Some(0));
    expect_nothing_left(&namespace);
}

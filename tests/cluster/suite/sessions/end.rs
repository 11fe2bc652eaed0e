//! How a session ends, and what is there while it lasts.

use std::time::Duration;

use super::{
    super::harness::{Kdj, Pty, Stdin, cluster},
    attach, expect_nothing_left, kill, namespace, only, sessions, shell,
};

#[test]
fn a_shell_and_all_that_was_made_for_it() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    namespace.kubectl(["scale", "deployment/web", "--replicas=1"]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj();
    let mut pty = shell(&kdj);
    for words in [
        "own: context acme-staging, namespace kdj-test-",
        "pod kdj-session-",
        "container app",
        "image registry.local/shop:1, read-write; a pod of its own; goes at the end, at the latest in 12h",
        "(own) ",
    ] {
        assert!(pty.text().contains(words), "{words}: {}", pty.text());
    }
    // The size may come after what is typed.
    pty.press(
        "until stty size | grep -q ^30.100; do sleep 0.1; done; \
         echo size=$(stty size) $TERM; command -v python; echo typed-''canary\r",
    );
    pty.wait_for("size=30 100 xterm-256color\r\n/opt/venv/bin/python\r\ntyped-canary\r\n");
    let name = only(&kdj);
    let job = namespace.kubectl(["get", "job", &name, "-o", "json"]);
    for words in ["ownerReferences", "typed-canary", "canary-sessions-django-5Hq1x"] {
        assert!(!job.contains(words), "{words}: {job}");
    }
    // Nothing of what is typed or shown is in the log.
    assert_eq!(namespace.kubectl(["logs", &format!("job/{name}")]), "");
    let slices = namespace.kubectl(["get", "endpointslices", "-o", "json"]);
    assert!(slices.contains("\"web-") && !slices.contains("kdj-session"), "{slices}");
    assert_eq!(namespace.pods("web").len(), 1);
    if let Some(log) = cluster.audit_log() {
        assert!(log.contains(&name) && !log.contains("typed-canary") && !log.contains("typed-''canary"));
    }
    pty.press("exit 7\r");
    assert_eq!(pty.finish().code(), Some(7));
    pty.expect_restored();
    expect_nothing_left(&namespace);
}

#[test]
fn what_has_no_terminal_runs_there_too() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let data: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let kdj = kdj.stdin(data.clone());
    let output = kdj.run(["shell", "own", "--fresh", "--", "cat"]).expect_code(0);
    assert!(output.stdout == data, "{} of {} bytes", output.stdout.len(), data.len());
    let kdj = kdj.stdin(Stdin::Null);
    let _ = kdj.run(["shell", "own", "--fresh", "--", "sh", "-c", "echo x >&2; exit 3"]).expect_code(3).says(&["x\n"]);
    let _ =
        kdj.run(["shell", "own", "--fresh", "--", "nosuch"]).expect_code(127).says(&["no `nosuch` in container app"]);
    let _ = kdj.run(["pyshell", "own", "--fresh", "-c", "print(6 * 7)"]).expect_code(0).prints("42\n");
    let _ = kdj.run(["manage", "own", "--fresh", "--", "check"]).expect_code(0);
    expect_nothing_left(&namespace);
}

#[test]
fn a_session_outlives_its_workload() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    namespace.kubectl(["scale", "deployment/web", "--replicas=1"]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj();
    let mut pty = shell(&kdj);
    pty.press("x=before\r");
    namespace.kubectl(["rollout", "restart", "deployment/web"]);
    namespace.wait_for_rollout(["deployment/web"]);
    namespace.kubectl(["scale", "deployment/web", "--replicas=0"]);
    namespace.kubectl(["wait", "--for=delete", "--timeout=60s", "pod", "-l", "component=web"]);
    pty.press("echo still-$x\r");
    pty.wait_for("still-before\r\n");
    namespace.kubectl(["delete", "deployment", "web", "--cascade=foreground"]);
    pty.press("echo and-$x; exit 2\r");
    pty.wait_for("and-before\r\n");
    assert_eq!(pty.finish().code(), Some(2));
    expect_nothing_left(&namespace);
}

#[test]
fn its_deadline_ends_it_whoever_is_there() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = Pty::run(&kdj, ["shell", "own", "--fresh", "--timeout", "20s"]);
    pty.wait_for("$ ");
    pty.wait_for("its time was over");
    assert_eq!(pty.finish().code(), Some(124), "{}", pty.text());
    pty.expect_restored();
    expect_nothing_left(&namespace);
    // Nobody deletes this one: the Job goes by its TTL.
    let mut pty = Pty::run(&kdj, ["shell", "own", "--fresh", "--timeout", "20s"]);
    pty.wait_for("$ ");
    let name = only(&kdj);
    kill(pty);
    namespace.wait_for(&format!("job/{name}"), "{.status.conditions[?(@.type==\"Failed\")].status}", "True");
    assert!(sessions(&kdj).is_empty());
    let mut late = attach(&kdj, &name);
    assert_eq!(late.finish().code(), Some(124), "{}", late.text());
    let ttl = namespace.kubectl(["get", "job", &name, "-o", "jsonpath={.spec.ttlSecondsAfterFinished}"]);
    assert_eq!(ttl, "60");
    let removed = kdj.run(["gc", "own"]).expect_code(0).stdout_text();
    assert!(removed.contains(&name) && removed.contains("ended"), "{removed}");
    expect_nothing_left(&namespace);
}

#[test]
fn ctrl_c_before_it_begins_leaves_nothing() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = Pty::run(&kdj, ["shell", "own", "--fresh", "--cpu", "1000"]);
    pty.wait_for("Insufficient cpu");
    pty.press("\x03");
    assert_eq!(pty.finish().code(), Some(130), "{}", pty.text());
    expect_nothing_left(&namespace);
    let words = ["shell", "own", "--fresh", "--image", "registry.local/Wrong:1", "--", "true"];
    let output = kdj.run(words).expect_code(125);
    let _ = output.says(&["the session's pod did not start in `own`", "InvalidImageName"]);
    expect_nothing_left(&namespace);
}

#[test]
fn a_program_in_a_job_at_a_terminal() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let script = "tty; echo level=$LEVEL; read line; echo [$line]; exit 3";
    let mut pty = Pty::run(&kdj, ["run", "-it", "-e", "LEVEL=$(HOME)9", "own", "--", "sh", "-c", script]);
    pty.wait_for("/dev/pts/");
    pty.wait_for("level=$(HOME)9\r\n");
    let listed = kdj.run(["sessions", "own", "-o", "wide"]).expect_code(0).stdout_text();
    assert!(listed.contains("sh -c") && listed.contains("24h"), "{listed}");
    pty.press("some words\r");
    pty.wait_for("[some words]");
    assert_eq!(pty.finish().code(), Some(3), "{}", pty.text());
    expect_nothing_left(&namespace);
}

#[test]
fn the_configuration_makes_it_the_usual_one() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let config = format!(
        "[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\nsession = \"fresh\"\n",
        namespace.name()
    );
    let kdj: Kdj = namespace.kdj().config(&config);
    let _ = kdj.run(["shell", "own", "--", "hostname"]).expect_code(0).says(&["pod kdj-session-"]);
    // Without a running pod there is nothing to exec into.
    let _ = kdj.run(["shell", "own", "--exec", "--", "hostname"]).expect_code(125);
    std::thread::sleep(Duration::from_millis(100));
    expect_nothing_left(&namespace);
}

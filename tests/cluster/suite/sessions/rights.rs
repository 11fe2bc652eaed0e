//! Who may have sessions of their own, and what the records say.

use std::fs;

use super::{
    super::harness::{Pty, cluster},
    expect_nothing_left, namespace, only, shell,
};

#[test]
fn a_viewer_is_told_what_is_missing() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let place = "acme-staging-viewer/shop-qa";
    let output = kdj.run(["shell", place, "--fresh", "--", "true"]).expect_code(125).prints("");
    let _ = output
        .says(&["`viewer` may not `create` `jobs`", r#"apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]"#]);
    let _ = kdj.run(["sessions", place]).expect_code(0);
    let _ = kdj.run(["gc", place, "--dry-run"]).expect_code(0);
}

#[test]
fn a_developer_has_sessions() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let developer = ["--as", "dev", "--as-group", "developers"];
    let words = [&["shell", "own", "--fresh"], &developer[..], &["--", "sh", "-c", "exit 3"]].concat();
    let _ = kdj.run(words).expect_code(3).never_says(&["warning"]);
    expect_nothing_left(&namespace);
    // Of another's session the viewer sees the name, and may not end it.
    let mut pty = shell(&kdj);
    let name = only(&kdj);
    let viewer = ["--as", "viewer", "--as-group", "viewers"];
    let words = [&["sessions", "own", "-o", "name"], &viewer[..]].concat();
    let _ = kdj.run(words).expect_code(0).prints(&format!("{name}\n"));
    let words = [&["sessions", "end", "own", &name], &viewer[..]].concat();
    let _ = kdj.run(words).expect_code(1).says(&["`viewer` may not `delete` `jobs`"]);
    pty.press("exit\r");
    assert_eq!(pty.finish().code(), Some(0));
    expect_nothing_left(&namespace);
}

#[test]
fn no_secret_shows_anywhere() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    const CANARY: &str = "canary-sessions-typed-8Zk";
    let code = format!("print(len('{CANARY}'))");
    let output = kdj.run(["-v", "pyshell", "own", "--fresh", "-c", &code]).expect_code(0).prints("25\n");
    assert!(!output.stderr.contains(CANARY), "{output}");
    let mut pty = Pty::run(&kdj, ["shell", "own", "--fresh"]);
    pty.wait_for("$ ");
    pty.press(&format!("export TOKEN={CANARY}; echo do''ne\r"));
    pty.wait_for("done\r\n");
    let name = only(&kdj);
    let objects = namespace.kubectl(["get", "jobs,pods,events", "-o", "json"]);
    let log = namespace.kubectl(["logs", &format!("job/{name}")]);
    let listed = kdj.run(["sessions", "own", "-o", "json"]).expect_code(0).stdout_text();
    let journal = fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).expect("a journal");
    assert!(journal.contains(&name), "{journal}");
    let audit = cluster.audit_log().unwrap_or_default();
    for (text, what) in
        [(objects, "objects"), (log, "log"), (listed, "list"), (journal, "journal"), (audit, "audit log")]
    {
        assert!(!text.contains(CANARY), "the {what} has it");
    }
    pty.press("exit\r");
    assert_eq!(pty.finish().code(), Some(0));
    expect_nothing_left(&namespace);
}

#[test]
fn a_protected_environment_asks_and_records() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let config = format!(
        "[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\nprotected = true\n",
        namespace.name()
    );
    let kdj = namespace.kdj().config(&config);
    let _ = kdj.run(["shell", "own", "--fresh", "--", "true"]).expect_code(125).says(&["pass `--confirm own`"]);
    let mut pty = Pty::run(&kdj, ["shell", "own", "--fresh", "--confirm", "own", "--reason", "ticket 3"]);
    pty.wait_for("$ ");
    let name = only(&kdj);
    pty.press("\r~.");
    assert_eq!(pty.finish().code(), Some(255), "{}", pty.text());
    let _ = kdj.run(["sessions", "end", &name]).expect_code(1).says(&["refusing to end a session"]);
    let mut pty = Pty::run(&kdj, ["sessions", "attach", &name]);
    pty.wait_for("type own to go on: ");
    pty.press("own\r\r");
    pty.wait_for("$ ");
    pty.press("exit 2\r");
    assert_eq!(pty.finish().code(), Some(2), "{}", pty.text());
    let audit = kdj.run(["audit", "own", "-o", "json"]).expect_code(0).stdout_text();
    for words in ["\"shell\"", "\"attach\"", "ticket 3", &format!("job/{name}")] {
        assert!(audit.contains(words), "{words}: {audit}");
    }
    expect_nothing_left(&namespace);
}

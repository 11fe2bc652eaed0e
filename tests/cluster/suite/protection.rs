//! Protected environments: what is asked, what is refused, and what stands in the records afterwards.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    harness::{Cluster, Kdj, Namespace, Pty, SHOP, Stdin, cluster, objects, wait::poll_until},
    terminal::PROMPT,
};

/// A namespace with a web pod, which developers may use.
fn namespace(cluster: &Cluster) -> Namespace<'_> {
    let web = objects::deployment("web", objects::pod([objects::sleeping("app", SHOP)]));
    let developers = binding("developers", json!({"kind": "ClusterRole", "name": "developer"}), "developers");
    let namespace = Namespace::with(cluster, [web, developers]);
    namespace.wait_for_rollout(["deployment/web"]);
    namespace
}

fn binding(name: &str, role: Value, group: &str) -> Value {
    let mut role = role;
    role["apiGroup"] = "rbac.authorization.k8s.io".into();
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": role,
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
    })
}

/// kdj with the namespace as the protected environment `live`.
fn kdj(namespace: &Namespace<'_>) -> Kdj {
    let place = format!("context = \"acme-staging\"\nnamespace = \"{}\"\n", namespace.name());
    namespace.kdj().config(&format!("[environments.live]\n{place}protected = true\n[environments.qa]\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\n")).variable("USER", "ada")
}

fn journal(kdj: &Kdj) -> String {
    fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).unwrap_or_default()
}

fn lines(kdj: &Kdj) -> Vec<Value> {
    journal(kdj).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn events(namespace: &Namespace<'_>) -> Vec<Value> {
    let list = namespace.kubectl(["get", "events", "-l", "app.kubernetes.io/managed-by=kdj", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).expect("a list");
    list["items"].as_array().cloned().unwrap_or_default()
}

fn audit(kdj: &Kdj) -> Vec<Value> {
    let text = kdj.run(["audit", "live", "-o", "json"]).expect_code(0).stdout_text();
    let document: Value = serde_json::from_str(&text).expect("JSON");
    document["changes"].as_array().cloned().expect("changes")
}

#[test]
fn a_confirmed_change_is_recorded_on_both_sides() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = kdj(&namespace);
    let words = ["shell", "live", "--confirm", "live", "--reason", "ticket 7", "--", "sh", "-c", "exit 3"];
    let _ = kdj.run(words).expect_code(3);
    let pod = namespace.pods("web").remove(0);

    let lines = lines(&kdj);
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, phase) in lines.iter().zip(["begin", "end"]) {
        assert_eq!((&line["phase"], &line["id"]), (&json!(phase), &lines[0]["id"]));
        assert_eq!(line["object"], format!("pod/{pod}"));
    }
    let end = &lines[1];
    for (field, value) in [
        ("environment", json!("live")),
        ("context", json!("acme-staging")),
        ("namespace", json!(namespace.name())),
        ("who", json!("admin")),
        ("user", json!("ada")),
        ("verb", json!("shell")),
        ("command", json!(["sh", "-c", "exit 3"])),
        ("reason", json!("ticket 7")),
        ("exit", json!(3)),
    ] {
        assert_eq!(end[field], value, "{field}: {end}");
    }

    // One that took more than a second has another for its beginning.
    let mut events = events(&namespace);
    events.retain(|event| !event["message"].as_str().is_some_and(|message| message.ends_with("; begins")));
    assert_eq!(events.len(), 1, "{events:#?}");
    let event = &events[0];
    assert_eq!((&event["reason"], &event["type"]), (&json!("KdjShell"), &json!("Normal")));
    assert_eq!((&event["involvedObject"]["kind"], &event["involvedObject"]["name"]), (&json!("Pod"), &json!(pod)));
    assert_eq!(event["reportingComponent"], "kdj");
    let message = event["message"].as_str().unwrap_or_default();
    for words in ["admin (ada@", "shell `sh -c 'exit 3'`", "because: ticket 7", "ended with 3 after "] {
        assert!(message.contains(words), "{message}");
    }

    // Both records are one change; who has no journal has the cluster's.
    let changes = audit(&kdj);
    assert_eq!((changes.len(), &changes[0]["recorded"]), (1, &json!(["local", "cluster"])));
    let table = kdj.run(["audit", "live"]).expect_code(0).stdout_text();
    assert!(
        table.starts_with("WHEN ") && table.contains(" admin   shell   sh -c 'exit 3'   ticket 7   3\n"),
        "{table}"
    );
    let _ = kdj
        .run(["audit", "live", "--since", "1m", "-o", "name"])
        .expect_code(0)
        .prints(&format!("{}\n", end["id"].as_str().expect("an id")));
    let colleague = self::kdj(&namespace);
    assert_eq!(audit(&colleague)[0]["recorded"], json!(["cluster"]));
}

#[test]
fn without_the_right_name_nothing_is_asked_of_the_cluster() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = kdj(&namespace);
    let user = format!("refused-{}", std::process::id());
    let as_user = ["--as", user.as_str(), "--as-group", "system:masters"];
    for (arguments, code, phrases) in [
        (
            &["shell", "live"][..],
            125,
            &["refusing to open a shell in protected environment `live`", "pass `--confirm live`"][..],
        ),
        (&["shell", "live", "--yes"], 125, &["refusing to open a shell"]),
        (&["shell", "live", "--confirm", "qa"], 125, &["`--confirm qa` does not confirm a change of `live`"]),
        (&["manage", "live", "--reason", "x"], 125, &["refusing to run a management command"]),
        (&["pyshell", "live", "--read-write", "-c", "1"], 125, &["refusing to open a pyshell"]),
    ] {
        let after: &[&str] = if arguments[0] == "manage" { &["--", "flush"] } else { &[] };
        let words = [arguments, &as_user[..], after].concat();
        let _ = kdj.run(words).expect_code(code).prints("").says(phrases);
    }
    assert_eq!(cluster.requests_of(&user).unwrap_or_default(), [""; 0]);
    assert_eq!(journal(&kdj), "");
    // Another name for the place, led there by a flag, does not confirm it.
    let words = ["shell", "qa", "-n", namespace.name(), "--confirm", "qa", "--", "true"];
    let _ = kdj.run(words).expect_code(125).says(&[&format!("--confirm acme-staging/{}", namespace.name())]);
}

#[test]
fn what_only_reads_is_neither_asked_nor_recorded() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let _ = kdj.run(["manage", "prod", "--", "showmigrations", "catalog"]).expect_code(0);
    let _ = kdj.run(["manage", "prod", "--", "migrate", "--plan"]).expect_code(0);
    let _ = kdj.run(["shell", "prod", "--explain", "--", "true"]).expect_code(0).says(&["or take `--confirm prod`"]);
    assert_eq!(journal(&kdj), "");
    // An environment that is not protected is not asked about either.
    let _ = kdj.run(["shell", "qa", "--", "true"]).expect_code(0);
    assert_eq!(journal(&kdj), "");
}

#[test]
fn who_may_not_write_events_is_warned_once_and_has_the_journal() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = kdj(&namespace);
    let developer = ["--as", "dev", "--as-group", "developers"];
    let words = [&["shell", "live", "--confirm", "live"], &developer[..], &["--", "sleep", "1.5"]].concat();
    let output = kdj.run(words).expect_code(0);
    let warning = format!(
        "the cluster has no record of this: `dev` may not `create` `events` in namespace `{}`",
        namespace.name()
    );
    assert_eq!(output.stderr.matches(&warning).count(), 1, "{output}");
    assert_eq!(output.stderr.matches("warning:").count(), 1, "{output}");
    assert_eq!(lines(&kdj)[1]["who"], "dev");

    // Who may not list them has the journal alone, and is told so.
    let words = ["audit", "live", "-o", "json", "--as", "stranger", "--as-group", "strangers"];
    let output = kdj.run(words).expect_code(0);
    assert!(output.stdout_text().contains("\"dev\""), "{output}");
    let _ = output.says(&["you may not list events in namespace"]);
}

#[test]
fn at_a_terminal_the_name_is_typed() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = kdj(&namespace);
    for (answer, said) in [
        ("qa\r", "`qa` is not `live`: nothing was done"),
        ("\r", "not confirmed: nothing was done"),
        ("\x04", "not confirmed: nothing was done"),
    ] {
        let mut pty = Pty::run(&kdj, ["shell", "live", "--yes"]);
        let shown = pty.wait_for("type live to go on: ");
        for words in ["live (protected)", "context acme-staging, namespace kdj-test-", "open a shell, read-write"] {
            assert!(shown.contains(words), "{shown}");
        }
        pty.press(answer);
        pty.wait_for(said);
        assert_eq!(pty.finish().code(), Some(125));
        pty.expect_restored();
    }
    let mut pty = Pty::run(&kdj, ["shell", "live"]);
    pty.wait_for("to go on: ");
    pty.press("\x03");
    assert!(!pty.finish().success());
    pty.expect_restored();
    assert_eq!(journal(&kdj), "");

    let mut pty = Pty::run(&kdj, ["shell", "live"]);
    pty.wait_for("to go on: ");
    // What is typed ahead is the shell's.
    pty.press("live\rticket 8\recho as-''typed\r");
    pty.wait_for("as-typed\r\n");
    pty.wait_for(PROMPT);
    pty.press("exit 4\r");
    assert_eq!(pty.finish().code(), Some(4));
    pty.expect_restored();
    let lines = lines(&kdj);
    assert_eq!((&lines[1]["reason"], &lines[1]["exit"]), (&json!("ticket 8"), &json!(4)));
}

#[test]
fn the_end_is_recorded_however_it_comes() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = kdj(&namespace).stdin(Stdin::Open);
    let start = || {
        let running = kdj.start(["shell", "live", "--confirm", "live", "--", "sh", "-c", "echo started; sleep 1000"]);
        running.wait_for_stdout("started\n");
        running
    };
    // It lasts: the cluster is told before the end.
    let running = start();
    poll_until("the first Event", super::harness::wait::DEADLINE, || (events(&namespace).len() == 1).then_some(()));
    running.signal(Signal::TERM);
    let _ = running.finish().expect_code(143);
    assert_eq!(lines(&kdj)[1]["exit"], 143);
    assert_eq!(events(&namespace).len(), 2);

    let running = start();
    running.signal(Signal::KILL);
    let _ = running.finish();
    assert_eq!(lines(&kdj).len(), 3, "{}", journal(&kdj));
    let _ = kdj.run(["audit", "live"]).expect_code(0).says(&[]);
    assert_eq!(audit(&kdj)[1]["phase"], "begin");

    let running = start();
    namespace.kubectl(["delete", "pod", &namespace.pods("web")[0], "--force", "--grace-period=0"]);
    let output = running.finish();
    let lines = lines(&kdj);
    // Of a lost connection the code is not known.
    assert_eq!(lines[4]["exit"], json!(output.code.filter(|code| *code != 255)), "{output}");
}

#[test]
fn no_secret_is_recorded_or_shown() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = kdj(&namespace);
    const CANARY: &str = "canary-c0ffee";
    let script = format!("export DB_PASSWORD={CANARY}; : postgres://shop:{CANARY}@db/shop --token '{CANARY}'");
    let reason = format!("reset, password: {CANARY}");
    for words in [
        &["shell", "live", "--confirm", "live", "--reason", &reason, "--", "sh", "-c", &script][..],
        &["shell", "live", "--confirm", "live", "--", "echo", "--password", CANARY],
        &["shell", "live", "--", "env", &format!("TOKEN={CANARY}")],
    ] {
        let output = kdj.run(["-v"].iter().chain(words));
        assert!(!output.stderr.contains(CANARY), "{output}");
    }
    let events = json!(events(&namespace)).to_string();
    let listed = kdj.run(["audit", "live", "-o", "wide"]).expect_code(0);
    for (text, what) in [(journal(&kdj), "journal"), (events, "Events"), (listed.stdout_text(), "audit")] {
        assert!(text.contains("<redacted>") && !text.contains(CANARY), "{what}: {text}");
    }
}

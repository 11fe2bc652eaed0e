//! Protected environments, rights, and whether a secret shows anywhere.

use std::fs;

use serde_json::{Value, json};

use super::{super::harness::cluster, CANARIES, Shop};

#[test]
fn a_protected_environment_asks_and_keeps_a_record() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "blocked,many");
    let kdj = shop.kdj();
    let _ = kdj.run(["migrate", "own", "blocked", "0001"]).expect_code(0);
    shop.namespace.kubectl(["delete", "jobs", "--all"]);
    // The plan is for everybody.
    let _ = kdj.run(["migrate", "live", "--plan"]).expect_code(0);
    let refused = kdj.run(["migrate", "live", "many"]).expect_code(1).prints("");
    let _ =
        refused.says(&["many.0010_step", "refusing to migrate protected environment `live`", "pass `--confirm live`"]);
    let other = kdj.run(["migrate", "live", "many", "--confirm", "own"]).expect_code(2).prints("");
    let _ = other.says(&["`--confirm own` does not confirm a change of `live`"]);
    // What is dangerous needs a yes of its own.
    let confirmed = ["migrate", "live", "--confirm", "live", "--reason", "ticket 7"];
    let refused = kdj.run(confirmed).expect_code(1).prints("");
    let _ = refused.says(&[
        "blocked.0002_colour: Django drops the default at once",
        "refusing to migrate `live`: the plan is dangerous",
        "1 dangerous finding",
        "pass `--yes`",
    ]);
    let _ = kdj.run(["migrate", "live", "--yes"]).expect_code(1).says(&["pass `--confirm live`"]);
    assert_eq!(shop.jobs(), [Value::Null; 0]);
    let audit = kdj.run(["audit", "live"]).expect_code(0).stdout_text();
    assert!(!audit.contains("ticket 7"), "{audit}");

    let _ = kdj.run(confirmed.into_iter().chain(["--yes"])).expect_code(0).says(&["live (protected)"]);
    assert_eq!((shop.applied("blocked").len(), shop.applied("many").len()), (2, 30));
    let document = kdj.run(["audit", "live", "-o", "json"]).expect_code(0).stdout_text();
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let changes = document["changes"].as_array().expect("changes");
    let changes: Vec<&Value> = changes.iter().filter(|change| change["environment"] == "live").collect();
    assert_eq!(changes.len(), 1, "{document:#}");
    for (field, value) in [
        ("verb", json!("migrate")),
        ("command", json!(["migrate"])),
        ("reason", json!("ticket 7")),
        ("who", json!("admin")),
        ("user", json!("ada")),
        ("exit", json!(0)),
    ] {
        assert_eq!(changes[0][field], value, "{field}: {document:#}");
    }
    let job = shop.job();
    let name = job["metadata"]["name"].as_str().expect("a name");
    assert_eq!(job["metadata"]["annotations"]["kdj.dev/reason"], "ticket 7");
    let events = shop.namespace.kubectl(["get", "events", "-l", "app.kubernetes.io/managed-by=kdj", "-o", "json"]);
    let events: Value = serde_json::from_str(&events).expect("JSON");
    let events = events["items"].as_array().expect("events");
    let last = events.iter().find(|event| event["message"].as_str().is_some_and(|text| text.contains("ended with 0")));
    let last = last.unwrap_or_else(|| panic!("{events:#?}"));
    assert_eq!((&last["reason"], &last["involvedObject"]["name"]), (&json!("KdjMigrate"), &json!(name)));
    // Nothing to do needs no confirmation.
    let _ = kdj.run(["migrate", "live"]).expect_code(0).says(&["nothing to migrate"]);
    // A plan that needs a Job is asked about before that runs.
    shop.namespace.kubectl(["scale", "deployment/shell", "--replicas=0"]);
    let gone = ["delete", "pods", "-l", "app.kubernetes.io/component=shell", "--force", "--grace-period=0"];
    shop.namespace.kubectl(gone);
    let refused = kdj.run(["migrate", "live", "--plan"]).expect_code(1).prints("");
    let _ = refused.says(&["protected environment `live` without confirmation", "pass `--confirm live`"]);
    assert_eq!(shop.jobs().len(), 1);
    let _ = kdj.run(["migrate", "live", "--plan", "--confirm", "live"]).expect_code(0).says(&["nothing to migrate"]);
    // The manifest is shown without asking, and nothing is done.
    let shown = kdj.run(["migrate", "live", "many", "0029", "--explain"]).expect_code(0);
    let manifest: Value = serde_json::from_slice(&shown.stdout).expect("a manifest");
    assert_eq!(
        (&manifest["kind"], &manifest["metadata"]["labels"]["kdj.dev/kind"]),
        (&json!("Job"), &json!("migrate"))
    );
    assert_eq!(shop.applied("many").len(), 30);
}

#[test]
fn who_lacks_a_right_is_told_which() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "many");
    let binding = |name: &str, role: &str, group: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
        })
    };
    shop.namespace.apply([binding("developers", "developer", "developers"), binding("viewers", "view", "viewers")]);
    let kdj = shop.kdj();
    let as_viewer = ["--as", "vera", "--as-group", "viewers"];
    let output = kdj.run(["migrate", "own"].into_iter().chain(as_viewer)).expect_code(1).prints("");
    let _ = output.says(&["`vera` may not `get` `pods/exec`", r#"resources: ["pods/exec"]"#]);
    shop.namespace.kubectl(["scale", "deployment/shell", "--replicas=0"]);
    shop.namespace.kubectl([
        "delete",
        "pods",
        "-l",
        "app.kubernetes.io/component=shell",
        "--force",
        "--grace-period=0",
    ]);
    let output = kdj.run(["migrate", "own"].into_iter().chain(as_viewer)).expect_code(1).prints("");
    let _ = output
        .says(&["`vera` may not `create` `jobs`", r#"apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]"#]);
    // A developer may do it all but write the receipt onto the Job.
    let as_developer = ["--as", "dev", "--as-group", "developers"];
    let output = kdj.run(["-v", "migrate", "own"].into_iter().chain(as_developer)).expect_code(0);
    assert!(output.stdout_text().contains("started by dev"), "{output}");
    let _ = output.says(&["the receipt is in the job's log only", "`dev` may not `patch` `jobs`"]);
    assert_eq!(shop.job()["metadata"]["annotations"]["kdj.dev/receipt"], Value::Null);
}

#[test]
fn no_secret_shows_anywhere() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::with(cluster, "halfway,many");
    let kdj = shop.kdj();
    let name = shop.namespace.name();
    let mut seen = Vec::new();
    for words in [
        &["-v", "migrate", "live", "--plan"][..],
        &["-v", "migrate", "live", "--plan", "-o", "json"],
        &["-v", "migrate", "live", "--confirm", "live", "--yes", "--reason", "token=canary-url-password"],
        &["migrate", "live", "many", "0001", "--explain"],
        &["audit", "live", "-o", "json"],
        &["jobs", "live", "-o", "json"],
    ] {
        seen.push((words.join(" "), kdj.run(words).to_string()));
    }
    let job = shop.job()["metadata"]["name"].as_str().expect("a name").to_owned();
    seen.push(("log".to_owned(), kdj.run(["jobs", "logs", "live", &job]).expect_code(0).to_string()));
    for what in ["jobs", "pods", "events"] {
        seen.push((what.to_owned(), shop.namespace.kubectl(["get", what, "-o", "json"])));
    }
    let journal = fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).expect("the journal");
    seen.push(("journal".to_owned(), journal));
    if let Some(log) = cluster.audit_log() {
        // What kdj asked for; the tests themselves create the Secrets, as another user.
        let own: String = log.lines().filter(|line| line.contains(name) && !line.contains("setup")).collect();
        seen.push(("audit log".to_owned(), own));
    }
    for (what, text) in seen {
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary} in {what}");
        }
        assert!(!text.is_empty(), "{what}");
    }
}

//! The plan: what it shows, and where it is made.

use serde_json::{Value, json};

use super::{
    super::harness::{
        cluster,
        wait::{DEADLINE, poll_until},
    },
    Shop, names,
};

#[test]
fn the_plan_tells_what_is_dangerous() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "risky,many");
    let kdj = shop.kdj();
    let _ = kdj.run(["migrate", "own", "risky", "0001"]).expect_code(0);
    let output = kdj.run(["migrate", "own", "risky", "--plan"]).expect_code(0);
    let text = output.stdout_text();
    for row in ["MIGRATION ", "risky.0014_python ", "Run fill ", "Python, irreversible", "not atomic"] {
        assert!(text.contains(row), "{row}: {text}");
    }
    let dangerous = text.lines().filter(|line| line.starts_with("dangerous: ")).collect::<Vec<_>>().join("\n");
    for finding in [
        "0002_index: on a large table that takes minutes (require-concurrent-index-creation)",
        "0003_default: Django drops the default at once",
        "0005_foreign_key",
        "0006_not_null",
        "(changing-column-type)",
        "(disallowed-unique-constraint)",
        "(constraint-missing-not-valid)",
        "(renaming-column)",
        "(renaming-table)",
        "(ban-drop-column)",
        "(ban-drop-table)",
    ] {
        assert!(dangerous.contains(finding), "{finding}: {dangerous}");
    }
    for none in ["0004_nullable", "0016_new_table", "0017_concurrently"] {
        assert!(!dangerous.contains(none), "{none}: {dangerous}");
    }
    for line in
        ["    it locks: writes to the table", "    statement: CREATE INDEX", "    instead: `AddIndexConcurrently`"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.contains("note: risky.0014_python: runs fill in Python"), "{text}");

    let output = kdj.run(["migrate", "own", "risky", "--plan", "-o", "json"]).expect_code(0);
    let plan: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let found = plan["findings"].as_array().expect("findings");
    assert_eq!(found.iter().filter(|finding| finding["class"] == "dangerous").count(), dangerous.lines().count());
    assert_eq!((&plan["version"], &plan["environment"]), (&json!(1), &json!("own")));
    assert_eq!((&plan["image"], &plan["workload"]), (&json!("registry.local/shop:1"), &json!("deployment/shell")));
    assert_eq!(
        (names(&plan["plan"]["migrations"]).len(), &plan["plan"]["migrations"][0]["atomic"]),
        (16, &json!(true))
    );
    let listed = kdj.run(["migrate", "own", "risky", "0003", "--plan", "-o", "name"]).expect_code(0);
    let _ = listed.prints("risky.0002_index\nrisky.0003_default\n");
    let skipped = kdj.run(["migrate", "own", "risky", "--plan", "--skip-lint"]).expect_code(0).stdout_text();
    assert!(!skipped.contains("dangerous"), "{skipped}");

    let _ = kdj.run(["migrate", "own", "many", "0003"]).expect_code(0);
    let back = kdj.run(["migrate", "own", "many", "0001", "--plan"]).expect_code(0).stdout_text();
    let rows: Vec<&str> = back.lines().skip(1).take(2).collect();
    assert!(rows[0].starts_with("many.0003_step ") && rows[1].starts_with("many.0002_step "), "{back}");
    assert!(rows.iter().all(|row| row.ends_with(" reversal")), "{back}");
    assert_eq!(shop.applied("many").len(), 3);
}

#[test]
fn without_a_pod_of_the_image_the_plan_is_made_in_a_job() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "many");
    let kdj = shop.kdj();
    shop.namespace.kubectl(["scale", "deployment/shell", "--replicas=0"]);
    poll_until("no pod", DEADLINE, || shop.kdj().run(["shell", "own", "--", "true"]).code.filter(|code| *code != 0));
    let planned = kdj.run(["migrate", "own", "--plan", "-o", "name"]).expect_code(0);
    assert_eq!(planned.stdout_text().lines().count(), 30, "{planned}");
    let _ = planned.says(&[
        "no ready pod of deployment/shell runs registry.local/shop:1: the plan is made in a job of its own",
        "job kdj-plan-",
    ]);
    assert_eq!(shop.jobs(), [Value::Null; 0]);
    let pods = || shop.namespace.kubectl(["get", "pods", "-l", "kdj.dev/kind=plan", "-o", "name"]);
    poll_until("the plan's pod to go", DEADLINE, || pods().is_empty().then_some(()));
    // What cannot be planned leaves nothing behind either, and the migration itself needs no pod.
    let _ = kdj.run(["migrate", "own", "nosuch", "--plan"]).expect_code(1).says(&["no installed app"]);
    assert_eq!(shop.jobs(), [Value::Null; 0]);
    let _ = kdj.run(["migrate", "own", "many", "0004"]).expect_code(0);
    assert_eq!(shop.applied("many").len(), 4);
    let plans: Vec<Value> =
        shop.jobs().into_iter().filter(|job| job["metadata"]["labels"]["kdj.dev/kind"] == "plan").collect();
    assert_eq!(plans, [Value::Null; 0]);
}

#[test]
fn during_a_rollout_the_new_image_is_asked() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "many");
    let kdj = shop.kdj();
    // The new pods never become ready, the old one serves on.
    let probe = json!([
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "registry.local/shop-plain:1"},
        {"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe",
         "value": {"exec": {"command": ["false"]}, "periodSeconds": 1}},
    ]);
    shop.namespace.kubectl(["patch", "deployment/shell", "--type=json", "-p", &probe.to_string()]);
    shop.namespace.wait_for("deployment/shell", "{.status.replicas}", "2");
    let output = kdj.run(["migrate", "own", "many", "0002"]).expect_code(0);
    let text = output.stdout_text();
    assert!(text.contains("image registry.local/shop-plain:1 (sha256:"), "{output}");
    let _ = output.says(&[
        "rollout in progress: 1 of 1 pods are of the new revision; taking the new one",
        "no ready pod of deployment/shell runs registry.local/shop-plain:1",
        "image registry.local/shop-plain:1 of deployment/shell, planned in job kdj-plan-",
    ]);
    let image = &shop.job()["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "registry.local/shop-plain:1");
    let plan = kdj.run(["migrate", "own", "--plan", "-o", "json"]).expect_code(0).stdout_text();
    assert!(plan.contains("rollout in progress"), "{plan}");
}

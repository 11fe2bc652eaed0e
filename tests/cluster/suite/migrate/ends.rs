//! Runs that end badly, and what the next run makes of it.

use serde_json::Value;

use super::{
    super::harness::{
        cluster,
        wait::{DEADLINE, poll_until},
    },
    Shop, receipt,
};

#[test]
fn one_that_fails_halfway_is_accounted_for_and_goes_on_when_repaired() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "halfway");
    let kdj = shop.kdj();
    let output = kdj.run(["migrate", "own"]).expect_code(1);
    let text = output.stdout_text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("applied halfway.0001_initial in "), "{output}");
    assert_eq!(lines[1..3], ["not done: halfway.0002_fails", "not done: halfway.0003_after"]);
    assert!(lines[3].starts_with("failed after 1 of 3 migrations in "), "{output}");
    let job = shop.job();
    let name = job["metadata"]["name"].as_str().expect("a name");
    let said = [
        "Traceback (most recent call last):",
        "0002_fails.py\", line ",
        "error: the migration of `own` did not come to its end",
        "halfway.0002_fails: ValueError: no weights for postgres://shop:***@db/shop",
        "halfway.0002_fails was rolled back: it left nothing",
        "hint: when that is repaired, `kdj migrate own` goes on with what is not applied",
        &format!("hint: its log stays: `kdj jobs logs own {name}`"),
    ];
    let _ = output.says(&said);
    let receipt = receipt(&job);
    assert_eq!(
        (&receipt["outcome"], &receipt["failure"]["exception"]),
        (&"failed".into(), &"builtins.ValueError".into())
    );
    assert_eq!(receipt["not_applied"].as_array().map(Vec::len), Some(2));
    assert_eq!((shop.applied("halfway").len(), shop.sql("SELECT count(*) FROM halfway_part").as_str()), (1, "0"));

    // Whoever takes it up later learns the same, with the same code; the log is Django's own.
    let later = kdj.run(["jobs", "attach", "own", name]).expect_code(1).says(&said);
    assert_eq!(later.stdout_text(), text);
    let log = kdj.run(["jobs", "logs", "own", name]).expect_code(0).stdout_text();
    assert!(log.contains("  Applying halfway.0001_initial... OK") && log.contains("ValueError"), "{log}");
    // Once more is the same once more, and no harm.
    let _ = kdj.run(["migrate", "own"]).expect_code(1).says(&["ValueError"]);

    shop.set(["SCRATCH_REPAIRED=1"]);
    let output = kdj.run(["migrate", "own"]).expect_code(0);
    assert!(output.stdout_text().contains("2 of 2 migrations"), "{output}");
    assert_eq!((shop.applied("halfway").len(), shop.sql("SELECT count(*) FROM halfway_part").as_str()), (3, "1"));
}

#[test]
fn one_whose_pod_goes_or_whose_job_is_rolled_back_and_run_again() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "slow");
    let kdj = shop.kdj();
    let begin = || {
        let running = kdj.start(["migrate", "own", "slow"]);
        running.wait_for_stderr("1 of 1 slow.0001_sleep");
        running
    };
    let nothing = || (shop.applied("slow").len(), shop.sql("SELECT to_regclass('slow_one')")) == (0, String::new());

    let [now, at_once] = ["--force", "--grace-period=0"];
    let lose_pod =
        || shop.namespace.kubectl(["delete", "pods", "-l", "kdj.dev/kind=migrate", now, at_once, "--wait=false"]);

    // Evicted, as for a drained node: the runner is told and says what it leaves.
    let running = begin();
    let pod = shop.namespace.kubectl([
        "get",
        "pods",
        "-l",
        "kdj.dev/kind=migrate",
        "-o",
        "jsonpath={.items[0].metadata.name}",
    ]);
    let eviction = format!(r#"{{"apiVersion":"policy/v1","kind":"Eviction","metadata":{{"name":"{pod}"}}}}"#);
    let path = format!("/api/v1/namespaces/{}/pods/{pod}/eviction", shop.namespace.name());
    shop.namespace.kubectl_with(["create", "--raw", &path, "-f", "-"], &eviction);
    let output = running.finish().expect_code(1);
    assert!(output.stdout_text().contains("interrupted after 0 of 1 migrations"), "{output}");
    let _ = output.says(&[
        "slow.0001_sleep: it was ended by SIGTERM",
        "slow.0001_sleep was rolled back: it left nothing",
        "`kdj migrate own` goes on with what is not applied",
    ]);
    assert!(nothing());

    // Lost, so that nobody knows.
    wait_for_end(&shop);
    let running = begin();
    lose_pod();
    let output = running.finish();
    assert!(matches!(output.code, Some(1 | 255)), "{output}");
    let _ = output.says(&["hint: `kdj migrate own"]);
    poll_until("the roll back", DEADLINE, || nothing().then_some(()));

    // Its Job deleted underneath.
    wait_for_end(&shop);
    let running = begin();
    shop.namespace.kubectl(["delete", "jobs", "--all", "--cascade=background", "--force", "--grace-period=0"]);
    lose_pod();
    let output = running.finish();
    assert!(matches!(output.code, Some(1 | 255)), "{output}");
    if output.code == Some(255) {
        assert!(output.stdout_text().contains("the outcome is unknown"), "{output}");
        let _ = output.says(&["is not known", "`kdj migrate own --plan` tells what is not applied"]);
    }

    poll_until("the database to be free", DEADLINE, || nothing().then_some(()));
    let again = kdj.run(["migrate", "own", "slow"]).expect_code(0);
    assert!(again.stdout_text().contains("1 of 1 migrations in "), "{again}");
    assert_eq!(shop.sql("SELECT to_regclass('slow_one')"), "slow_one");
}

/// A Job whose pod was taken from it is known to be over a moment later.
fn wait_for_end(shop: &Shop<'_>) {
    poll_until("the Job's end", DEADLINE, || {
        let conditions = &shop.job()["status"]["conditions"];
        let over = |condition: &Value| condition["type"] == "Failed" && condition["status"] == "True";
        conditions.as_array().into_iter().flatten().any(over).then_some(())
    });
}

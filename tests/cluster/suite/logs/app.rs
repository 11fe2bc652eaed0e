//! The Django app's own logs: JSON, tracebacks, levels, events.

use serde_json::Value;

use super::{
    super::harness::{
        SHOP, cluster, objects,
        wait::{DEADLINE, poll_until},
    },
    namespace,
};
use crate::harness::Namespace;

/// Logs as Django does: a line, a warning, an exception; then nothing.
const DJANGO: &str = r#"
import logging.config, time
from shop.settings import LOGGING
logging.config.dictConfig(LOGGING)
log = logging.getLogger("orders")
log.info("order taken", extra={"order": 7})
log.warning("stock is low")
try:
    {}["nothing"]
except KeyError:
    log.exception("order failed", extra={"request_id": "r-1"})
import traceback, sys
try:
    int("x")
except ValueError:
    traceback.print_exc()
sys.stderr.flush()
time.sleep(3600)
"#;

#[test]
fn what_django_logs_is_understood() {
    let Some(cluster) = cluster() else { return };
    let mut container = objects::container("app", SHOP, ["python", "-c", DJANGO]);
    container["env"] = serde_json::json!([
        {"name": "DATABASE_URL", "value": "postgres://u@h/d"}, {"name": "DJANGO_SECRET_KEY", "value": "canary-logs"},
    ]);
    let namespace = Namespace::with(cluster, [objects::deployment("web", objects::pod([container]))]);
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj();
    let all = super::super::harness::wait::poll_until("all lines", std::time::Duration::from_secs(30), || {
        let output = kdj.run(["logs", "own", "--no-follow", "-o", "json"]).expect_code(0).stdout_text();
        output.contains("ValueError").then_some(output)
    });
    let units: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let messages: Vec<&str> = units.iter().filter_map(|unit| unit["message"].as_str()).collect();
    assert!(messages.contains(&"order taken") && messages.contains(&"stock is low"), "{all}");
    assert!(units.iter().all(|unit| unit["environment"] == "own" && unit["role"] == "web"), "{all}");
    let text = kdj.run(["logs", "own", "--no-follow"]).expect_code(0).stdout_text();
    assert!(text.contains("order taken") && text.contains("order=7") && !text.contains("\"message\""), "{text}");
    let bad = kdj.run(["logs", "own", "--no-follow", "--level", "error"]).expect_code(0).stdout_text();
    assert!(bad.contains("KeyError") && bad.contains("ValueError") && !bad.contains("stock is low"), "{bad}");
    let request =
        kdj.run(["logs", "own", "--no-follow", "--request", "r-1", "-o", "json"]).expect_code(0).stdout_text();
    assert_eq!(request.lines().count(), 1, "{request}");
    let raw = kdj.run(["logs", "own", "--no-follow", "-o", "raw"]).expect_code(0).stdout_text();
    assert_eq!(raw, namespace.kubectl(["logs", "deployment/web"]));
}

#[test]
fn what_the_cluster_says_stands_among_the_lines() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster, 1, "--rate 1");
    let words = ["logs", "own", "--no-follow", "--events", "--tail", "3"];
    // The node tells of what it did a moment later.
    poll_until("the lines and the events", DEADLINE, || {
        let output = namespace.kdj().run(words).expect_code(0).stdout_text();
        ["Normal Started", "Normal ScalingReplicaSet", "talk "].iter().all(|it| output.contains(it)).then_some(())
    });
}

#[test]
fn the_logs_of_any_job() {
    let Some(cluster) = cluster() else { return };
    let container = objects::container("app", SHOP, ["sh", "-c", "echo one; sleep 1; echo two; sleep 1"]);
    let mut pod = objects::pod([container]);
    pod["restartPolicy"] = "Never".into();
    let job = serde_json::json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "nightly"},
        "spec": {"template": {"spec": pod}, "backoffLimit": 0},
    });
    let namespace = Namespace::with(cluster, [job]);
    namespace.wait_for("job/nightly", "{.status.active}", "1");
    // It ends with the Job.
    let words = ["logs", "own", "--job", "nightly", "-o", "raw"];
    let _ = namespace.kdj().run(words).expect_code(0).prints("one\ntwo\n");
    let _ = namespace.kdj().run(words).expect_code(0).prints("one\ntwo\n");
}

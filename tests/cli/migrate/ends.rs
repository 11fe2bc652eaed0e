//! How a run ended, or that nobody knows.

use serde_json::json;

use super::{NAME, begins, event, server, step, whole};
use crate::harness::{Fault, Kdj, On, Run, Turn, shop::NAMESPACE};

#[test]
fn one_that_never_said_how_it_ended_is_unknown() {
    for (turns, phrase) in [
        (vec![Turn::oom_killed()], "OOMKilled"),
        (vec![Turn::ends(0)], "exit code 0"),
        (vec![Turn::pod_changes(|pod| pod["status"]["reason"] = json!("Evicted")), Turn::ends(137)], "Evicted"),
    ] {
        let turns = [Turn::prints(begins(2) + &event("applied", step(1)))].into_iter().chain(turns);
        let server = server(2, Run::starts_and(turns));
        let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(255);
        let text = output.stdout_text();
        assert!(
            text.contains("not done: shop.0002\nthe outcome is unknown; 1 of 2 migrations are known\n"),
            "{output}"
        );
        let _ = output.says(&[
            "error: how the migration of `qa` ended is not known",
            phrase,
            "hint: `kdj migrate qa --plan` tells what is not applied",
            &format!("hint: its log stays: `kdj jobs logs qa {NAME}`"),
        ]);
    }
    let server = server(2, Run::prints("no such module\n", 1));
    let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(1);
    let _ = output.says(&["ended before it said how", "it ended with exit code 1", "no such module"]);
}

#[test]
fn one_whose_job_is_deleted_underneath_is_unknown() {
    let server = server(2, Run::starts_and([Turn::prints(begins(2)), Turn::Hold]));
    let running = Kdj::on(&server).start(["migrate", "qa"]);
    running.wait_for_stderr("1 of 2 shop.0001");
    server.change(|objects| {
        objects.remove("jobs", NAME);
        objects.retain("pods", |pod| pod["metadata"]["name"].as_str().is_some_and(|name| !name.starts_with(NAME)));
    });
    let output = running.finish().expect_code(255);
    assert!(output.stdout_text().contains("the outcome is unknown; 0 of 2"), "{output}");
    let _ = output
        .says(&["is not known", "its job was deleted", "`kdj migrate qa --plan` tells what is not applied"])
        .never_says(&["its log stays"]);
}

#[test]
fn all_applied_and_then_a_failure_is_both() {
    let server = server(2, Run::prints(&whole(2), 3));
    let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(1);
    assert!(output.stdout_text().contains("2 of 2 migrations"), "{output}");
    let _ = output.says(&["all is applied in `qa`, and something failed after that", "exit code 3"]);
}

#[test]
fn another_one_on_the_database_is_named() {
    let holder = json!({"pid": 7, "application_name": "kdj migrate on other-1", "user": "shop", "state": "idle in transaction",
                        "query_seconds": 9.0, "transaction_seconds": 9.0});
    let busy = event("busy", json!({"holder": holder, "message": "x", "applied": []}));
    let server = server(2, Run::prints(&busy, 75));
    let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(1);
    let _ =
        output.says(&["another migration runs on the database of `qa`", "pid 7 (kdj migrate on other-1, user shop"]);
}

#[test]
fn a_receipt_that_cannot_be_written_changes_nothing() {
    let server = server(2, Run::prints(&whole(2), 0));
    server.fault(On::patch("jobs", NAMESPACE), Fault::forbidden("dev", "patch", "jobs", NAMESPACE));
    let output = Kdj::on(&server).run(["migrate", "qa", "-o", "json"]).expect_code(0);
    let receipt: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&receipt["outcome"], &receipt["applied"][1]["name"]), (&json!("done"), &json!("0002")));
    let _ = output.never_says(&["may not"]);
}

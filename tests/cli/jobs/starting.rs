//! Jobs that do not start, or not at once: what is said, how long it is waited for, what is left behind.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{name, run, server};
use crate::harness::{ApiServer, Fault, Kdj, On, Run, Rupture, Turn, shop::NAMESPACE};

/// A pod that a node has, and whose container waits for this reason.
fn waits(reason: &str, message: &str) -> [Turn; 3] {
    [Turn::Appears, Turn::Scheduled, Turn::waits(reason, message)]
}

/// Nothing ran, and nothing is left that might.
#[track_caller]
fn expect_deleted(server: &ApiServer) {
    assert!(server.objects("jobs").is_empty(), "{:#?}", server.objects("jobs"));
    let deletion = server.requests().into_iter().find(|request| request.method == "DELETE").expect("a DELETE");
    assert_eq!(deletion.option("propagationPolicy").as_deref(), Some("Background"), "its pods go along");
}

#[test]
fn what_cannot_heal_fails_fast() {
    for (reason, message, phrase) in [
        (
            "ErrImagePull",
            r#"rpc error: code = NotFound desc = failed to pull and unpack image "shop:2": not found"#,
            "not found",
        ),
        ("ImagePullBackOff", r#"Back-off pulling image "shop:2": ErrImagePull: manifest unknown"#, "manifest unknown"),
        (
            "InvalidImageName",
            r#"Failed to apply default image tag "Shop": invalid reference format"#,
            "InvalidImageName",
        ),
        ("CreateContainerConfigError", r#"secret "canary" not found"#, r#"secret "canary" not found"#),
        ("CreateContainerConfigError", "couldn't find key A in ConfigMap shop-qa/b", "couldn't find key A"),
        (
            "CreateContainerError",
            "container create failed: crun: executable file `report` not found in $PATH",
            "`report`",
        ),
    ] {
        let server = server(Run::plays(waits(reason, message)));
        let started = Instant::now();
        let output = run(&server, []).expect_code(125).prints("");
        let _ = output.says(&["did not start in `qa`", phrase, "nothing was run, and the job is deleted again"]);
        assert!(started.elapsed() < Duration::from_secs(8), "{reason}: {:?}", started.elapsed());
        expect_deleted(&server);
    }
}

#[test]
fn what_may_heal_is_waited_for() {
    for (reason, message) in [
        ("ErrImagePull", "failed to do request: dial tcp: i/o timeout"),
        ("CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition"),
        ("CreateContainerError", "context deadline exceeded"),
    ] {
        let healing = [Turn::Pause(Duration::from_millis(2500)), Turn::Starts, Turn::prints("x\n"), Turn::ends(0)];
        let server = server(Run::plays(waits(reason, message).into_iter().chain(healing)));
        let _ = run(&server, []).expect_code(0).prints("x\n").says(&["waiting for the job to start", message]);
    }
}

#[test]
fn a_pull_that_fails_is_given_up_in_time() {
    let server = server(Run::plays(waits("ImagePullBackOff", r#"Back-off pulling image "shop:2""#)));
    let output = run(&server, ["--pod-running-timeout", "3s"]).expect_code(125);
    let _ = output.says(&["not running after", "ImagePullBackOff: Back-off pulling image"]);
    expect_deleted(&server);
}

#[test]
fn an_unschedulable_pod_is_shown_and_given_up_in_time() {
    let message = "0/3 nodes are available: 3 Insufficient memory";
    let healing =
        [Turn::Appears, Turn::unschedulable(message), Turn::Hold, Turn::Scheduled, Turn::Starts, Turn::ends(0)];
    let server = server(Run::plays(healing));
    let running = Kdj::on(&server).start(super::words([]));
    running.wait_for_stderr(message);
    server.go_on();
    let _ = running.finish().expect_code(0);

    let server = super::server(Run::plays([Turn::Appears, Turn::unschedulable(message)]));
    let output = run(&server, ["--pod-running-timeout", "3s"]).expect_code(125);
    let _ = output.says(&["not running after", "Unschedulable", message]);
    expect_deleted(&server);
}

#[test]
fn a_job_that_gets_no_pod_says_why() {
    let security = r#"pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true"#;
    let quota = r#"pods "a" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"#;
    for (message, least, most) in [(security, 0, 8), (quota, 9, 18)] {
        let server = server(Run::plays([Turn::job_event("FailedCreate", message)]));
        let started = Instant::now();
        let _ = run(&server, []).expect_code(125).says(&["FailedCreate: pods", message]);
        let took = started.elapsed().as_secs();
        assert!((least..most).contains(&took), "{took} s for {message}");
        expect_deleted(&server);
    }
}

#[test]
fn a_volume_s_secret_that_is_missing_is_found_in_the_events() {
    let message = r#"MountVolume.SetUp failed for volume "s" : secret "nosuch" not found"#;
    let server = server(Run::plays([Turn::Appears, Turn::Scheduled, Turn::pod_event("FailedMount", message)]));
    let _ = run(&server, []).expect_code(125).says(&[r#"FailedMount: MountVolume.SetUp failed"#, r#"secret "nosuch""#]);
    expect_deleted(&server);
}

#[test]
fn who_only_attaches_deletes_nothing() {
    let server = server(Run::plays(waits("InvalidImageName", "x")));
    let kdj = Kdj::on(&server);
    let name = kdj.run(super::words(["--detach"])).expect_code(0).stdout_text().trim().to_owned();
    let output = kdj.run(["jobs", "attach", "qa", &name]).expect_code(125);
    let _ = output.says(&["did not start", "InvalidImageName", &format!("`kdj jobs cancel qa {name}`")]);
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn an_init_container_that_fails_leaves_its_log() {
    let server = server(Run::plays([
        Turn::Appears,
        Turn::Scheduled,
        Turn::pod_changes(|pod| {
            pod["status"]["phase"] = json!("Failed");
            pod["status"]["initContainerStatuses"] = json!([{
                "name": "wait-db", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"terminated": {"exitCode": 4, "reason": "Error"}},
            }]);
            pod["status"]["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "PodInitializing"}});
        }),
        Turn::job_fails("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
    ]));
    let output = run(&server, []).expect_code(125);
    let log = "kubectl --context acme-staging -n shop-qa logs job/kdj-run-";
    let _ = output.says(&["init container `wait-db` ended with exit code 4", "nothing was run", log]);
    assert_eq!(server.objects("jobs").len(), 1);
    let started = Instant::now();
    let logs = Kdj::on(&server).run(["jobs", "logs", "qa", &name(&server)]).expect_code(1).prints("");
    let _ = logs.says(&["has no log: its container never ran", "init container `wait-db` ended with exit code 4", log]);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_job_that_runs_is_not_given_up_for_want_of_news() {
    let server = server(Run::starts_and([Turn::prints("begun\n"), Turn::Pause(Duration::from_secs(5)), Turn::ends(0)]));
    server.fault(On::watch("pods", NAMESPACE).once(), Fault::AfterLines(0, Rupture::Silence));
    let _ = run(&server, ["--pod-running-timeout", "3s"]).expect_code(0).prints("begun\n");
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn a_refusal_that_is_old_news_is_not_the_end() {
    let security = r#"pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true"#;
    let goes_on = [Turn::Appears, Turn::Scheduled, Turn::Starts, Turn::prints("begun\n")];
    let end = [Turn::Pause(Duration::from_secs(5)), Turn::ends(0)];
    let turns = [Turn::job_event("FailedCreate", security)].into_iter().chain(goes_on).chain(end);
    let server = server(Run::plays(turns));
    server.fault(On::watch("pods", NAMESPACE).once(), Fault::AfterLines(0, Rupture::Silence));
    let _ = run(&server, []).expect_code(0).prints("begun\n");
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn events_that_never_come_do_not_hold_the_start() {
    let pause = Turn::Pause(Duration::from_millis(2500));
    let end = [Turn::Scheduled, Turn::Starts, Turn::prints("x\n"), Turn::ends(0)];
    let server = server(Run::plays([Turn::Appears, pause].into_iter().chain(end)));
    server.fault(On::get(&format!("/api/v1/namespaces/{NAMESPACE}/events")), Fault::Blackhole);
    let started = Instant::now();
    let _ = run(&server, []).expect_code(0).prints("x\n");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[test]
fn final_words_after_others_end_the_wait_at_once() {
    let pause = Turn::Pause(Duration::from_secs(1));
    let words = "failed to pull and unpack image \"shop:2\": not found";
    let first = waits("ErrImagePull", "dial tcp: i/o timeout");
    let server = server(Run::plays(first.into_iter().chain([pause, Turn::waits("ErrImagePull", words)])));
    let started = Instant::now();
    let _ = run(&server, []).expect_code(125).says(&["did not start", words]);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    expect_deleted(&server);
}

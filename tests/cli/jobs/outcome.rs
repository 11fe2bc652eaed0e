//! How a Job ends, and the exit code of that.

use std::time::Duration;

use serde_json::json;

use super::{name, objects, run, server, words};
use crate::harness::{ApiServer, Fault, Kdj, On, Run, Turn, shop::NAMESPACE};

#[test]
fn the_exit_code_is_the_container_s() {
    for code in [0, 1, 3, 42, 255] {
        let server = server(Run::prints("one\ntwo\nno newline", code));
        let output = run(&server, []).expect_code(code).prints("one\ntwo\nno newline");
        let _ = output.says(&["qa: context acme-staging, namespace shop-qa, job kdj-run-", "of deployment/web"]);
        assert_eq!(server.objects("jobs").len(), 1, "the Job stays, with its log");
    }
}

#[test]
fn out_of_memory_is_named_with_the_limit() {
    let server = server(Run::starts_and([Turn::prints("x\n"), Turn::oom_killed()]));
    let _ =
        run(&server, []).expect_code(137).prints("x\n").says(&["`django` was OOMKilled", "its memory limit is 512Mi"]);
}

#[test]
fn what_others_ended_is_no_success() {
    let evicted = |code: i32| {
        Run::starts_and([
            Turn::pod_changes(move |pod| {
                pod["status"]["phase"] = json!("Failed");
                pod["status"]["reason"] = json!("Evicted");
                pod["status"]["message"] = json!("The node was low on resource: memory.");
                pod["status"]["containerStatuses"][0]["state"] =
                    json!({"terminated": {"exitCode": code, "reason": "Error", "finishedAt": "2026-11-01T09:00:00Z"}});
            }),
            Turn::job_fails("PodFailurePolicy", "the pod was disrupted"),
        ])
    };
    for (code, expected) in [(137, 137), (0, 143)] {
        let server = server(evicted(code));
        let _ = run(&server, []).expect_code(expected).says(&["Evicted: The node was low on resource"]);
    }
}

#[test]
fn a_deadline_is_124() {
    // The end and its reason come in one change.
    let server = server(Run::starts_and([
        Turn::prints("begun\n"),
        Turn::Pause(Duration::from_millis(1200)),
        Turn::pod_changes(|pod| {
            pod["status"]["phase"] = json!("Failed");
            pod["status"]["reason"] = json!("DeadlineExceeded");
            let now = crate::harness::api_server::now();
            pod["status"]["containerStatuses"][0]["state"] =
                json!({"terminated": {"exitCode": 137, "reason": "Error", "finishedAt": now}});
        }),
        Turn::job_fails("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
    ]));
    let output = run(&server, ["--timeout", "1s"]).expect_code(124).prints("begun\n");
    let _ = output.says(&["`report` did not end within 1 s", "`--timeout`", "kdj jobs logs qa kdj-run-"]);
}

#[test]
fn the_job_s_own_deadline_takes_the_pod_along() {
    let server = server(Run::starts_and([
        Turn::prints("begun\n"),
        Turn::PodGone,
        // Its controller takes a moment to say so.
        Turn::Pause(Duration::from_millis(1200)),
        Turn::job_fails("DeadlineExceeded", "Job was active longer than specified deadline"),
    ]));
    let _ = run(&server, []).expect_code(124).says(&["did not end within 24 h"]);
}

#[test]
fn a_command_that_is_not_there_is_127_and_126() {
    let fails = |words: &'static str| {
        Run::plays([
            Turn::Appears,
            Turn::Scheduled,
            Turn::pod_changes(move |pod| {
                pod["status"]["phase"] = json!("Failed");
                let message = format!(
                    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: {words}: unknown"
                );
                pod["status"]["containerStatuses"][0]["state"] =
                    json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": message}});
            }),
            Turn::job_fails("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
        ])
    };
    let not_found = server(fails(r#"exec: "report": executable file not found in $PATH"#));
    let _ =
        run(&not_found, []).expect_code(127).says(&["no `report` in the image", "executable file not found", "PATH"]);
    let denied = server(fails(r#"exec: "report": permission denied"#));
    let _ = run(&denied, []).expect_code(126).says(&["cannot execute `report`", "permission denied"]);
}

#[test]
fn a_sidecar_that_never_ends_does_not_hold_the_verdict() {
    let with_sidecar = || {
        let mut objects = objects();
        objects.change("deployments", "web", |web| {
            let containers = web["spec"]["template"]["spec"]["containers"].as_array_mut().expect("containers");
            containers.push(json!({"name": "istio-proxy", "image": "istio/proxyv2:1.20"}));
        });
        let server = ApiServer::http(objects);
        server.run(Run::starts_and([Turn::prints("done\n"), Turn::ends(3)]).others_go_on());
        server
    };
    // Left out, it cannot.
    let server = with_sidecar();
    let _ = run(&server, []).expect_code(3).prints("done\n").never_says(&["istio-proxy"]);
    assert_eq!(server.objects("jobs").len(), 1);

    let server = with_sidecar();
    let output = run(&server, ["--with-sidecars"]).expect_code(3).prints("done\n");
    let _ = output.says(&["container `istio-proxy` went on; job kdj-run-", "is deleted, with its log"]);
    assert!(server.objects("jobs").is_empty() && server.objects("pods").len() == 1, "{:#?}", server.objects("pods"));

    let server = with_sidecar();
    let _ = run(&server, ["--with-sidecars", "--detach"]).expect_code(0);
    let output = Kdj::on(&server).run(["jobs", "attach", "qa", &name(&server)]).expect_code(3).prints("done\n");
    let _ = output.says(&["container `istio-proxy` goes on"]);

    let server = with_sidecar();
    let output = run(&server, ["--with-sidecars", "--keep"]).expect_code(3).prints("done\n");
    let _ = output.says(&["container `istio-proxy` goes on", "kdj jobs cancel qa kdj-run-"]);
    assert_eq!(server.objects("jobs").len(), 1);

    // Who may not get pods does not see whether it ends.
    let server = with_sidecar();
    let pod = format!("/api/v1/namespaces/{NAMESPACE}/pods/kdj-run-");
    server.fault(On::prefix(&pod).after(1), Fault::forbidden("dev", "get", "pods", NAMESPACE));
    let output = run(&server, ["--with-sidecars"]).expect_code(3).prints("done\n");
    let _ = output.says(&["cannot be seen whether container `istio-proxy` goes on", "kdj jobs cancel qa kdj-run-"]);
}

#[test]
fn a_job_deleted_underneath_is_said() {
    let server = server(Run::starts_and([Turn::prints("begun\n"), Turn::Hold]));
    let running = Kdj::on(&server).start(words([]));
    running.wait_for_stdout("begun\n");
    let name = name(&server);
    server.change(|objects| {
        objects.remove("jobs", &name);
        objects.retain("pods", |pod| pod["metadata"]["ownerReferences"][0]["kind"] != "Job");
    });
    let _ = running.finish().expect_code(255).prints("begun\n").says(&["was deleted while it was followed"]);
}

#[test]
fn a_pod_deleted_underneath_leaves_the_outcome_unknown() {
    let server = server(Run::starts_and([
        Turn::prints("begun\n"),
        Turn::Hold,
        Turn::PodGone,
        Turn::job_fails("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
    ]));
    let running = Kdj::on(&server).start(words([]));
    running.wait_for_stdout("begun\n");
    server.go_on();
    let _ = running
        .finish()
        .expect_code(255)
        .prints("begun\n")
        .says(&["how `report` ended is not known", "the log, or the rest of it, cannot be read: its pod is gone"]);
}

#[test]
fn a_pod_that_is_asked_to_go_is_no_success() {
    let server = server(Run::starts_and([Turn::pod_changes(|pod| {
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-01T09:00:30Z");
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
        pod["status"]["containerStatuses"][0]["state"] =
            json!({"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-11-01T09:00:05Z"}});
    })]));
    let _ = run(&server, []).expect_code(143).says(&["`report` ended with 143", "it was deleted"]);
}

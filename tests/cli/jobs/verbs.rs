//! `--detach`, `--explain`, signals and `kdj jobs`; the request budget.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{name, objects, run, server, words};
use crate::harness::{ApiServer, Kdj, Run, Stdin, Turn, shop::NAMESPACE};

#[test]
fn detached_only_the_name_is_printed() {
    let server = server(Run::prints("x\n", 0));
    let output = run(&server, ["--detach"]).expect_code(0);
    let _ = output.prints(&format!("{}\n", name(&server)));
}

#[test]
fn a_job_takes_nine_requests() {
    let server = server(Run::prints("x\n", 0));
    let _ = run(&server, []).expect_code(0);
    let mut requests: Vec<String> = server
        .requests()
        .iter()
        .map(|it| {
            let path = it.path.replace(&format!("/namespaces/{NAMESPACE}"), "").replace(&name(&server), "JOB");
            let option = if it.is_dry_run() {
                " (dry run)"
            } else if it.is_watch() {
                " (watch)"
            } else {
                ""
            };
            format!("{} {path}{option}", it.method)
        })
        .collect();
    // They go out together.
    requests[..5].sort();
    let expected = [
        "GET /api/v1/services",
        "GET /apis/apps/v1/deployments",
        "GET /apis/apps/v1/statefulsets",
        "GET /apis/policy/v1/poddisruptionbudgets",
        "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
        "POST /api/v1/pods (dry run)",
        "POST /apis/batch/v1/jobs",
        "GET /api/v1/pods (watch)",
    ];
    assert_eq!(requests[..8], expected, "{}", server.request_lines());
    // The log as it grows, and what came after.
    assert!(requests[8..].iter().all(|it| it.ends_with("/log")) && requests.len() <= 10, "{requests:#?}");
}

#[test]
fn what_would_be_made_is_explained_and_not_made() {
    let server = ApiServer::http(objects());
    let output = run(&server, ["--explain", "--memory", "1Gi"]).expect_code(0);
    let job: Value = serde_json::from_str(&output.stdout_text()).expect("a manifest");
    assert_eq!(job["kind"], "Job");
    assert_eq!(job["spec"]["template"]["spec"]["containers"][0]["command"], json!(["report"]));
    assert_eq!(job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"], "1Gi");
    let _ = output.says(&["kubectl --context acme-staging -n shop-qa create -f -", "nothing was done"]);
    assert!(!server.requests().iter().any(|it| it.method == "POST" && !it.path.ends_with("selfsubjectreviews")));
}

#[test]
fn a_signal_leaves_the_job() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let server = server(Run::starts_and([Turn::prints("begun\n"), Turn::Hold]));
        let kdj = Kdj::on(&server).stdin(Stdin::Open);
        let running = kdj.start(words([]));
        running.wait_for_stdout("begun\n");
        running.signal(signal);
        let name = name(&server);
        let (attach, cancel) = (format!("`kdj jobs attach qa {name}`"), format!("`kdj jobs cancel qa {name}`"));
        let output = running.finish().expect_code(code).prints("begun\n");
        let _ = output.says(&["which goes on in `qa`", &attach, &cancel]);
        assert_eq!(server.objects("jobs").len(), 1);
        assert!(!server.requests().iter().any(|request| request.method == "DELETE"));
    }
}

#[test]
fn a_signal_while_it_waits_leaves_it_too() {
    let server = server(Run::plays([Turn::Appears, Turn::unschedulable("0/3 nodes are available")]));
    let running = Kdj::on(&server).start(words([]));
    running.wait_for_stderr("0/3 nodes are available");
    running.signal(Signal::TERM);
    let _ = running.finish().expect_code(143).says(&["which goes on in `qa`"]);
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn a_reader_that_has_enough_ends_kdj_quietly() {
    let server = server(Run::starts_and([Turn::PrintsLines(100_000), Turn::Hold]));
    let output = Kdj::on(&server).close_stdout_after(7).run(words([])).expect_code(0).prints("line 1\n");
    let _ = output.says(&["nobody reads on; the job goes on", "kdj jobs attach qa"]);
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn attach_has_the_log_from_the_start_and_the_code() {
    let server = server(Run::starts_and([Turn::prints("one\n"), Turn::Hold, Turn::prints("two\n"), Turn::ends(3)]));
    let kdj = Kdj::on(&server);
    let _ = kdj.run(words(["--detach"])).expect_code(0);
    let name = name(&server);
    server.wait_for_object("pods", |pod| {
        pod["status"]["phase"] == "Running" && pod["metadata"]["ownerReferences"][0]["kind"] == "Job"
    });
    let _ = kdj.run(["jobs", "logs", "qa", &name]).expect_code(0).prints("one\n");
    let running = kdj.start(["jobs", "attach", "qa", &name]);
    running.wait_for_stdout("one\n");
    server.go_on();
    let _ = running.finish().expect_code(3).prints("one\ntwo\n").says(&["`report`, started by dev"]);
    // Ended long ago; and on this machine the name alone is enough.
    for words in [&["jobs", "attach", "qa", &name][..], &["jobs", "attach", &name]] {
        let _ = kdj.run(words).expect_code(3).prints("one\ntwo\n").says(&["failed"]);
    }
    let _ = kdj.run(["jobs", "logs", "qa", &name]).expect_code(0).prints("one\ntwo\n");
}

#[test]
fn jobs_are_listed() {
    let server = server(Run::prints("", 3));
    let kdj = Kdj::on(&server);
    let _ = kdj.run(["jobs", "qa"]).expect_code(0).prints("").says(&["no jobs of kdj's in `qa`"]);
    let _ = kdj.run(words(["--reason", "ticket 7"])).expect_code(3);
    let name = name(&server);
    let table = kdj.run(["jobs", "qa"]).expect_code(0).stdout_text();
    let row: Vec<&str> = table.lines().nth(1).expect("a row").split_whitespace().collect();
    assert_eq!(row[..4], [&name, "Failed", "report", "dev"], "{table}");
    let _ = kdj.run(["jobs", "qa", "-o", "name"]).expect_code(0).prints(&format!("{name}\n"));
    let listed = kdj.run(["jobs", "qa", "-o", "json"]).expect_code(0).stdout_text();
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!((&listed["version"], &listed["environment"]), (&json!(1), &json!("qa")));
    let job = &listed["jobs"][0];
    for (field, value) in [
        ("name", name.as_str()),
        ("kind", "run"),
        ("state", "failed"),
        ("command", "report"),
        ("user", "dev"),
        ("role", "web"),
        ("reason", "ticket 7"),
    ] {
        assert_eq!(job[field], value, "{job:#}");
    }
    let _ = kdj.run(["jobs", "qa", "-o", "wide"]).expect_code(0);
}

#[test]
fn cancelled_it_is_gone_with_its_pod() {
    let server = server(Run::starts_and([Turn::prints("begun\n"), Turn::Hold]));
    let kdj = Kdj::on(&server);
    let running = kdj.start(words([]));
    running.wait_for_stdout("begun\n");
    let name = name(&server);
    let _ = kdj.run(["jobs", "cancel", "qa", &name]).expect_code(0).says(&[&format!("job {name} cancelled")]);
    assert!(server.objects("jobs").is_empty() && server.objects("pods").len() == 1);
    let _ = running.finish().expect_code(255).says(&["was deleted while it was followed"]);
    let typo = format!("{name}x");
    let _ = kdj.run(["jobs", "cancel", "qa", &typo]).expect_code(1).says(&["no job `", "kdj jobs qa"]);
}

#[test]
fn another_instance_s_job_is_not_this_one_s() {
    let config = "[environments.'*-qa']\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\ninstance = \"{name}\"\n";
    let mut objects = objects();
    objects.change("deployments", "web", |web| {
        web["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/instance"] = json!("car1-qa");
    });
    let server = ApiServer::http(objects);
    server.run(Run::starts_and([Turn::Hold]));
    let kdj = Kdj::on(&server).config(config);
    let _ = kdj.run(["run", "car1-qa", "--detach", "--", "report"]).expect_code(0);
    let name = name(&server);
    for verb in ["attach", "logs", "cancel"] {
        let output = kdj.run(["jobs", verb, "car2-qa", &name]);
        let _ = output.says(&[&format!("no job `{name}` of kdj's in `car2-qa`")]);
    }
    let _ = kdj.run(["jobs", "car2-qa"]).expect_code(0).prints("");
    let _ = kdj.run(["jobs", "cancel", "car1-qa", &name]).expect_code(0);
}

#[test]
fn a_job_of_somebody_else_s_is_none_of_kdj_s() {
    let server = ApiServer::http(objects().with(crate::harness::Job::new("nightly")));
    let _ =
        Kdj::on(&server).run(["jobs", "cancel", "qa", "nightly"]).expect_code(1).says(&["no job `nightly` of kdj's"]);
    assert_eq!(server.objects("jobs").len(), 1);
}

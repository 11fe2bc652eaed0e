//! `kdj sessions` and `kdj gc`: what is listed, taken up, ended and removed.

use serde_json::Value;

use crate::harness::{
    ApiServer, CONFIG, Exec, Fault, Job, Kdj, Objects, On, Pod, Refusal, Step, pty::Pty, shop, shop::NAMESPACE, status,
};

const NAME: &str = "kdj-session-x7k2mq";

/// A Job of kdj's.
fn job(kind: &str, name: &str) -> Job {
    Job::new(name)
        .label("app.kubernetes.io/managed-by", "kdj")
        .label("kdj.dev/kind", kind)
        .label("kdj.dev/role", "web")
        .annotation("kdj.dev/user", "ada")
        .annotation("kdj.dev/host", "laptop")
        .annotation("kdj.dev/command", "shell")
        .annotation("kdj.dev/container", "django")
        .json(|job| job["spec"]["template"]["spec"]["activeDeadlineSeconds"] = 43_200.into())
}

/// A session that runs, and its pod.
fn running() -> Objects {
    let session = job("session", NAME).json(|job| job["status"]["ready"] = 1.into());
    let pod = Pod::ready("kdj-session-x7k2mq-abcde")
        .owned_by_job(NAME)
        .label("batch.kubernetes.io/controller-uid", &format!("uid-{NAME}"))
        .label("kdj.dev/role", "web")
        .django("django");
    shop::one_web_pod().with(session).with(pod)
}

fn attach(server: &ApiServer, kdj: &Kdj) -> Pty {
    let _ = server;
    Pty::run(kdj, ["sessions", "attach", "qa", NAME])
}

#[test]
fn open_sessions_are_listed() {
    let server =
        ApiServer::http(running().with(job("session", "kdj-session-over").complete()).with(job("run", "kdj-run-a")));
    let kdj = Kdj::on(&server);
    let table = kdj.run(["sessions", "qa"]).expect_code(0).stdout_text();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert_eq!(rows[1][..4], [NAME, "Running", "shell", "ada"]);
    let wide = kdj.run(["sessions", "qa", "-o", "wide"]).expect_code(0).stdout_text();
    assert!(wide.contains("HOST") && wide.contains(" laptop ") && wide.contains(" web "), "{wide}");
    let _ = kdj.run(["sessions", "qa", "-o", "name"]).expect_code(0).prints(&format!("{NAME}\n"));
    let json = kdj.run(["sessions", "qa", "-o", "json"]).expect_code(0).stdout_text();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["version"], &json["environment"]), (&1.into(), &"qa".into()));
    let session = &json["sessions"][0];
    assert_eq!(
        (&session["name"], &session["state"], &session["host"]),
        (&NAME.into(), &"running".into(), &"laptop".into())
    );
    assert_eq!(session["ends"], "2026-11-01T20:00:00Z");
    // Sessions have a list of their own.
    let _ = kdj.run(["jobs", "qa", "-o", "name"]).expect_code(0).prints("kdj-run-a\n");
}

#[test]
fn no_sessions_is_no_failure() {
    let server = ApiServer::http(shop::one_web_pod());
    let kdj = Kdj::on(&server);
    let _ = kdj.run(["sessions", "qa"]).expect_code(0).prints("").says(&["no sessions"]);
    let _ = kdj.run(["gc", "qa"]).expect_code(0).prints("").says(&["nothing is left over in `qa`"]);
}

#[test]
fn a_session_is_taken_up_again_and_goes_at_its_end() {
    let server = ApiServer::http(running());
    server.exec(Exec::plays([
        Step::ExpectResize(100, 30),
        Step::stdout("again$ "),
        Step::WaitForByte(b'x'),
        Step::ExitCode(6),
    ]));
    let kdj = Kdj::on(&server);
    let mut pty = attach(&server, &kdj);
    pty.wait_for("again$ ");
    pty.press("x");
    assert_eq!(pty.finish().code(), Some(6), "{}", pty.text());
    assert!(server.objects("jobs").is_empty());
    assert!(pty.text().contains("job kdj-session-x7k2mq: `shell`, started by ada"), "{}", pty.text());
    assert!(server.only_exec().argv.contains(&NAME.to_owned()));
}

#[test]
fn a_session_that_was_taken_over_stays() {
    let server = ApiServer::http(running());
    server.exec(Exec::plays([Step::ExpectResize(100, 30), Step::ExitCode(255)]));
    let kdj = Kdj::on(&server);
    let mut pty = attach(&server, &kdj);
    assert_eq!(pty.finish().code(), Some(255), "{}", pty.text());
    assert!(pty.text().contains("`shell` may go on in pod kdj-session-x7k2mq-abcde"), "{}", pty.text());
    assert!(pty.text().contains("kdj sessions attach qa kdj-session-x7k2mq"), "{}", pty.text());
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn an_attach_that_was_ended_is_not_the_program() {
    for code in [130, 131, 137, 143] {
        let server = ApiServer::http(running());
        server.exec(Exec::plays([Step::ExpectResize(100, 30), Step::ExitCode(code)]));
        let kdj = Kdj::on(&server);
        let mut pty = attach(&server, &kdj);
        assert_eq!(pty.finish().code(), Some(255), "{}", pty.text());
        assert!(pty.text().contains("kdj sessions attach qa kdj-session-x7k2mq"), "{}", pty.text());
        assert_eq!(server.objects("jobs").len(), 1);
    }
}

#[test]
fn the_programs_own_code_is_told_from_an_attachs() {
    for code in [130, 137, 255] {
        let server = ApiServer::http(running());
        server.exec(Exec::plays([
            Step::ExpectResize(100, 30),
            Step::stdout("again$ "),
            Step::WaitForByte(b'x'),
            Step::ExitCode(code),
        ]));
        let kdj = Kdj::on(&server);
        let mut pty = attach(&server, &kdj);
        pty.wait_for("again$ ");
        server.change(|objects| {
            objects.change("pods", "kdj-session-x7k2mq-abcde", |pod| {
                pod["status"]["phase"] = "Failed".into();
                pod["status"]["containerStatuses"][0]["state"] =
                    serde_json::json!({"terminated": {"exitCode": code, "reason": "Error"}});
            });
        });
        pty.press("x");
        assert_eq!(pty.finish().code(), Some(code), "{}", pty.text());
        assert!(server.objects("jobs").is_empty());
    }
}

#[test]
fn a_signal_while_a_session_is_taken_up_leaves_it() {
    let server = ApiServer::http(running());
    server.fault(On::prefix(&format!("/api/v1/namespaces/{NAMESPACE}/pods/kdj-session-")), Fault::Blackhole);
    let kdj = Kdj::on(&server);
    let mut pty = attach(&server, &kdj);
    let _ = server.wait_for_request("the exec", |request| request.is_session());
    pty.press("\x03");
    assert_eq!(pty.finish().code(), Some(130), "{}", pty.text());
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn gc_leaves_what_runs_on_a_lost_node_and_what_is_waited_for() {
    let of = |name: &str| {
        Pod::ready(&format!("{name}-abcde"))
            .owned_by_job(name)
            .label("batch.kubernetes.io/controller-uid", &format!("uid-{name}"))
            .django("django")
    };
    let objects = shop::one_web_pod()
        .with(job("session", "kdj-session-lost"))
        .with(of("kdj-session-lost"))
        .with(job("session", "kdj-session-soon").annotation("kdj.dev/start-limit", "999999999"))
        .with(job("session", "kdj-session-stuck"));
    let server = ApiServer::http(objects);
    let _ = Kdj::on(&server).run(["gc", "qa"]).expect_code(0).says(&["removed 1"]);
    let left = server.objects("jobs");
    let left: Vec<&str> = left.iter().filter_map(|job| job["metadata"]["name"].as_str()).collect();
    assert_eq!(left, ["kdj-session-lost", "kdj-session-soon"]);
}

#[test]
fn a_session_whose_time_was_over_says_so() {
    let server = ApiServer::http(running());
    server.exec(Exec::plays([
        Step::ExpectResize(100, 30),
        Step::stdout("again$ "),
        Step::WaitForByte(b'x'),
        Step::ExitCode(255),
    ]));
    let kdj = Kdj::on(&server);
    let mut pty = attach(&server, &kdj);
    pty.wait_for("again$ ");
    server.change(|objects| {
        objects.change("pods", "kdj-session-x7k2mq-abcde", |pod| {
            pod["status"]["phase"] = "Failed".into();
            pod["status"]["reason"] = "DeadlineExceeded".into();
            pod["status"]["containerStatuses"][0]["state"] =
                serde_json::json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
        });
    });
    pty.press("x");
    assert_eq!(pty.finish().code(), Some(124), "{}", pty.text());
    assert!(pty.text().contains("its time was over"), "{}", pty.text());
    assert!(server.objects("jobs").is_empty());
}

#[test]
fn a_session_that_cannot_be_taken_up_now_stays() {
    let server = ApiServer::http(running());
    server.exec(Exec::refused(&Refusal::forbidden("dev", "get", "kdj-session-x7k2mq-abcde", NAMESPACE)));
    let kdj = Kdj::on(&server);
    let mut pty = attach(&server, &kdj);
    assert_eq!(pty.finish().code(), Some(125), "{}", pty.text());
    assert!(pty.text().contains("may not `get` `pods/exec`"), "{}", pty.text());
    server.exec(Exec::plays([Step::Status(status::internal_error("error executing command: no such sandbox"))]));
    let mut pty = attach(&server, &kdj);
    assert_eq!(pty.finish().code(), Some(125), "{}", pty.text());
    server.exec(Exec::plays([Step::ExpectResize(100, 30), Step::Cut]));
    let mut pty = attach(&server, &kdj);
    assert_eq!(pty.finish().code(), Some(255), "{}", pty.text());
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn only_a_terminal_takes_a_session_up() {
    let server = ApiServer::http(running());
    let output = Kdj::on(&server).run(["sessions", "attach", "qa", NAME]).expect_code(125);
    let _ = output.says(&["a session is taken up at a terminal"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_session_is_ended() {
    let server = ApiServer::http(running());
    let kdj = Kdj::on(&server);
    let _ = kdj.run(["sessions", "end", "qa", NAME]).expect_code(0).prints("").says(&["ended; its pod is deleted"]);
    assert!(server.objects("jobs").is_empty() && server.objects("pods").len() == 1, "{:#?}", server.objects("pods"));
    // Its environment is known from now on.
    let _ = kdj.run(["sessions", "end", NAME]).expect_code(1).says(&["no session `kdj-session-x7k2mq`"]);
    let _ = kdj.run(["sessions", "end", "kdj-session-other"]).expect_code(2).says(&["was made from this machine"]);
}

#[test]
fn a_run_is_no_session() {
    let server = ApiServer::http(shop::one_web_pod().with(job("run", "kdj-run-a")));
    let kdj = Kdj::on(&server);
    let _ = kdj.run(["sessions", "end", "qa", "kdj-run-a"]).expect_code(1).says(&["no session `kdj-run-a`"]);
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn gc_removes_what_outlived_its_owner_and_nothing_else() {
    let objects = running()
        .with(job("session", "kdj-session-over").complete())
        .with(job("session", "kdj-session-late").failed("DeadlineExceeded", "too long"))
        .with(job("session", "kdj-session-stuck"))
        .with(job("plan", "kdj-plan-over").complete())
        .with(job("plan", "kdj-plan-now"))
        .with(job("run", "kdj-run-over").complete())
        .with(job("migrate", "kdj-migrate-over").failed("BackoffLimitExceeded", "no"))
        .with(job("run", "kdj-run-now"))
        .with(Job::new("somebody-elses").complete());
    let server = ApiServer::http(objects);
    let kdj = Kdj::on(&server);
    let count = server.objects("jobs").len();
    let dry = kdj.run(["gc", "qa", "--dry-run"]).expect_code(0).says(&["nothing was removed"]).stdout_text();
    assert_eq!(server.objects("jobs").len(), count);
    let table = kdj.run(["gc", "qa"]).expect_code(0).says(&["removed 4"]).stdout_text();
    assert_eq!(table, dry);
    let mut removed: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    removed.sort_unstable();
    assert_eq!(removed, ["kdj-plan-over", "kdj-session-late", "kdj-session-over", "kdj-session-stuck"]);
    let left = server.objects("jobs");
    assert_eq!(left.len(), count - 4);
    assert!(left.iter().all(|job| !removed.contains(&job["metadata"]["name"].as_str().unwrap_or_default())));
}

#[test]
fn gc_says_what_it_removed_before_it_failed() {
    let objects = shop::one_web_pod()
        .with(job("session", "kdj-session-a").complete())
        .with(job("session", "kdj-session-b").complete());
    let server = ApiServer::http(objects);
    server.fault(On::delete("jobs", NAMESPACE).after(1), Fault::forbidden("dev", "delete", "jobs", NAMESPACE));
    let output = Kdj::on(&server).run(["gc", "qa"]).expect_code(1);
    let _ = output.says(&["removed 1", "`dev` may not `delete` `jobs`"]);
}

#[test]
fn changes_of_a_protected_environment_are_confirmed() {
    let server = ApiServer::http(running());
    let kdj = Kdj::on(&server).config(&format!("{CONFIG}protected = true\n"));
    let refused = ["refusing to end a session in protected environment `qa`", "pass `--confirm qa`"];
    let _ = kdj.run(["sessions", "end", "qa", NAME]).expect_code(1).says(&refused);
    let _ = kdj.run(["gc", "qa"]).expect_code(1).says(&["pass `--confirm qa`"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
    let mut pty = attach(&server, &kdj);
    pty.wait_for("type qa to go on: ");
    pty.press("\r");
    assert_eq!(pty.finish().code(), Some(125), "{}", pty.text());
    // What only reads is not asked for.
    let _ = kdj.run(["sessions", "qa"]).expect_code(0);
    let _ = kdj.run(["gc", "qa", "--dry-run"]).expect_code(0);
    let _ = kdj.run(["sessions", "end", "qa", NAME, "--confirm", "qa"]).expect_code(0);
    assert!(server.objects("jobs").is_empty());
}

//! Protected environments: nothing before the confirmation, and a record that never stands in the way.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::harness::{
    ApiServer, CONFIG, Exec, Fault, Kdj, Kubeconfig, On, Step,
    plugin::Plugin,
    pty::Pty,
    shop::{self, NAMESPACE},
};

const CONFIRMED: [&str; 6] = ["shell", "qa", "--confirm", "qa", "--", "true"];
const REVIEW: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const UNTOLD: &str = "the cluster has no record of this";

fn server() -> ApiServer {
    ApiServer::http(shop::one_web_pod())
}

/// kdj with a protected environment `qa`.
fn kdj(server: &ApiServer) -> Kdj {
    Kdj::on(server).config(&format!("{CONFIG}protected = true\n"))
}

fn journal(kdj: &Kdj) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn without_confirmation_there_is_no_request_and_no_plugin() {
    let server = server();
    let kdj = kdj(&server);
    let plugin = Plugin::with_token(&kdj.bin(), "token");
    let kubeconfig =
        Kubeconfig::empty().server("acme-staging", &server).context("acme-staging", "dev", Some(NAMESPACE));
    let kdj = kdj.kubeconfig(&kubeconfig.plugin("dev", &plugin));
    let output = kdj.run(["shell", "qa", "--yes", "--", "true"]).expect_code(125);
    insta::assert_snapshot!(output.stderr, @r"
    error: refusing to open a shell in protected environment `qa` without confirmation
      caused by: nobody can be asked: stdin and stderr are no terminal

    hint: pass `--confirm qa` to confirm in scripts
    ");
    let output = kdj.run(["manage", "qa", "--confirm", "prod", "--", "flush"]).expect_code(125);
    insta::assert_snapshot!(output.stderr, @r"
    error: `--confirm prod` does not confirm a change of `qa`: nothing was done

    hint: if that is what you mean: `--confirm qa`
    ");
    let mut pty = Pty::run(&kdj, ["shell", "qa"]);
    pty.wait_for("type qa to go on: ");
    pty.press("nonsense\r");
    assert_eq!(pty.finish().code(), Some(125));
    assert!(plugin.runs().is_empty() && server.requests().is_empty() && journal(&kdj).is_empty());
}

#[test]
fn the_record_does_not_hold_up_the_session() {
    let server = server();
    server.fault(On::prefix(REVIEW), Fault::Delay(Duration::from_secs(5)));
    server.exec(Exec::plays([Step::stdout("here\n"), Step::ExpectStdin(b"x".to_vec()), Step::ExitCode(3)]));
    let kdj = kdj(&server).stdin(crate::harness::Stdin::Open);
    let start = Instant::now();
    let mut running = kdj.start(CONFIRMED);
    running.wait_for_stdout("here\n");
    assert!(start.elapsed() < Duration::from_millis(4900), "{:?}", start.elapsed());
    assert_eq!(journal(&kdj)[0]["who"], serde_json::Value::Null);
    server.wait_for_object("events", |event| event["message"].as_str().is_some_and(|text| text.ends_with("; begins")));
    running.write_stdin(b"x");
    let _ = running.finish().expect_code(3).never_says(&["warning"]);
    let journal = journal(&kdj);
    assert_eq!((journal.len(), &journal[1]["exit"]), (2, &3.into()));
    assert!(journal[1]["who"].is_string(), "{journal:?}");
    assert_eq!(server.objects("events").len(), 2);
}

#[test]
fn a_cluster_that_keeps_no_record_is_warned_of_and_changes_nothing() {
    for (fault, why) in [
        (
            Fault::forbidden("dev", "create", "events", NAMESPACE),
            "`dev` may not `create` `events` in namespace `shop-qa`",
        ),
        (Fault::internal_error(), "cannot create events in `shop-qa`"),
        (Fault::Blackhole, "it did not answer in time"),
    ] {
        let server = server();
        server.exec(Exec::prints("out\n", 3));
        server.fault(On::create("events", NAMESPACE), fault);
        let kdj = kdj(&server);
        let output = kdj.run(CONFIRMED).expect_code(3).prints("out\n");
        let _ = output.says(&[UNTOLD, why]);
        assert_eq!(journal(&kdj)[1]["exit"], 3);
    }
}

#[test]
fn no_code_is_recorded_of_a_lost_session() {
    let server = server();
    server.exec(Exec::plays([Step::stdout("up\n"), Step::Cut]));
    let kdj = kdj(&server);
    let _ = kdj.run(CONFIRMED).expect_code(255);
    assert_eq!((&journal(&kdj)[1]["phase"], &journal(&kdj)[1]["exit"]), (&"end".into(), &serde_json::Value::Null));
    let message = server.objects("events").iter().map(|event| event["message"].to_string()).collect::<String>();
    assert!(message.contains("its end is not known"), "{message}");
}

#[test]
fn a_job_s_name_leads_to_where_it_was_made_and_not_to_another_project_s_environment() {
    let server = server();
    let entry = serde_json::json!({
        "version": 1, "id": "0a", "phase": "begin", "when": "2026-07-30T10:00:00Z", "environment": "qa",
        "context": "other-staging", "namespace": "shop", "user": "ada", "host": "laptop", "verb": "migrate",
        "object": "job/kdj-migrate-1",
    });
    let kdj = Kdj::on(&server).file("state/kdj/audit.jsonl", &format!("{entry}\n"));
    let output = kdj.run(["jobs", "cancel", "kdj-migrate-1"]).expect_code(2);
    let _ = output.says(&["the kubeconfig has no context `other-staging`"]);
    assert!(server.requests().is_empty());
}

#[test]
fn an_event_whose_outcome_is_unknown_is_written_once() {
    let server = server();
    server.exec(Exec::prints("", 0));
    server.fault(On::create("events", NAMESPACE).once(), Fault::carried_out(Fault::Reset));
    let _ = kdj(&server).run(CONFIRMED).expect_code(0).never_says(&["warning"]);
    assert_eq!(server.objects("events").len(), 1);
}

#[test]
fn who_it_is_need_not_be_known() {
    let server = server();
    server.exec(Exec::prints("", 0));
    server.fault(On::prefix(REVIEW), Fault::internal_error());
    let kdj = kdj(&server);
    let _ = kdj.run(CONFIRMED).expect_code(0).never_says(&["warning"]);
    assert_eq!(journal(&kdj)[1]["who"], serde_json::Value::Null);
    let message = server.objects("events")[0]["message"].to_string();
    assert!(message.starts_with("\"dev@"), "{message}");
}

#[test]
fn a_journal_that_cannot_be_written_is_warned_of_and_changes_nothing() {
    let server = server();
    server.exec(Exec::prints("out\n", 3));
    let kdj = kdj(&server).file("file", "");
    let file = kdj.directory().join("file");
    let kdj = kdj.variable("XDG_STATE_HOME", file);
    let output = kdj.run(CONFIRMED).expect_code(3).prints("out\n");
    let _ = output.says(&["there is no record of this on this machine"]);
    assert_eq!(server.objects("events").len(), 1);
}

#[test]
fn nothing_is_written_over_the_remote_program() {
    let server = server();
    server.exec(Exec::plays([
        Step::ExpectResize(100, 30),
        Step::stdout("app$ "),
        Step::WaitForByte(b'x'),
        Step::ExitCode(0),
    ]));
    server.fault(On::create("events", NAMESPACE), Fault::forbidden("dev", "create", "events", NAMESPACE));
    let kdj = kdj(&server);
    let mut pty = Pty::run(&kdj, ["-v", "shell", "qa", "--confirm", "qa"]);
    pty.wait_for("app$ ");
    server.wait_for_request("an Event", |request| request.path.ends_with("/events"));
    std::thread::sleep(Duration::from_millis(200));
    assert!(pty.text().ends_with("app$ "), "{}", pty.text());
    pty.press("x");
    pty.wait_for(UNTOLD);
    assert_eq!(pty.finish().code(), Some(0));
    pty.expect_restored();
}

#[test]
fn audit_without_the_cluster_has_the_journal_and_fails() {
    let server = server();
    server.exec(Exec::prints("", 0));
    let kdj = kdj(&server);
    let _ = kdj.run(CONFIRMED).expect_code(0);
    let events = format!("/api/v1/namespaces/{NAMESPACE}/events");
    server.fault(On::get(&events), Fault::internal_error());
    let output =
        kdj.run(["audit", "qa"]).expect_code(1).says(&["error: cannot list events", "the cluster was not asked"]);
    assert!(output.stdout_text().contains("  shell   true  "), "{output}");
    let _ = kdj.run(["audit", "qa", "--since", "yesterday"]).expect_code(2).says(&["90s, 15m, 12h, 7d"]);
}

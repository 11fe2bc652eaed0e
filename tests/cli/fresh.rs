//! Sessions in pods of their own: what is made for one, and what becomes of it however the session goes.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{
    ApiServer, CONFIG, CommandOutput, Exec, Fault, Kdj, On, Refusal, Run, Step, Turn, pty::Pty, shop, shop::NAMESPACE,
    status,
};

const TRUE: [&str; 5] = ["shell", "qa", "--fresh", "--", "true"];

fn server() -> ApiServer {
    ApiServer::http(shop::one_web_pod())
}

/// A server on which one session's pod starts.
fn starting() -> ApiServer {
    let server = server();
    server.run(Run::starts_and([Turn::Hold]).of_job("kdj-session-"));
    server
}

/// What waits for the entrypoint.
fn waits() -> Exec {
    Exec::prints("", 0)
}

/// A shell in a pod of its own, at its prompt.
fn shell<const N: usize>(steps: [Step; N]) -> (ApiServer, Kdj, Pty) {
    let server = starting();
    let prompt = [Step::ExpectResize(100, 30), Step::stdout("app$ ")];
    server.exec(Exec::plays(prompt.into_iter().chain(steps)));
    let kdj = Kdj::on(&server);
    let mut pty = Pty::run(&kdj, ["shell", "qa", "--fresh"]);
    pty.wait_for("app$ ");
    (server, kdj, pty)
}

#[track_caller]
fn the_job(server: &ApiServer) -> Value {
    let jobs = server.objects("jobs");
    assert_eq!(jobs.len(), 1, "{jobs:#?}");
    jobs.into_iter().next().expect("a Job")
}

#[track_caller]
fn expect_no_job(server: &ApiServer) {
    assert_eq!(server.objects("jobs"), [Value::Null; 0], "{}", server.request_lines());
}

#[test]
fn a_command_runs_in_a_pod_that_goes_at_the_end() {
    let server = starting();
    server.exec(waits()).exec(Exec::prints("done\n", 3));
    let output = Kdj::on(&server).run(["shell", "qa", "--fresh", "--memory", "1Gi", "--", "job", "not-kept"]);
    let _ = output.expect_code(3).prints("done\n").says(&["qa: context acme-staging", "pod kdj-session-"]);
    expect_no_job(&server);
    let execs = server.execs();
    assert_eq!(execs[1].argv, ["job", "not-kept"]);
    assert!(execs.iter().all(|exec| exec.pod.starts_with("kdj-session-")), "{execs:?}");
    let made = server.wait_for_request("the Job", |request| {
        request.method == "POST" && request.path.ends_with("/jobs") && !request.is_dry_run()
    });
    let job = made.json();
    let (meta, spec) = (&job["metadata"], &job["spec"]);
    assert_eq!((&meta["labels"]["kdj.dev/kind"], &spec["ttlSecondsAfterFinished"]), (&"session".into(), &60.into()));
    assert!(meta["ownerReferences"].is_null(), "{meta}");
    let pod = &spec["template"]["spec"];
    assert_eq!((&pod["activeDeadlineSeconds"], &pod["terminationGracePeriodSeconds"]), (&43_200.into(), &5.into()));
    assert_eq!(pod["containers"][0]["resources"]["limits"]["memory"], "1Gi");
    // The pod that the Service selects has this label.
    assert!(spec["template"]["metadata"]["labels"]["app.kubernetes.io/component"].is_null(), "{spec}");
    // What is executed without a terminal is not in the manifest.
    assert!(!pod["containers"][0].to_string().contains("not-kept"), "{pod}");
}

#[test]
fn a_shell_at_a_terminal_ends_with_its_code() {
    let (server, kdj, mut pty) = shell([Step::ExpectStdin(b"exit 7\r".to_vec()), Step::ExitCode(7)]);
    let job = the_job(&server);
    let name = job["metadata"]["name"].as_str().expect("a name");
    let listed = kdj.run(["sessions", "qa"]).expect_code(0).stdout_text();
    assert!(listed.starts_with("NAME ") && listed.contains(name) && listed.contains(" shell "), "{listed}");
    assert!(listed.contains(" 12h\n"), "{listed}");
    pty.press("exit 7\r");
    assert_eq!(pty.finish().code(), Some(7));
    pty.expect_restored();
    for words in ["image registry.acme.dev/shop:1.42", "a pod of its own; goes at the end, at the latest in 12h"] {
        assert!(pty.text().contains(words), "{}", pty.text());
    }
    expect_no_job(&server);
    // The keeper starts the shell, not the exec.
    let exec = server.only_exec();
    assert_eq!(exec.argv[..2], ["sh", "-c"]);
    assert!(exec.tty && exec.argv.contains(&name.to_owned()), "{:?}", exec.argv);
    let words = job["spec"]["template"]["spec"]["containers"][0].to_string();
    assert!(words.contains("KDJ_PROMPT") && words.contains("xterm-256color"), "{words}");
}

#[test]
fn the_job_stays_when_the_program_can_be_taken_up_again() {
    for (step, press, signal, code) in [
        (Step::Cut, "x", None, 255),
        (Step::ExpectHangUp, "\r~.", None, 255),
        (Step::ExpectHangUp, "x", Some(Signal::TERM), 143),
        (Step::ExpectHangUp, "x", Some(Signal::HUP), 129),
    ] {
        let first = if press == "x" { Step::WaitForByte(b'x') } else { Step::Pause(Duration::ZERO) };
        let (server, _kdj, mut pty) = shell([first, Step::stdout("heard"), step]);
        if press != "x" {
            pty.wait_for("heard");
        }
        pty.press(press);
        if press == "x" {
            pty.wait_for("heard");
        }
        if let Some(signal) = signal {
            pty.signal(pty.pid(), signal);
        }
        assert_eq!(pty.finish().code(), Some(code), "{}", pty.text());
        let name = the_job(&server)["metadata"]["name"].as_str().expect("a name").to_owned();
        for words in
            ["for another 12h", &format!("`kdj sessions attach qa {name}`"), &format!("kdj sessions end qa {name}")]
        {
            assert!(pty.text().contains(words), "{}", pty.text());
        }
        pty.expect_restored();
    }
}

#[test]
fn the_job_goes_when_nothing_can_be_taken_up() {
    let server = starting();
    server.exec(waits()).exec(Exec::plays([Step::stdout("begun\n"), Step::ExpectHangUp]));
    let kdj = Kdj::on(&server);
    let running = kdj.start(TRUE);
    running.wait_for_stdout("begun\n");
    running.signal(Signal::INT);
    let _ = running.finish().expect_code(130).says(&["interrupted; `true` ends with its pod"]);
    expect_no_job(&server);
}

#[test]
fn a_lost_connection_does_not_end_a_program_without_a_terminal() {
    for step in [Step::Cut, Step::Close] {
        let server = starting();
        server.exec(waits()).exec(Exec::plays([Step::stdout("partial\n"), step]));
        let output = Kdj::on(&server).run(TRUE).expect_code(255).prints("partial\n");
        let name = the_job(&server)["metadata"]["name"].as_str().expect("a name").to_owned();
        let said = ["`true` may still be running in pod", "which ends in 12h at the latest"];
        let output = output.says(&said).says(&[&format!("`kdj sessions end qa {name}`")]);
        let _ = output.never_says(&["sessions attach"]);
    }
}

#[test]
fn a_session_that_may_have_begun_stays() {
    let lost = Step::Status(status::internal_error("error executing command: no such sandbox"));
    for (step, code) in [(lost, 125), (Step::ExitCode(137), 255), (Step::ExitCode(143), 255)] {
        let server = starting();
        server.exec(Exec::plays([Step::ExpectResize(100, 30), step]));
        let kdj = Kdj::on(&server);
        let mut pty = Pty::run(&kdj, ["shell", "qa", "--fresh"]);
        assert_eq!(pty.finish().code(), Some(code), "{}", pty.text());
        let name = the_job(&server)["metadata"]["name"].as_str().expect("a name").to_owned();
        assert!(pty.text().contains(&format!("`kdj sessions attach qa {name}`")), "{}", pty.text());
    }
}

#[test]
fn what_only_reads_is_asked_for_too() {
    let server = starting();
    let fresh = format!("{CONFIG}session = \"fresh\"\nprotected = true\n");
    let kdj = Kdj::on(&server).config(&fresh);
    let _ = kdj.run(["manage", "qa", "--", "check"]).expect_code(125).says(&["pass `--confirm qa`"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
    server.exec(waits()).exec(Exec::prints("", 0));
    let _ = kdj.run(["manage", "qa", "--confirm", "qa", "--", "check"]).expect_code(0);
    let journal = std::fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).expect("a journal");
    assert!(journal.contains("job/kdj-session-"), "{journal}");
}

#[test]
fn a_signal_before_the_session_deletes_the_job() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let server = server();
        server.run(Run::plays([Turn::Appears, Turn::unschedulable("0/1 nodes are available"), Turn::Hold]));
        let kdj = Kdj::on(&server);
        let running = kdj.start(TRUE);
        running.wait_for_stderr("0/1 nodes are available");
        running.signal(signal);
        let output = running.finish();
        assert_eq!(output.code, Some(128 + signal.as_raw()), "{output}");
        let _ = output.says(&["interrupted before the session began"]);
        expect_no_job(&server);
    }
}

#[test]
fn a_signal_while_the_session_opens_deletes_the_job() {
    let server = starting();
    server.fault(On::prefix(&format!("/api/v1/namespaces/{NAMESPACE}/pods/kdj-session-")), Fault::Blackhole);
    let kdj = Kdj::on(&server);
    let mut pty = Pty::run(&kdj, ["shell", "qa", "--fresh"]);
    let _ = server.wait_for_request("the exec", |request| request.is_session());
    pty.press("\x03");
    assert_eq!(pty.finish().code(), Some(130), "{}", pty.text());
    expect_no_job(&server);
}

#[test]
fn a_pod_that_does_not_start_is_deleted() {
    for (turn, why) in [
        (Turn::waits("ErrImagePull", "shop:9: not found"), "ErrImagePull: shop:9: not found"),
        (Turn::waits("CreateContainerConfigError", "secret \"app\" not found"), "secret \"app\" not found"),
        (Turn::Ends(1, "Error".to_owned()), "its container ended with exit code 1"),
    ] {
        let server = server();
        server.run(Run::plays([Turn::Appears, Turn::Scheduled, turn, Turn::Hold]));
        let output = Kdj::on(&server).run(TRUE).expect_code(125).prints("");
        let _ = output.says(&["the session's pod did not start in `qa`", why]);
        expect_no_job(&server);
    }
}

#[test]
fn a_lost_answer_leaves_no_job() {
    let server = starting();
    server.fault(On::create("jobs", NAMESPACE).once(), Fault::carried_out(Fault::timeout()));
    server.exec(waits()).exec(Exec::prints("done\n", 0));
    let _ = Kdj::on(&server).run(TRUE).expect_code(0).prints("done\n");
    expect_no_job(&server);
}

#[test]
fn what_is_not_allowed_is_named() {
    let forbidden = |verb: &str, resource: &str| Fault::forbidden("dev", verb, resource, NAMESPACE);
    let run = |server: &ApiServer| -> CommandOutput {
        let output = Kdj::on(server).run(TRUE).expect_code(125).prints("");
        expect_no_job(server);
        output
    };
    let server = self::server();
    server
        .fault(On::get(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments")), forbidden("list", "deployments"));
    let _ = run(&server).says(&["`dev` may not `list` `deployments` in namespace `shop-qa`"]);
    let server = self::server();
    server.fault(On::create("jobs", NAMESPACE), forbidden("create", "jobs"));
    let _ = run(&server).says(&["`dev` may not `create` `jobs` in namespace `shop-qa`", "verbs: [\"create\"]"]);
    // The Job is made, and into its pod nothing may be executed.
    let server = starting();
    let refused = Refusal::forbidden("dev", "get", "kdj-session-x", NAMESPACE);
    server.exec(Exec::refused(&refused).always());
    let _ = run(&server).says(&["`dev` may not `get` `pods/exec`"]);
}

#[test]
fn a_session_that_may_exist_is_listed_with_the_sessions() {
    let server = starting();
    server.fault(On::create("jobs", NAMESPACE), Fault::timeout());
    let output = Kdj::on(&server).run(TRUE).expect_code(255);
    let _ = output.says(&["see whether it is there: `kdj sessions qa`"]);
    server.forgive();
}

#[test]
fn who_may_not_delete_the_job_is_told_when_it_goes() {
    let server = starting();
    server.fault(On::delete("jobs", NAMESPACE), Fault::forbidden("dev", "delete", "jobs", NAMESPACE));
    server.exec(waits()).exec(Exec::prints("done\n", 0));
    let output = Kdj::on(&server).run(TRUE).expect_code(0);
    let _ = output.says(&["warning: cannot delete the session's pod", "`kdj sessions end qa kdj-session-"]);
    server.forgive();
}

#[test]
fn the_configuration_makes_it_the_usual_one() {
    let fresh = format!("{CONFIG}session = \"fresh\"\n");
    let server = starting();
    server.exec(waits()).exec(Exec::prints("", 0));
    let _ = Kdj::on(&server).config(&fresh).run(["shell", "qa", "--", "true"]).expect_code(0);
    assert!(server.execs().iter().all(|exec| exec.pod.starts_with("kdj-session-")));
    for arguments in [["--exec", "--exec"], ["--pod", "web-7c9d8f-aaaaa"]] {
        let server = self::server();
        server.exec(Exec::prints("", 0));
        let words: Vec<&str> = arguments.into_iter().take(if arguments[0] == arguments[1] { 1 } else { 2 }).collect();
        let words = [&["shell", "qa"], words.as_slice(), &["--", "true"]].concat();
        let _ = Kdj::on(&server).config(&fresh).run(words).expect_code(0);
        assert_eq!(server.only_exec().pod, "web-7c9d8f-aaaaa");
    }
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let server = server();
    let kdj = Kdj::on(&server);
    for (words, code, said) in [
        (&["--fresh", "--exec"][..], 2, "cannot be used with"),
        (&["--fresh", "--pod", "web-1"], 2, "cannot be used with"),
        (&["--exec", "--image", "a"], 2, "cannot be used with"),
        (&["--pod", "a", "--timeout", "1h"], 2, "cannot be used with"),
        (&["--fresh", "--timeout", "0s"], 2, "must be longer"),
        (&["--memory", "1Gi"], 125, "ask for one: `--fresh`"),
    ] {
        let words = [&["shell", "qa"], words, &["--", "true"]].concat();
        let _ = kdj.run(words).expect_code(code).says(&[said]);
    }
    let _ = kdj.run(["run", "-i", "qa", "--", "true"]).expect_code(2).says(&["--tty"]);
    let _ = kdj.run(["run", "-it", "--detach", "qa", "--", "true"]).expect_code(2).says(&["cannot be used with"]);
    let _ = kdj.run(["run", "-it", "qa", "--", "true"]).expect_code(125).says(&["`-it` needs a terminal"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn a_protected_environment_is_asked_for_and_keeps_a_record() {
    let server = starting();
    server.exec(waits()).exec(Exec::prints("", 4));
    let kdj = Kdj::on(&server).config(&format!("{CONFIG}protected = true\n"));
    let _ = kdj.run(TRUE).expect_code(125).says(&["pass `--confirm qa`"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
    let _ = kdj.run(["shell", "qa", "--fresh", "--confirm", "qa", "--", "true"]).expect_code(4);
    let journal = std::fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).expect("a journal");
    let lines: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "{journal}");
    assert!(lines[1]["object"].as_str().expect("an object").starts_with("job/kdj-session-"), "{journal}");
    assert_eq!(lines[1]["exit"], 4);
}

#[test]
fn explain_shows_the_job_and_makes_none() {
    let server = server();
    let output = Kdj::on(&server).run(["shell", "qa", "--fresh", "--explain"]).expect_code(0);
    let manifest: Value = serde_json::from_str(&output.stdout_text()).expect("a manifest");
    assert_eq!(manifest["metadata"]["labels"]["kdj.dev/kind"], "session");
    expect_no_job(&server);
}

#[test]
fn an_interactive_run_is_a_session() {
    let server = starting();
    server.exec(Exec::plays([Step::ExpectResize(100, 30), Step::stdout("hello"), Step::ExitCode(5)]));
    let kdj = Kdj::on(&server);
    let mut pty = Pty::run(&kdj, ["run", "-it", "-e", "LEVEL=3", "qa", "--", "job", "$(HOME)"]);
    pty.wait_for("hello");
    assert_eq!(pty.finish().code(), Some(5), "{}", pty.text());
    expect_no_job(&server);
    let made = server.wait_for_request("the Job", |it| it.method == "POST" && it.path.ends_with("/jobs")).json();
    let container = made["spec"]["template"]["spec"]["containers"][0].to_string();
    assert!(container.contains("LEVEL") && container.contains(r#"[[\"job\""#), "{container}");
}

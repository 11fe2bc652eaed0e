//! A session's outcome is the true one, whatever befalls the connection: no Status frame, no success.

use std::time::{Duration, Instant};

use crate::harness::{ApiServer, CommandOutput, Exec, Kdj, Refusal, STDOUT, Stdin, Step, shop, status};

/// `kdj shell qa -- job` against a session that goes so.
fn shell(exec: Exec) -> CommandOutput {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(exec);
    Kdj::on(&server).run(["shell", "qa", "--", "job"])
}

#[test]
fn the_remote_exit_code_is_kdjs() {
    for code in [0, 1, 2, 42, 125, 126, 127, 130, 255] {
        let _ = shell(Exec::prints("done\n", code)).prints("done\n").expect_code(code);
    }
}

#[test]
fn output_goes_where_it_belongs() {
    let steps = [Step::stdout("data\n"), Step::stderr("remark\n"), Step::stdout("more\n"), Step::ExitCode(0)];
    let _ = shell(Exec::plays(steps)).expect_code(0).prints("data\nmore\n").says(&["remark\n"]);
}

#[test]
fn a_reset_is_a_lost_connection() {
    let _ = shell(Exec::plays([Step::stdout("partial\n"), Step::Pause(Duration::from_millis(100)), Step::Cut]))
        .expect_code(255)
        .prints("partial\n")
        .says(&["connection lost", "may still be running", "web-7c9d8f-aaaaa", "django"]);
}

#[test]
fn a_silent_end_is_a_lost_connection() {
    let _ = shell(Exec::plays([Step::stdout("partial\n"), Step::HangUp]))
        .expect_code(255)
        .prints("partial\n")
        .says(&["connection lost", "may still be running"]);
}

#[test]
fn a_clean_close_without_status_is_a_lost_connection() {
    let _ = shell(Exec::plays([Step::stdout("all of it?\n"), Step::Close]))
        .expect_code(255)
        .prints("all of it?\n")
        .says(&["connection lost"]);
}

#[test]
fn a_session_that_broke_after_it_ran_is_no_failed_start() {
    let broken = Step::Status(status::internal_error("error executing command in container: unexpected EOF"));
    let _ = shell(Exec::plays([Step::stdout("migrating\n"), broken])).expect_code(255).prints("migrating\n").says(&[
        "connection lost",
        "may still be running",
        "unexpected EOF",
    ]);
    let never_ran = Step::Status(status::internal_error("error executing command in container: no such sandbox"));
    let _ = shell(Exec::plays([never_ran])).expect_code(125).says(&["cannot start", "no such sandbox"]);
}

#[test]
fn a_status_that_cannot_be_read_is_no_success() {
    let rubbish = Step::Send(3, b"{\"status\":".to_vec());
    let _ = shell(Exec::plays([rubbish])).expect_code(255);
}

#[test]
fn output_after_the_status_is_not_lost() {
    let steps = [Step::ExitCode(3), Step::stdout("late\n"), Step::stderr("later\n")];
    let _ = shell(Exec::plays(steps)).expect_code(3).prints("late\n").says(&["later"]);
}

#[test]
fn a_server_that_leaves_the_connection_open_after_the_status_is_not_waited_for() {
    let started = Instant::now();
    let _ = shell(Exec::plays([Step::ExitCode(4), Step::ExpectHangUp])).expect_code(4);
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
}

#[test]
fn messages_in_fragments_are_whole() {
    let fragments = Step::SendInFragments(STDOUT, b"one message\n".to_vec(), 5);
    let _ = shell(Exec::plays([fragments, Step::ExitCode(0)])).expect_code(0).prints("one message\n");
}

#[test]
fn silence_beyond_the_deadline_is_a_lost_connection() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::stdout("hello\n"), Step::Stall(Duration::from_secs(60))]));
    let output = Kdj::on(&server).deadline(Duration::from_secs(40)).run(["shell", "qa", "--", "job"]);
    let _ = output.expect_code(255).prints("hello\n").says(&["connection lost"]);
}

#[test]
fn an_idle_session_outlives_a_proxy_that_cuts_at_twenty_seconds() {
    let server = ApiServer::http(shop::one_web_pod());
    let idle = [Step::Pause(Duration::from_secs(23)), Step::stdout("awake\n"), Step::ExitCode(0)];
    server.exec(Exec::plays(idle).idle_cut(Duration::from_secs(20)));
    let output = Kdj::on(&server).deadline(Duration::from_secs(40)).run(["shell", "qa", "--", "job"]);
    let _ = output.expect_code(0).prints("awake\n");
    assert!(server.only_exec().pings.len() >= 2, "{:?}", server.only_exec().pings);
}

#[test]
fn arguments_travel_as_given() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0));
    let words = ["printf", "%s\n", "a b", "", "it's \"so\"", "-x", "--", "ümlaut/日本", "a&b=c+d%20;#?", "line\nbreak"];
    let arguments = ["shell", "qa", "--"].into_iter().chain(words);
    let _ = Kdj::on(&server).run(arguments).expect_code(0);
    assert_eq!(server.only_exec().argv, words);
}

#[test]
fn stdin_passes_byte_for_byte_and_its_end_too() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::EchoStdin, Step::ExpectStdinEof, Step::ExitCode(0)]));
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let output = Kdj::on(&server).stdin(bytes.clone()).run(["shell", "qa", "--", "cat"]).expect_code(0);
    assert!(output.stdout == bytes, "{} bytes came back", output.stdout.len());
    let exec = server.only_exec();
    assert_eq!((exec.tty, exec.streams.as_slice()), (false, &["stdin", "stdout", "stderr"].map(str::to_owned)[..]));
}

#[test]
fn the_old_protocol_works_and_says_what_it_lacks() {
    let server = ApiServer::http(shop::one_web_pod());
    let steps = [Step::ExpectStdin(b"abc".to_vec()), Step::stdout("abc"), Step::ExitCode(0)];
    server.exec(Exec::plays(steps).only_v4());
    let output = Kdj::on(&server).stdin("abc").run(["shell", "qa", "--", "head", "-c", "3"]);
    let _ = output.expect_code(0).prints("abc").says(&["warning:", "v4"]);
    assert!(!server.only_exec().stdin_closed);
}

#[test]
fn without_anything_to_read_the_protocol_is_the_one_that_loses_no_output() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0).always());
    let _ = Kdj::on(&server).run(["shell", "qa", "--", "job"]).expect_code(0);
    let _ = Kdj::on(&server).stdin("").run(["shell", "qa", "--", "job"]).expect_code(0);
    let execs = server.execs();
    assert_eq!(
        (execs[0].offered.join(" "), execs[0].streams.join(" ")),
        ("v4.channel.k8s.io".to_owned(), "stdout stderr".to_owned())
    );
    // Only v5 can tell the end of stdin.
    assert_eq!(execs[1].offered, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
}

#[test]
fn a_server_that_sends_is_not_pinged() {
    let server = ApiServer::http(shop::one_web_pod());
    let second = [Step::stdout("x"), Step::Pause(Duration::from_secs(1))];
    let steps = second.iter().cycle().take(16).cloned().chain([Step::ExitCode(0)]);
    server.exec(Exec::plays(steps));
    let _ = Kdj::on(&server).run(["shell", "qa", "--", "job"]).expect_code(0).prints("xxxxxxxx");
    assert!(server.only_exec().pings.is_empty(), "{:?}", server.only_exec().pings);
}

#[test]
fn programs_that_are_not_there_are_127() {
    let _ = shell(Exec::plays([Step::executable_not_found("job")])).expect_code(127).says(&["`job`", "django"]);
}

#[test]
fn programs_that_may_not_be_executed_are_126() {
    let denied = Step::Status(status::permission_denied("job"));
    let _ = shell(Exec::plays([denied])).expect_code(126).says(&["cannot execute", "permission denied"]);
}

#[test]
fn an_image_without_sh_says_so() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::executable_not_found("sh")]));
    let _ = Kdj::on(&server).run(["shell", "qa"]).expect_code(127).says(&["no shell", "hint:"]);
}

#[test]
fn a_node_that_does_not_answer_is_no_start() {
    let refused = Step::Status(status::internal_error("error dialing backend: dial tcp 10.0.0.7:10250: i/o timeout"));
    let _ = shell(Exec::plays([refused])).expect_code(125).says(&["error dialing backend"]);
}

#[test]
fn a_forbidden_exec_names_the_rule() {
    for verb in ["get", "create"] {
        let _ = shell(Exec::refused(&Refusal::forbidden("dev", verb, "web-7c9d8f-aaaaa", "shop-qa")))
            .expect_code(125)
            .says(&["`dev`", verb, "pods/exec", "shop-qa", r#"verbs: ["get", "create"]"#, "1.35"]);
    }
}

#[test]
fn a_proxy_without_websocket_is_named() {
    for refusal in [Refusal::UpgradeStripped, Refusal::Page] {
        let _ = shell(Exec::refused(&refusal)).expect_code(125).says(&["proxy", "websocket"]);
    }
}

#[test]
fn a_pod_that_went_away_is_replaced_once() {
    let server = ApiServer::http(shop::two_web_pods());
    server.exec(Exec::refused(&Refusal::PodNotFound("web-7c9d8f-aaaaa".into())).in_pod("web-7c9d8f-aaaaa"));
    server.exec(Exec::prints("there\n", 0).in_pod("web-7c9d8f-bbbbb"));
    let output = Kdj::on(&server).run(["shell", "qa", "--", "job"]);
    let _ = output.expect_code(0).prints("there\n").says(&["went away", "web-7c9d8f-bbbbb"]);
}

#[test]
fn a_pod_that_goes_away_again_is_an_error() {
    let server = ApiServer::http(shop::two_web_pods());
    server.exec(Exec::refused(&Refusal::PodNotFound("web-7c9d8f-aaaaa".into())).in_pod("web-7c9d8f-aaaaa"));
    server.exec(Exec::refused(&Refusal::PodNotFound("web-7c9d8f-bbbbb".into())).in_pod("web-7c9d8f-bbbbb"));
    let output = Kdj::on(&server).run(["shell", "qa", "--", "job"]);
    let _ = output.expect_code(125).says(&["web-7c9d8f-bbbbb"]);
}

#[test]
fn a_pod_asked_for_by_name_is_never_replaced() {
    let server = ApiServer::http(shop::two_web_pods());
    server.exec(Exec::refused(&Refusal::PodNotFound("web-7c9d8f-aaaaa".into())));
    let output = Kdj::on(&server).run(["shell", "qa", "--pod", "web-7c9d8f-aaaaa", "--", "job"]);
    let _ = output.expect_code(125).says(&["web-7c9d8f-aaaaa"]).never_says(&["web-7c9d8f-bbbbb"]);
}

#[test]
fn a_signal_ends_kdj_and_says_what_may_still_run() {
    use rustix::process::Signal;
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let server = ApiServer::http(shop::one_web_pod());
        server.exec(Exec::plays([Step::stdout("started\n"), Step::ExpectHangUp]));
        let running = Kdj::on(&server).stdin(Stdin::Open).start(["shell", "qa", "--", "job"]);
        running.wait_for_stdout("started");
        running.signal(signal);
        // Either kdj says the code itself or it lets the signal end it.
        let output = running.finish().says(&["may still be running"]);
        let ended = output.code.unwrap_or_else(|| 128 + output.signal.unwrap_or_default());
        assert_eq!(ended, code, "{output}");
    }
}

#[test]
fn an_out_of_memory_kill_is_explained() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::Pause(Duration::from_millis(200)), Step::ExitCode(137)]));
    let running = Kdj::on(&server).start(["shell", "qa", "--", "job"]);
    server.wait_for_exec("a session", |_| true);
    let now = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output().expect("the time");
    let now = String::from_utf8_lossy(&now.stdout).trim().to_owned();
    server.change(|objects| {
        objects.change("pods", "web-7c9d8f-aaaaa", |pod| {
            pod["status"]["containerStatuses"][0]["restartCount"] = 1.into();
            pod["status"]["containerStatuses"][0]["lastState"]["terminated"] =
                serde_json::json!({"exitCode": 137, "reason": "OOMKilled", "finishedAt": now});
        });
    });
    let _ = running.finish().expect_code(137).says(&["OOMKilled", "512Mi"]);
}

#[test]
fn a_rollout_that_took_the_pod_is_named() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::stdout("up\n"), Step::Pause(Duration::from_millis(500)), Step::Cut]));
    let running = Kdj::on(&server).start(["shell", "qa", "--", "job"]);
    running.wait_for_stdout("up");
    server.change(|objects| {
        objects.remove("pods", "web-7c9d8f-aaaaa");
        let next = crate::harness::ReplicaSet::of("web", "9e9e9e", 5, 1);
        *objects = objects.clone().with(next);
    });
    let _ = running.finish().expect_code(255).says(&["connection lost", "rollout", "revision 4 to 5"]);
}

#[test]
fn a_kill_without_evidence_is_not_called_want_of_memory() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 137));
    let output = Kdj::on(&server).run(["shell", "qa", "--", "job"]);
    let _ = output.expect_code(137).says(&["SIGKILL: often the memory limit (512Mi), when nobody killed it"]);
    // It is looked for a few times, and no longer.
    let pod = "/api/v1/namespaces/shop-qa/pods/web-7c9d8f-aaaaa";
    let looks = server.requests().iter().filter(|request| request.path == pod).count();
    assert!((1..=6).contains(&looks), "{}", server.request_lines());
}

#[test]
fn a_cluster_that_does_not_answer_does_not_hold_the_prompt() {
    use crate::harness::{Fault, On};
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 137));
    server.fault(On::get("/api/v1/namespaces/shop-qa/pods/web-7c9d8f-aaaaa"), Fault::Blackhole);
    let started = Instant::now();
    let _ = Kdj::on(&server).run(["shell", "qa", "--", "job"]).expect_code(137).says(&["SIGKILL"]);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[test]
fn a_lost_node_is_named() {
    let node = serde_json::json!({
        "metadata": {"name": "node-7"},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting"}]},
    });
    let pod = shop::web_pod("aaaaa").json(|pod| pod["spec"]["nodeName"] = "node-7".into());
    let server = ApiServer::http(shop::web_pods([pod]).with_json("nodes", node));
    server.exec(Exec::plays([Step::stdout("up\n"), Step::Cut]));
    let output = Kdj::on(&server).run(["shell", "qa", "--", "job"]);
    let _ = output.expect_code(255).says(&["connection lost", "node-7", "not ready", "Kubelet stopped posting"]);
}

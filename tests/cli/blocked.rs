//! One side does not read: neither the other side nor a signal has to wait for it.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::harness::{ApiServer, Exec, Kdj, STDOUT, Step, shop, status};

const JOB: [&str; 5] = ["shell", "qa", "--", "job", "--all"];
/// More than the buffers between kdj and a server that does not read can hold.
const MUCH: usize = 64 << 20;

fn server(steps: impl IntoIterator<Item = Step>) -> ApiServer {
    let server = ApiServer::http(shop::two_web_pods());
    server.exec(Exec::plays(steps));
    server
}

#[test]
fn a_process_that_does_not_read_for_long_is_no_lost_connection() {
    // The server reads no more than the process does, and so answers no ping.
    let server = server([Step::Stall(Duration::from_secs(18)), Step::ExpectStdinEof, Step::ExitCode(0)]);
    let kdj = Kdj::on(&server).stdin(vec![b'x'; MUCH]).deadline(Duration::from_secs(90));
    let _ = kdj.run(JOB).expect_code(0);
    assert_eq!(server.only_exec().stdin.len(), MUCH);
}

#[test]
fn a_signal_gets_past_input_that_nobody_reads() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let server = server([Step::stdout("begun\n"), Step::Stall(Duration::from_secs(8)), Step::ExpectHangUp]);
        let running = Kdj::on(&server).stdin(vec![b'x'; MUCH]).start(JOB);
        running.wait_for_stdout("begun");
        std::thread::sleep(Duration::from_secs(1));
        let start = Instant::now();
        running.signal(signal);
        let _ = running.finish().expect_code(code).says(&["may still be running"]);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
}

#[test]
fn a_signal_ends_kdj_while_its_reader_has_stopped() {
    for ended in [false, true] {
        let flood = Step::Flood { bytes: if ended { 200_000 } else { 1 << 30 }, chunk: 32 * 1024 };
        let server = server([flood, Step::ExitCode(0)]);
        let mut running = Kdj::on(&server).hold_stdout().start(JOB);
        server.wait_for_exec("a flood", |exec| exec.flooded >= 200_000);
        std::thread::sleep(Duration::from_secs(1));
        running.signal(Signal::TERM);
        running.wait_for_end();
        running.release_stdout();
        // Output is missing: that is no success, whatever the command ended with.
        let output = running.finish().expect_code(143);
        assert!(output.stdout.len() < 200_000, "{}", output.stdout.len());
    }
}

#[test]
fn nobody_has_to_read_stderr() {
    let lines = (1..=200).flat_map(|n| [Step::stdout(&format!("out {n}\n")), Step::stderr(&format!("err {n}\n"))]);
    let server =
        server(lines.chain([Step::Pause(Duration::from_millis(200)), Step::stdout("end\n"), Step::ExitCode(7)]));
    let kdj = Kdj::on(&server);
    let mut command = kdj.command(["-q"].into_iter().chain(JOB));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kdj");
    drop(child.stderr.take());
    let output = child.wait_with_output().expect("its end");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("out 1\n") && text.ends_with("out 200\nend\n"), "{text}");
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn what_a_process_that_never_started_would_have_read_goes_to_the_next() {
    // The container died after it was chosen: the kubelet says so after the upgrade.
    let gone = status::internal_error(r#"unable to upgrade connection: container not found ("django")"#);
    let server = ApiServer::http(shop::two_web_pods());
    server.exec(Exec::plays([Step::Pause(Duration::from_millis(300)), Step::Status(gone)]).in_pod("web-7c9d8f-aaaaa"));
    server.exec(Exec::plays([Step::EchoStdin, Step::ExitCode(0)]).in_pod("web-7c9d8f-bbbbb"));
    let output = Kdj::on(&server).stdin("all of it\n").run(JOB);
    let _ = output.expect_code(0).prints("all of it\n").says(&["went away", "web-7c9d8f-bbbbb"]);
}

#[test]
fn a_slow_answer_that_there_is_no_sh_loses_no_code() {
    let server = ApiServer::http(shop::one_web_pod());
    let late = Step::Pause(Duration::from_millis(900));
    server.exec(Exec::plays([late, Step::executable_not_found("sh")]));
    server.exec(Exec::plays([Step::EchoStdin, Step::ExitCode(0)]));
    let output = Kdj::on(&server).stdin("").run(["pyshell", "qa", "-c", "print(1)"]).expect_code(0);
    assert_eq!(output.stdout, b"8 more <code>\nprint(1)");
}

#[test]
fn a_dead_container_and_a_missing_sh_are_both_survived() {
    let gone = status::internal_error(r#"unable to upgrade connection: container not found ("django")"#);
    let server = ApiServer::http(shop::two_web_pods());
    server.exec(Exec::plays([Step::Status(gone)]).in_pod("web-7c9d8f-aaaaa"));
    server.exec(Exec::plays([Step::executable_not_found("sh")]).in_pod("web-7c9d8f-bbbbb"));
    server.exec(Exec::plays([Step::EchoStdin, Step::ExitCode(0)]).in_pod("web-7c9d8f-bbbbb"));
    let output = Kdj::on(&server).stdin("").run(["pyshell", "qa", "-c", "print(1)"]).expect_code(0);
    assert_eq!(output.stdout, b"8 more <code>\nprint(1)");
    let started: Vec<String> = server.execs().iter().map(|exec| exec.argv[0].clone()).collect();
    assert_eq!(started[..2], ["sh", "sh"]);
    assert!(started[2].starts_with("python"), "{started:?}");
}

#[test]
fn a_small_message_after_a_large_one_is_not_held_up() {
    let large = Step::Send(STDOUT, vec![b'x'; 20_000]);
    let server = server([large, Step::WaitForByte(b'q'), Step::ExitCode(0)]);
    let mut running = Kdj::on(&server).stdin(crate::harness::Stdin::Open).start(JOB);
    running.wait_for_stdout(&"x".repeat(20_000));
    running.write_stdin(b"q");
    let _ = running.finish().expect_code(0);
}

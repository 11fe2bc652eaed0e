//! Output byte for byte, in any amount, for any reader.

use std::time::Duration;

use crate::harness::{ApiServer, Exec, Kdj, Pod, STDOUT, Stdin, Step, shop};

const CAT: [&str; 5] = ["-q", "shell", "qa", "--", "cat"];

#[test]
fn a_long_output_is_whole() {
    let server = ApiServer::http(shop::one_web_pod());
    let bytes = 256 << 20;
    server.exec(Exec::plays([Step::Flood { bytes, chunk: 32 * 1024 }, Step::ExitCode(0)]));
    let output = Kdj::on(&server).check_flood().deadline(Duration::from_secs(120)).run(CAT).expect_code(0);
    assert_eq!(output.stdout_length, bytes);
}

#[test]
fn two_gigabytes_are_whole() {
    let server = ApiServer::https(shop::one_web_pod());
    let bytes = 2 << 30;
    server.exec(Exec::plays([Step::Flood { bytes, chunk: 32 * 1024 }, Step::ExitCode(0)]));
    let output = Kdj::on(&server).check_flood().deadline(Duration::from_secs(600)).run(CAT).expect_code(0);
    assert_eq!(output.stdout_length, bytes);
}

#[test]
fn every_byte_value_and_size_of_message_passes() {
    let server = ApiServer::http(shop::one_web_pod());
    let all: Vec<u8> = (0..=255).collect();
    let sizes = [0, 1, 125, 126, 127, 65_534, 65_535, 65_536, 200_000];
    let messages = sizes.map(|size| all.iter().copied().cycle().take(size).collect::<Vec<u8>>());
    let steps = messages.iter().map(|message| Step::Send(STDOUT, message.clone())).chain([Step::ExitCode(0)]);
    server.exec(Exec::plays(steps));
    let output = Kdj::on(&server).run(CAT).expect_code(0);
    assert!(output.stdout == messages.concat(), "{} bytes", output.stdout.len());
}

#[test]
fn a_slow_reader_loses_nothing_and_memory_does_not_grow() {
    let server = ApiServer::http(shop::one_web_pod());
    let bytes = 64 << 20;
    server.exec(Exec::plays([Step::Flood { bytes, chunk: 32 * 1024 }, Step::ExitCode(0)]));
    let kdj = Kdj::on(&server).stdin(Stdin::Open).hold_flood().deadline(Duration::from_secs(120));
    let running = kdj.start(CAT);
    // Longer than the deadline for silence: blocked output is not a lost connection, and pings go on.
    let exec = server.wait_for_exec("a session", |_| true);
    server.wait_for_exec("pings while output is blocked", |now| now.id == exec.id && now.pings.len() >= 3);
    std::thread::sleep(Duration::from_secs(2));
    assert!(server.only_exec().flooded < bytes / 2, "{} bytes were taken", server.only_exec().flooded);
    if let Some(memory) = running.peak_memory() {
        assert!(memory < 56 * 1024, "{memory} KiB");
    }
    running.release_stdout();
    assert_eq!(running.finish().expect_code(0).stdout_length, bytes);
}

#[test]
fn a_runtime_that_may_be_done_is_not_pinged_while_its_output_waits() {
    let server = ApiServer::http(shop::one_web_pod());
    let bytes = 64 << 20;
    server.exec(Exec::plays([Step::Flood { bytes, chunk: 32 * 1024 }, Step::ExitCode(0)]));
    let running = Kdj::on(&server).hold_flood().deadline(Duration::from_secs(120)).start(CAT);
    // Longer than the deadline for silence.
    std::thread::sleep(Duration::from_secs(17));
    running.release_stdout();
    assert_eq!(running.finish().expect_code(0).stdout_length, bytes);
    assert!(server.only_exec().pings.is_empty(), "{:?}", server.only_exec().pings);
}

#[test]
fn head_ends_quietly() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::Flood { bytes: 1 << 30, chunk: 32 * 1024 }, Step::ExitCode(0)]));
    let output = Kdj::on(&server).close_stdout_after(1000).run(CAT).expect_code(0).never_says(&["error", "pipe"]);
    assert_eq!(output.stdout.len(), 1000);
    assert!(server.wait_for_exec("its end", |exec| exec.finished.is_some()).flooded < 1 << 30);
}

#[test]
fn closed_streams_are_no_trouble() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("out\n", 5).always());
    let _ = Kdj::on(&server).stdin(Stdin::Closed).run(CAT).expect_code(5);
    let without = Kdj::on(&server).without_stdout().run(CAT);
    assert!(matches!(without.code, Some(0 | 5)), "{without}");
}

#[test]
fn an_open_stdin_does_not_hold_up_the_end() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("done\n", 0));
    let mut running = Kdj::on(&server).stdin(Stdin::Open).start(CAT);
    running.wait_for_stdout("done");
    running.wait_for_end();
    let _ = running.finish().expect_code(0).prints("done\n");
}

#[test]
fn an_interrupt_gets_through_a_flood() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::FloodUntilByte(b'q', 4 << 30), Step::ExitCode(0)]));
    let mut running = Kdj::on(&server).stdin(Stdin::Open).check_flood().start(["-q", "shell", "qa", "--", "yes"]);
    server.wait_for_exec("a flood", |exec| exec.flooded > 1 << 20);
    running.write_stdin(b"q");
    let output = running.finish().expect_code(0);
    assert_eq!(output.stdout_length, server.only_exec().flooded);
}

#[test]
fn quiet_is_quiet_and_the_banner_is_not_data() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("out\n", 0).always());
    let output = Kdj::on(&server).run(["-q", "shell", "qa", "--", "true"]).expect_code(0).prints("out\n");
    assert_eq!(output.stderr, "");
    let _ = Kdj::on(&server).run(["shell", "qa", "--", "true"]).expect_code(0).prints("out\n").says(&[
        "qa",
        "acme-staging",
        "shop-qa",
        "web-7c9d8f-aaaaa",
        "django",
    ]);
}

#[test]
fn texts_of_the_cluster_cannot_move_the_cursor() {
    let evil = Pod::waiting("web-7c9d8f-aaaaa", "Evil\u{1b}[2J", "\u{1b}]52;c;eA==\u{7}back-off\u{9b}1A");
    let server = ApiServer::http(shop::web_pods([shop::in_web(evil)]));
    let _ =
        Kdj::on(&server).run(["shell", "qa", "--", "true"]).expect_code(125).never_says(&["\u{1b}", "\u{7}", "\u{9b}"]);
}

#[test]
fn explain_asks_and_does_nothing() {
    let server = ApiServer::http(shop::one_web_pod());
    let words = ["--explain", "shell", "qa", "--", "echo", "a b"];
    let kubectl = "kubectl --context acme-staging -n shop-qa exec web-7c9d8f-aaaaa -c django -- echo 'a b'\n";
    let _ = Kdj::on(&server).run(words).expect_code(0).prints(kubectl).never_says(&["canary"]);
    // Where there is something to read.
    let kubectl = kubectl.replace("exec ", "exec -i ");
    let _ = Kdj::on(&server).stdin("x").run(words).expect_code(0).prints(&kubectl);
}

#[test]
fn colour_is_where_it_is_asked_for() {
    // `--color`, CLICOLOR_FORCE, NO_COLOR; an empty variable is as good as none.
    let cases = [
        ("auto", "", "", false),
        ("auto", "1", "", true),
        ("auto", "0", "", false),
        ("auto", "1", "1", false),
        ("always", "", "1", true),
        ("never", "1", "", false),
    ];
    for (flag, force, no, colored) in cases {
        let kdj = Kdj::bare().variable("CLICOLOR_FORCE", force).variable("NO_COLOR", no);
        let output = kdj.run(["--color", flag, "shell", "nowhere", "--", "true"]).expect_code(125).prints("");
        assert_eq!(output.stderr.contains("\u{1b}["), colored, "{flag} {force:?} {no:?}: {output}");
        let unset = [("CLICOLOR_FORCE", force), ("NO_COLOR", no)].into_iter().filter(|(_, value)| value.is_empty());
        let kdj = unset.fold(kdj, |kdj, (name, _)| kdj.without(name));
        let output = kdj.run(["--color", flag, "shell", "nowhere", "--", "true"]).expect_code(125);
        assert_eq!(output.stderr.contains("\u{1b}["), colored, "{flag} {force:?} {no:?}: {output}");
    }
}

#[test]
fn data_has_no_colour() {
    let server = ApiServer::http(shop::one_web_pod());
    let plain = Kdj::on(&server).run(["--color", "never", "envs"]).expect_code(0);
    let _ = Kdj::on(&server).run(["--color", "always", "envs"]).expect_code(0).prints(&plain.stdout_text());
}

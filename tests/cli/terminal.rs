//! Sessions on a terminal: raw while they last, and as it was before on every way out.

use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{ApiServer, Exec, Kdj, Step, pty::Pty, shop};

/// A terminal with `kdj shell qa` on it, and the server it talks to.
fn shell(steps: impl IntoIterator<Item = Step>) -> (ApiServer, Kdj, Pty) {
    let server = ApiServer::http(shop::one_web_pod());
    let prompt = [Step::ExpectResize(100, 30), Step::stdout("app$ ")];
    server.exec(Exec::plays(prompt.into_iter().chain(steps)));
    let kdj = Kdj::on(&server);
    let mut pty = Pty::run(&kdj, ["shell", "qa"]);
    pty.wait_for("app$ ");
    (server, kdj, pty)
}

#[test]
fn a_session_is_raw_and_gives_the_terminal_back() {
    let (server, _kdj, mut pty) = shell([Step::ExpectStdin(b"exit 7\r".to_vec()), Step::ExitCode(7)]);
    assert!(pty.modes().is_raw());
    pty.press("exit 7\r");
    assert_eq!(pty.finish().code(), Some(7));
    assert!(!pty.modes().is_raw());
    let exec = server.only_exec();
    assert_eq!((exec.tty, exec.streams.as_slice()), (true, &["stdin", "stdout"].map(str::to_owned)[..]));
}

#[test]
fn modes_are_restored_as_they_were() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([
        Step::ExpectResize(100, 30),
        Step::stdout("app$ "),
        Step::WaitForByte(b'x'),
        Step::ExitCode(0),
    ]));
    let kdj = Kdj::on(&server);
    let mut pty = Pty::shell(&kdj);
    // Not the usual modes, so that "sane" ones would be noticed.
    pty.press("stty -ixon -echoctl tostop; echo read''y\n");
    pty.wait_for("ready");
    pty.wait_for("sh> ");
    let before = pty.modes();
    pty.press("kdj shell qa; echo code=$?\n");
    pty.wait_for("app$ ");
    pty.wait_for_raw(true);
    pty.press("x");
    pty.wait_for("code=0");
    pty.wait_for("sh> ");
    assert!(pty.modes() == before);
}

#[test]
fn a_session_survives_being_stopped_for_longer_than_silence_may_last() {
    let (server, _kdj, mut pty) = shell([Step::WaitForByte(b'q'), Step::ExitCode(3)]);
    pty.signal(pty.pid(), Signal::STOP);
    std::thread::sleep(Duration::from_secs(18));
    pty.signal(pty.pid(), Signal::CONT);
    std::thread::sleep(Duration::from_millis(500));
    pty.press("q");
    assert_eq!(pty.finish().code(), Some(3), "{}", pty.text());
    drop(server);
}

#[test]
fn a_killed_editor_leaves_no_alternate_screen() {
    let (_server, _kdj, mut pty) = shell([Step::stdout("\x1b[?1049h\x1b[?25lediting"), Step::ExitCode(137)]);
    assert_eq!(pty.finish().code(), Some(137));
    let text = pty.text();
    assert!(text.contains("\x1b[?1049l") && text.contains("\x1b[?25h"), "{text:?}");
    pty.expect_restored();
}

#[test]
fn control_keys_reach_the_remote_side() {
    for key in [0x03_u8, 0x04, 0x1a, 0x1c] {
        let (_server, _kdj, mut pty) = shell([Step::WaitForByte(key), Step::ExitCode(0)]);
        pty.press(&char::from(key).to_string());
        assert_eq!(pty.finish().code(), Some(0), "key {key:#04x}: {}", pty.text());
    }
}

#[test]
fn the_size_is_told_at_once_and_on_change() {
    let (server, _kdj, mut pty) = shell([Step::ExpectResize(132, 50), Step::ExitCode(0)]);
    pty.resize(132, 50);
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
    assert_eq!(server.only_exec().resizes.first(), Some(&(100, 30)));
}

#[test]
fn a_storm_of_sizes_ends_at_the_last() {
    let (_server, _kdj, mut pty) = shell([Step::ExpectResize(80, 24), Step::ExitCode(0)]);
    for columns in (81..180).rev() {
        pty.resize(columns, 40);
    }
    pty.resize(0, 0);
    pty.resize(80, 24);
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
}

#[test]
fn a_lost_connection_gives_the_terminal_back() {
    let (_server, _kdj, mut pty) = shell([Step::WaitForByte(b'x'), Step::Cut]);
    pty.press("x");
    assert_eq!(pty.finish().code(), Some(255), "{}", pty.text());
    assert!(!pty.modes().is_raw());
    assert!(pty.text().contains("connection lost"), "{}", pty.text());
}

#[test]
fn signals_give_the_terminal_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let (_server, _kdj, mut pty) = shell([Step::ExpectHangUp]);
        pty.signal(pty.pid(), signal);
        let status = pty.finish();
        use std::os::unix::process::ExitStatusExt;
        let ended = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        assert_eq!(ended, code, "{}", pty.text());
        assert!(!pty.modes().is_raw());
    }
}

#[test]
fn enter_tilde_dot_leaves_a_dead_session() {
    let (_server, _kdj, mut pty) = shell([Step::Stall(Duration::from_secs(3)), Step::ExpectHangUp]);
    pty.press("\r~.");
    assert_eq!(pty.finish().code(), Some(255), "{}", pty.text());
    assert!(!pty.modes().is_raw());
}

#[test]
fn an_interrupt_gets_through_a_flood() {
    let (_server, _kdj, mut pty) = shell([Step::FloodUntilByte(0x03, 4 << 30), Step::ExitCode(130)]);
    pty.press("\x03");
    assert_eq!(pty.finish().code(), Some(130));
}

#[test]
fn a_stopped_session_gives_the_terminal_back_and_takes_it_again() {
    let server = ApiServer::http(shop::one_web_pod());
    let steps =
        [Step::ExpectResize(100, 30), Step::stdout("app$ "), Step::ExpectResize(90, 20), Step::stdout("again$ ")];
    server.exec(Exec::plays(steps.into_iter().chain([Step::WaitForByte(b'x'), Step::ExitCode(0)])));
    let kdj = Kdj::on(&server);
    let mut pty = Pty::shell(&kdj);
    let before = pty.modes();
    pty.press("kdj shell qa; echo code=$?\n");
    pty.wait_for("app$ ");
    pty.wait_for_raw(true);
    pty.signal(pty.foreground(), Signal::TSTP);
    pty.wait_for("sh> ");
    assert!(pty.modes() == before);
    pty.resize(90, 20);
    pty.press("fg\n");
    pty.wait_for("again$ ");
    pty.wait_for_raw(true);
    pty.press("x");
    pty.wait_for("sh> ");
    assert!(!pty.modes().is_raw());
}

#[test]
fn a_terminal_is_asked_for_only_when_stdout_is_one_too() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("piped\n", 0));
    let kdj = Kdj::on(&server);
    let mut pty = Pty::shell(&kdj);
    pty.press("kdj shell qa -- true | cat\n");
    pty.wait_for("piped");
    assert!(!server.only_exec().tty);
}

#[test]
fn the_terminals_type_is_passed_on() {
    let (server, _kdj, mut pty) = shell([Step::ExitCode(0)]);
    assert_eq!(pty.finish().code(), Some(0));
    assert!(
        server.only_exec().argv.iter().any(|word| word.contains("xterm-256color")),
        "{:?}",
        server.only_exec().argv
    );
}

//! kdj goes, or the connection, and the program goes on.

use rustix::process::Signal;

use super::{
    super::harness::{
        Pty, cluster,
        wait::{DEADLINE, poll_until},
    },
    attach, expect_nothing_left, kill, namespace, only, sessions, shell,
};

#[test]
fn the_same_shell_is_found_again() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = shell(&kdj);
    pty.press("mine=4''2; cd /tmp; echo set-$mine\r");
    pty.wait_for("set-42\r\n");
    kill(pty);
    poll_until("the session to be listed as running", DEADLINE, || {
        let table = kdj.run(["sessions", "own"]).expect_code(0).stdout_text();
        (table.contains(" Running ") && table.contains(" shell ") && table.contains(" admin ")).then_some(())
    });
    let name = only(&kdj);
    let mut pty = attach(&kdj, &name);
    // What was on the screen before.
    pty.wait_for("set-42");
    pty.press("echo again-$mine-$PWD\r");
    pty.wait_for("again-42-/tmp\r\n");

    // Another one takes over.
    let mut second = Pty::run(&kdj, ["sessions", "attach", "own", &name]);
    pty.wait_for("taken over by another attach");
    pty.wait_for("may go on");
    assert_eq!(pty.finish().code(), Some(255));
    pty.expect_restored();
    second.press("echo second-$mine\r");
    second.wait_for("second-42\r\n");

    // It is left and found once more.
    second.press("\r~.");
    second.wait_for("take it up again");
    assert_eq!(second.finish().code(), Some(255));
    assert_eq!(only(&kdj), name);
    let mut third = attach(&kdj, &name);
    third.wait_for("second-42");
    third.press("exit 9\r");
    assert_eq!(third.finish().code(), Some(9));
    expect_nothing_left(&namespace);
}

#[test]
fn what_ended_meanwhile_gives_its_code() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = shell(&kdj);
    pty.press("(sleep 3; touch /tmp/over) & sleep 2; echo last-''words; exit 6\r");
    pty.wait_for("\n");
    kill(pty);
    let name = only(&kdj);
    std::thread::sleep(std::time::Duration::from_secs(4));
    let mut pty = attach(&kdj, &name);
    assert_eq!(pty.finish().code(), Some(6), "{}", pty.text());
    assert!(pty.text().contains("last-words"), "{}", pty.text());
    expect_nothing_left(&namespace);
}

#[test]
fn signals_leave_the_program_and_say_how_to_come_back() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut pty = shell(&kdj);
        pty.signal(pty.pid(), signal);
        pty.wait_for("`kdj sessions attach own kdj-session-");
        assert_eq!(pty.finish().code(), Some(code), "{}", pty.text());
        pty.expect_restored();
        let name = only(&kdj);
        let _ = kdj.run(["sessions", "end", &name]).expect_code(0).says(&["ended; its pod is deleted"]);
        expect_nothing_left(&namespace);
    }
}

#[test]
fn a_session_that_is_ended_by_another_says_so() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = shell(&kdj);
    let _ = kdj.run(["sessions", "end", "own", &only(&kdj)]).expect_code(0);
    pty.wait_for("its job was deleted");
    assert_eq!(pty.finish().code(), Some(255), "{}", pty.text());
    pty.expect_restored();
    expect_nothing_left(&namespace);
}

#[test]
fn a_python_console_keeps_its_variables() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = Pty::run(&kdj, ["pyshell", "own", "--fresh", "--plain"]);
    pty.wait_for(">>> ");
    pty.press("answer = 6 * 7; print('is', answer)\r");
    pty.wait_for("is 42");
    kill(pty);
    let name = only(&kdj);
    let mut pty = attach(&kdj, &name);
    pty.wait_for("is 42");
    pty.press("print('was', answer); exit()\r");
    pty.wait_for("was 42");
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
    expect_nothing_left(&namespace);
}

#[test]
fn a_flood_that_nobody_sees_goes_on() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let mut pty = shell(&kdj);
    pty.press("yes flood\r");
    poll_until("a flood", DEADLINE, || (pty.length() > 300_000).then_some(()));
    kill(pty);
    let mut pty = attach(&kdj, &only(&kdj));
    poll_until("the flood again", DEADLINE, || (pty.length() > 300_000).then_some(()));
    pty.press("\x03");
    pty.wait_for("$ ");
    pty.press("exit 4\r");
    assert_eq!(pty.finish().code(), Some(4));
    expect_nothing_left(&namespace);
    assert!(sessions(&kdj).is_empty());
}

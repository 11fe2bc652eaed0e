//! Ways out of a session other than the remote program's end: the terminal is given back, the code says what happened.

use std::time::Duration;

use rustix::process::Signal;

use super::{
    harness::{Cluster, Pty, Stdin, cluster, wait::poll_until},
    terminal::{PROMPT, SLEEP},
};

/// Leaves a shell in some way, and looks at the code, the words and the terminal.
#[track_caller]
fn leave(cluster: &Cluster, code: i32, words: &str, way_out: impl FnOnce(&mut Pty)) {
    let kdj = cluster.kdj();
    let mut pty = Pty::run(&kdj, ["shell", "qa"]);
    pty.wait_for(PROMPT);
    assert!(pty.modes().is_raw());
    way_out(&mut pty);
    pty.wait_for(&format!("{words}; `sh` may still be running in pod shell-"));
    assert_eq!(pty.finish().code(), Some(code), "{}", pty.text());
    pty.expect_restored();
}

#[test]
fn enter_tilde_dot_leaves() {
    let Some(cluster) = cluster() else { return };
    leave(cluster, 255, "left the session", |pty| {
        pty.press("sleep 1000\r");
        pty.wait_for("sleep 1000\r\n");
        pty.press("\r~.");
    });
}

#[test]
fn sigterm_and_sighup_give_the_terminal_back() {
    let Some(cluster) = cluster() else { return };
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        leave(cluster, code, "interrupted", |pty| pty.signal(pty.pid(), signal));
    }
}

#[test]
fn a_shell_that_was_left_ends_in_the_pod_too() {
    let Some(cluster) = cluster() else { return };
    for inside in ["", "bash -i\r", SLEEP, "yes\r"] {
        let mut shell = String::new();
        leave(cluster, 143, "interrupted", |pty| {
            pty.press("echo pid=$$,; echo rea''dy\r");
            let text = pty.wait_for("ready\r\n");
            shell = text.rsplit("pid=").find_map(|rest| rest.split_once(",\r\n")).expect("a pid").0.to_owned();
            pty.wait_for(PROMPT);
            pty.press(inside);
            match inside {
                "" => {}
                SLEEP => drop(pty.wait_for("awake\r\n")),
                "yes\r" => drop(pty.wait_for("y\r\ny\r\n")),
                _ => drop(pty.wait_for(PROMPT)),
            }
            pty.signal(pty.pid(), Signal::TERM);
        });
        poll_until(&format!("shell {shell} to end, with {inside:?} in it"), Duration::from_secs(20), || {
            let look = ["-q", "shell", "qa", "--", "test", "-e", &format!("/proc/{shell}")];
            (cluster.kdj().run(look).code == Some(1)).then_some(())
        });
    }
}

#[test]
fn signals_end_a_command_on_pipes() {
    let Some(cluster) = cluster() else { return };
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let kdj = cluster.kdj().stdin(Stdin::Open);
        let running = kdj.start(["shell", "qa", "--", "sh", "-c", "echo started; exec sleep 20"]);
        running.wait_for_stdout("started\n");
        running.signal(signal);
        let _ = running.finish().expect_code(code).says(&["interrupted; `sh` may still be running in pod shell-"]);
    }
}

#[test]
fn kdj_can_be_stopped_and_resumed() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let mut pty = Pty::shell(&kdj);
    pty.press("kdj shell qa\n");
    pty.wait_for(PROMPT);
    pty.wait_for_raw(true);
    pty.signal(pty.foreground(), Signal::TSTP);
    pty.wait_for_raw(false);
    pty.wait_for("sh> ");
    pty.resize(91, 33);
    pty.press("fg\n");
    pty.wait_for_raw(true);
    // What is typed may overtake the new size.
    pty.press("until stty size | grep ^33.91; do sleep 0.1; done\r");
    pty.wait_for("33 91\r\n");
    pty.wait_for(PROMPT);
    pty.press("exit 5\r");
    pty.wait_for_raw(false);
    pty.wait_for("sh> ");
    pty.press("echo local=$?\n");
    pty.wait_for("local=5");
}

//! `kdj pyshell` at a terminal: the richest console the image has.

use std::time::Duration;

use super::harness::{
    Pty, cluster,
    wait::{DEADLINE, poll_until},
};

#[test]
fn shell_plus_with_ipython_where_it_is() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let mut pty = Pty::run(&kdj, ["pyshell", "qa"]);
    pty.wait_for("from catalog.models import Category, Product");
    pty.wait_for("IPython");
    // IPython asks where the cursor is; a terminal would answer.
    pty.wait_for("\x1b[6n");
    pty.press("\x1b[10;1R");
    pty.wait_for("]: ");
    pty.press("print('product:', Product.objects.order_by('pk').first().pk + 41)\r");
    pty.wait_for("product: 42");
    pty.press("exit\r");
    assert_eq!(pty.finish().code(), Some(0));
    pty.expect_restored();
}

#[test]
fn python_s_own_console_when_asked_for() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let mut pty = Pty::run(&kdj, ["pyshell", "qa", "--plain"]);
    let start = pty.wait_for(">>> ");
    assert!(!start.contains("IPython"), "{start}");
    pty.press("import os; os.environ['TERM'] + '/' + str(6 * 7)\r");
    pty.wait_for("'xterm-256color/42'");
    pty.wait_for(">>> ");
    pty.press("while True: pass\r");
    pty.wait_for("... ");
    pty.press("\r");
    pty.wait_for("\n");
    // Until Python runs the loop, Ctrl-C would clear the line instead.
    std::thread::sleep(Duration::from_millis(500));
    pty.press("\x03");
    pty.wait_for("KeyboardInterrupt");
    pty.wait_for(">>> ");
    pty.press("import sys; sys.exit(6)\r");
    assert_eq!(pty.finish().code(), Some(6));
}

#[test]
fn python_s_own_console_where_there_is_no_other() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let mut pty = Pty::run(&kdj, ["pyshell", "car2-qa"]);
    pty.wait_for(">>> ");
    pty.press("from django.db import connection; connection.settings_dict['NAME']\r");
    pty.wait_for("'car2'");
    pty.wait_for(">>> ");
    // The prompt shows a moment before readline has the terminal, which takes what was typed before with it.
    poll_until("the console to hear the end", DEADLINE, || {
        pty.press("\x04");
        std::thread::sleep(Duration::from_millis(300));
        (!pty.modes().is_raw()).then_some(())
    });
    assert_eq!(pty.finish().code(), Some(0));
}

#[test]
fn ctrl_c_ends_code_that_runs_without_a_terminal() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let mut pty = Pty::run(&kdj, ["pyshell", "qa", "-c", "import time; print('started', flush=True); time.sleep(20)"]);
    pty.wait_for("started");
    pty.press("\x03");
    assert_eq!(pty.finish().code(), Some(130));
}

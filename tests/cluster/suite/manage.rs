//! `kdj manage`: management commands, their words, their codes, their questions.

use super::harness::{Pty, cluster};

#[test]
fn a_command_s_output_is_its_own() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let output = kdj.run(["-q", "manage", "qa", "--", "orders_report", "--count", "2"]).expect_code(0);
    assert_eq!(output.stderr, "");
    let text = output.stdout_text();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.starts_with("2026-0001  ") && text.ends_with("\n2 orders\n"), "{text}");
}

#[test]
fn a_command_s_failure_is_kdj_s() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let output = kdj.run(["manage", "qa", "--", "orders_report", "--count", "0", "--fail"]).expect_code(1);
    let _ = output.prints("0 orders\n").says(&["CommandError: asked to fail"]);
    let output = kdj.run(["manage", "qa", "--", "ordres_report"]).expect_code(1);
    let _ = output.says(&["Unknown command: 'ordres_report'"]);
    let output = kdj.run(["manage", "qa", "--", "orders_report", "--nosuch"]).expect_code(2);
    let _ = output.says(&["unrecognized arguments: --nosuch"]);
}

#[test]
fn its_words_and_its_stdin_arrive_as_given() {
    let Some(cluster) = cluster() else { return };
    let code = "import sys; print(sys.stdin.read(), \"it's zürich\")";
    let words = ["manage", "qa", "--", "shell", "-v", "0", "-c", code];
    let _ = cluster.kdj().stdin("piped").run(words).expect_code(0).prints("piped it's zürich\n");
}

#[test]
fn without_a_command_it_is_wrong_usage() {
    let Some(cluster) = cluster() else { return };
    let _ = cluster.kdj().run(["manage", "qa"]).expect_code(2).says(&["<COMMAND>"]);
}

#[test]
fn production_is_reached_in_the_app_s_container() {
    let Some(cluster) = cluster() else { return };
    let output = cluster
        .kdj()
        .run(["manage", "prod", "--confirm", "prod", "--", "orders_report", "--count", "1"])
        .expect_code(0);
    assert!(output.stdout_text().ends_with("1 orders\n"), "{output}");
    let _ = output.says(&["prod (protected)", "pod shop-web-", "container django"]);
}

#[test]
fn questions_are_asked_at_the_terminal() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let mut pty = Pty::run(&kdj, ["manage", "qa", "--", "flush"]);
    pty.wait_for("Type 'yes' to continue, or 'no' to cancel: ");
    pty.press("no\r");
    pty.wait_for("Flush cancelled.");
    assert_eq!(pty.finish().code(), Some(0));
    pty.expect_restored();

    let mut pty = Pty::run(&kdj, ["manage", "qa", "--", "createsuperuser"]);
    pty.wait_for("Username");
    pty.press("\x03");
    pty.wait_for("Operation cancelled.");
    assert_eq!(pty.finish().code(), Some(1));
    pty.expect_restored();
}

//! Ctrl-C, and what else ends kdj: never the migration, unless that is asked for.

use rustix::process::Signal;

use super::{NAME, created, held, server};
use crate::harness::{ApiServer, Kdj, pty::Pty};

#[test]
fn without_a_terminal_a_signal_leaves_it() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let server = server(2, held(2));
        let running = Kdj::on(&server).start(["migrate", "qa"]);
        running.wait_for_stderr("1 of 2 shop.0001");
        running.signal(signal);
        let output = running.finish().expect_code(code).prints("");
        let _ = output
            .says(&[&format!("left job `{NAME}`, which goes on in `qa`"), &format!("`kdj jobs attach qa {NAME}`")]);
        assert_eq!(server.objects("jobs").len(), 1);
    }
}

#[test]
fn detached_only_the_name_is_printed() {
    let server = server(2, held(2).always());
    let output = Kdj::on(&server).run(["migrate", "qa", "--detach"]).expect_code(0);
    let _ = output.prints(&format!("{NAME}\n"));
    assert_eq!(created(&server), 1);
    assert!(server.requests().iter().all(|request| !request.path.ends_with("/log")));
}

/// A terminal on which the first migration runs.
fn at_terminal(server: &ApiServer) -> Pty {
    let mut pty = Pty::run(&Kdj::on(server), ["migrate", "qa"]);
    pty.wait_for("1 of 2 shop.0001 1 s");
    pty
}

#[test]
fn at_a_terminal_ctrl_c_asks() {
    const QUESTION: &str = "goes on: d to leave it, c to cancel it, Enter to follow on:";
    let server = server(2, held(2));
    let mut pty = at_terminal(&server);
    pty.press("\x03");
    pty.wait_for(QUESTION);
    pty.press("\r");
    pty.wait_for("1 of 2 shop.0001");
    server.go_on();
    pty.wait_for("2 of 2 migrations in 1.5 s");
    assert_eq!(pty.finish().code(), Some(0));
    pty.expect_restored();
    // The line was rewritten, and nothing of the project's own output came between.
    let text = pty.text();
    assert!(!text.contains("Applying shop.0002"), "{text}");

    let server = self::server(2, held(2));
    let mut pty = at_terminal(&server);
    pty.press("\x03");
    pty.wait_for(QUESTION);
    pty.press("d\r");
    pty.wait_for("which goes on in `qa`");
    assert_eq!(pty.finish().code(), Some(130));
    assert_eq!(server.objects("jobs").len(), 1);
    pty.expect_restored();

    let server = self::server(2, held(2));
    let mut pty = at_terminal(&server);
    pty.press("\x03");
    pty.wait_for(QUESTION);
    pty.press("c\r");
    pty.wait_for("was cancelled");
    pty.wait_for("`kdj migrate qa --plan` tells what is not applied");
    assert_eq!(pty.finish().code(), Some(130));
    assert!(server.objects("jobs").is_empty());
    pty.expect_restored();
}

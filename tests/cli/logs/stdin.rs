//! `kdj logs --stdin`.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{Kdj, Stdin, wait::poll_until};

#[test]
fn a_file_instead_of_a_cluster() {
    let text = "2026-11-01T08:00:00Z one\ntwo\nhalf";
    let output = Kdj::bare().stdin(text).run(["logs", "--stdin", "-o", "raw"]).expect_code(0);
    assert_eq!(output.stdout_text(), text);
    let output = Kdj::bare().stdin(text).run(["logs", "--stdin", "-v"]).expect_code(0).says(&["3 lines read, 3 shown"]);
    assert_eq!(output.stdout_text(), "one\ntwo\nhalf\n");
}

#[test]
fn the_last_line_of_a_live_pipe_is_shown_at_once() {
    let mut running = Kdj::bare().stdin(Stdin::Open).start(["logs", "--stdin"]);
    for line in ["one\n", "ERROR: two\n", "three\n"] {
        running.write_stdin(line.as_bytes());
        running.wait_for_stdout(line);
    }
    running.close_stdin();
    let _ = running.finish().expect_code(0);
}

#[test]
fn a_signal_ends_it_while_its_reader_has_stopped() {
    let text = "a line of ordinary length, as some program may have written it\n".repeat(200_000);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut running = Kdj::bare().stdin(text.as_str()).hold_stdout().start(["logs", "--stdin"]);
        let status = format!("/proc/{}/status", running.pid().as_raw_nonzero());
        if std::path::Path::new("/proc/self/status").exists() {
            // A signal that it does not listen to yet would end it, too.
            poll_until("a handler of the signal", Duration::from_secs(60), || {
                let status = std::fs::read_to_string(&status).ok()?;
                let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?.trim();
                (u64::from_str_radix(caught, 16).ok()? >> (signal.as_raw() - 1) & 1 == 1).then_some(())
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        let begin = Instant::now();
        running.signal(signal);
        running.wait_for_end();
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        running.release_stdout();
        let output = running.finish().expect_code(code);
        assert!(output.stdout.len() < text.len(), "{}", output.stdout.len());
    }
}

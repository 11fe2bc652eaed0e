//! Bytes through a session: none lost, none added, none waited for in vain.

use std::{
    fs::File,
    io::Read,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::harness::{Stdin, cluster};

fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).expect("random bytes");
    bytes
}

#[test]
fn binary_data_goes_both_ways_unchanged() {
    let Some(cluster) = cluster() else { return };
    let data = random(8 << 20);
    let output = cluster.kdj().stdin(data.clone()).run(["shell", "qa", "--", "cat"]).expect_code(0);
    assert_eq!(output.stdout.len(), data.len());
    assert!(output.stdout == data, "the bytes came back changed");
}

#[test]
fn the_end_of_stdin_arrives() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj().stdin("five\n");
    let _ = kdj.run(["shell", "qa", "--", "wc", "-c"]).expect_code(0).prints("5\n");
    // The output after it arrives too.
    let kdj = kdj.stdin("x");
    let _ = kdj.run(["shell", "qa", "--", "sh", "-c", "cat; sleep 0.5; echo after"]).expect_code(0).prints("xafter\n");
}

#[test]
fn an_open_stdin_does_not_keep_a_command_that_has_ended() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj().stdin(Stdin::Open);
    let running = kdj.start(["shell", "qa", "--", "echo", "done"]);
    running.wait_for_stdout("done\n");
    let start = Instant::now();
    let _ = running.finish().expect_code(0);
    assert!(start.elapsed() < Duration::from_secs(10), "kdj waited for the local stdin");
}

#[test]
fn without_a_stdin_the_command_reads_nothing() {
    let Some(cluster) = cluster() else { return };
    for stdin in [Stdin::Closed, Stdin::Null] {
        let kdj = cluster.kdj().stdin(stdin);
        let _ = kdj.run(["shell", "qa", "--", "wc", "-c"]).expect_code(0).prints("0\n");
    }
}

#[test]
fn stdout_and_stderr_are_kept_apart() {
    let Some(cluster) = cluster() else { return };
    let output =
        cluster.kdj().run(["-q", "shell", "qa", "--", "sh", "-c", "echo out; echo err >&2; printf end"]).expect_code(0);
    assert_eq!((output.stdout_text().as_str(), output.stderr.as_str()), ("out\nend", "err\n"));
}

#[test]
fn nothing_of_kdj_s_is_on_stdout() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().run(["-v", "shell", "qa", "--", "true"]).expect_code(0).prints("");
    let _ = output.says(&["qa: context acme-staging, namespace shop-qa, pod shell-", "container django"]);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().close_stdout_after(100).run(["-q", "shell", "qa", "--", "yes"]).expect_code(0);
    assert_eq!(output.stderr, "");
    // A command that is not in a flood, too: `kdj … | head -1`.
    let slow = "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.2; done";
    let output = cluster.kdj().close_stdout_after(2).run(["-q", "shell", "qa", "--", "sh", "-c", slow]).expect_code(0);
    assert_eq!(output.stderr, "");
}

#[test]
fn a_reader_that_pauses_gets_it_all() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj().hold_stdout();
    // More than all buffers on the way hold: the process still runs when the reader goes on.
    let running = kdj.start(["-q", "shell", "qa", "--", "seq", "1", "9000000"]);
    // Longer than kdj waits for a sign of life from a connection.
    thread::sleep(Duration::from_secs(18));
    running.release_stdout();
    let output = running.finish().expect_code(0);
    let expected: String = (1..=9_000_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(output.stdout.len(), expected.len());
    assert!(output.stdout == expected.as_bytes(), "the numbers came changed");
}

#[test]
fn a_reader_that_pauses_beyond_the_end_of_the_process_gets_it_all() {
    let Some(cluster) = cluster() else { return };
    // Less than the buffers on the way hold: the process is long over when the reader goes on. With kubectl, megabytes of it
    // may be missing then, and its exit code is 0.
    let script = "seq 1 1500000; exit 7";
    let expected: String = (1..=1_500_000).map(|number| format!("{number}\n")).collect();
    for stdin in [Stdin::Null, Stdin::Open] {
        let running = cluster.kdj().stdin(stdin).hold_stdout().start(["-q", "shell", "qa", "--", "sh", "-c", script]);
        thread::sleep(Duration::from_secs(12));
        running.release_stdout();
        let output = running.finish().expect_code(7);
        assert_eq!(output.stdout.len(), expected.len());
        assert!(output.stdout == expected.as_bytes(), "the numbers came changed");
    }
}

#[test]
fn a_lot_of_output_is_complete() {
    let Some(cluster) = cluster() else { return };
    let script = "head -c 300000000 /dev/urandom | tee >(sha256sum >&2)";
    let kdj = cluster.kdj();
    let mut child = kdj
        .command(["-q", "shell", "qa", "--", "bash", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kdj starts");
    let sum =
        Command::new("sha256sum").stdin(child.stdout.take().expect("kdj's stdout")).output().expect("sha256sum runs");
    let output = child.wait_with_output().expect("kdj ends");
    assert_eq!(output.status.code(), Some(0));
    let (here, there) = (String::from_utf8_lossy(&sum.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(here.len(), 64 + "  -\n".len(), "{here}");
    assert_eq!(here, there, "the local sum, and the remote one");
}

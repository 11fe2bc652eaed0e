//! The log, from its first byte to its last.

use std::time::Duration;

use super::{super::harness::cluster, name, namespace, script};

fn numbers(count: u32) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}

#[test]
fn a_job_of_a_moment_loses_nothing() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    for _ in 0..3 {
        let words = script([], "seq 1 1000; sleep 0.05; echo end >&2");
        let _ = namespace.kdj().run(words).expect_code(0).prints(&format!("{}end\n", numbers(1000)));
    }
    // Over at once, and without a newline.
    let _ = namespace
        .kdj()
        .run(["run", "own", "--", "printf", "a  b\\n$$ $(HOME) c"])
        .expect_code(0)
        .prints("a  b\n$$ $(HOME) c");
}

#[test]
fn two_hundred_thousand_lines_lose_nothing() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let words = script([], "seq 1 200000; sleep 1");
    let output = namespace.kdj().deadline(Duration::from_secs(120)).run(words).expect_code(0);
    let expected = numbers(200_000);
    assert!(output.stdout_text() == expected, "{} bytes instead of {}", output.stdout.len(), expected.len());
}

/// The runtime of some nodes (containerd 1.6) loses some 64 KiB of what a process writes that ends in the same moment.
/// kdj has what the cluster has.
#[test]
fn what_the_cluster_kept_of_a_flood_is_all_there() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let output = namespace.kdj().deadline(Duration::from_secs(120)).run(script([], "seq 1 200000")).expect_code(0);
    let kept = namespace.kubectl(["logs", &format!("job/{}", name(&output.stderr))]);
    assert!(output.stdout_text() == kept, "{} bytes instead of {}", output.stdout.len(), kept.len());
    assert!(numbers(200_000).starts_with(&kept), "{} bytes", kept.len());
}

#[test]
fn long_lines_and_any_bytes_are_left_as_they_are() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let code = "import sys, time; sys.stdout.buffer.write(b'x' * 1000000 + b'\\n\\n\\xff\\x00\\r\\x1b[31m 2026-11-21T12:00:00Z y\\n'); sys.stdout.flush(); time.sleep(0.5)";
    let output = namespace.kdj().run(["run", "own", "--", "python", "-c", code]).expect_code(0);
    let expected = [&[b'x'; 1_000_000][..], b"\n\n\xff\x00\r\x1b[31m 2026-11-21T12:00:00Z y\n"].concat();
    assert!(output.stdout == expected, "{} bytes instead of {}", output.stdout.len(), expected.len());
}

#[test]
fn a_silent_job_is_followed() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    // The API server answers the request for a log with its first byte.
    let words = script([], "sleep 35; echo awake; exit 3");
    let _ = namespace.kdj().deadline(Duration::from_secs(120)).run(words).expect_code(3).prints("awake\n");
}

//! Numbered lines, followed through all that can happen.

use std::{thread, time::Duration};

use rustix::process::Signal;

use super::{
    super::harness::{Door, cluster},
    account, expect_whole, namespace,
};

const LONG: Duration = Duration::from_secs(300);

/// All of the log from its first line, byte for byte, following.
const FOLLOW: [&str; 6] = ["logs", "own", "--tail", "all", "-o", "raw"];

#[test]
fn a_thousand_cut_connections_lose_nothing() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster, 5, "--rate 50 --size 100");
    let door = Door::open(cluster);
    let running = door.lead(cluster, namespace.kdj().deadline(LONG)).start(FOLLOW);
    running.wait_for_stdout(" 100 ");
    let mut cut = 0;
    while cut < 1000 {
        cut += door.cut();
        thread::sleep(Duration::from_millis(150));
    }
    thread::sleep(Duration::from_secs(8));
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130).never_says(&["gap"]);
    let runs = expect_whole(&output.stdout_text(), 5);
    // None of them was left behind.
    let counts: Vec<usize> = runs.values().map(|shown| shown.numbers.len()).collect();
    let (least, most) = (counts.iter().min().expect("a run"), counts.iter().max().expect("a run"));
    assert!(most - least < 1500, "{counts:?}");
}

#[test]
fn a_rollout_and_deleted_pods_lose_nothing() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster, 3, "--rate 100 --size 80");
    let running = namespace.kdj().deadline(LONG).start(FOLLOW);
    running.wait_for_stdout(" 200 ");
    namespace.kubectl(["rollout", "restart", "deployment/talker"]);
    namespace.wait_for_rollout(["deployment/talker"]);
    let pod = namespace.pods("talker").pop().expect("a pod");
    namespace.kubectl(["delete", "pod", &pod]);
    namespace.wait_for_rollout(["deployment/talker"]);
    thread::sleep(Duration::from_secs(5));
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130).never_says(&["gap"]);
    let runs = expect_whole(&output.stdout_text(), 7);
    let ended = runs.values().filter(|shown| shown.end.is_some()).count();
    assert!(ended >= 4, "{ended} runs have told their end");
}

#[test]
fn a_container_that_crashes_loses_no_last_words() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster, 2, "--rate 200 --size 60 --count 600 --exit 1");
    let door = Door::open(cluster);
    let running = door.lead(cluster, namespace.kdj().deadline(LONG)).start(FOLLOW);
    running.wait_for_stdout("end ");
    // Nobody is there when the next run ends.
    running.wait_for_stderr("exit 1");
    thread::sleep(Duration::from_secs(3));
    door.shut();
    thread::sleep(Duration::from_secs(4));
    door.open_again();
    thread::sleep(Duration::from_secs(30));
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130).never_says(&["gap"]);
    let runs = expect_whole(&output.stdout_text(), 4);
    assert!(runs.values().filter(|shown| shown.end == Some(600)).count() >= 4, "{runs:?}");
}

#[test]
fn a_rotation_is_followed_and_one_that_nobody_saw_is_a_gap() {
    let Some(cluster) = cluster() else { return };
    // The node rotates at 10 MiB, and looks every 10 seconds.
    let namespace = namespace(cluster, 1, "--rate 1500 --size 1000");
    let door = Door::open(cluster);
    let running = door.lead(cluster, namespace.kdj().deadline(LONG)).start(FOLLOW);
    running.wait_for_stdout(" 30000 ");
    door.shut();
    thread::sleep(Duration::from_secs(30));
    door.open_again();
    running.wait_for_stderr("gap");
    thread::sleep(Duration::from_secs(3));
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130);
    let runs = account(&output.stdout_text());
    let shown = runs.values().next().expect("the run");
    let holes = shown.holes();
    assert_eq!(holes.len(), 1, "{holes:?}\n{}", output.stderr);
    assert!(holes[0].0 >= 30_000 && holes[0].1 > holes[0].0, "{holes:?}");
    assert_eq!(output.stderr.matches("gap").count(), 1, "{}", output.stderr);
    let _ = output.says(&["the node rotated the log while nobody read it"]);
}

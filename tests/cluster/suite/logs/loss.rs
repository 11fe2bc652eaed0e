//! Numbered lines, followed through all that can happen.

use std::{thread, time::Duration};

use rustix::process::Signal;

use serde_json::Value;

use super::{
    super::harness::{Door, cluster},
    FOLLOW, LONG, account, end, expect_whole, namespace,
};

#[test]
fn a_thousand_cut_connections_lose_nothing() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster, 5, "--rate 50 --size 100");
    let door = Door::open(cluster);
    let running = door.lead(cluster, namespace.kdj().deadline(LONG)).start(FOLLOW);
    running.wait_for_stdout(" 100 ");
    let mut chance = Chance(20_261_121);
    let mut cut = 0;
    while cut < 1000 {
        // One or two of the six, or all of them.
        let share = if chance.below(10) == 0 { 1 } else { 4 };
        cut += door.cut_those(|| chance.below(share) == 0);
        thread::sleep(Duration::from_millis(chance.below(100)));
    }
    let output = end(&namespace, running, 5).never_says(&["gap"]);
    let runs = expect_whole(&output.stdout_text(), 5);
    assert!(runs.values().all(|shown| shown.end.is_some()), "{runs:?}");
}

/// Numbers that look random, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        // Xorshift, of Marsaglia.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
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
    let words = ["logs", "own", "--tail", "all", "-o", "json"];
    let running = door.lead(cluster, namespace.kdj().deadline(LONG)).start(words);
    running.wait_for_stdout(" 30000 ");
    door.shut();
    thread::sleep(Duration::from_secs(30));
    door.open_again();
    running.wait_for_stderr("gap");
    thread::sleep(Duration::from_secs(3));
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130).says(&["the node rotated the log while nobody read it"]);
    assert_eq!(output.stderr.matches("gap").count(), 1, "{}", output.stderr);
    let shown = output.stdout_text();
    let mut objects: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    // The gap is said where the hole is, from its last line before to its first line behind.
    let at = objects.iter().position(|object| object["kind"] == "gap").expect("a gap");
    assert_eq!((&objects[at]["from"], &objects[at]["to"]), (&objects[at - 1]["time"], &objects[at + 1]["time"]));
    // The runtime changes files in the midst of a line: the new one may begin with the end of one.
    if objects[at + 1]["line"].as_str().is_some_and(|line| line.len() < 1000 && line.ends_with('x')) {
        objects.remove(at + 1);
    }
    let lines: Vec<&str> = objects.iter().filter_map(|object| object["line"].as_str()).collect();
    let runs = account(&lines.join("\n"));
    let holes = runs.values().next().expect("the run").holes();
    assert_eq!(holes.len(), 1, "{holes:?}\n{}", output.stderr);
    assert!(holes[0].0 >= 30_000 && holes[0].1 > holes[0].0, "{holes:?}");
    let number = |object: &Value| object["line"].as_str()?.split(' ').nth(2)?.parse().ok();
    assert_eq!((number(&objects[at - 1]), number(&objects[at + 1])), (Some(holes[0].0), Some(holes[0].1)));
}

//! Logs on the real cluster: every line a pod wrote is shown once, whatever happens to connections, containers and pods.

mod app;
mod bytes;
mod loss;
mod server;

use std::{collections::BTreeMap, time::Duration};

use rustix::process::Signal;
use serde_json::Value;

use super::harness::{Cluster, CommandOutput, Namespace, SHOP, objects, process::Running, wait::poll_until};

const LONG: Duration = Duration::from_secs(300);

/// All of the log from its first line, byte for byte, following.
const FOLLOW: [&str; 6] = ["logs", "own", "--tail", "all", "-o", "raw"];

/// A Deployment whose pods write numbered lines: the shop's `talk.py` with these arguments, in one string.
fn talking(name: &str, replicas: u32, arguments: &str) -> Value {
    let mut container = objects::container("app", SHOP, ["python", "talk.py"]);
    container["command"].as_array_mut().expect("words").extend(arguments.split(' ').map(Value::from));
    let mut workload = objects::deployment(name, objects::pod([container]));
    workload["spec"]["replicas"] = replicas.into();
    workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 10.into();
    workload
}

/// A namespace in which a role `talker` talks.
fn namespace<'a>(cluster: &'a Cluster, replicas: u32, arguments: &str) -> Namespace<'a> {
    let namespace = Namespace::with(cluster, [talking("talker", replicas, arguments)]);
    namespace.wait_for_rollout(["deployment/talker"]);
    namespace
}

/// What was shown of one run of the program.
#[derive(Debug, Default)]
struct Shown {
    numbers: Vec<u64>,
    /// How many lines it said there were, when it ended.
    end: Option<u64>,
}

impl Shown {
    /// Whether each number is there once, from the first on and in order, to the last where that is known.
    fn is_whole(&self) -> bool {
        let count = self.numbers.len() as u64;
        self.numbers.iter().copied().eq(1..=count) && self.end.is_none_or(|end| end == count)
    }

    /// The numbers that are missing in between.
    fn holes(&self) -> Vec<(u64, u64)> {
        self.numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).map(|pair| (pair[0], pair[1])).collect()
    }
}

/// The lines of each run.
fn account(stdout: &str) -> BTreeMap<String, Shown> {
    let mut runs = BTreeMap::<String, Shown>::new();
    for line in stdout.lines() {
        let mut words = line.split_whitespace();
        let (Some(word), Some(run), Some(number)) = (words.next(), words.next(), words.next()) else {
            panic!("a line that nobody wrote: {line:?}");
        };
        let shown = runs.entry(run.to_owned()).or_default();
        let number = number.parse().unwrap_or_else(|_| panic!("a line that nobody wrote: {line:?}"));
        match word {
            "talk" => shown.numbers.push(number),
            "end" => shown.end = Some(number),
            _ => panic!("a line that nobody wrote: {line:?}"),
        }
    }
    runs
}

/// Checks that nothing is lost and nothing doubled, in so many runs at least.
#[track_caller]
fn expect_whole(stdout: &str, least: usize) -> BTreeMap<String, Shown> {
    let runs = account(stdout);
    assert!(runs.len() >= least, "{} runs instead of {least}", runs.len());
    for (run, shown) in &runs {
        let (count, holes) = (shown.numbers.len(), shown.holes());
        assert!(shown.is_whole(), "run {run}: {count} lines, end {:?}, holes {holes:?}", shown.end);
    }
    runs
}

/// Ends all pods, and kdj once it has shown what each of so many runs said last.
#[track_caller]
fn end(namespace: &Namespace<'_>, running: Running, runs: usize) -> CommandOutput {
    namespace.kubectl(["scale", "deployment/talker", "--replicas", "0"]);
    let ends = || running.stdout_so_far().matches("\nend ").count();
    poll_until("the end of each run", LONG, || (ends() >= runs).then_some(()));
    running.signal(Signal::INT);
    running.finish().expect_code(130)
}

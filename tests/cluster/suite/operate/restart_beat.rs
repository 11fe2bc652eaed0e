//! A beat is restarted, and at no moment there are two.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    thread::{self, JoinHandle},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    super::harness::{Cluster, Namespace, SHOP, cluster, objects},
    kdj, part, pods_of, running, web,
};

/// Counts the pods of a role that run at every moment, by a watch.
struct Census {
    watch: Child,
    reader: JoinHandle<usize>,
}

impl Census {
    fn begin(cluster: &Cluster, namespace: &Namespace<'_>, role: &str) -> Self {
        let selector = format!("component={role}");
        let words =
            ["-n", namespace.name(), "get", "pods", "-l", &selector, "-w", "--output-watch-events", "-o", "json"];
        let mut watch = cluster.kubectl_command().args(words).stdout(Stdio::piped()).spawn().expect("kubectl runs");
        let stdout = watch.stdout.take().expect("its stdout");
        let reader = thread::spawn(move || most_at_once(BufReader::new(stdout)));
        Self { watch, reader }
    }

    /// The most that ran at once.
    fn end(mut self) -> usize {
        self.watch.kill().expect("kubectl ends");
        let _ = self.watch.wait();
        self.reader.join().expect("the events were read")
    }
}

/// A container that has started counts until it has ended, or its pod is gone.
fn most_at_once(events: impl BufRead) -> usize {
    let mut running = BTreeMap::<String, bool>::new();
    let mut most = 0;
    let events = serde_json::Deserializer::from_reader(events).into_iter::<Value>();
    for event in events.map_while(Result::ok) {
        let pod = &event["object"];
        let name = pod["metadata"]["name"].as_str().expect("a name").to_owned();
        let runs = !pod["status"]["containerStatuses"][0]["state"]["running"].is_null();
        running.insert(name, runs && event["type"] != "DELETED");
        most = most.max(running.values().filter(|runs| **runs).count());
    }
    most
}

/// A beat that takes its time to end, and rolls over as Deployments do unless told otherwise.
fn slow_beat() -> Value {
    let script = "trap 'sleep 3; exit 0' TERM; while :; do sleep 0.2; done # celery -A shop beat";
    let mut pod = objects::pod([objects::container("app", SHOP, ["sh", "-c", script])]);
    pod["terminationGracePeriodSeconds"] = json!(10);
    objects::deployment("celerybeat", pod)
}

#[test]
fn there_are_never_two() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [slow_beat()]);
    // The census sees what it is to see: kubectl's own restart has two at once.
    let census = Census::begin(cluster, &namespace, "celerybeat");
    namespace.kubectl(["rollout", "restart", "deployment/celerybeat"]);
    namespace.wait_for_rollout(["deployment/celerybeat"]);
    super::poll_until("one pod", super::DEADLINE, || (all_pods(&namespace) == 1).then_some(()));
    assert_eq!(census.end(), 2);

    for words in [&["restart", "own"][..], &["restart", "own", "celerybeat", "--no-wait"]] {
        let before = pods_of(&namespace, "celerybeat");
        let census = Census::begin(cluster, &namespace, "celerybeat");
        let output = kdj(&namespace).run(words).expect_code(0);
        let _ = output.says(&["by which two beats run for a moment", "celerybeat: restarted, after "]);
        assert_eq!(census.end(), 1);
        assert_ne!(pods_of(&namespace, "celerybeat"), before);
        assert_eq!(part(&namespace, "deployment/celerybeat", "{.spec.strategy.type}"), "RollingUpdate");
    }
}

/// The pods, those included that go.
fn all_pods(namespace: &Namespace<'_>) -> usize {
    namespace.kubectl(["get", "pods", "-o", "name"]).lines().count()
}

#[test]
fn who_leaves_in_between_leaves_a_beat_and_its_strategy() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [slow_beat(), web(1)]);
    let census = Census::begin(cluster, &namespace, "celerybeat");
    let kdj = kdj(&namespace);
    let running = kdj.start(["restart", "own", "celerybeat"]);
    running.wait_for_stderr("celerybeat: 0 of 1 pods updated");
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130);
    let _ = output.says(&["left: the rollout of `celerybeat` goes on without kdj"]).never_says(&["keeps the strategy"]);
    assert_eq!(part(&namespace, "deployment/celerybeat", "{.spec.strategy.type}"), "RollingUpdate");
    namespace.wait_for_rollout(["deployment/celerybeat"]);
    assert_eq!(census.end(), 1);
}

#[test]
fn who_does_not_even_wait_for_that_leaves_the_strategy_that_is_right() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [slow_beat()]);
    let census = Census::begin(cluster, &namespace, "celerybeat");
    let kdj = kdj(&namespace);
    let running = kdj.start(["restart", "own"]);
    running.wait_for_stderr("celerybeat: 0 of 1 pods updated");
    running.signal(Signal::KILL);
    let _ = running.finish();
    namespace.wait_for_rollout(["deployment/celerybeat"]);
    assert_eq!(census.end(), 1);
    assert_eq!(part(&namespace, "deployment/celerybeat", "{.spec.strategy.type}"), "Recreate");
}

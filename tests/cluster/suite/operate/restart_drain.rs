//! Celery workers that finish what they have before they are restarted.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{
    super::harness::{CommandOutput, Kdj, Namespace, cluster},
    kdj, pods_of, shop, wait_for_log, wait_for_workers,
};

/// Sends a task, and waits until a worker has it.
#[track_caller]
fn work(kdj: &Kdj, namespace: &Namespace<'_>, seconds: u32) {
    let code = format!("from orders.tasks import work; work.delay({seconds})");
    let _ = kdj.run(["pyshell", "own", "-r", "shell", "-c", &code]).expect_code(0);
    wait_for_log(namespace, "celeryd", "work started");
}

/// Waits until both workers consume queues, as they say themselves, and one has done a task.
#[track_caller]
fn wait_until_both_work(namespace: &Namespace<'_>, kdj: &Kdj) {
    let in_the_app = |code: &str| {
        let printed = kdj.run(["pyshell", "own", "-r", "shell", "-c", code]).expect_code(0).stdout_text();
        printed.trim().to_owned()
    };
    let consuming = "from shop.celery import app; print(sum(1 for q in (app.control.inspect(timeout=5, limit=2).active_queues() or {}).values() if q))";
    super::poll_until("both consume", super::PATIENCE, || (in_the_app(consuming) == "2").then_some(()));
    let id = in_the_app("from orders.tasks import count_open_orders; print(count_open_orders.delay().id)");
    wait_for_log(namespace, "celeryd", &id);
}

/// Runs it anew, in another namespace, when a worker has hung: one of Celery 5.7 that is told to consume no more while it reads
/// from Redis may read for ever. kdj can but say that it does not answer.
#[track_caller]
fn unless_a_worker_hangs(attempt: impl Fn(&Namespace<'_>, &Kdj) -> bool) {
    let Some(cluster) = cluster() else { return };
    let in_a_new_one = |_| {
        let namespace = shop(cluster);
        wait_for_workers(&namespace);
        attempt(&namespace, &kdj(&namespace))
    };
    assert!((0..5).any(in_a_new_one), "a worker hung each time");
}

/// Whether kdj says so.
#[track_caller]
fn has_hung(output: &CommandOutput) -> bool {
    let hung = output.code == Some(1) && output.stderr.contains(" did not answer\n");
    assert!(!hung || output.stderr.contains("is not drained after"), "{output}");
    hung
}

#[test]
fn tasks_are_finished_before_the_workers_go() {
    unless_a_worker_hangs(|namespace, kdj| {
        let before = pods_of(namespace, "celeryd");
        // Longer than the 10 s a pod gets to end: without the drain it would be cut.
        work(kdj, namespace, 45);
        let begun = Instant::now();
        let output = kdj.run(["restart", "own", "celeryd", "--drain", "--drain-timeout", "180s"]);
        if has_hung(&output) {
            return false;
        }
        let output = output.expect_code(0);
        assert!(begun.elapsed() > Duration::from_secs(15), "{:?}", begun.elapsed());
        let _ = output.says(&[
            "celeryd: 2 workers take no more tasks",
            "celeryd: draining: 1 active task, the longest orders.tasks.work for ",
            "celeryd: drained",
            "celeryd: restarted, after ",
        ]);
        let after = pods_of(namespace, "celeryd");
        assert!(after.len() == 2 && after.iter().all(|pod| !before.contains(pod)), "{before:?} {after:?}");
        // The new ones work.
        work(kdj, namespace, 0);
        true
    });
}

#[test]
fn workers_that_take_tasks_again_do_so_after_a_broken_connection_too() {
    unless_a_worker_hangs(|namespace, kdj| {
        work(kdj, namespace, 600);
        let output = kdj.run(["restart", "own", "celeryd", "--drain", "--drain-timeout", "3s"]).expect_code(1);
        if has_hung(&output) {
            return false;
        }
        // The app has Celery 5.7: older workers would forget, and that would be said.
        let _ = output.says(&["celeryd: its workers take tasks again"]).never_says(&["until they are restarted"]);
        let connections = |kind: &str| {
            namespace.kubectl(["exec", "deployment/redis", "--", "redis-cli", "client", "kill", "type", kind])
        };
        assert_ne!(connections("normal").trim(), "0");
        connections("pubsub");
        for pod in pods_of(namespace, "celeryd") {
            super::poll_until(&format!("{pod} has noticed"), super::PATIENCE, || {
                namespace.kubectl(["logs", &pod]).contains("Connection to broker lost").then_some(())
            });
        }
        wait_until_both_work(namespace, kdj);
        true
    });
}

#[test]
fn workers_that_are_not_drained_in_time_go_on() {
    unless_a_worker_hangs(|namespace, kdj| {
        let before = pods_of(namespace, "celeryd");
        work(kdj, namespace, 600);
        let output = kdj.run(["restart", "own", "celeryd", "--drain", "--drain-timeout", "5s"]).expect_code(1);
        if has_hung(&output) {
            return false;
        }
        let _ = output.says(&[
            "celeryd: its workers take tasks again",
            "error: `celeryd` is not drained after 5 s",
            "1 active task, the longest orders.tasks.work for ",
            "hint: `--drain-timeout` gives them more time",
        ]);
        assert_eq!(pods_of(namespace, "celeryd"), before);
        wait_until_both_work(namespace, kdj);

        // The same for who leaves while it drains.
        let running = kdj.start(["restart", "own", "celeryd", "--drain"]);
        running.wait_for_stderr("celeryd: draining: ");
        running.signal(Signal::INT);
        let output = running.finish().expect_code(130);
        if output.stderr.contains("these workers may still take no tasks") {
            return false;
        }
        let _ = output.says(&["celeryd: its workers take tasks again", "left: `celeryd` is not restarted"]);
        assert_eq!(pods_of(namespace, "celeryd"), before);
        wait_until_both_work(namespace, kdj);
        true
    });
}

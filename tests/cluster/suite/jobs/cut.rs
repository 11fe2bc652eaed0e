//! kdj goes away, or the way to the API server does: the Job goes on, and is taken up again.

use std::{thread, time::Duration};

use rustix::process::Signal;

use super::{
    super::harness::{
        Door, Stdin, cluster,
        wait::{DEADLINE, poll_until},
    },
    jobs, name, namespace, script,
};

#[test]
fn a_job_outlives_the_kdj_that_made_it() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let running = kdj.start(script([], "echo one; sleep 2; echo two; exit 3"));
    running.wait_for_stderr(" job kdj-run-");
    running.signal(Signal::KILL);
    let name = name(&running.finish().stderr);
    let _ = kdj.run(["jobs", "attach", "own", &name]).expect_code(3).prints("one\ntwo\n");
    // And long after its end.
    let _ = kdj.run(["jobs", "attach", "own", &name]).expect_code(3).prints("one\ntwo\n");
}

#[test]
fn a_signal_leaves_it_and_a_reader_that_has_enough() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj().stdin(Stdin::Open);
    let running = kdj.start(script([], "echo begun; sleep 2; echo two; exit 3"));
    running.wait_for_stdout("begun\n");
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130).prints("begun\n");
    let name = name(&output.stderr);
    let _ = output.says(&["which goes on in `own`", &format!("`kdj jobs attach own {name}`")]);
    let _ = kdj.run(["jobs", "attach", "own", &name]).expect_code(3).prints("begun\ntwo\n");

    let kdj = namespace.kdj().close_stdout_after(4);
    let output = kdj.run(script([], "seq 1 100000; sleep 60")).expect_code(0).prints("1\n2\n");
    let _ = output.says(&["nobody reads on; the job goes on"]);
}

#[test]
fn a_pod_deleted_underneath_and_a_job() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let start = || {
        let running = kdj.start(script([], "echo begun; sleep 300 & wait"));
        running.wait_for_stdout("begun\n");
        let name = jobs(&kdj).into_iter().next().expect("a Job");
        (running, name)
    };
    let (running, name) = start();
    namespace.kubectl(["delete", "pod", "-l", &format!("job-name={name}"), "--wait=false"]);
    let output = running.finish().prints("begun\n");
    assert!(matches!(output.code, Some(137 | 143)), "{output}");
    let _ = output.says(&["it was deleted"]);
    // Nothing replaces it.
    poll_until("the Job's end", DEADLINE, || {
        kdj.run(["jobs", "own"]).expect_code(0).stdout_text().contains("Failed").then_some(())
    });
    assert_eq!(namespace.kubectl(["get", "pods", "-l", &format!("job-name={name}"), "-o", "name"]), "");
    let _ = kdj.run(["jobs", "cancel", "own", &name]).expect_code(0);

    let (running, name) = start();
    let _ = kdj.run(["jobs", "cancel", "own", &name]).expect_code(0).says(&["cancelled"]);
    let output = running.finish().prints("begun\n");
    assert!(matches!(output.code, Some(137 | 143 | 255)), "{output}");
    let _ = output.says(&["deleted"]);
}

#[test]
fn an_api_server_that_goes_and_comes_back_is_no_loss() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let door = Door::open(cluster);
    let kdj = door.lead(cluster, namespace.kdj());
    let lines: String = (1..=300).map(|number| format!("{number}\n")).collect();
    let running = kdj.start(script([], "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; sleep 0.05; done; exit 3"));
    running.wait_for_stdout("40\n");
    door.cut();
    running.wait_for_stdout("80\n");
    door.shut();
    running.wait_for_stderr("the job goes on; asking again");
    thread::sleep(Duration::from_secs(4));
    door.open_again();
    let output = running.finish().expect_code(3).prints(&lines);
    assert_eq!(output.stderr.matches("asking again").count(), 1, "{output}");
}

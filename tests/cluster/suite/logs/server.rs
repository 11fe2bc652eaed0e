//! The API server itself goes away.

use std::{thread, time::Duration};

use super::{
    super::harness::{SecondServer, cluster, wait::poll_until},
    FOLLOW, LONG, end, expect_whole, namespace,
};

#[test]
fn an_api_server_that_is_restarted_loses_nothing() {
    let Some(cluster) = cluster() else { return };
    let Some(mut server) = SecondServer::start(cluster) else { return };
    let namespace = namespace(cluster, 3, "--rate 100 --size 80");
    let running = server.lead(namespace.kdj().deadline(LONG)).start(FOLLOW);
    running.wait_for_stdout(" 200 ");
    for patience in [Duration::from_secs(3), Duration::ZERO] {
        server.end(patience);
        thread::sleep(Duration::from_secs(2));
        let before = running.stdout_length();
        server.start_again();
        poll_until("lines behind the restart", LONG, || (running.stdout_length() > before + 30_000).then_some(()));
    }
    let output = end(&namespace, running, 3).never_says(&["gap"]);
    let runs = expect_whole(&output.stdout_text(), 3);
    assert!(runs.values().all(|shown| shown.end.is_some()), "{runs:?}");
}

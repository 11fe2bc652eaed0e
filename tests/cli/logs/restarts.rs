//! Containers that end and are started again: the last words of each run come before the first of the next.

use super::{POD, follow, lines, print, read, stop};
use crate::harness::{ApiServer, Fault, Kdj, On, Rupture, api_server::http::Response, shop, shop::NAMESPACE};

fn server() -> ApiServer {
    let server = ApiServer::http(shop::one_web_pod());
    print(&server, 1..=10);
    server
}

fn crash(server: &ApiServer) {
    server.crash(NAMESPACE, POD, "django", 1);
}

fn restart(server: &ApiServer, times: u32) {
    server.restart(NAMESPACE, POD, "django", times);
}

#[test]
fn a_container_that_is_started_again_is_followed_on() {
    let server = server();
    let running = follow(&server, []);
    running.wait_for_stdout("line 10\n");
    print(&server, 11..=20);
    crash(&server);
    running.wait_for_stderr("- web-aaaaa: exit 1");
    restart(&server, 1);
    print(&server, 21..=30);
    running.wait_for_stdout("line 30\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=30), "{output}");
    let _ = output.never_says(&["gap"]);
}

#[test]
fn the_last_words_are_fetched_after_a_restart_that_was_not_seen() {
    let server = server();
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(10, Rupture::Reset));
    server.fault(On::log(NAMESPACE).times(3), Fault::internal_error());
    let running = follow(&server, []);
    running.wait_for_stdout("line 10\n");
    print(&server, 11..=20);
    crash(&server);
    restart(&server, 1);
    print(&server, 21..=30);
    running.wait_for_stdout("line 30\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=30), "{output}");
    let _ = output.never_says(&["gap"]);
    assert!(server.request_lines().contains("previous=true"), "{}", server.request_lines());
}

#[test]
fn a_log_that_is_removed_after_it_was_read_is_no_gap() {
    let server = server();
    let running = follow(&server, []);
    running.wait_for_stdout("line 10\n");
    let gone = Response::new(200, "text/plain", "unable to retrieve container logs for containerd://dfdadd9d");
    server.fault(On::log(NAMESPACE).times(3), Fault::Respond(gone));
    print(&server, 11..=20);
    crash(&server);
    running.wait_for_stderr("- web-aaaaa: exit 1");
    let output = stop(running).never_says(&["gap", "unable"]);
    assert_eq!(output.stdout_text(), lines(1..=20), "{output}");
}

#[test]
fn runs_that_nobody_can_read_any_more_are_a_gap() {
    let server = server();
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(10, Rupture::Reset));
    server.fault(On::log(NAMESPACE).times(3), Fault::internal_error());
    let running = follow(&server, []);
    running.wait_for_stdout("line 10\n");
    print(&server, 11..=20);
    crash(&server);
    restart(&server, 3);
    print(&server, 21..=30);
    running.wait_for_stdout("line 30\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=10) + &lines(21..=30), "{output}");
    let _ = output.says(&["gap"]);
}

#[test]
fn the_run_before_on_request() {
    let server = server();
    let _ = read(&server, ["-p"]).expect_code(0).prints("");
    crash(&server);
    restart(&server, 1);
    print(&server, 11..=20);
    let _ = read(&server, ["-p", "-o", "raw"]).expect_code(0).prints(&lines(1..=10));
    let _ = read(&server, ["-o", "raw"]).expect_code(0).prints(&lines(11..=20));
    // A time that reaches back to it asks for it, too.
    let output = read(&server, ["-o", "raw", "--since", "1h"]).expect_code(0).prints(&lines(1..=20));
    assert_eq!(output.stderr, "- web-aaaaa: exit 1\n", "the ending is that of the run that ended");
    // Of those before it the node has nothing.
    crash(&server);
    restart(&server, 3);
    let output = read(&server, ["-o", "raw", "--since", "1h"]).expect_code(0);
    let _ = output.says(&["warning: web-aaaaa: the node has no lines of the 3 runs before"]);
}

#[test]
fn the_log_of_the_next_run_is_not_taken_for_that_of_this_one() {
    let server = server();
    // The pod tells of its restart later than the log.
    server.fault(On::watch("pods", NAMESPACE).times(4), Fault::internal_error());
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(10, Rupture::Reset));
    server.fault(On::log(NAMESPACE).times(2), Fault::internal_error());
    let running = follow(&server, []);
    running.wait_for_stdout("line 10\n");
    print(&server, 11..=20);
    crash(&server);
    restart(&server, 1);
    print(&server, 21..=30);
    running.wait_for_stdout("line 30\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=30), "{output}");
    let _ = output.never_says(&["gap"]);
}

#[test]
fn the_log_of_another_pod_of_the_same_name_is_its_own() {
    let server = server();
    server.fault(On::watch("pods", NAMESPACE).times(4), Fault::internal_error());
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(10, Rupture::Reset));
    server.fault(On::log(NAMESPACE).times(2), Fault::internal_error());
    let running = follow(&server, []);
    running.wait_for_stdout("line 10\n");
    server.restart(NAMESPACE, POD, "django", 1);
    let made_anew = shop::web_pod("aaaaa").json(|pod| pod["metadata"]["uid"] = "another".into());
    server.change(|objects| {
        objects.remove("pods", POD);
        *objects = objects.clone().with(made_anew);
    });
    print(&server, 11..=20);
    running.wait_for_stderr("its pod is gone");
    running.wait_for_stdout("line 20\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=20), "{output}");
    let _ = output.says(&["gap", "its pod is gone"]);
}

#[test]
fn a_stateful_pod_that_is_made_anew_is_another_one() {
    let server = server();
    let running = follow(&server, []);
    running.wait_for_stdout("line 10\n");
    server.change(|objects| objects.remove("pods", POD));
    let made_anew = shop::web_pod("aaaaa").json(|pod| pod["metadata"]["uid"] = "another".into());
    server.restart(NAMESPACE, POD, "django", 1);
    print(&server, 11..=20);
    server.change(|objects| *objects = objects.clone().with(made_anew));
    running.wait_for_stdout("line 20\n");
    assert_eq!(stop(running).stdout_text(), lines(1..=20));
}

#[test]
fn a_crash_looping_container_is_followed_from_its_last_run() {
    let server = server();
    crash(&server);
    let running = Kdj::on(&server).start(["logs", "qa", "-o", "raw"]);
    running.wait_for_stdout("line 10\n");
    restart(&server, 1);
    print(&server, 11..=20);
    running.wait_for_stdout("line 20\n");
    assert_eq!(stop(running).stdout_text(), lines(1..=20));
}

//! Whatever cuts the watch and the streams: each line comes once.

use std::time::Duration;

use super::{POD, follow, lines, print, read, stop};
use crate::harness::{ApiServer, Fault, Kdj, On, Rupture, shop, shop::NAMESPACE};

fn server() -> ApiServer {
    ApiServer::http(shop::one_web_pod())
}

#[test]
fn a_stream_that_breaks_is_taken_up_again() {
    for (number, (times, fault)) in [
        (3, Fault::AfterLines(1, Rupture::Reset)),
        (3, Fault::AfterLines(99, Rupture::Close)),
        // Too early, and as if it were all.
        (2, Fault::AfterLines(150, Rupture::End)),
        (1, Fault::AfterLines(0, Rupture::End)),
        (1, Fault::kubelet_error(20)),
        (3, Fault::CutBody(7)),
        (3, Fault::CutBody(5000)),
        (3, Fault::Reset),
        (3, Fault::internal_error()),
        (3, Fault::unauthorized()),
        (3, Fault::too_many_requests(0)),
    ]
    .into_iter()
    .enumerate()
    {
        let server = server();
        server.fault(On::log(NAMESPACE).times(times), fault);
        print(&server, 1..=100);
        let running = follow(&server, ["--tail", "all"]);
        running.wait_for_stderr("+ web-aaaaa");
        print(&server, 101..=200);
        std::thread::sleep(Duration::from_millis(300));
        print(&server, 201..=300);
        running.wait_for_stdout("line 300\n");
        let output = stop(running);
        assert_eq!(output.stdout_text(), lines(1..=300), "fault {number}\n{output}");
        let _ = output.never_says(&["gap"]);
    }
}

#[test]
fn a_backlog_that_breaks_is_read_to_its_end() {
    let server = server();
    server.fault(On::log(NAMESPACE).times(5), Fault::CutBody(300_000));
    print(&server, 1..=100_000);
    let output = read(&server, ["-o", "raw"]).expect_code(0);
    assert!(output.stdout_text() == lines(1..=100_000), "{} bytes", output.stdout.len());
    let _ = output.never_says(&["gap"]);
}

#[test]
fn what_was_not_asked_for_does_not_come_when_a_stream_is_taken_up_again() {
    let server = server();
    // All in one second, as a traceback is.
    print(&server, 1..=80);
    server.fault(On::log(NAMESPACE).times(2), Fault::AfterLines(20, Rupture::Reset));
    let running = follow(&server, []);
    running.wait_for_stdout("line 80\n");
    print(&server, 81..=90);
    running.wait_for_stdout("line 90\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(31..=90), "{output}");
    let _ = output.never_says(&["gap"]);
}

#[test]
fn from_now_on_no_line_is_lost() {
    for had in [5, 0] {
        let server = server();
        if had > 0 {
            print(&server, 1..=had);
        }
        // The first request asks where the log ends, and the second reads.
        server.fault(On::log(NAMESPACE).once(), Fault::internal_error());
        server.fault(On::log(NAMESPACE).after(1).times(4), Fault::AfterLines(1, Rupture::Reset));
        let running = follow(&server, ["--tail", "0"]);
        server.wait_for_request("the log", |request| request.parameter("follow") == Some("true"));
        print(&server, 6..=10);
        running.wait_for_stdout("line 10\n");
        let output = stop(running);
        assert_eq!(output.stdout_text(), lines(6..=10), "{output}");
        let _ = output.never_says(&["gap"]);
    }
    let server = server();
    print(&server, 1..=5);
    let _ = read(&server, ["-o", "raw", "--tail", "0"]).expect_code(0).prints("");
}

#[test]
fn a_right_that_is_away_for_a_moment_ends_nothing() {
    let server = server();
    print(&server, 1..=10);
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(10, Rupture::Reset));
    server.fault(On::log(NAMESPACE).times(4), Fault::forbidden("dev", "get", "pods/log", NAMESPACE));
    let running = follow(&server, []);
    running.wait_for_stdout("line 10\n");
    print(&server, 11..=20);
    running.wait_for_stdout("line 20\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=20), "{output}");
    let _ = output.says(&["warning: `dev` may not `get` `pods/log`"]);
}

#[test]
fn what_the_node_says_again_and_again_is_said() {
    let server = server();
    print(&server, 1..=10);
    server.fault(On::log(NAMESPACE).times(5), Fault::kubelet_error(0));
    let running = follow(&server, ["--tail", "all"]);
    running.wait_for_stdout("line 10\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=10), "{output}");
    let said = "warning: web-aaaaa: the node says: failed to create fsnotify watcher: too many open files";
    assert_eq!(output.stderr.matches(said).count(), 1, "{output}");
    let _ = output.says(&["warning: cannot read the log: its node ends it"]);
}

#[test]
fn a_node_that_does_not_answer_holds_nothing_up_for_ever() {
    let server = ApiServer::http(shop::one_web_pod().with(shop::web_pod("bbbbb")));
    for pod in [POD, "web-7c9d8f-bbbbb"] {
        server.log(NAMESPACE, pod, "django", "line 1\n");
    }
    server.fault(On::log(NAMESPACE).once(), Fault::Blackhole);
    let kdj = Kdj::on(&server).deadline(Duration::from_secs(60));
    let output = kdj.run(["-q", "logs", "qa", "-o", "raw", "--no-follow"]).expect_code(1).prints("line 1\n");
    let _ = output.says(&["warning: the node has not answered yet", "the log of web-", "cannot be read on"]);
}

#[test]
fn a_watch_that_breaks_is_taken_up_again() {
    for fault in [
        Fault::watch_expires(0),
        Fault::AfterLines(1, Rupture::Reset),
        Fault::forbidden("dev", "watch", "pods", NAMESPACE),
        Fault::internal_error(),
        Fault::unauthorized(),
    ] {
        let server = server();
        server.fault(On::watch("pods", NAMESPACE).times(2), fault);
        print(&server, 1..=1);
        let running = follow(&server, []);
        running.wait_for_stdout("line 1\n");
        let new = shop::web_pod("ccccc");
        server.change(|objects| *objects = objects.clone().with(new));
        server.log(NAMESPACE, "web-7c9d8f-ccccc", "django", "hello\n");
        running.wait_for_stdout("hello\n");
        assert_eq!(stop(running).stdout_text(), "line 1\nhello\n");
    }
}

#[test]
fn a_history_that_is_forgotten_hides_no_pod() {
    let server = server();
    server.end_watches_after(Duration::from_secs(1));
    let running = follow(&server, []);
    server.wait_for_request("the watch", |request| request.is_watch());
    server.forget_history();
    server.change(|objects| *objects = objects.clone().with(shop::web_pod("ccccc")));
    server.log(NAMESPACE, "web-7c9d8f-ccccc", "django", "hello\n");
    running.wait_for_stdout("hello\n");
    let _ = stop(running);
}

#[test]
fn a_log_rotated_while_nobody_read_has_a_gap() {
    let server = server();
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(10, Rupture::Reset));
    server.fault(On::log(NAMESPACE).times(3), Fault::internal_error());
    print(&server, 1..=10);
    let running = follow(&server, ["--tail", "all"]);
    running.wait_for_stdout("line 10\n");
    print(&server, 11..=20);
    server.rotate(NAMESPACE, POD, "django");
    print(&server, 21..=30);
    running.wait_for_stdout("line 30\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=10) + &lines(21..=30));
    let _ = output.says(&["warning: gap", "the node rotated the log"]);
}

#[test]
fn a_log_rotated_while_it_is_read_has_none() {
    let server = server();
    print(&server, 1..=10);
    let running = follow(&server, ["--tail", "all"]);
    running.wait_for_stdout("line 10\n");
    server.rotate(NAMESPACE, POD, "django");
    print(&server, 11..=20);
    running.wait_for_stdout("line 20\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=20));
    let _ = output.never_says(&["gap"]);
}

#[test]
fn a_stream_that_has_stalled_is_noticed() {
    let server = server();
    print(&server, 1..=5);
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(5, Rupture::Silence));
    let running = Kdj::on(&server).deadline(Duration::from_secs(90)).start(["logs", "qa", "-o", "raw"]);
    running.wait_for_stdout("line 5\n");
    print(&server, 6..=10);
    // It is doubted after 20 s.
    std::thread::sleep(Duration::from_secs(15));
    server.wait_for_request("the question", |request| request.parameter("tailLines") == Some("1"));
    running.wait_for_stdout("line 10\n");
    assert_eq!(stop(running).stdout_text(), lines(1..=10));
}

#[test]
fn a_server_that_is_away_for_a_while_is_said_once_and_waited_for() {
    let server = server();
    print(&server, 1..=5);
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(5, Rupture::Reset));
    server.fault(On::log(NAMESPACE).times(5), Fault::Reset);
    let running = follow(&server, []);
    print(&server, 6..=10);
    running.wait_for_stdout("line 10\n");
    let output = stop(running);
    assert_eq!(output.stdout_text(), lines(1..=10));
    assert_eq!(output.stderr.matches("cannot").count(), 1, "{output}");
}

#[test]
fn bytes_stay_as_they_are() {
    let mut bytes = b"\xff\xfe not text\r\n\0\n\n\x1b]52;c;x\x07\n".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', 10_000_000));
    bytes.extend(b"\nhalf");
    let server = server();
    server.log(NAMESPACE, POD, "django", &bytes);
    for fault in [Some(Fault::CutBody(3_000_000)), None] {
        if let Some(fault) = fault {
            server.fault(On::log(NAMESPACE).once(), fault);
        }
        let output = read(&server, ["-o", "raw"]).expect_code(0);
        assert!(output.stdout == bytes, "{} bytes instead of {}", output.stdout.len(), bytes.len());
    }
}

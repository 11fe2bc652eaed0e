//! Whatever cuts the watch and the log: each line comes once, and the exit code is the true one.

use std::time::{Duration, Instant};

use super::{name, objects, run, server, words};
use crate::harness::{
    ApiServer, Fault, Kdj, Kubeconfig, On, Run, Rupture, Turn, plugin::Plugin, shop::NAMESPACE, status,
};

/// 300 lines in three bursts, the end after a moment.
fn talks() -> Run {
    let burst =
        |from: usize| Turn::prints((from..from + 100).map(|number| format!("line {number}\n")).collect::<String>());
    let pause = || Turn::Pause(Duration::from_millis(300));
    Run::starts_and([burst(1), pause(), burst(101), pause(), burst(201), pause(), Turn::ends(3)])
}

fn lines() -> String {
    (1..=300).map(|number| format!("line {number}\n")).collect()
}

#[test]
fn a_watch_that_breaks_is_taken_up_again() {
    for (number, fault) in [
        Fault::watch_expires(1),
        Fault::AfterLines(2, Rupture::Reset),
        Fault::AfterLines(3, Rupture::Close),
        Fault::AfterLines(2, Rupture::End),
        Fault::forbidden("dev", "watch", "pods", NAMESPACE),
        Fault::internal_error(),
        Fault::unauthorized(),
        Fault::CutBody(100),
    ]
    .into_iter()
    .enumerate()
    {
        let server = server(talks());
        server.fault(On::watch("pods", NAMESPACE).times(2), fault);
        let output = run(&server, []);
        assert_eq!((output.code, output.stdout_text()), (Some(3), lines()), "fault {number}\n{output}");
    }
}

#[test]
fn who_may_not_watch_looks_now_and_then() {
    let server = server(talks());
    server.fault(On::watch("pods", NAMESPACE), Fault::forbidden("dev", "watch", "pods", NAMESPACE));
    let _ = run(&server, []).expect_code(3).prints(&lines());
}

#[test]
fn a_log_that_breaks_is_taken_up_again() {
    for (number, (times, fault)) in [
        (3, Fault::AfterLines(1, Rupture::Reset)),
        (3, Fault::AfterLines(99, Rupture::Close)),
        // Too early, and as if it were all.
        (1, Fault::AfterLines(150, Rupture::End)),
        (1, Fault::AfterLines(0, Rupture::End)),
        (3, Fault::CutBody(7)),
        (3, Fault::CutBody(5000)),
        (3, Fault::Reset),
        (3, Fault::Close),
        (3, Fault::internal_error()),
        (3, Fault::unauthorized()),
        (3, Fault::too_many_requests(0)),
    ]
    .into_iter()
    .enumerate()
    {
        let server = server(talks());
        server.fault(On::log(NAMESPACE).times(times), fault);
        let output = run(&server, []);
        assert_eq!((output.code, output.stdout_text()), (Some(3), lines()), "fault {number}\n{output}");
    }
}

#[test]
fn a_server_that_is_away_for_a_while_is_waited_for() {
    let server = server(Run::starts_and([Turn::prints("one\n"), Turn::Hold, Turn::prints("two\n"), Turn::ends(3)]));
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    server.fault(On::watch("pods", NAMESPACE).once(), Fault::AfterLines(3, Rupture::Reset));
    server.fault(On::log(NAMESPACE).once(), Fault::AfterLines(1, Rupture::Reset));
    for on in [On::get(&pods), On::log(NAMESPACE)] {
        server.fault(on.times(4), Fault::Reset);
    }
    let running = Kdj::on(&server).start(words([]));
    running.wait_for_stderr("the job goes on; asking again: ");
    server.go_on();
    let output = running.finish().expect_code(3).prints("one\ntwo\n");
    assert_eq!(output.stderr.matches("asking again").count(), 1, "{output}");
}

#[test]
fn a_log_that_may_not_be_read_does_not_hide_the_exit_code() {
    let server = server(talks());
    server.fault(On::log(NAMESPACE), Fault::forbidden("dev", "get", "pods/log", NAMESPACE));
    let output = run(&server, []).expect_code(3).prints("");
    let _ = output.says(&["warning: the log, or the rest of it, cannot be read", "`dev` may not `get` `pods/log`"]);
}

#[test]
fn pods_that_may_not_be_listed_leave_the_outcome_unknown() {
    let server = ApiServer::http(objects());
    server.run(talks());
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    server.fault(On::watch("pods", NAMESPACE), Fault::forbidden("dev", "watch", "pods", NAMESPACE));
    server.fault(On::get(&pods), Fault::forbidden("dev", "list", "pods", NAMESPACE));
    let output = run(&server, []).expect_code(255).prints("");
    let _ = output.says(&["`dev` may not `list` `pods`", "the job goes on", "kdj jobs attach qa kdj-run-"]);
    assert_eq!(server.objects("jobs").len(), 1);
}

#[test]
fn a_flood_is_followed_without_a_loss() {
    let server = server(Run::starts_and([Turn::PrintsLines(200_000), Turn::ends(0)]));
    let all: String = (1..=200_000).map(|number| format!("line {number}\n")).collect();
    server.fault(On::log(NAMESPACE).once(), Fault::CutBody(2_000_000));
    let output = run(&server, []).expect_code(0);
    assert!(output.stdout_text() == all, "{} bytes instead of {}", output.stdout.len(), all.len());
}

#[test]
fn a_history_that_is_forgotten_is_asked_for_once() {
    let server = server(Run::starts_and([Turn::prints("begun\n"), Turn::Hold, Turn::ends(3)]));
    let running = Kdj::on(&server).start(words([]));
    running.wait_for_stdout("begun\n");
    server.forget_history();
    std::thread::sleep(Duration::from_secs(3));
    server.go_on();
    let _ = running.finish().expect_code(3).prints("begun\n");
    let requests = server.requests();
    let lists = requests.iter().filter(|it| it.method == "GET" && it.path.ends_with("/pods") && !it.is_watch()).count();
    assert_eq!(lists, 1, "{}", server.request_lines());
}

#[test]
fn a_log_that_never_ends_is_read_all_the_same() {
    // A node that is lost, before the first line and in the midst of them.
    for fault in [Fault::Blackhole, Fault::AfterLines(0, Rupture::Silence), Fault::AfterLines(150, Rupture::Silence)] {
        let server = server(talks());
        server.fault(On::log(NAMESPACE).once(), fault);
        let started = Instant::now();
        let _ = run(&server, []).expect_code(3).prints(&lines());
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    }
}

#[test]
fn a_token_that_expires_on_the_way_is_renewed_for_the_streams() {
    let server = server(talks());
    let kdj = Kdj::on(&server);
    let plugin = Plugin::with_fresh_tokens(&kdj.bin(), "t", 3600);
    let kubeconfig = Kubeconfig::empty().server("acme-staging", &server).context("acme-staging", "dev", None);
    let kdj = kdj.kubeconfig(&kubeconfig.plugin("dev", &plugin));
    server.fault(On::watch("pods", NAMESPACE).once(), Fault::unauthorized());
    server.fault(On::log(NAMESPACE).once(), Fault::unauthorized());
    let _ = kdj.run(words([])).expect_code(3).prints(&lines()).never_says(&["asking again"]);
    assert!((2..=3).contains(&plugin.runs().len()), "{:?}", plugin.runs());
    let requests = server.requests();
    let lists = requests.iter().filter(|it| it.method == "GET" && it.path.ends_with("/pods") && !it.is_watch()).count();
    assert_eq!(lists, 0, "{}", server.request_lines());
}

#[test]
fn a_log_that_is_away_for_a_while_is_said_once() {
    let server = server(Run::starts_and([
        Turn::prints("one\n"),
        Turn::Pause(Duration::from_secs(5)),
        Turn::prints("two\n"),
        Turn::ends(3),
    ]));
    server.fault(On::log(NAMESPACE).times(6), Fault::internal_error());
    let output = run(&server, []).expect_code(3).prints("one\ntwo\n");
    assert_eq!(output.stderr.matches("the job goes on; asking again: cannot read the log").count(), 1, "{output}");
}

#[test]
fn a_container_that_ended_and_waits_to_start_has_no_log() {
    let server = server(talks());
    let message = r#"container "django" in pod "a" is waiting to start: PodInitializing"#;
    server.fault(On::log(NAMESPACE), Fault::status(&status::failure(400, "BadRequest", message)));
    let started = Instant::now();
    let output = run(&server, []).expect_code(3).prints("");
    let _ = output.says(&["warning: the log, or the rest of it, cannot be read"]);
    let output = Kdj::on(&server).run(["jobs", "logs", "qa", &name(&server)]).expect_code(1).prints("");
    let _ = output.says(&["cannot read the log", message]);
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

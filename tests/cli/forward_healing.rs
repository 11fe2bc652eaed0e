//! `kdj forward` when pods go, or are not ready, or the API server has no time: who connects is served all the same.

use std::{net::TcpListener, time::Duration};

use crate::{
    forward::{connect, echoed, forwarding, start},
    harness::{
        ApiServer, CONFIG, Exec, Fault, Kdj, On, PortForward, PortService, Refusal, Rupture,
        shop::{self, NAMESPACE},
        wait::poll_until,
    },
};

const FIRST: &str = "web-7c9d8f-aaaaa";
const SECOND: &str = "web-7c9d8f-bbbbb";

fn set_ready(server: &ApiServer, pod: &str, ready: &str) {
    server.change(|objects| {
        objects.change("pods", pod, |pod| {
            for condition in pod["status"]["conditions"].as_array_mut().expect("conditions") {
                if condition["type"] == "Ready" {
                    condition["status"] = ready.into();
                }
            }
        });
    });
}

#[test]
fn a_server_without_time_for_another_lane_is_asked_again() {
    let server = forwarding([(8000, PortService::Echo)]);
    let (_running, port) = start(&Kdj::on(&server), "web", 8000);
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{FIRST}/portforward");
    server.fault(On::prefix(&path).times(4), Fault::unavailable());
    let open: Vec<_> = (0..3).map(|_| connect(port)).collect();
    for stream in &open {
        echoed(stream, b"x");
    }
}

#[test]
fn a_pod_that_went_before_it_was_watched_is_replaced() {
    let server = forwarding([(8000, PortService::Echo)]);
    // The first list chooses; the second is the watch's.
    server.fault(On::pods(NAMESPACE).after(1).once(), Fault::Delay(Duration::from_secs(2)));
    let (running, port) = start(&Kdj::on(&server), "web", 8000);
    server.change(|objects| objects.remove("pods", FIRST));
    running.wait_for_stderr(&format!("web: pod {FIRST} was deleted; now by pod {SECOND}"));
    echoed(&connect(port), b"x");
}

#[test]
fn a_connection_that_fails_leads_to_a_look_at_the_pod() {
    let server = ApiServer::http(shop::two_web_pods());
    server.forward(PortForward::serves([]).in_pod(FIRST));
    server.forward(PortForward::serves([(8000, PortService::Echo)]).in_pod(SECOND));
    // The watch tells nothing.
    server.fault(On::watch("pods", NAMESPACE).once(), Fault::AfterLines(0, Rupture::Silence));
    let (running, port) = start(&Kdj::on(&server), "web", 8000);
    let _ = server.wait_for_request("the watch", |request| request.is_watch());
    server.change(|objects| objects.remove("pods", FIRST));
    echoed(&connect(port), b"x");
    running.wait_for_stderr(&format!("pod {FIRST} was deleted; now by pod {SECOND}"));
}

#[test]
fn a_pod_that_is_not_ready_is_left_once_there_is_a_better_one() {
    let server = ApiServer::http(shop::one_web_pod());
    server.forward(PortForward::serves([(8000, PortService::Echo)]));
    let (running, port) = start(&Kdj::on(&server), "web", 8000);
    let old = connect(port);
    echoed(&old, b"old");
    set_ready(&server, FIRST, "False");
    running.wait_for_stderr("it is used all the same");
    echoed(&connect(port), b"x");
    let lanes = || server.requests().iter().filter(|request| request.path.ends_with("/portforward")).count();
    let before = lanes();
    // It is looked again, and nothing is opened or said for that.
    let looks = || server.requests().iter().filter(|request| request.path.ends_with("/pods")).count();
    let looked = looks();
    poll_until("another look", Duration::from_secs(30), || (looks() > looked).then_some(()));
    assert_eq!(lanes(), before, "{}", server.request_lines());
    assert_eq!(running.stderr_so_far().matches("is not ready").count(), 1, "{}", running.stderr_so_far());
    server.change(|objects| *objects = objects.clone().with(shop::web_pod("bbbbb")));
    running.wait_for_stderr(&format!("now by pod {SECOND}"));
    echoed(&connect(port), b"new");
    // Who was there stays.
    echoed(&old, b"old");
}

#[test]
fn a_relay_is_started_in_another_pod_when_the_first_one_goes() {
    let server = forwarding([]);
    let kdj = Kdj::on(&server).config(&format!("{CONFIG}[forwards.mail]\nhost = \"mail\"\nport = 25\n"));
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{FIRST}/exec");
    server.fault(On::prefix(&path).once(), Fault::Delay(Duration::from_secs(2)));
    server.exec(Exec::refused(&Refusal::PodNotFound(FIRST.into())).in_pod(FIRST));
    let refusal = Refusal::forbidden("dev", "create", SECOND, NAMESPACE);
    server.exec(Exec::refused(&refusal).in_pod(SECOND));
    let running = kdj.start(["forward", "qa", "mail"]);
    let _ = server.wait_for_request("the exec", |request| request.path == path);
    server.change(|objects| objects.remove("pods", FIRST));
    let output = running.finish();
    assert!(output.stderr.contains(SECOND) && !output.stderr.contains("not found"), "{output}");
}

#[test]
fn a_typed_port_in_use_is_told_before_any_request() {
    let server = forwarding([(8000, PortService::Echo)]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("its address").port();
    let output = Kdj::on(&server).run(["forward", "qa", "db", &port.to_string()]);
    let _ = output.expect_code(1).prints("").says(&[&format!("port {port} is in use by ")]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn the_record_begins_before_anything_is_executed() {
    let server = forwarding([]);
    server.exec(Exec::refused(&Refusal::forbidden("dev", "create", FIRST, NAMESPACE)));
    let kdj = Kdj::on(&server).config(&format!("{CONFIG}protected = true\n"));
    let _ = kdj.run(["forward", "qa", "db", "--confirm", "qa"]).prints("");
    let journal = std::fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).expect("a journal");
    let phases: Vec<_> = ["begin", "end"].map(|phase| journal.contains(&format!("\"phase\":\"{phase}\""))).into();
    assert_eq!(phases, [true, true], "{journal}");
    assert!(journal.contains(&format!("pod/{FIRST}")), "{journal}");
}

//! `kdj status -w`: what changes is shown, and what cannot be seen any more is said.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{
    ApiServer, Fault, Kdj, Kubeconfig, On, Rupture, objects::Pod, plugin::Plugin, pty::Pty, shop, shop::NAMESPACE,
};

/// The web's second pod fails.
fn fail(server: &ApiServer) {
    server.change(|objects| {
        objects.remove("pods", "web-7c9d8f-bbbbb");
        *objects = objects.clone().with(shop::in_web(Pod::crash_looping("web-7c9d8f-bbbbb", 3, "Error")));
        objects.change("deployments", "web", |web| web["status"]["readyReplicas"] = json!(1));
    });
}

#[test]
fn without_a_terminal_each_change_is_a_line() {
    let server = ApiServer::http(shop::two_web_pods());
    let kdj = Kdj::on(&server);
    let running = kdj.start(["status", "qa", "-w"]);
    running.wait_for_stdout("qa: web 2/2 ready, 1.42");
    fail(&server);
    running.wait_for_stdout("qa: web: 1 of 2 pods ready: container `django` ends with exit 3");
    server.change(|objects| {
        objects.remove("pods", "web-7c9d8f-bbbbb");
        *objects = objects.clone().with(shop::web_pod("bbbbb"));
    });
    running.wait_for_stdout("qa: over: web: 1 of 2 pods ready");
    running.signal(Signal::INT);
    let _ = running.finish().expect_code(130);
    // One list and one watch of each kind; nothing is asked for again and again.
    assert_eq!(server.requests().len(), 12, "{}", server.request_lines());
}

#[test]
fn json_is_a_line_for_each_change() {
    let server = ApiServer::http(shop::two_web_pods());
    let running = Kdj::on(&server).start(["status", "qa", "-w", "-o", "json"]);
    running.wait_for_stdout("\"health\":\"ok\"");
    let changed = Instant::now();
    fail(&server);
    running.wait_for_stdout("\"health\":\"broken\"");
    assert!(changed.elapsed() < Duration::from_secs(5), "{:?}", changed.elapsed());
    running.signal(Signal::TERM);
    let output = running.finish().expect_code(143);
    for line in output.stdout_text().lines() {
        let status: Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!((&status["version"], &status["environment"]), (&json!(1), &json!("qa")));
    }
}

#[test]
fn a_lost_connection_is_said_and_comes_back() {
    let server = ApiServer::http(shop::two_web_pods());
    server.fault(On::watch("pods", NAMESPACE).once(), Fault::AfterLines(1, Rupture::Reset));
    server.fault(On::watch("pods", NAMESPACE).after(1).times(1), Fault::Reset);
    server.fault(On::pods(NAMESPACE).after(1).times(3), Fault::Reset);
    let running = Kdj::on(&server).start(["status", "qa", "-w"]);
    running.wait_for_stdout("qa: web 2/2 ready");
    server.change(|objects| {
        objects.change("pods", "web-7c9d8f-aaaaa", |pod| pod["metadata"]["labels"]["x"] = json!("y"));
    });
    running.wait_for_stdout("qa: no connection since ");
    fail(&server);
    running.wait_for_stdout("qa: web 1/2 ready");
    running.wait_for_stdout("qa: over: no connection");
    running.signal(Signal::INT);
    let _ = running.finish().expect_code(130);
    server.forgive();
}

#[test]
fn a_terminal_is_redrawn_and_given_back() {
    let server = ApiServer::http(shop::two_web_pods());
    let kdj = Kdj::on(&server);
    let mut pty = Pty::run(&kdj, ["status", "qa", "-w"]);
    pty.wait_for("2/2");
    fail(&server);
    pty.wait_for("BROKEN");
    pty.press("\x03");
    let status = pty.finish();
    assert_eq!(status.code(), Some(130));
    pty.expect_restored();
    let text = pty.text();
    let left = text.rfind("\x1b[?1049l").expect("the terminal's own screen is back");
    assert!(text.starts_with("\x1b[?1049h\x1b[?25l") && text[..left].ends_with("\x1b[?25h"), "{text:?}");
    // What was seen last stays.
    assert!(text[left..].contains("web: 1 of 2 pods ready"), "{text:?}");
}

#[test]
fn who_may_not_watch_looks_now_and_then() {
    let server = ApiServer::http(shop::two_web_pods());
    server.fault(On::watch("pods", NAMESPACE), Fault::forbidden("dev", "watch", "pods", NAMESPACE));
    let running = Kdj::on(&server).start(["status", "qa", "-w"]);
    running.wait_for_stdout("qa: web 2/2 ready");
    fail(&server);
    running.wait_for_stdout("qa: web 1/2 ready");
    running.signal(Signal::INT);
    let _ = running.finish().expect_code(130);
}

#[test]
fn where_nothing_can_be_opened_it_ends_with_the_error() {
    let server = ApiServer::http(shop::two_web_pods());
    let kdj = Kdj::on(&server);
    let plugin = Plugin::failing(&kdj.bin(), "SSO session expired", 3);
    let kubeconfig =
        Kubeconfig::empty().server("acme-staging", &server).context("acme-staging", "dev", Some(NAMESPACE));
    let kdj = kdj.kubeconfig(&kubeconfig.plugin("dev", &plugin));
    for words in [&["status", "qa", "-w"][..], &["status", "qa", "-w", "-o", "json"]] {
        let _ = kdj.run(words).expect_code(1).says(&["SSO session expired"]);
    }
}

#[test]
fn it_ends_when_nobody_reads() {
    let server = ApiServer::http(shop::two_web_pods());
    for words in [&["status", "qa", "-w"][..], &["status", "qa", "-w", "-o", "json"]] {
        let output = Kdj::on(&server).close_stdout_after(7).run(words).expect_code(0);
        let _ = output.never_says(&["error"]);
    }
}

#[test]
fn what_is_refused_for_a_moment_is_asked_for_again() {
    let server = ApiServer::http(shop::two_web_pods());
    server.fault(On::watch("pods", NAMESPACE).once(), Fault::AfterLines(1, Rupture::Reset));
    server.fault(On::pods(NAMESPACE).after(1).times(1), Fault::forbidden("dev", "list", "pods", NAMESPACE));
    let running = Kdj::on(&server).deadline(Duration::from_secs(60)).start(["status", "qa", "-w"]);
    running.wait_for_stdout("qa: web 2/2 ready");
    server.change(|objects| {
        objects.change("pods", "web-7c9d8f-aaaaa", |pod| pod["metadata"]["labels"]["x"] = json!("y"));
    });
    running.wait_for_stdout("qa: not seen: pods: `dev` may not `list` `pods`");
    fail(&server);
    running.wait_for_stdout("qa: over: not seen: pods");
    running.signal(Signal::INT);
    let _ = running.finish().expect_code(130);
    server.forgive();
}

#[test]
fn keys_do_not_show_and_do_not_stop_it() {
    let server = ApiServer::http(shop::two_web_pods());
    let mut pty = Pty::run(&Kdj::on(&server), ["status", "qa", "-w"]);
    pty.wait_for("2/2");
    pty.press("xyz\x1a\x1c");
    fail(&server);
    pty.wait_for("BROKEN");
    pty.press("\x03");
    assert_eq!(pty.finish().code(), Some(130));
    pty.expect_restored();
    assert!(!pty.text().contains("xyz"), "{:?}", pty.text());
}

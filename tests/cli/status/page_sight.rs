//! What the page says of what it cannot see, or not any more.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    time::Duration,
};

use super::{
    page::{fail, patient},
    web::serve,
};
use crate::harness::{
    ApiServer, Browser, Fault, Kubeconfig, On,
    objects::{Deployment, Objects},
    shop,
    shop::NAMESPACE,
};

/// The words of the overview.
fn words(browser: &mut Browser) -> String {
    browser.eval("[...document.querySelectorAll('#overview .word')].map((it) => it.textContent).join()").to_string()
}

/// So many environments `qa0`, `qa1`, …, each with a web pod that is ready, and their configuration.
fn environments(count: usize) -> (ApiServer, String, Vec<String>) {
    let (mut objects, mut config, mut names) = (Objects::default(), String::new(), Vec::new());
    for number in 0..count {
        let name = format!("qa{number}");
        objects = objects
            .and_namespace(&name)
            .with(Deployment::new("web", 1).container("django", "registry.acme.dev/shop:1.42", &["gunicorn"]))
            .with(shop::web_pod("aaaaa"));
        config.push_str(&format!("[environments.{name}]\ncontext = 'acme-staging'\nnamespace = '{name}'\n"));
        names.push(name);
    }
    (ApiServer::http(objects), config, names)
}

/// For how long a namespace may not be listed.
#[derive(PartialEq)]
enum Forbidden {
    Once,
    Always,
}

/// Nothing of this namespace may be listed.
fn forbid(server: &ApiServer, namespace: &str, how: Forbidden) {
    // What is listed of each group when an environment is looked at.
    for (group, lists) in [("/api/v1", 2), ("/apis/apps/v1", 3), ("/apis/autoscaling/v2", 1)] {
        let on = On::prefix(&format!("{group}/namespaces/{namespace}/"));
        let on = if how == Forbidden::Once { on.times(lists) } else { on };
        server.fault(on, Fault::pods_forbidden("dev", namespace));
    }
}

#[test]
fn a_right_withdrawn_while_the_page_is_open_is_said() {
    let server = ApiServer::http(shop::two_web_pods());
    server.end_watches_after(Duration::from_secs(1));
    let served = serve(&patient(&server), &["qa"]);
    let mut browser = Browser::start(1200, 900);
    browser.open(&served.address);
    browser.wait_for("2 of 2 pods ready");
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    server.fault(On::prefix(&pods), Fault::pods_forbidden("dev", NAMESPACE));
    browser.wait_for("Not seen");
    browser.wait_for("pods: ");
    assert_eq!(words(&mut browser), "\"ok (not all seen)\"");
    assert_eq!(browser.eval("document.title"), "(not all seen) qa: ok – kdj status");
    // All of it.
    forbid(&server, NAMESPACE, Forbidden::Always);
    browser.wait_for("Deployments: ");
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(words(&mut browser), "\"BROKEN (not all seen)\"", "{}", browser.text());
    assert!(!browser.text().contains("2 of 2 pods ready"), "{}", browser.text());
    // It is granted again.
    server.forgive();
    browser.wait_for("2 of 2 pods ready");
    browser.wait("document.querySelector('#overview .word').textContent === 'ok'");
    let _ = served.stop();
}

#[test]
fn what_could_not_be_opened_is_said_not_to_be_tried_again() {
    let server = ApiServer::http(shop::two_web_pods());
    let kubeconfig = Kubeconfig::of(&server)
        .server("acme-prod", &server)
        .change_cluster("acme-prod", |cluster| cluster["certificate-authority-data"] = "no base64!".into())
        .context("acme-prod", "dev", Some("shop"));
    let config = "[environments.qa]\ncontext = 'acme-staging'\nnamespace = 'shop-qa'\n\
                  [environments.prod]\ncontext = 'acme-prod'\nnamespace = 'shop'\n";
    let served = serve(&patient(&server).kubeconfig(&kubeconfig).config(config), &["qa", "prod"]);
    let mut browser = Browser::start(1200, 900);
    browser.open(&served.address);
    browser.wait_for("2 of 2 pods ready");
    browser.wait_for("the cluster's certificate authority cannot be read");
    browser.wait_for("It does not try again: start it anew for that.");
    assert_eq!(words(&mut browser), "\"ok,cannot be seen\"");
    assert_eq!(browser.eval("document.title"), "qa: ok, prod: cannot be seen – kdj status");
    let _ = served.stop();
}

#[test]
fn an_environment_that_is_seen_keeps_the_page_whatever_becomes_of_the_others() {
    let (server, config, _) = environments(2);
    // The first is refused once; the other answers late, and says no, when the first is seen already.
    forbid(&server, "qa0", Forbidden::Once);
    server.fault(On::prefix("/api/v1/namespaces/qa1/"), Fault::Delay(Duration::from_secs(14)));
    forbid(&server, "qa1", Forbidden::Always);
    let served = serve(&patient(&server).config(&config), &["qa0", "qa1"]);
    let mut browser = Browser::start(1200, 900);
    browser.open(&served.address);
    browser.wait_for("It goes on trying.");
    browser.wait_for("1 of 1 pods ready");
    browser.wait("document.querySelectorAll('#overview .word')[1].textContent === 'cannot be seen'");
    assert!(browser.text().contains("live; this page only looks"), "{}", browser.text());
    assert!(browser.text().contains("It goes on trying."), "{}", browser.text());
    let output = served.stop();
    assert_eq!(output.stderr.matches("error: ").count(), 2, "each is told once: {output}");
}

#[test]
fn of_many_environments_those_that_break_are_folded_out() {
    let (server, config, names) = environments(5);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let served = serve(&patient(&server).config(&config), &names);
    let mut browser = Browser::start(1200, 900);
    browser.open(&served.address);
    browser.wait("document.querySelectorAll('#overview .ok.word').length === 5");
    let open = "[...document.querySelectorAll('.environment > details')].map((it) => it.open)";
    assert_eq!(browser.eval(open), serde_json::json!([false, false, false, false, false]));
    // What the reader folds out stays so.
    browser.eval("document.querySelector('.environment > details > summary').click()");
    server.change(|objects| {
        let web = objects.get("deployments", "qa3", "web").cloned();
        assert!(web.is_some());
        objects.retain("pods", |pod| pod["metadata"]["namespace"] != "qa3");
        for (resource, object) in objects.iter_mut() {
            if resource == "deployments" && object["metadata"]["namespace"] == "qa3" {
                object["status"] = serde_json::json!({
                    "replicas": 1, "unavailableReplicas": 1, "observedGeneration": 1,
                    "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}],
                });
            }
        }
    });
    browser.wait("document.querySelectorAll('#overview .broken.word').length === 1");
    assert_eq!(browser.eval(open), serde_json::json!([true, false, false, true, false]));
    assert_eq!(browser.eval("document.title"), "✖ 1 of 5 broken – kdj status");
    // Its events are wanted then.
    assert_eq!(
        browser.eval("document.querySelectorAll('.environment')[3].querySelector('details').dataset.open"),
        "true"
    );
    assert_eq!(browser.complaints(), &[] as &[String]);
    let _ = served.stop();
}

#[test]
fn who_takes_the_port_after_kdj_tells_the_page_nothing() {
    let server = ApiServer::http(shop::two_web_pods());
    let served = serve(&patient(&server), &["qa"]);
    let mut browser = Browser::start(1200, 900);
    browser.open(&served.address);
    browser.wait_for("2 of 2 pods ready");
    let port: u16 = served.address.split([':', '/']).nth(4).and_then(|port| port.parse().ok()).expect("a port");
    let _ = served.stop();
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free again");
    let events = "event: status\ndata: {\"status\": {\"environment\": \"qa\", \"headline\": \"forged\"}}\n\n\
                  event: hello\ndata: {\"key\": \"guessed\", \"environments\": [{\"name\": \"forged\", \"program\": \"kdj\"}]}\n\n\
                  event: status\ndata: {\"status\": {\"environment\": \"qa\", \"headline\": \"forged\"}}\n\n";
    let stranger = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the page asks");
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        stream.write_all(format!("{head}{events}").as_bytes()).expect("the page reads");
        listener
    });
    browser.wait_for("another program answers at its address");
    let listener = stranger.join().expect("the stranger answers");
    // It asks no more.
    listener.set_nonblocking(true).expect("a listener that does not wait");
    std::thread::sleep(Duration::from_secs(5));
    assert!(listener.accept().is_err(), "the page asks the stranger again");
    assert!(!browser.eval("document.documentElement.outerHTML").to_string().contains("forged"), "{}", browser.text());
    assert_eq!(words(&mut browser), "\"ok (old)\"");
    fail(&server);
}

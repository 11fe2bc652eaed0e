//! The request budget, and what befalls plain requests.

use std::time::{Duration, Instant};

use crate::harness::{ApiServer, CONFIG, Exec, Fault, Kdj, Kubeconfig, On, shop, shop::NAMESPACE};

const TRUE: [&str; 4] = ["shell", "qa", "--", "true"];

/// With the role's selector configured, so that nothing needs to be detected.
const WITH_SELECTOR: &str = r#"
[environments.qa]
context = "acme-staging"
namespace = "shop-qa"

[roles.web]
selector = "app.kubernetes.io/component=web"
container = "django"
"#;

#[test]
fn a_command_takes_two_requests_and_one_while_the_choice_is_warm() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0).always());
    let kdj = Kdj::on(&server).config(WITH_SELECTOR);
    let run = |number: usize| {
        let _ = kdj.run(["shell", "qa", "--role", "web", "--", "true"]).expect_code(0);
        assert_eq!(server.requests().len(), number, "{}", server.request_lines());
    };
    run(2);
    run(3);
    let requests = server.requests();
    assert_eq!(requests[0].parameter("labelSelector"), Some("app.kubernetes.io/component=web"));
    assert!(requests[1].is_session() && requests[2].is_session(), "{}", server.request_lines());
}

#[test]
fn without_configuration_it_is_one_request_more_at_most() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0));
    let _ = Kdj::on(&server).run(TRUE).expect_code(0);
    assert!(server.requests().len() <= 3, "{}", server.request_lines());
}

#[test]
fn the_pod_of_a_protected_environment_is_chosen_anew_each_time() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0).always());
    let kdj = Kdj::on(&server).config(&format!("{CONFIG}protected = true\n"));
    for _ in 0..2 {
        let _ = kdj.run(["shell", "qa", "--confirm", "qa", "--", "true"]).expect_code(0);
    }
    assert_eq!(server.requests().iter().filter(|request| request.path.ends_with("/pods")).count(), 2);
}

#[test]
fn a_remembered_pod_that_is_gone_is_replaced() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0).in_pod("web-7c9d8f-aaaaa"));
    server.exec(Exec::prints("", 0).in_pod("web-7c9d8f-bbbbb"));
    let kdj = Kdj::on(&server);
    let _ = kdj.run(TRUE).expect_code(0);
    server.change(|objects| {
        objects.remove("pods", "web-7c9d8f-aaaaa");
        *objects = objects.clone().with(shop::web_pod("bbbbb"));
    });
    let _ = kdj.run(TRUE).expect_code(0).says(&["web-7c9d8f-bbbbb"]);
}

#[test]
fn an_overloaded_server_is_asked_again() {
    for fault in [Fault::too_many_requests(1), Fault::unavailable(), Fault::queue_full()] {
        let server = ApiServer::http(shop::one_web_pod());
        server.exec(Exec::prints("", 0));
        server.fault(On::pods(NAMESPACE).once(), fault);
        let _ = Kdj::on(&server).run(TRUE).expect_code(0).says(&["again"]);
    }
}

#[test]
fn retry_after_is_honoured() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0));
    server.fault(On::pods(NAMESPACE).once(), Fault::too_many_requests(2));
    let started = Instant::now();
    let _ = Kdj::on(&server).run(TRUE).expect_code(0);
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn retry_after_is_honoured_without_a_status() {
    use crate::harness::api_server::http::Response;
    let overloaded = |seconds: u32| {
        Fault::Respond(Response::new(429, "text/plain", "Too many requests.\n").header("Retry-After", seconds))
    };
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0));
    server.fault(On::pods(NAMESPACE).once(), overloaded(2));
    let started = Instant::now();
    let _ = Kdj::on(&server).run(TRUE).expect_code(0);
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());

    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::pods(NAMESPACE), overloaded(3600));
    let _ = Kdj::on(&server).run(TRUE).expect_code(125).says(&["429", "3600 s", "overloaded"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_choice_is_remembered_for_the_same_question_only() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints("", 0).always());
    let two = format!("{CONFIG}\n[environments.same]\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\n");
    let kdj = Kdj::on(&server).config(&two);
    let lists = || server.requests().iter().filter(|request| request.path.ends_with("/pods")).count();
    let other = kdj.directory().join("home/other");
    std::fs::copy(kdj.directory().join("home/.kube/config"), &other).expect("a copy");
    let other = other.to_str().expect("UTF-8").to_owned();
    let runs: [(&[&str], usize); 6] = [
        (&["shell", "qa", "--", "true"], 1),
        (&["shell", "qa", "--", "true"], 1),
        (&["shell", "same", "--", "true"], 2),
        (&["--as", "ops", "shell", "qa", "--", "true"], 3),
        (&["--kubeconfig", &other, "shell", "qa", "--", "true"], 4),
        (&["--as", "ops", "shell", "qa", "--", "true"], 4),
    ];
    for (arguments, expected) in runs {
        let _ = kdj.run(arguments).expect_code(0);
        assert_eq!(lists(), expected, "{arguments:?}");
    }
}

#[test]
fn an_overloaded_server_is_not_asked_for_ever() {
    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::pods(NAMESPACE), Fault::unavailable());
    let _ = Kdj::on(&server).run(TRUE).expect_code(125).says(&["unable to handle the request"]);
    let count = server.requests().len();
    assert!((2..=5).contains(&count), "{count} requests");
}

#[test]
fn refusals_are_not_repeated_and_say_what_is_missing() {
    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::pods(NAMESPACE), Fault::pods_forbidden("viewer", NAMESPACE));
    let _ = Kdj::on(&server).run(TRUE).expect_code(125).says(&["`viewer`", "list", "pods", "shop-qa", "acme-staging"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn expired_logins_say_so() {
    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::any(), Fault::unauthorized());
    let _ = Kdj::on(&server).run(TRUE).expect_code(125).says(&["acme-staging", "log in"]);
    assert_eq!(server.requests().len(), 1, "a fixed token has no better one to offer");
}

#[test]
fn a_web_page_is_not_kubernetes() {
    for code in [200, 403, 502] {
        let server = ApiServer::http(shop::one_web_pod());
        server.fault(On::pods(NAMESPACE), Fault::html(code));
        let output = Kdj::on(&server).run(TRUE).expect_code(125).never_says(&["<html>"]);
        let _ = output.says(&["proxy"]);
    }
}

#[test]
fn garbage_and_cut_answers_are_errors() {
    for (fault, phrase) in [
        (Fault::garbage(), "list pods"),
        (Fault::CutBody(40), "acme-staging"),
        (Fault::internal_error(), "leader changed"),
    ] {
        let server = ApiServer::http(shop::one_web_pod());
        server.fault(On::pods(NAMESPACE), fault);
        let _ = Kdj::on(&server).run(TRUE).expect_code(125).says(&["error:", phrase]);
    }
}

#[test]
fn a_broken_connection_is_tried_again() {
    for fault in [Fault::Reset, Fault::Close] {
        let server = ApiServer::http(shop::one_web_pod());
        server.exec(Exec::prints("", 0));
        server.fault(On::pods(NAMESPACE).once(), fault);
        let _ = Kdj::on(&server).run(TRUE).expect_code(0);
    }
}

#[test]
fn an_exec_is_never_repeated_blindly() {
    let server = ApiServer::http(shop::one_web_pod());
    let exec = format!("/api/v1/namespaces/{NAMESPACE}/pods/web-7c9d8f-aaaaa/exec");
    server.fault(On::prefix(&exec), Fault::Reset);
    // Nobody knows whether the command was started.
    let output = Kdj::on(&server).run(TRUE);
    let _ = output.expect_code(255).says(&["nobody knows"]);
    assert_eq!(server.requests().iter().filter(|request| request.is_session()).count(), 1);
}

#[test]
fn a_server_that_is_down_is_named() {
    let port = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        socket.local_addr().expect("the port that was bound").port()
    };
    let nowhere = |server: String| {
        Kubeconfig::empty().cluster("acme-staging", serde_json::json!({"server": server})).token("dev", "t").context(
            "acme-staging",
            "dev",
            None,
        )
    };
    let run = |server: String| Kdj::bare().config(CONFIG).kubeconfig(&nowhere(server)).run(TRUE).expect_code(125);
    let _ = run(format!("http://127.0.0.1:{port}")).says(&["acme-staging", &port.to_string(), "hint:"]);
    let _ = run("https://kdj-test.invalid".to_owned()).says(&["kdj-test.invalid", "name", "VPN"]);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::pods(NAMESPACE), Fault::Blackhole);
    let output = Kdj::on(&server).deadline(Duration::from_secs(50)).run(TRUE);
    let _ = output.expect_code(125).says(&["list pods", "no answer"]);
}

#[test]
fn a_handshake_that_never_comes_is_given_up() {
    let server = ApiServer::https(shop::one_web_pod());
    server.fall_silent();
    let output = Kdj::on(&server).deadline(Duration::from_secs(50)).run(TRUE);
    let _ = output.expect_code(125).says(&["acme-staging"]);
}

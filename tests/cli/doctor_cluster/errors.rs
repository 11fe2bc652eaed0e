//! Errors of other commands name the check that says more.

use serde_json::json;

use crate::harness::{ApiServer, CONFIG, Fault, Kdj, Kubeconfig, On, Pod, shop, shop::NAMESPACE};

/// That the command fails and names this check of `qa`.
#[track_caller]
fn names(kdj: &Kdj, arguments: &[&str], check: &str) {
    let output = kdj.run(arguments);
    assert_ne!(output.code, Some(0), "{output}");
    let _ = output.says(&[&format!("hint: `kdj doctor qa --only {check}` says more")]);
}

/// What is named looks at the same place, as the same user.
#[test]
fn the_command_that_says_more_has_the_flags_of_the_one_that_failed() {
    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::get("/api/v1/namespaces/other/pods").once(), Fault::pods_forbidden("ada", "other"));
    let output = Kdj::on(&server).run(["shell", "-n", "other", "qa", "--as", "ada", "--", "true"]);
    let _ = output.expect_code(125).says(&["hint: `kdj -n other --as ada doctor qa --only cluster.rights` says more"]);
}

/// So has all that is to be typed next, of the doctor's own rows as of hints.
#[test]
fn what_is_to_be_typed_next_has_the_flags_too() {
    let broken = ApiServer::http(shop::web_pods([shop::in_web(Pod::crash_looping("web-7c9d8f-aaaaa", 1, "Error"))]));
    let kdj = Kdj::on(&broken);
    let global = ["--context", "acme-staging", "-n", NAMESPACE];
    let flags = format!("--context acme-staging -n {NAMESPACE}");
    let output = kdj.run(global.iter().chain(&["doctor", "qa", "--only", "application.pods"])).expect_code(1);
    let text = output.stdout_text();
    assert!(text.contains(&format!("fix: `kdj {flags} status qa --why`")), "{output}");
    let output = kdj.run(global.iter().chain(&["doctor", "qa", "--only", "nothing"])).expect_code(2);
    let _ = output.says(&[&format!("`kdj {flags} doctor --list` lists them")]);
    let output = kdj.run(global.iter().chain(&["doctor", "--only", "machine.git"])).expect_code(0);
    assert!(output.stdout_text().contains(&format!("`kdj {flags} doctor ENV`")), "{output}");
}

#[test]
fn errors_name_the_check_that_says_more() {
    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::pods(NAMESPACE).once(), Fault::pods_forbidden("dev", NAMESPACE));
    names(&Kdj::on(&server), &["shell", "qa", "--", "true"], "cluster.rights");
    server.fault(On::pods(NAMESPACE).once(), Fault::unauthorized());
    names(&Kdj::on(&server), &["shell", "qa", "--", "true"], "credentials");
    names(&Kdj::on(&server), &["shell", "qa", "--role", "wep", "--", "true"], "application.workloads");

    let cluster = json!({"server": "https://127.0.0.1:1"});
    let kubeconfig = Kubeconfig::empty().cluster("acme-staging", cluster).token("dev", "t");
    let kubeconfig = kubeconfig.context("acme-staging", "dev", None);
    names(&Kdj::bare().kubeconfig(&kubeconfig).config(CONFIG), &["status", "qa"], "cluster.reachable");
    names(&Kdj::bare().config(CONFIG), &["status", "qa"], "kubeconfig");

    let broken = ApiServer::http(shop::web_pods([shop::in_web(Pod::crash_looping("web-7c9d8f-aaaaa", 1, "Error"))]));
    names(&Kdj::on(&broken), &["shell", "qa", "--", "true"], "application.pods");
}

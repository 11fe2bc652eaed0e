//! Errors of other commands name the check that says more.

use serde_json::json;

use crate::harness::{ApiServer, CONFIG, Fault, Kdj, Kubeconfig, On, Pod, shop, shop::NAMESPACE};

/// That `kdj status qa` fails and names this check.
#[track_caller]
fn names(kdj: &Kdj, arguments: &[&str], check: &str) {
    let output = kdj.run(arguments);
    assert_ne!(output.code, Some(0), "{output}");
    let _ = output.says(&[&format!("hint: `kdj doctor qa --only {check}` says more")]);
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

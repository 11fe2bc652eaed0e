//! Many environments, and many pods.

use std::time::{Duration, Instant};

use crate::harness::{
    ApiServer, Fault, Kdj, Kubeconfig, On,
    objects::{Deployment, Objects, Pod, ReplicaSet},
    shop,
};

const CONTEXTS: [&str; 3] = ["acme-a", "acme-b", "acme-c"];

/// Thirty environments, ten in each of three contexts.
fn thirty() -> (Objects, String, Vec<String>) {
    let (mut objects, mut config, mut names) = (Objects::default(), String::new(), Vec::new());
    for number in 0..30 {
        let name = format!("qa{number}");
        objects = objects
            .and_namespace(&name)
            .with(Deployment::new("web", 1).container("django", "registry.acme.dev/shop:1.42", &["gunicorn"]))
            .with(shop::web_pod("aaaaa"));
        let context = CONTEXTS[number % 3];
        config.push_str(&format!("[environments.{name}]\ncontext = '{context}'\nnamespace = '{name}'\n"));
        names.push(name);
    }
    (objects, config, names)
}

#[test]
fn thirty_environments_take_no_longer_than_twice_the_slowest() {
    let (objects, config, names) = thirty();
    let server = ApiServer::http(objects);
    let slow = Duration::from_secs(3);
    server.fault(On::any(), Fault::Delay(slow));
    let mut kubeconfig = Kubeconfig::of(&server);
    for context in CONTEXTS {
        kubeconfig = kubeconfig.server(context, &server).context(context, "dev", None);
    }
    let kdj = Kdj::on(&server).kubeconfig(&kubeconfig).config(&config);
    let start = Instant::now();
    let output = kdj.run([&["status"][..], &names.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    let took = start.elapsed();
    let output = output.expect_code(0);
    assert_eq!(output.stdout_text().matches(": ok: 1 of 1 pods ready").count(), 30, "{output}");
    assert_eq!(server.requests().len(), 120);
    assert!(took < slow * 2, "{took:?}");
}

#[test]
fn what_one_environment_lacks_stops_no_other() {
    let (objects, config, _) = thirty();
    let server = ApiServer::http(objects);
    server.fault(On::pods("qa1"), Fault::Blackhole);
    server.fault(On::prefix("/api/v1/namespaces/qa2/"), Fault::pods_forbidden("dev", "qa2"));
    server.fault(On::prefix("/apis/apps/v1/namespaces/qa2/"), Fault::pods_forbidden("dev", "qa2"));
    let mut kubeconfig = Kubeconfig::of(&server);
    for context in CONTEXTS {
        kubeconfig = kubeconfig.server(context, &server).context(context, "dev", None);
    }
    let kdj = Kdj::on(&server).kubeconfig(&kubeconfig).config(&config).deadline(Duration::from_secs(60));
    let output = kdj.run(["status", "qa0", "qa1", "qa2", "-o", "json"]).expect_code(1);
    let document: serde_json::Value = serde_json::from_str(&output.stdout_text()).expect("JSON");
    let said = |at: usize, field: &str| document["environments"][at][field].as_str().unwrap_or_default().to_owned();
    assert_eq!((said(0, "environment"), said(0, "health")), ("qa0".to_owned(), "ok".to_owned()));
    assert!(said(2, "error").contains("may not `list` `pods`"), "{output}");
    assert!(said(1, "error").contains("no answer for `qa1` within 15 s"), "{output}");
}

#[test]
fn two_hundred_pods_are_one_list() {
    let mut objects = Objects::in_namespace(shop::NAMESPACE);
    for number in 0..20 {
        let name = format!("role{number}");
        objects = objects
            .with(Deployment::new(&name, 10).container("app", "shop:1", &["sleep", "infinity"]))
            .with(ReplicaSet::of(&name, "5d5d5d", 1, 10));
        for pod in 0..10 {
            let pod = Pod::ready(&format!("{name}-5d5d5d-{pod}")).owned_by_replica_set(&name, "5d5d5d");
            objects = objects.with(pod.component(&name).container("app", "shop:1", &["sleep", "infinity"]));
        }
    }
    let server = ApiServer::http(objects);
    let output = Kdj::on(&server).run(["status", "qa"]).expect_code(0);
    assert!(output.stdout_text().contains("ok: 200 of 200 pods ready in 20 roles"), "{output}");
    assert_eq!(server.requests().len(), 4);
}

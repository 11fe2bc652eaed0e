//! `kdj envs --live`: every cluster has its say, and the one that fails stops no other.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{
    ApiServer, Fault, Kdj, Kubeconfig, On,
    objects::{Objects, Pod},
    plugin::Plugin,
    pty::Pty,
    shop::{self, NAMESPACE},
};

const CONFIG: &str = r#"
[environments.dead]
context = "acme-dead"
namespace = "shop"

[environments.denied]
context = "acme-staging"
namespace = "secret"

[environments.own-qa]
context = "acme-staging"
namespace = "own"

[environments.qa]
context = "acme-staging"
namespace = "shop-qa"

[environments."*-qa"]
context = "acme-staging"
namespace = "tenants-qa"
instance = "{name}"

[environments."pr-*"]
context = "acme-staging"
namespace = "shop-{name}"

[environments."gone-*"]
context = "acme-staging"
namespace = "tenants-qa"
instance = "{name}"
"#;

/// The shop, two tenants and what else has an instance label, one namespace of a pull request.
fn objects() -> Objects {
    let tenant = |instance: &str| shop::in_web(Pod::ready(&format!("{instance}-web-7c9d8f-aaaaa"))).instance(instance);
    let pulling = Pod::waiting("car2-qa-web-7c9d8f-bbbbb", "ImagePullBackOff", "no such image");
    let pulling = shop::in_web(pulling).instance("car2-qa");
    shop::two_web_pods()
        .and_namespace("tenants-qa")
        .with(tenant("car1-qa"))
        .with(tenant("car2-qa"))
        .with(pulling)
        .with(tenant("own-qa"))
        .with(tenant("shared"))
        .and_namespace("shop-pr-7")
        .with(shop::web_pod("aaaaa"))
}

fn kubeconfig(server: &ApiServer) -> Kubeconfig {
    let dead = json!({"server": "http://127.0.0.1:1"});
    Kubeconfig::of(server).cluster("acme-dead", dead).context("acme-dead", "dev", None)
}

#[test]
fn each_environment_has_its_row_whatever_the_others_do() {
    let server = ApiServer::http(objects());
    server.fault(On::pods("secret"), Fault::pods_forbidden("dev", "secret"));
    let kdj = Kdj::on(&server).kubeconfig(&kubeconfig(&server)).config(CONFIG);
    let output = kdj.run(["envs", "--live"]).expect_code(1);
    insta::assert_snapshot!(output, @"
    NAME      CONTEXT        NAMESPACE    READY       PROBLEM
    car1-qa   acme-staging   tenants-qa   1/1         <none>
    car2-qa   acme-staging   tenants-qa   1/2         car2-qa-web-7c9d8f-bbbbb: ImagePullBackOff: no such image
    dead      acme-dead      shop         <unknown>   cannot reach the API server of context `acme-dead` at http://127.0.0.1:1: Connection refused (os er…
    denied    acme-staging   secret       <unknown>   `dev` may not `list` `pods` in namespace `secret` (context `acme-staging`): pods is forbidden: User…
    gone-*    acme-staging   tenants-qa   0/0         no instance exists now
    own-qa    acme-staging   own          0/0         no pods
    pr-7      acme-staging   shop-pr-7    1/1         <none>
    qa        acme-staging   shop-qa      2/2         <none>
    [exit status: 1]
    ");
    // One LIST of pods per namespace and entry, and one of namespaces for the pattern that needs it.
    let mut paths: Vec<String> = server.requests().iter().map(|request| request.path.clone()).collect();
    paths.sort();
    let pods = |namespace: &str| format!("/api/v1/namespaces/{namespace}/pods");
    let expected = [
        "/api/v1/namespaces".to_owned(),
        pods("own"),
        pods("secret"),
        pods("shop-pr-7"),
        pods("shop-qa"),
        pods("tenants-qa"),
        pods("tenants-qa"),
    ];
    assert_eq!(paths, expected);
}

#[test]
fn json_and_names_expand_patterns_too() {
    let server = ApiServer::http(objects());
    let config = "[environments.'*-qa']\ncontext = 'acme-staging'\nnamespace = 'tenants-qa'\ninstance = '{name}'\n";
    let kdj = Kdj::on(&server).config(config);
    let _ = kdj.run(["envs", "--live", "-o", "name"]).expect_code(0).prints("car1-qa\ncar2-qa\nown-qa\n");
    let output = kdj.run(["envs", "--live", "-o", "json"]).expect_code(0);
    let document: serde_json::Value = serde_json::from_str(&output.stdout_text()).expect("JSON");
    let second = &document["environments"][1];
    assert_eq!((&second["name"], &second["instance"]), (&json!("car2-qa"), &json!("car2-qa")));
    assert_eq!((&second["live"]["ready"], &second["live"]["total"]), (&json!(1), &json!(2)));
}

#[test]
fn a_plugin_runs_once_for_all_environments_of_a_context() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::on(&server);
    let plugin = Plugin::with_token(&kdj.bin(), "canary-from-plugin");
    let kubeconfig = Kubeconfig::empty().server("acme-staging", &server).plugin("dev", &plugin);
    let kdj = kdj.kubeconfig(&kubeconfig.context("acme-staging", "dev", None)).config(
        "[environments.qa]\ncontext = 'acme-staging'\nnamespace = 'shop-qa'\n\
         [environments.other]\ncontext = 'acme-staging'\nnamespace = 'other'\n",
    );
    let _ = kdj.run(["envs", "--live"]).expect_code(0).never_says(&["canary-from-plugin"]);
    assert_eq!(plugin.runs().len(), 1);
}

#[test]
fn a_silent_server_is_not_waited_for_long() {
    let server = ApiServer::http(objects());
    server.fault(On::pods(NAMESPACE), Fault::Blackhole);
    let start = Instant::now();
    let kdj = Kdj::on(&server).deadline(Duration::from_secs(40));
    let output = kdj.run(["envs", "--live"]).expect_code(1);
    assert!(output.stdout_text().contains("no answer within 15 s"), "{output}");
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
}

#[test]
fn credential_plugins_do_not_ask_at_the_same_time() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::on(&server);
    let log = kdj.directory().join("log");
    let plugin = |name: &str| {
        let directory = kdj.bin().join(name);
        std::fs::create_dir(&directory).expect("a directory for a plugin");
        let token =
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}"#;
        let log = log.display();
        Plugin::script(&directory, &format!("echo begin >> '{log}'\nsleep 0.5\necho end >> '{log}'\necho '{token}'"))
    };
    let kubeconfig = Kubeconfig::empty()
        .server("acme-prod", &server)
        .server("acme-staging", &server)
        .user("a", json!({"exec": plugin("a").exec_config()}))
        .user("b", json!({"exec": plugin("b").exec_config()}))
        .context("acme-prod", "a", None)
        .context("acme-staging", "b", None);
    let kdj = kdj.kubeconfig(&kubeconfig).config(
        "[environments.prod]\ncontext = 'acme-prod'\nnamespace = 'shop-qa'\n\
         [environments.qa]\ncontext = 'acme-staging'\nnamespace = 'shop-qa'\n",
    );
    // Without a terminal nothing asks, and nobody waits.
    let _ = kdj.run(["envs", "--live", "-o", "name"]).expect_code(0).prints("prod\nqa\n");
    assert_eq!(std::fs::read_to_string(&log).expect("a log"), "begin\nbegin\nend\nend\n");
    std::fs::remove_file(&log).expect("a log");
    let mut pty = Pty::run(&kdj, ["envs", "--live", "-o", "name"]);
    pty.wait_for("qa\r\n");
    assert_eq!(std::fs::read_to_string(&log).expect("a log"), "begin\nend\nbegin\nend\n");
}

#[test]
fn explain_asks_nothing() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::on(&server).kubeconfig(&kubeconfig(&server)).config(CONFIG);
    let output = kdj.run(["--explain", "envs", "--live"]).expect_code(0);
    insta::assert_snapshot!(output.stdout_text(), @"
    kubectl --context acme-staging -n tenants-qa get pods -l app.kubernetes.io/instance
    kubectl --context acme-dead -n shop get pods
    kubectl --context acme-staging -n secret get pods
    kubectl --context acme-staging -n own get pods
    kubectl --context acme-staging get namespaces
    kubectl --context acme-staging -n shop-qa get pods
    ");
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn explained_requests_are_those_that_would_be_made() {
    let server = ApiServer::http(objects());
    let config = "[environments.car1]\ncontext = 'acme-staging'\nnamespace = 'tenants-qa'\ninstance = 'car1-qa'\n\
                  [environments.lost]\ncontext = 'nowhere'\nnamespace = 'shop'\n";
    let kdj = Kdj::on(&server).config(config).file("project/other", &Kubeconfig::of(&server).text());
    let output = kdj
        .run(["--explain", "--kubeconfig", "other", "--as", "ops", "--as-group", "a b", "envs", "--live"])
        .expect_code(1)
        .says(&["`lost`", "`nowhere`"]);
    let line = "kubectl --kubeconfig other --context acme-staging -n tenants-qa --as ops --as-group 'a b' get pods -l \
                'app.kubernetes.io/instance=car1-qa'\n";
    let _ = output.prints(line);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

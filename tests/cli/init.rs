//! `kdj init`: what it finds, what it proposes, and that it overwrites nothing and waits for nobody.

mod ending;
mod neighbours;
mod reach;

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::harness::{
    ApiServer, CommandOutput, Fault, Kdj, Kubeconfig, On,
    objects::{Objects, Pod},
    plugin::Plugin,
    pty::Pty,
    shop::{self, NAMESPACE},
};

/// The shop in two namespaces, tenants, a pod with two likely containers, and neighbours that are no Django.
fn objects() -> Objects {
    let tenant = |instance: &str| {
        let pod = Pod::ready(&format!("{instance}-web-7c9d8f-aaaaa")).component("web").instance(instance);
        pod.owned_by_replica_set(&format!("{instance}-web"), "7c9d8f").django("django")
    };
    let two = Pod::ready("web-1").owned_by_replica_set("web", "1").component("web").django("one").django("two");
    shop::whole()
        .and_namespace("shop")
        .with(shop::web_pod("aaaaa"))
        .and_namespace("tenants-qa")
        .with(tenant("car1-qa"))
        .with(tenant("car2-qa"))
        .and_namespace("injected")
        .with(two)
        .and_namespace("front")
        .with(Pod::ready("front-1").owned_by_replica_set("front", "1").container("node", "node:22", &["node"]))
}

/// The cluster by two contexts, the first one's namespace set, and a context that leads nowhere.
fn kubeconfig(server: &ApiServer) -> Kubeconfig {
    Kubeconfig::of(server)
        .context_on("acme-prod", "acme-staging", "dev", None)
        .cluster("acme-dead", json!({"server": "http://127.0.0.1:1"}))
        .context("acme-dead", "dev", None)
}

fn newcomer(server: &ApiServer) -> Kdj {
    Kdj::bare().kubeconfig(&kubeconfig(server)).filter_port(server)
}

fn written(kdj: &Kdj) -> Option<String> {
    fs::read_to_string(kdj.directory().join("project/kdj.toml")).ok()
}

#[test]
fn what_runs_becomes_a_file() {
    let server = ApiServer::http(objects());
    let kdj = newcomer(&server);
    let output = kdj.run(["init", "--dry-run"]).expect_code(0);
    golden(&output.to_string(), "what_runs_becomes_a_file");
    assert_eq!(written(&kdj), None);
    // One LIST for each context that answers.
    let paths: Vec<String> = server.requests().iter().map(|request| request.path.clone()).collect();
    assert_eq!(paths, ["/api/v1/pods", "/api/v1/pods"]);
}

#[test]
fn what_is_written_is_shown_loads_and_works() {
    let server = ApiServer::http(objects());
    let kdj = newcomer(&server);
    let printed = kdj.run(["init", "--print"]).expect_code(0).stdout_text();
    // Nobody answers inside the app here: the checks of `kdj doctor` say so, and the file stays.
    let output = kdj.run(["init", "--yes"]).expect_code(1);
    server.forgive();
    golden(&stderr_after(&output, "wrote "), "what_is_written_is_tried_out");
    let stdout = output.stdout_text();
    assert!(stdout.contains("✗ ") && stdout.contains("qa"), "{output}");
    assert_eq!(written(&kdj).as_deref(), Some(printed.as_str()));
    assert!(output.stderr.contains("[environments.qa]"), "{output}");
    let envs = kdj.run(["envs", "-o", "name"]).expect_code(0);
    assert_eq!(envs.stdout_text(), "*-qa\ninjected\nqa\nshop\n");
}

#[test]
fn a_file_that_is_there_is_never_changed() {
    let server = ApiServer::http(objects());
    let own = "# mine\n[environments.staging]\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\n";
    let kdj = newcomer(&server).config(own);
    let output = kdj.run(["init", "--yes"]).expect_code(0).says(&["stays as it is"]);
    assert_eq!(written(&kdj).as_deref(), Some(own));
    let added = output.stdout_text();
    assert!(added.contains("[environments.\"*-qa\"]") && !added.contains("\"shop-qa\""), "{added}");
    // What it printed fits behind what was there, and then nothing is missing.
    let kdj = kdj.config(&format!("{own}{added}"));
    let output = kdj.run(["init"]).expect_code(0).says(&["has all of it"]);
    assert_eq!(output.stdout_text(), "");
    // What has another meaning where it is added is said: `KDJ_CONFIG` keeps the entries that are there from being known.
    let kdj = kdj.variable("KDJ_CONFIG", "none");
    let _ = kdj.run(["init"]).expect_code(0).says(&["would not load as it stands", "kdj.toml:"]);
    let kdj = kdj.variable("KDJ_CONFIG", "");
    // One that does not load is not repaired either.
    let kdj = kdj.config("[environments");
    let _ = kdj.run(["init", "--yes"]).expect_code(2);
    assert_eq!(written(&kdj).as_deref(), Some("[environments"));
}

#[test]
fn without_a_terminal_a_flag_is_missing() {
    let server = ApiServer::http(objects());
    let kdj = newcomer(&server);
    let output = kdj.run(["init"]).expect_code(2);
    insta::assert_snapshot!(output, @"
    ------- stderr -------
    error: cannot ask whether to write `kdj.toml`: this is no terminal

    hint: `kdj init --yes` writes it, `kdj init --dry-run` prints it
    [exit status: 2]
    ");
    assert_eq!(written(&kdj), None);
    assert!(server.requests().is_empty());
}

#[test]
fn at_a_terminal_it_asks() {
    let server = ApiServer::http(objects());
    let kdj = newcomer(&server);
    for answer in ["n\n", "y\n"] {
        let mut pty = Pty::run(&kdj, ["init"]);
        let shown = pty.wait_for("Write this to ");
        assert!(shown.contains("[environments.qa]"), "{shown}");
        assert_eq!(written(&kdj), None);
        pty.press(answer);
        pty.wait_for(if answer == "n\n" { "nothing was written" } else { "✓ qa: pod shell-5d5d5d-zzzzz" });
        assert_eq!(pty.finish().code(), Some(1), "{}", pty.text());
    }
    assert!(written(&kdj).is_some());
    server.forgive();
}

#[test]
fn who_may_not_list_the_cluster_gets_what_there_is() {
    // No LIST of all pods, but of namespaces; one of them is closed.
    let server = ApiServer::http(objects());
    server.fault(On::get("/api/v1/pods"), Fault::pods_forbidden("dev", ""));
    server.fault(On::pods("shop"), Fault::pods_forbidden("dev", "shop"));
    let kdj = newcomer(&server);
    let output = kdj.run(["init", "--dry-run", "--context", "acme-staging"]).expect_code(0);
    assert!(output.stderr.contains("one namespace may not be looked into"), "{output}");
    assert!(!output.stdout_text().contains("namespace = \"shop\"\n"), "{output}");
    assert!(output.stdout_text().contains("namespace = \"tenants-qa\"\n"), "{output}");
    // Not even of namespaces: the context's own is left.
    server.fault(On::get("/api/v1/namespaces"), Fault::forbidden("dev", "list", "namespaces", ""));
    let output = kdj.run(["init", "--dry-run", "--context", "acme-staging"]).expect_code(0);
    assert!(output.stderr.contains("only namespace `shop-qa` was looked into"), "{output}");
    let entries = output.stdout_text().matches("\n[environments.").count();
    assert_eq!(entries, 1, "{output}");
    // Nor that: nothing is found, and the way on is said.
    server.fault(On::pods(NAMESPACE), Fault::pods_forbidden("dev", NAMESPACE));
    let output = kdj.run(["init", "--yes", "--context", "acme-staging"]).expect_code(1);
    golden(&output.to_string(), "who_may_list_nothing");
}

#[test]
fn a_namespace_that_is_named_is_taken_whatever_runs_there() {
    let server = ApiServer::http(objects());
    let kdj = newcomer(&server);
    let output = kdj.run(["init", "--dry-run", "--context", "acme-staging", "-n", "front"]).expect_code(0);
    let text = output.stdout_text();
    assert!(text.contains("# Nothing there looks like Django") && text.contains("namespace = \"front\""), "{output}");
    let _ = kdj.run(["init", "--context", "acme-stagin", "--yes"]).expect_code(2).says(&["acme-staging"]);
}

#[test]
fn a_silent_cluster_is_named_and_left_out() {
    let server = ApiServer::http(objects());
    let silent = ApiServer::http(objects());
    silent.fault(On::any(), Fault::Blackhole);
    let kubeconfig = kubeconfig(&server).server("acme-silent", &silent).context("acme-silent", "dev", None);
    let kdj = Kdj::bare().kubeconfig(&kubeconfig).deadline(Duration::from_secs(50));
    let start = Instant::now();
    let output = kdj.run(["init", "--dry-run"]).expect_code(0);
    assert!(start.elapsed() < Duration::from_secs(35), "{:?}", start.elapsed());
    let said = output.stderr.clone();
    assert!(said.contains("context `acme-silent` is left out: no answer within 20 s"), "{output}");
    assert!(said.contains("context `acme-dead` is left out: cannot reach"), "{output}");
    assert!(output.stdout_text().contains("[environments.qa]"), "{output}");
}

#[test]
fn nobody_is_asked_for_contexts_that_nobody_named() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::bare();
    let plugin = Plugin::asking(&kdj.bin());
    let kubeconfig =
        kubeconfig(&server).plugin("asked", &plugin).context_on("acme-asks", "acme-staging", "asked", None);
    let kdj = kdj.kubeconfig(&kubeconfig);
    let mut pty = Pty::run(&kdj, ["init", "--dry-run"]);
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
    let shown = pty.text();
    // What it would have asked stands in what it said, and nowhere else.
    assert!(!shown.replace("it said: Enter the code", "").contains("Enter the code"), "{shown}");
    assert!(shown.contains("looking for Django by 4 contexts, 1 of them done"), "{shown}");
    assert!(shown.contains("context `acme-asks` is left out: the credential plugin"), "{shown}");
    assert!(shown.contains("`kdj init --context acme-asks` lets its credential plugin ask"), "{shown}");
    // Named, it is asked.
    let mut pty = Pty::run(&kdj, ["init", "--dry-run", "--context", "acme-asks"]);
    pty.wait_for("Enter the code: ");
    pty.press("1234\n");
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
}

#[test]
fn a_plugin_that_always_asks_is_not_run_for_a_context_that_nobody_named() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::bare();
    let plugin = Plugin::asking(&kdj.bin()).setting("interactiveMode", json!("Always"));
    let kubeconfig =
        kubeconfig(&server).plugin("asked", &plugin).context_on("acme-asks", "acme-staging", "asked", None);
    let kdj = kdj.kubeconfig(&kubeconfig);
    let mut pty = Pty::run(&kdj, ["init", "--dry-run"]);
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
    let shown = pty.text().replace("\r\n", " ");
    assert!(shown.contains("is not run, as it always asks"), "{shown}");
    assert!(shown.contains("`kdj init --context acme-asks` lets its credential plugin ask"), "{shown}");
    assert!(plugin.runs().is_empty());
}

#[test]
fn what_a_plugin_has_opened_stays_and_it_is_not_run_for_each_context() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::bare();
    // As one that opens a browser and waits for somebody to log in there.
    let plugin = Plugin::script(&kdj.bin(), "sleep 120 &\necho $! > \"$runs.browser\"\nwait");
    let kubeconfig = kubeconfig(&server)
        .plugin("asked", &plugin)
        .context_on("acme-one", "acme-staging", "asked", None)
        .context_on("acme-two", "acme-staging", "asked", None);
    let kdj = kdj.kubeconfig(&kubeconfig).deadline(Duration::from_secs(60));
    let output = kdj.run(["init", "--dry-run"]).expect_code(0);
    assert!(output.stderr.contains("did not answer within 15 s"), "{output}");
    assert!(output.stderr.contains("is not run again: it did not answer for another context"), "{output}");
    assert_eq!(plugin.runs().len(), 1);
    let browser = fs::read_to_string(kdj.bin().join("acme-login.runs.browser")).expect("it was opened");
    let browser = Pid::from_raw(browser.trim().parse().expect("a process")).expect("a process");
    kill_process(browser, Signal::TERM).expect("it is still open");
}

#[test]
fn a_file_that_would_not_be_read_is_not_written() {
    let server = ApiServer::http(objects());
    let kdj = newcomer(&server).variable("KDJ_CONFIG", "none");
    let _ = kdj.run(["init", "--yes"]).expect_code(2).says(&["would not be in force", "unset KDJ_CONFIG"]);
    assert_eq!(written(&kdj), None);
    assert!(server.requests().is_empty());
    let _ = kdj.run(["init", "--dry-run"]).expect_code(0);
    // One that is called otherwise is the project's all the same.
    let kdj = kdj.file("acme.toml", "").variable("KDJ_CONFIG", "../acme.toml");
    let output = kdj.run(["init", "--yes"]).expect_code(0).says(&["acme.toml` is there and stays as it is"]);
    assert!(output.stdout_text().contains("[environments.qa]"), "{output}");
    assert_eq!(written(&kdj), None);
}

#[test]
fn explain_makes_no_request() {
    let server = ApiServer::http(objects());
    let output = newcomer(&server).run(["init", "--explain", "-n", "shop"]).expect_code(0);
    let first = output.stdout_text().lines().next().map(str::to_owned);
    assert_eq!(first.as_deref(), Some("kubectl --context acme-staging -n shop get pods"));
    assert!(server.requests().is_empty());
}

/// Compares with `tests/cli/init/NAME.snap`.
#[track_caller]
fn golden(text: &str, name: &str) {
    insta::with_settings!({snapshot_path => "init", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// What was said from a line on that begins so.
fn stderr_after(output: &CommandOutput, beginning: &str) -> String {
    let text = output.to_string();
    let lines = text.lines().skip_while(|line| !line.starts_with(beginning));
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

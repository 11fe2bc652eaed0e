//! `kdj scale` and `kdj restart` on the real cluster: on the whole app in a namespace of its own, and on cheap workloads
//! for what the app does not do by itself.

mod releases;
mod restart_app;
mod restart_beat;
mod restart_drain;
mod restart_fails;
mod rights;
mod rollback;
mod scale_app;
mod scale_limits;
mod scale_managers;

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use super::harness::{
    Cluster, Kdj, Namespace, SHOP, objects,
    wait::{DEADLINE, poll_until},
};

/// How long one command may take in these tests.
const PATIENCE: Duration = Duration::from_secs(240);

/// The app as in `shop-qa`, in a namespace of its own.
#[track_caller]
fn shop(cluster: &Cluster) -> Namespace<'_> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/manifests/10-shop-qa.yaml");
    let manifest = std::fs::read_to_string(path).expect("the shop's manifest");
    let namespace = Namespace::with(cluster, []);
    let manifest = manifest.replace("namespace: shop-qa", &format!("namespace: {}", namespace.name()));
    namespace.kubectl_with(["apply", "-f", "-"], &manifest);
    namespace.wait_for_rollout(["deployment/postgres", "deployment/redis", "deployment/web"]);
    poll_until("the migrations are applied", PATIENCE, || {
        (part(&namespace, "job/migrate", "{.status.succeeded}") == "1").then_some(())
    });
    namespace.wait_for_rollout(["deployment/celeryd", "deployment/celerybeat", "deployment/shell"]);
    namespace
}

/// A Deployment whose container sleeps and has `words` on its command line, by which its kind is told.
fn sleeper(name: &str, replicas: u32, words: &str) -> Value {
    let script = format!("exec sleep infinity # {words}");
    let mut deployment =
        objects::deployment(name, objects::pod([objects::container("app", SHOP, ["sh", "-c", &script])]));
    deployment["spec"]["replicas"] = json!(replicas);
    deployment
}

fn web(replicas: u32) -> Value {
    sleeper("web", replicas, "gunicorn shop.wsgi")
}

fn worker(replicas: u32) -> Value {
    sleeper("celeryd", replicas, "rqworker")
}

fn beat() -> Value {
    sleeper("celerybeat", 1, "celery -A shop beat")
}

/// A namespace with these, all running.
#[track_caller]
fn running<const N: usize>(cluster: &Cluster, workloads: [Value; N]) -> Namespace<'_> {
    let names: Vec<String> =
        workloads.iter().map(|it| format!("deployment/{}", it["metadata"]["name"].as_str().expect("a name"))).collect();
    let namespace = Namespace::with(cluster, workloads);
    for name in &names {
        namespace.wait_for_rollout([name.as_str()]);
    }
    namespace
}

/// kdj with the environment `own`, and with time.
fn kdj(namespace: &Namespace<'_>) -> Kdj {
    namespace.kdj().deadline(PATIENCE)
}

/// A part of an object.
#[track_caller]
fn part(namespace: &Namespace<'_>, what: &str, path: &str) -> String {
    namespace.kubectl(["get", what, "-o", &format!("jsonpath={path}")])
}

#[track_caller]
fn replicas(namespace: &Namespace<'_>, workload: &str) -> String {
    part(namespace, workload, "{.spec.replicas}")
}

/// The words between the first backticks after `before`, as a shell would take them apart.
#[track_caller]
fn command_in(text: &str, before: &str) -> Vec<String> {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    let command = rest.split('`').nth(1).expect("a command in backticks");
    shell_words::split(command).expect("words")
}

/// Runs a kubectl command kdj proposed, with the rights of the tests.
#[track_caller]
fn follow_hint(cluster: &Cluster, words: &[String]) {
    let (program, rest) = words.split_first().expect("words");
    assert_eq!(program, "kubectl", "{words:?}");
    // Its context is the environment's; the tests have one of their own.
    assert_eq!((rest[0].as_str(), rest[1].as_str()), ("--context", "acme-staging"));
    let rest: Vec<&str> = rest[2..].iter().map(String::as_str).collect();
    cluster.kubectl_with(&rest, "");
}

/// The pods of a role of the app that stay, and their names.
#[track_caller]
fn pods_of(namespace: &Namespace<'_>, role: &str) -> Vec<String> {
    let list = namespace.kubectl(["get", "pods", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).expect("a list");
    let pods = list["items"].as_array().expect("pods").iter();
    let labels = ["component", "app.kubernetes.io/component"];
    let of_role = pods.filter(|pod| labels.iter().any(|label| pod["metadata"]["labels"][label] == role));
    let staying = of_role.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    staying.filter_map(|pod| pod["metadata"]["name"].as_str()).map(str::to_owned).collect()
}

/// Waits until all Celery workers can be asked: their pods are ready before they are.
#[track_caller]
fn wait_for_workers(namespace: &Namespace<'_>) {
    for pod in pods_of(namespace, "celeryd") {
        poll_until(&format!("{pod} works"), PATIENCE, || {
            namespace.kubectl(["logs", &pod]).contains(" ready.").then_some(())
        });
    }
}

/// Waits until a workload's log has this.
#[track_caller]
fn wait_for_log(namespace: &Namespace<'_>, role: &str, text: &str) {
    poll_until(&format!("{text:?} in the log of {role}"), DEADLINE, || {
        let logs = pods_of(namespace, role);
        logs.iter().any(|pod| namespace.kubectl(["logs", pod]).contains(text)).then_some(())
    });
}

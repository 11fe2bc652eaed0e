//! `kdj scale` against the fake server: how many requests, which, and what a conflict means.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{
    ApiServer, Fault, Kdj, On,
    shop::{self, NAMESPACE},
};

const AUTOSCALERS: &str = "/apis/autoscaling/v2/namespaces/shop-qa/horizontalpodautoscalers";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop-qa/deployments";
const SETS: &str = "/apis/apps/v1/namespaces/shop-qa/statefulsets";

fn server() -> ApiServer {
    ApiServer::http(shop::whole())
}

fn lines(server: &ApiServer) -> Vec<String> {
    let mut lines: Vec<String> =
        server.requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    lines.sort();
    lines
}

#[test]
fn a_role_is_scaled_in_two_rounds_of_four_requests() {
    let server = server();
    let _ = Kdj::on(&server).run(["scale", "qa", "web=5"]).expect_code(0).prints("").says(&["web: 2 -> 5"]);
    let patch = format!("PATCH {DEPLOYMENTS}/web/scale");
    assert_eq!(
        lines(&server),
        [format!("GET {DEPLOYMENTS}"), format!("GET {SETS}"), format!("GET {AUTOSCALERS}"), patch]
    );
    let requests = server.requests();
    let patch = requests.last().expect("a request").json();
    let web = server.objects("deployments").into_iter().find(|it| it["metadata"]["name"] == "web").expect("web");
    assert_eq!(patch["spec"], json!({"replicas": 5}));
    assert!(patch["metadata"]["resourceVersion"].is_string() && web["spec"]["replicas"] == 5);
}

#[test]
fn stateful_sets_are_scaled_like_deployments() {
    let server = server();
    let _ = Kdj::on(&server).run(["scale", "qa", "redis+1"]).expect_code(0).says(&["redis: 1 -> 2"]);
    assert_eq!(server.requests().len(), 4, "{}", server.request_lines());
    assert_eq!(server.objects("statefulsets")[0]["spec"]["replicas"], 2);
}

#[test]
fn the_state_is_what_is_accepted() {
    let server = server();
    let kdj = Kdj::on(&server);
    let _ = kdj.run(["scale", "qa"]).expect_code(0).prints("web=2 celeryd=1 celerybeat=1 shell=1 redis=1\n");
    assert_eq!(server.requests().len(), 3, "{}", server.request_lines());
    let _ = kdj.run(["scale", "qa", "-o", "name"]).expect_code(0).prints("web\nceleryd\ncelerybeat\nshell\nredis\n");
    let table = kdj.run(["scale", "qa", "-o", "wide"]).expect_code(0).stdout_text();
    insta::assert_snapshot!(table, @"
    ROLE         KIND     REPLICAS   READY   AUTOSCALER   MANAGED-BY   WORKLOAD
    web          web      2          2       <none>       <none>       deployment/web
    celeryd      worker   1          1       <none>       <none>       deployment/celeryd
    celerybeat   beat     1          1       <none>       <none>       deployment/celerybeat
    shell        shell    1          1       <none>       <none>       deployment/shell
    redis        other    1          1       <none>       <none>       statefulset/redis
    ");
}

/// Changes web after kdj has read it and before it is scaled.
fn meanwhile(server: &ApiServer, words: &[&str], change: impl Fn(&mut Value)) -> crate::harness::CommandOutput {
    server.fault(On::get(AUTOSCALERS), Fault::Delay(Duration::from_millis(700)));
    let kdj = Kdj::on(server);
    let running = kdj.start(["scale", "qa"].iter().chain(words));
    server.wait_for_request("the Deployments are listed", |request| request.path == DEPLOYMENTS);
    std::thread::sleep(Duration::from_millis(150));
    server.change(|objects| objects.change("deployments", "web", &change));
    running.finish()
}

fn web(server: &ApiServer) -> i64 {
    let all = server.objects("deployments");
    let web = all.iter().find(|it| it["metadata"]["name"] == "web").expect("web");
    web["spec"]["replicas"].as_i64().expect("a number")
}

#[test]
fn whoever_comes_second_is_told_and_changes_nothing() {
    let server = server();
    let output = meanwhile(&server, &["web=5"], |web| {
        web["spec"]["replicas"] = json!(3);
        web["metadata"]["managedFields"] = json!([{"manager": "kubectl", "operation": "Update", "subresource": "scale",
            "time": "2026-11-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
    });
    insta::assert_snapshot!(output.expect_code(1).stderr, @"
    qa: context acme-staging, namespace shop-qa
    error: `web` was changed meanwhile by `kubectl`: 2 -> 3
      caused by: 2 -> 5 was asked for, and was not done

    hint: look again: `kdj scale qa`
    ");
    assert_eq!(web(&server), 3);
}

#[test]
fn a_status_that_changes_meanwhile_is_no_conflict() {
    let server = server();
    let output = meanwhile(&server, &["web=5"], |web| web["status"]["readyReplicas"] = json!(1));
    let _ = output.expect_code(0).says(&["web: 2 -> 5"]);
    assert_eq!((web(&server), server.requests().len()), (5, 6), "{}", server.request_lines());
}

#[test]
fn the_same_number_set_by_two_is_no_error_and_the_same_step_is_one() {
    let server = server();
    let output = meanwhile(&server, &["web=5"], |web| web["spec"]["replicas"] = json!(5));
    let _ = output.expect_code(0).says(&["web: 2 -> 5: somebody else did it a moment ago"]);
    let server = self::server();
    let output = meanwhile(&server, &["web+1"], |web| web["spec"]["replicas"] = json!(3));
    let _ = output.expect_code(1).says(&["`web` was changed meanwhile: 2 -> 3"]);
}

#[test]
fn a_lost_answer_is_looked_up() {
    let server = server();
    server.fault(On::prefix(&format!("{DEPLOYMENTS}/web/scale")).once(), Fault::carried_out(Fault::Reset));
    let _ = Kdj::on(&server).run(["scale", "qa", "web=4"]).expect_code(0).says(&["web: 2 -> 4"]);
    assert_eq!((web(&server), server.requests().len()), (4, 5), "{}", server.request_lines());
}

#[test]
fn what_was_changed_before_a_failure_is_said() {
    let server = server();
    let refused = Fault::forbidden("dev", "patch", "deployments/scale", NAMESPACE);
    server.fault(On::prefix(&format!("{DEPLOYMENTS}/shell/scale")), refused);
    let output = Kdj::on(&server).run(["scale", "qa", "web=3", "shell=2"]).expect_code(1);
    let _ =
        output.says(&["web: 2 -> 3", "`dev` may not `patch` `deployments/scale`", "changed before that: web 2 -> 3"]);
}

#[test]
fn a_dry_run_asks_the_server_and_changes_nothing() {
    let server = server();
    let output = Kdj::on(&server).run(["scale", "qa", "web=3", "shell-1", "--dry-run"]).expect_code(0);
    let _ = output.says(&["web: 2 -> 3 (dry run: nothing was changed)", "shell: 1 -> 0 (dry run"]);
    let patches: Vec<_> = server.requests().into_iter().filter(|request| request.method == "PATCH").collect();
    assert!(patches.len() == 2 && patches.iter().all(|patch| patch.is_dry_run()));
    assert_eq!(web(&server), 2);
}

#[test]
fn two_workloads_of_a_role_are_told_apart() {
    let server = server();
    server.change(|objects| {
        let mut green = objects.get("deployments", NAMESPACE, "web").expect("web").clone();
        green["metadata"]["name"] = json!("web-green");
        green["metadata"]["uid"] = json!("uid-web-green");
        objects.add_json("deployments", green);
    });
    let kdj = Kdj::on(&server);
    let state = kdj.run(["scale", "qa"]).expect_code(0).stdout_text();
    assert!(state.starts_with("deployment/web=2 deployment/web-green=2 celeryd=1 "), "{state}");
    // A name is a workload's before it is a role's.
    let _ = kdj.run(["scale", "qa", "web=3"]).expect_code(0).says(&["web: 2 -> 3"]);
    let _ = kdj.run(["scale", "qa", "web-green=0"]).expect_code(0).says(&["web: 2 -> 0"]);
    server.change(|objects| {
        objects.change("deployments", "web", |web| web["metadata"]["name"] = json!("web-blue"));
    });
    let output = kdj.run(["scale", "qa", "web=4"]).expect_code(2);
    let _ =
        output.says(&["role `web` of `qa` is that of 2 workloads", "`deployment/web-blue`, `deployment/web-green`"]);
}

#[test]
fn a_word_with_two_readings_is_refused() {
    let server = server();
    server.change(|objects| {
        let mut other = objects.get("deployments", NAMESPACE, "celeryd").expect("celeryd").clone();
        other["metadata"]["name"] = json!("celeryd-1");
        other["metadata"]["uid"] = json!("uid-other");
        for labels in ["/metadata/labels", "/spec/template/metadata/labels"] {
            *other.pointer_mut(labels).expect("labels") = json!({"app.kubernetes.io/component": "celeryd-1"});
        }
        objects.add_json("deployments", other);
    });
    let kdj = Kdj::on(&server);
    let output = kdj.run(["scale", "qa", "celeryd-1"]).expect_code(2);
    let _ = output
        .says(&["`celeryd-1` may be the role `celeryd-1`, or `celeryd` less 1", "write `celeryd=N` or `celeryd-1=N`"]);
    let _ = kdj.run(["scale", "qa", "celeryd-1=2"]).expect_code(0).says(&["celeryd-1: 1 -> 2"]);
}

/// A StatefulSet with a template of this command.
fn set(server: &ApiServer, name: &str, replicas: u32, command: &[&str]) {
    server.change(|objects| {
        let mut set = objects.get("statefulsets", NAMESPACE, "redis").expect("redis").clone();
        set["metadata"]["name"] = json!(name);
        set["metadata"]["uid"] = json!(format!("uid-set-{name}"));
        set["spec"]["replicas"] = json!(replicas);
        set["spec"]["template"]["metadata"]["labels"] = json!({"app.kubernetes.io/component": name});
        let app = json!([{"name": name, "image": "registry.acme.dev/shop:1.42", "command": command}]);
        set["spec"]["template"]["spec"]["containers"] = app;
        objects.add_json("statefulsets", set);
    });
}

#[test]
fn a_name_that_a_stateful_set_has_as_well_is_not_guessed_at() {
    let server = server();
    set(&server, "celeryd-2", 1, &["celery", "-A", "shop", "worker"]);
    let kdj = Kdj::on(&server);
    let output = kdj.run(["scale", "qa", "celeryd-2"]).expect_code(2);
    let _ = output.says(&["`celeryd-2` may be the role `celeryd-2`, or `celeryd` less 2"]);
    set(&server, "web", 1, &["gunicorn"]);
    let output = kdj.run(["scale", "qa", "web=3"]).expect_code(2);
    let _ = output.says(&["role `web` of `qa` is that of 2 workloads", "`deployment/web`, `statefulset/web`"]);
    assert_eq!(web(&server), 2);
}

#[test]
fn beats_are_counted_over_all_workloads() {
    let server = server();
    let beat = ["celery", "-A", "shop", "beat"];
    set(&server, "beat-blue", 0, &beat);
    set(&server, "beat-green", 0, &beat);
    set(&server, "inside", 0, &["celery", "-A", "shop", "worker", "-B"]);
    let kdj = Kdj::on(&server);
    let patches = || server.requests().iter().filter(|it| it.method == "PATCH").count();
    for words in [["beat-blue=1", "beat-green=1"], ["beat-blue=1", "inside=1"]] {
        let output = kdj.run(["scale", "qa", "--force"].iter().chain(&words)).expect_code(1);
        let _ = output.says(&["refusing to start 2 beats: `statefulset/beat-blue`, ", "all of them run twice"]);
    }
    assert_eq!(patches(), 0);
    // One that runs already may be another app's.
    for word in ["inside=1", "beat-blue=1"] {
        let output = kdj.run(["scale", "qa", word, "--dry-run"]).expect_code(0);
        let _ = output.says(&["warning: deployment/celerybeat is a beat, too: if both are of one app"]);
    }
    // The one goes before the other comes.
    let output = kdj.run(["scale", "qa", "beat-green=1", "celerybeat=0"]).expect_code(0);
    let _ = output.says(&["warning: until the pod of deployment/celerybeat has gone, up to 30 s, there are two beats"]);
    let paths: Vec<String> =
        server.requests().into_iter().filter(|it| it.method == "PATCH" && !it.is_dry_run()).map(|it| it.path).collect();
    assert_eq!(paths, [format!("{DEPLOYMENTS}/celerybeat/scale"), format!("{SETS}/beat-green/scale")]);
}

#[test]
fn a_role_whose_name_ends_in_a_number_is_no_step_of_another() {
    let server = server();
    set(&server, "mail-2", 1, &["celery", "-A", "shop", "worker"]);
    let output = Kdj::on(&server).run(["scale", "qa", "mail-2"]).expect_code(2);
    let _ = output.says(&["`mail-2` may be the role `mail-2`, or `mail` less 2", "write `mail=N` or `mail-2=N`"]);
}

#[test]
fn who_leaves_between_two_roles_is_told_which_are_done() {
    let server = server();
    server.fault(On::prefix(&format!("{DEPLOYMENTS}/web/scale")), Fault::Delay(Duration::from_secs(1)));
    let kdj = Kdj::on(&server);
    let running = kdj.start(["scale", "qa", "web=5", "celeryd=3"]);
    server.wait_for_request("the first patch", |it| it.method == "PATCH");
    running.signal(Signal::INT);
    let _ =
        running.finish().expect_code(130).says(&["left: `celeryd` is not scaled", "changed before that: web 2 -> 5"]);
    assert_eq!(server.requests().iter().filter(|it| it.method == "PATCH").count(), 1, "{}", server.request_lines());
}

#[test]
fn only_what_is_shown_has_columns_and_names() {
    let server = server();
    let output = Kdj::on(&server).run(["scale", "qa", "web=5", "-o", "wide"]).expect_code(2);
    let _ = output.says(&["`-o wide` shows the numbers as they are, and goes with no roles"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn a_workload_that_is_deleted_while_it_is_watched_does_not_stay() {
    let server = server();
    let kdj = Kdj::on(&server);
    let running = kdj.start(["scale", "qa", "web=1", "--wait"]);
    server.wait_for_object("deployments", |it| it["metadata"]["name"] == "web" && it["spec"]["replicas"] == 1);
    server.change(|objects| {
        objects.remove("pods", "web-7c9d8f-bbbbb");
        objects.change("deployments", "web", |web| {
            web["status"] = json!({"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1,
                "observedGeneration": web["metadata"]["generation"]});
        });
    });
    running.wait_for_stderr("seeing whether it stays so");
    server.change(|objects| objects.remove("deployments", "web"));
    let _ = running.finish().expect_code(1).says(&["error: deployment/web is gone", "it was deleted meanwhile"]);
}

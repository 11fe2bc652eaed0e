//! `kdj restart` of a beat against the fake server: whose strategy is put back, and whose is not.

use serde_json::{Value, json};

use crate::harness::{ApiServer, Fault, Kdj, On, Pod, process::Running, shop};

const BEAT: &str = "/apis/apps/v1/namespaces/shop-qa/deployments/celerybeat";
const OLD: &str = "celerybeat-5d5d5d-zzzzz";

/// The shop, whose beat rolls over in its own way.
fn server() -> ApiServer {
    let server = ApiServer::http(shop::whole());
    server.change(|objects| {
        objects.change("deployments", "celerybeat", |beat| {
            beat["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
        });
    });
    server
}

fn restart(server: &ApiServer) -> Running {
    let running = Kdj::on(server).start(["restart", "qa", "celerybeat", "--no-wait"]);
    server.wait_for_object("deployments", |it| it["spec"]["strategy"]["type"] == "Recreate");
    running
}

/// What the controller does.
fn roll_over(server: &ApiServer) {
    server.change(|objects| {
        objects.remove("pods", OLD);
        *objects = std::mem::take(objects).with(
            Pod::ready("celerybeat-6e6e6e-xxxxx").owned_by_replica_set("celerybeat", "6e6e6e").component("celerybeat"),
        );
        objects.change("deployments", "celerybeat", |beat| {
            beat["status"]["observedGeneration"] = beat["metadata"]["generation"].clone();
        });
    });
}

fn strategy(server: &ApiServer) -> Value {
    let all = server.objects("deployments");
    let beat = all.iter().find(|it| it["metadata"]["name"] == "celerybeat").expect("a beat");
    beat["spec"]["strategy"].clone()
}

#[test]
fn its_own_strategy_comes_back_when_the_old_pod_has_gone() {
    let server = server();
    let running = restart(&server);
    roll_over(&server);
    let _ =
        running.finish().expect_code(0).says(&["celerybeat: restarted, after "]).never_says(&["keeps the strategy"]);
    assert_eq!(strategy(&server), json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}));
    let requests = server.requests();
    let last = requests.iter().rfind(|it| it.method == "PATCH").expect("a patch").json();
    assert!(last["metadata"]["resourceVersion"].is_string(), "{last}");
}

#[test]
fn whoever_changed_it_meanwhile_keeps_what_it_has() {
    let server = server();
    let running = restart(&server);
    // A release that says Recreate itself.
    server.change(|objects| {
        objects.change("deployments", "celerybeat", |beat| {
            beat["metadata"]["generation"] = json!(beat["metadata"]["generation"].as_i64().expect("a number") + 1);
        });
    });
    roll_over(&server);
    let output = running.finish().expect_code(0);
    let _ = output.says(&[
        "warning: `celerybeat` keeps the strategy Recreate, which is the one for a beat (somebody changed it meanwhile)",
        "patch deployment/celerybeat",
    ]);
    assert_eq!(strategy(&server)["type"], "Recreate");
}

#[test]
fn an_answer_that_is_lost_for_good_leaves_open_what_was_done() {
    let server = server();
    server.fault(On::prefix(BEAT), Fault::carried_out(Fault::Reset));
    let running = Kdj::on(&server).start(["restart", "qa", "celerybeat", "--timeout", "1s"]);
    server.wait_for_object("deployments", |it| it["spec"]["strategy"]["type"] == "Recreate");
    server.change(|objects| objects.remove("pods", OLD));
    let output = running.finish().expect_code(255);
    let _ = output.says(&["it has changed: it may have been restarted all the same"]);
    assert_eq!(strategy(&server)["type"], "RollingUpdate");

    // What was refused is not looked at any further.
    let server = self::server();
    server.fault(On::prefix(BEAT), Fault::forbidden("dev", "patch", "deployments", shop::NAMESPACE));
    let output = Kdj::on(&server).run(["restart", "qa", "celerybeat"]).expect_code(1);
    let _ = output.says(&["`dev` may not `patch` `deployments`"]).never_says(&["keeps the strategy"]);
}

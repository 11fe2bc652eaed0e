//! `kdj restart --drain` against the fake server: what workers say, and what is made of it.

use serde_json::{Value, json};

use crate::harness::{ApiServer, Exec, Kdj, Pod, Refusal, shop};

const POD: &str = "celeryd-5d5d5d-zzzzz";
const OTHER: &str = "celeryd-5d5d5d-yyyyy";

/// A worker in a pod: the queues it consumes, and how many tasks it runs.
fn worker(pod: &str, queues: Value, active: u64) -> Value {
    let tasks = |count: u64| json!({"count": count, "tasks": []});
    json!({"name": format!("celery@{pod}"), "queues": queues, "concurrency": 2, "prefetch": 8, "scheduled": null,
        "active": tasks(active), "reserved": tasks(0)})
}

/// What the app's Celery answers: its workers, and which of them confirm an order.
fn answer(workers: Value, confirmed: Value) -> Exec {
    let answer = json!({"app": "shop", "broker": {"kind": "redis", "place": "redis://redis:6379/0"}, "queues": null,
        "unacknowledged": null, "workers": workers, "consumers": confirmed, "problem": null});
    Exec::prints(&format!("\nkdj-celery: {answer}\n"), 0)
}

fn confirms(pod: &str) -> Value {
    json!([[format!("celery@{pod}"), ["mails"]]])
}

/// A second pod of the workers.
fn other() -> Pod {
    let pod = Pod::ready(OTHER).owned_by_replica_set("celeryd", "5d5d5d").component("celeryd");
    pod.container("celeryd", "registry.acme.dev/shop:1.42", &["celery", "-A", "shop", "worker"])
}

fn patches(server: &ApiServer) -> usize {
    server.requests().iter().filter(|request| request.method == "PATCH").count()
}

const DRAIN: [&str; 6] = ["restart", "qa", "celeryd", "--drain", "--drain-timeout", "1s"];

#[test]
fn a_worker_that_does_not_name_its_queues_is_not_told_anything() {
    let server = ApiServer::http(shop::whole());
    server.exec(answer(json!([worker(POD, Value::Null, 0)]), json!([])));
    let output = Kdj::on(&server).run(DRAIN).expect_code(1);
    let _ = output
        .says(&["cannot drain `celeryd`: not all of its workers answer", "no answer from celeryd-5d5d5d-zzzzz"])
        .never_says(&["tasks again"]);
    assert_eq!((server.execs().len(), patches(&server)), (1, 0));
}

#[test]
fn what_is_undone_is_what_the_workers_confirm() {
    let server = ApiServer::http(shop::whole());
    server.exec(answer(json!([worker(POD, json!(["mails"]), 1)]), json!([])));
    server.exec(answer(json!([worker(POD, json!([]), 1)]), confirms(POD)).always());
    let output = Kdj::on(&server).run(DRAIN).expect_code(1);
    let _ = output.says(&[
        "celeryd: 1 worker takes no more tasks",
        "celeryd: its workers take tasks again",
        "warning: `celeryd`: until they are restarted they may stop taking tasks when the connection to the broker breaks",
        "`kdj restart qa celeryd` gives new ones",
        "error: `celeryd` is not drained after 1 s",
    ]);
    assert_eq!(patches(&server), 0);

    // Newer workers keep what they are told.
    let server = ApiServer::http(shop::whole());
    let newer = |queues: Value| {
        let answer = json!({"app": "shop", "version": "5.7.0", "broker": {"kind": "redis", "place": ""}, "queues": null,
            "unacknowledged": null, "workers": [worker(POD, queues, 1)], "consumers": confirms(POD), "problem": null});
        Exec::prints(&format!("\nkdj-celery: {answer}\n"), 0)
    };
    server.exec(newer(json!(["mails"])));
    server.exec(newer(json!([])).always());
    let output = Kdj::on(&server).run(DRAIN).expect_code(1);
    let _ = output.says(&["celeryd: its workers take tasks again"]).never_says(&["until they are restarted"]);

    // The orders are carried out, but nobody confirms the last one.
    let server = ApiServer::http(shop::whole());
    server.exec(answer(json!([worker(POD, json!(["mails"]), 1)]), json!([])));
    server.exec(answer(json!([worker(POD, json!([]), 1)]), json!([])).always());
    let output = Kdj::on(&server).run(DRAIN).expect_code(1);
    let _ = output
        .says(&["warning: `celeryd`: these workers may still take no tasks: celery@celeryd-5d5d5d-zzzzz (mails); \
             `kdj restart qa celeryd` gives new ones"])
        .never_says(&["take tasks again"]);
}

#[test]
fn a_worker_that_goes_on_taking_tasks_is_not_drained() {
    let server = ApiServer::http(shop::whole());
    server.exec(answer(json!([worker(POD, json!(["mails"]), 0)]), json!([])).always());
    let output = Kdj::on(&server).run(DRAIN).expect_code(1);
    let _ = output.says(&["is not drained after 1 s", "still taking tasks: celery@celeryd-5d5d5d-zzzzz"]);
    assert_eq!(patches(&server), 0);
}

#[test]
fn a_question_that_fails_is_asked_again() {
    let server = ApiServer::http(shop::whole());
    server.exec(answer(json!([worker(POD, json!(["mails"]), 1)]), json!([])));
    server.exec(answer(json!([worker(POD, json!([]), 1)]), confirms(POD)));
    server.exec(Exec::refused(&Refusal::KubeletUnreachable));
    server.exec(answer(json!([worker(POD, json!([]), 0)]), confirms(POD)).always());
    let words = ["restart", "qa", "celeryd", "--drain", "--timeout", "1s"];
    // Nothing rolls over here: they take tasks again.
    let output = Kdj::on(&server).run(words).expect_code(1);
    let _ = output.says(&[
        "celeryd: draining: its workers cannot be asked",
        "celeryd: drained",
        "celeryd: its workers take tasks again",
    ]);
    assert_eq!(patches(&server), 1);
}

#[test]
fn pods_that_come_and_go_meanwhile_are_reckoned_with() {
    let server = ApiServer::http(shop::whole());
    server.exec(answer(json!([worker(POD, json!(["mails"]), 1)]), json!([])));
    server.exec(answer(json!([worker(POD, json!([]), 1)]), confirms(POD)));
    server.exec(answer(json!([worker(POD, json!([]), 1)]), json!([])));
    // The other one has come, and takes tasks until it is told.
    server.exec(answer(json!([worker(POD, json!([]), 0), worker(OTHER, json!(["mails"]), 0)]), json!([])));
    server.exec(answer(json!([worker(POD, json!([]), 0), worker(OTHER, json!([]), 0)]), confirms(OTHER)));
    server.exec(answer(json!([worker(POD, json!([]), 0)]), json!([])).always());
    let kdj = Kdj::on(&server);
    let running = kdj.start(["restart", "qa", "celeryd", "--drain", "--timeout", "1s"]);
    running.wait_for_stderr("draining: 1 active task");
    server.change(|objects| *objects = std::mem::take(objects).with(other()));
    running.wait_for_stderr("still taking tasks: celery@celeryd-5d5d5d-yyyyy");
    running.wait_for_stderr("1 worker did not answer");
    assert_eq!(patches(&server), 0);
    // Without it nothing is left to wait for.
    server.change(|objects| objects.remove("pods", OTHER));
    let _ = running.finish().says(&["celeryd: drained"]);
    assert_eq!(patches(&server), 1);
}

#[test]
fn workers_are_told_to_go_on_when_the_pod_they_were_asked_in_has_gone() {
    let server = ApiServer::http(shop::whole().with(other()));
    let both = |queues: Value| json!([worker(POD, queues.clone(), 1), worker(OTHER, queues, 1)]);
    let all = json!([[format!("celery@{POD}"), ["mails"]], [format!("celery@{OTHER}"), ["mails"]]]);
    server.exec(answer(both(json!(["mails"])), json!([])));
    server.exec(answer(both(json!([])), all.clone()).always());
    let kdj = Kdj::on(&server);
    let running = kdj.start(["restart", "qa", "celeryd", "--drain", "--drain-timeout", "3s"]);
    running.wait_for_stderr("draining: 2 active tasks");
    let (asked_in, left) = match server.execs()[0].pod.as_str() {
        POD => (POD, OTHER),
        _ => (OTHER, POD),
    };
    server.change(|objects| objects.remove("pods", asked_in));
    let output = running.finish().expect_code(1);
    let _ = output.says(&["celeryd: its workers take tasks again", "error: `celeryd` is not drained after 3 s"]);
    let told = server.execs().pop().expect("an exec");
    assert_eq!(told.pod, left);
}

#[test]
fn a_worker_that_is_named_is_drained_whatever_its_command_is() {
    let server = ApiServer::http(shop::whole());
    server.change(|objects| {
        objects.change("deployments", "celeryd", |it| {
            it["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["./worker.sh"]);
        });
    });
    server.exec(answer(json!([worker(POD, Value::Null, 0)]), json!([])));
    let kdj = Kdj::on(&server);
    let _ = kdj.run(DRAIN).expect_code(1).says(&["cannot drain `celeryd`: not all of its workers answer"]);
    // What has no worker is not restarted as if it had been drained.
    let output = kdj.run(["restart", "qa", "web", "shell", "--drain"]).expect_code(1);
    let _ = output.says(&["refusing to restart: `--drain` is for Celery workers, and `web`, `shell` are none"]);
    assert_eq!(patches(&server), 0);
    let output = kdj.run(["restart", "qa", "--drain", "--dry-run"]).expect_code(0);
    let _ = output.says(&["warning: the command of `celeryd` is not Celery's: it is not drained unless it is named"]);
}

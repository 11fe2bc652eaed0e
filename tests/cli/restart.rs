//! `kdj restart` against the fake server: which requests, in which order.

use serde_json::json;

use crate::harness::{ApiServer, Fault, Kdj, On, shop, shop::NAMESPACE};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop-qa/deployments";

/// The roles that were restarted, in order.
fn restarted(server: &ApiServer) -> Vec<String> {
    let requests = server.requests();
    let patches = requests.iter().filter(|request| request.method == "PATCH");
    patches.filter_map(|request| request.path.rsplit('/').next().map(str::to_owned)).collect()
}

#[test]
fn who_does_not_wait_needs_two_rounds() {
    let server = ApiServer::http(shop::whole());
    let output = Kdj::on(&server).run(["restart", "qa", "web", "--no-wait"]).expect_code(0).prints("");
    let _ = output.says(&["web: restarted; not waited for"]);
    assert_eq!(server.requests().len(), 4, "{}", server.request_lines());
    let annotations = &server.objects("deployments")[0]["spec"]["template"]["metadata"]["annotations"];
    assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string(), "{annotations}");
}

#[test]
fn web_goes_first_and_beat_last_whatever_the_order_of_the_words() {
    let server = ApiServer::http(shop::whole());
    server.change(|objects| {
        objects.change("deployments", "celerybeat", |beat| beat["spec"]["strategy"] = json!({"type": "Recreate"}));
    });
    let words = ["restart", "qa", "celerybeat", "celeryd", "shell", "redis", "web", "celeryd", "--no-wait"];
    let _ = Kdj::on(&server).run(words).expect_code(0).never_says(&["two beats"]);
    assert_eq!(restarted(&server), ["web", "redis", "shell", "celeryd", "celerybeat"]);
}

#[test]
fn without_names_it_is_the_app() {
    let server = ApiServer::http(shop::whole());
    server.change(|objects| {
        objects.change("deployments", "celerybeat", |beat| beat["spec"]["strategy"] = json!({"type": "Recreate"}));
        // Of no known kind, but of the app's image.
        let mut other = objects.get("deployments", NAMESPACE, "shell").expect("shell").clone();
        other["metadata"] = json!({"name": "consumer", "namespace": NAMESPACE, "uid": "uid-consumer", "generation": 1});
        other["spec"]["template"]["metadata"]["labels"] = json!({"app.kubernetes.io/component": "consumer"});
        other["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["python", "manage.py", "consume"]);
        objects.add_json("deployments", other);
    });
    let output = Kdj::on(&server).run(["restart", "qa", "--no-wait"]).expect_code(0);
    let _ = output.says(&["left out, as not the app's: redis"]);
    assert_eq!(restarted(&server), ["web", "consumer", "shell", "celeryd", "celerybeat"]);
}

#[test]
fn a_refusal_leaves_the_rest_as_it_is() {
    let server = ApiServer::http(shop::whole());
    let refused = Fault::forbidden("dev", "patch", "deployments", NAMESPACE);
    server.fault(On::prefix(&format!("{DEPLOYMENTS}/web")), refused);
    let output = Kdj::on(&server).run(["restart", "qa", "web", "shell", "celeryd"]).expect_code(1);
    let _ = output
        .says(&["`dev` may not `patch` `deployments` in namespace `shop-qa`", "not restarted: `shell`, `celeryd`"]);
    assert_eq!(restarted(&server), ["web"]);
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    let server = ApiServer::http(shop::whole());
    server.fault(On::prefix(&format!("{DEPLOYMENTS}/web")).once(), Fault::carried_out(Fault::Reset));
    let _ = Kdj::on(&server).run(["restart", "qa", "web", "--no-wait"]).expect_code(0).says(&["web: restarted"]);
    // The same annotation both times: one rollout.
    let patches: Vec<_> = server.requests().iter().filter(|it| it.method == "PATCH").map(|it| it.json()).collect();
    assert!(patches.len() == 2 && patches[0] == patches[1], "{patches:?}");
}

#[test]
fn nothing_is_asked_of_the_cluster_without_the_right_name() {
    let server = ApiServer::http(shop::whole());
    let kdj = Kdj::on(&server).config(&format!("{}protected = true\n", crate::harness::CONFIG));
    for words in [&["restart", "qa"][..], &["scale", "qa", "web=3"]] {
        let _ = kdj.run(words).expect_code(1).says(&["pass `--confirm qa` to confirm in scripts"]);
        let other = kdj.run(words.iter().chain(&["--confirm", "prod"])).expect_code(2);
        let _ = other.says(&["`--confirm prod` does not confirm a change of `qa`"]);
    }
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn nobody_is_drained_whom_nobody_waits_for() {
    let server = ApiServer::http(shop::whole());
    let kdj = Kdj::on(&server);
    let output = kdj.run(["restart", "qa", "celeryd", "--drain", "--no-wait"]).expect_code(2);
    let _ = output.says(&["--drain", "cannot be used with", "--no-wait"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
    // Pods of such a StatefulSet stay until somebody deletes them.
    server.change(|objects| {
        objects.change("statefulsets", "redis", |set| {
            set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
            let app = json!([{"name": "app", "image": "shop:1", "command": ["celery", "-A", "shop", "worker"]}]);
            set["spec"]["template"]["spec"]["containers"] = app;
        });
    });
    let output = kdj.run(["restart", "qa", "redis", "--drain"]).expect_code(1);
    let _ = output.says(&["refusing to drain `redis`: its pods stay until somebody deletes them"]);
    assert_eq!(restarted(&server), [""; 0]);
}

#[test]
fn a_beat_s_restart_is_explained_as_it_is_done() {
    let server = ApiServer::http(shop::whole());
    server.change(|objects| {
        objects.change("deployments", "shell", |shell| shell["spec"]["replicas"] = json!(0));
        objects.change("deployments", "celerybeat", |beat| {
            beat["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
        });
    });
    let kdj = Kdj::on(&server);
    let printed = kdj.run(["--explain", "restart", "qa"]).expect_code(0).stdout_text();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 5, "{printed}");
    assert!(lines[0].ends_with(" rollout restart deployment/web") && lines[1].ends_with(" deployment/celeryd"));
    // Not `rollout restart`, by which two beats would run for a moment.
    for (line, expected) in [(2, r#""type":"Recreate""#), (2, "restartedAt"), (4, r#""maxSurge":1"#)] {
        assert!(lines[line].contains(" patch deployment/celerybeat ") && lines[line].contains(expected), "{printed}");
    }
    assert!(lines[3].ends_with(" rollout status deployment/celerybeat"), "{printed}");
}

#[test]
fn who_may_put_a_beat_s_strategy_back_in_its_midst_is_named() {
    let server = ApiServer::http(shop::whole());
    server.change(|objects| {
        for name in ["web", "celerybeat"] {
            objects.change("deployments", name, |it| {
                it["metadata"]["annotations"] =
                    json!({"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop-qa/x"});
            });
        }
    });
    let kdj = Kdj::on(&server);
    let output = kdj.run(["restart", "qa", "celerybeat", "--dry-run"]).expect_code(0);
    let _ = output.says(&["`celerybeat` is managed by Argo CD application `shop`: if its manifest says RollingUpdate"]);
    let _ = kdj.run(["restart", "qa", "web", "--dry-run"]).expect_code(0).never_says(&["Argo CD"]);
}

#[test]
fn a_proxy_or_a_cache_beside_the_app_makes_nothing_else_the_app_s() {
    let server = ApiServer::http(shop::whole());
    server.change(|objects| {
        objects.change("deployments", "web", |web| {
            let containers = web["spec"]["template"]["spec"]["containers"].as_array_mut().expect("containers");
            containers.push(json!({"name": "redis", "image": "redis:8"}));
        });
    });
    let output = Kdj::on(&server).run(["restart", "qa", "--dry-run"]).expect_code(0);
    let _ = output.says(&["left out, as not the app's: redis"]);
}

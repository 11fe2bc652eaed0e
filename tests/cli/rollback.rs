//! `kdj releases` and `kdj rollback` against the fake server: which requests, and what befalls them.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{
    ApiServer, CONFIG, CommandOutput, Fault, Kdj, On,
    objects::{Deployment, Objects, ReplicaSet},
    shop,
    shop::NAMESPACE,
    wait::poll_until,
};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop-qa/deployments";

/// The shop, whose web and workers had another image before, and their Deployments know their revisions.
fn objects() -> Objects {
    let mut objects = shop::whole();
    objects.remove("replicasets", "web-6b6b6b");
    let hash = |name| if name == "web" { ("7c9d8f", "4") } else { ("5d5d5d", "3") };
    for name in ["web", "celeryd", "celerybeat", "shell"] {
        let (hash, revision) = hash(name);
        let deployment = objects.get("deployments", NAMESPACE, name).expect("a Deployment").clone();
        let template = deployment["spec"]["template"].clone();
        objects.change("deployments", name, |it| {
            it["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": revision});
        });
        objects.change("replicasets", &format!("{name}-{hash}"), |set| {
            set["spec"]["template"] = template.clone();
            set["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = json!(hash);
        });
        if !["web", "celeryd"].contains(&name) {
            continue;
        }
        let mut old = objects.get("replicasets", NAMESPACE, &format!("{name}-{hash}")).expect("a ReplicaSet").clone();
        old["metadata"]["name"] = json!(format!("{name}-old"));
        old["metadata"]["uid"] = json!(format!("uid-{name}-old"));
        old["metadata"]["creationTimestamp"] = json!("2026-09-01T08:00:00Z");
        old["metadata"]["annotations"] = json!({
            "deployment.kubernetes.io/revision": "2", "kubernetes.io/change-cause": "the summer release",
        });
        let container = &mut old["spec"]["template"]["spec"]["containers"][0];
        container["image"] = json!("registry.acme.dev/shop:1.41");
        container["env"] = json!([{"name": "OLD_FLAG", "value": "canary-flag-2Hd7"}]);
        old["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = json!("old");
        objects.add_json("replicasets", old);
    }
    objects
}

/// The image a Deployment has, and the labels of its template.
fn template(server: &ApiServer, name: &str) -> Value {
    let all = server.objects("deployments");
    let found = all.iter().find(|it| it["metadata"]["name"] == name).expect("a Deployment");
    found["spec"]["template"].clone()
}

#[test]
fn releases_are_listed_by_five_requests() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::on(&server);
    let output = kdj.run(["releases", "qa", "web", "celeryd"]).expect_code(0).never_says(&["canary-flag-2Hd7"]);
    let rows: Vec<String> = output
        .stdout_text()
        .lines()
        .map(|line| {
            line.split("   ").filter(|cell| !cell.is_empty()).take(6).map(str::trim).collect::<Vec<_>>().join("|")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "ROLE|REVISION|STATE|IMAGE|CHANGES|CAUSE",
            "web|4|current, 2/2 ready|registry.acme.dev/shop:1.42|image registry.acme.dev/shop:1.41 -> registry.acme.dev/shop:1.42, -OLD_FLAG|<none>",
            "web|2|old|registry.acme.dev/shop:1.41|<none>|the summer release",
            "celeryd|3|current, 1/1 ready|registry.acme.dev/shop:1.42|image registry.acme.dev/shop:1.41 -> registry.acme.dev/shop:1.42, -OLD_FLAG|<none>",
            "celeryd|2|old|registry.acme.dev/shop:1.41|<none>|the summer release",
        ]
    );
    assert_eq!(server.requests().len(), 5, "{}", server.request_lines());
    let output = kdj.run(["releases", "qa", "-o", "json"]).expect_code(0).never_says(&["canary-flag-2Hd7"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&json["version"], &json["workloads"][0]["revisions"][0]["current"]), (&json!(1), &json!(true)));
    assert_eq!(server.requests().len() - 5, 5, "{}", server.request_lines());
}

#[test]
fn a_change_cause_is_shown_without_values() {
    let mut objects = objects();
    let command = "kubectl set env deployment/web API_TOKEN=canary-cause-8Ls3 MOTTO=canary-cause-8Ls3 --record=true";
    objects.change("replicasets", "web-old", |set| {
        set["metadata"]["annotations"]["kubernetes.io/change-cause"] = json!(command);
    });
    let server = ApiServer::http(objects);
    let kdj = Kdj::on(&server);
    for output in [None, Some("-owide"), Some("-ojson")] {
        let words = ["releases", "qa", "web"].into_iter().chain(output);
        let output = kdj.run(words).expect_code(0).never_says(&["canary-cause-8Ls3"]);
        let shown = "kubectl set env deployment/web API_TOKEN=<redacted> MOTTO=<redacted> --record=true";
        assert!(output.stdout_text().contains(shown), "{output}");
    }
}

#[test]
fn what_was_released_together_goes_back_together() {
    let server = ApiServer::http(objects());
    let words = ["rollback", "qa", "web", "celeryd", "--skip-migrations"];
    let output = Kdj::on(&server).run(words).expect_code(0).prints("").never_says(&["canary-flag-2Hd7"]);
    let _ = output.says(&[
        "web 4 -> 2: image registry.acme.dev/shop:1.42 -> registry.acme.dev/shop:1.41, +OLD_FLAG",
        "celeryd 3 -> 2 (registry.acme.dev/shop:1.42 -> registry.acme.dev/shop:1.41)",
    ]);
    for name in ["web", "celeryd"] {
        let template = template(&server, name);
        assert_eq!(template["spec"]["containers"][0]["image"], "registry.acme.dev/shop:1.41");
        assert_eq!(template["metadata"]["labels"], json!({"app.kubernetes.io/component": name}));
        let patch = server.wait_for_request("a patch", |it| it.method == "PATCH" && it.path.ends_with(name)).json();
        assert!(patch["metadata"]["resourceVersion"].is_string(), "{patch}");
        assert_eq!(patch["metadata"]["annotations"]["kubernetes.io/change-cause"], "the summer release");
    }
    // Deployments, StatefulSets, autoscalers; ReplicaSets, pods; for each of both its revision, itself, the patch.
    assert_eq!(server.requests().len(), 11, "{}", server.request_lines());
}

#[test]
fn where_the_image_stays_no_other_role_gets_another() {
    let mut objects = objects();
    objects.change("replicasets", "web-old", |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.acme.dev/shop:1.42");
    });
    let server = ApiServer::http(objects);
    let kdj = Kdj::on(&server);
    let _ = kdj.run(["rollback", "qa", "web", "celeryd", "--yes"]).expect_code(1).says(&[
        "refusing to roll back `celeryd` with `web`: it would get another image than `web`",
        "`celeryd` 3 -> 2 is registry.acme.dev/shop:1.42 -> registry.acme.dev/shop:1.41",
        "kdj rollback qa celeryd",
    ]);
    assert!(server.requests().iter().all(|it| it.method != "PATCH"), "{}", server.request_lines());
    // Not named, it is left as it is.
    let _ = kdj.run(["rollback", "qa"]).expect_code(0).says(&["celeryd: left as it is, since the image stays"]);
    assert_eq!(template(&server, "web")["spec"]["containers"][0]["env"][0]["name"], "OLD_FLAG");
    assert_eq!(template(&server, "celeryd")["spec"]["containers"][0]["image"], "registry.acme.dev/shop:1.42");
}

#[test]
fn what_is_not_of_the_app_is_not_asked_for_migrations() {
    let mut objects = objects().with(Deployment::new("nginx", 1).container("nginx", "nginx:2", &[]));
    let template = objects.get("deployments", NAMESPACE, "nginx").expect("a Deployment")["spec"]["template"].clone();
    objects.change("deployments", "nginx", |it| {
        it["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "2"});
    });
    for (hash, number, image) in [("new", 2, "nginx:2"), ("old", 1, "nginx:1")] {
        objects = objects.with(ReplicaSet::of("nginx", hash, number, 0));
        objects.change("replicasets", &format!("nginx-{hash}"), |set| {
            set["spec"]["template"] = template.clone();
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        });
    }
    let server = ApiServer::http(objects);
    let output = Kdj::on(&server).run(["rollback", "qa", "nginx"]).expect_code(0);
    let _ = output.says(&["nginx 2 -> 1 (nginx:2 -> nginx:1)"]).never_says(&["migrations"]);
    assert_eq!(self::template(&server, "nginx")["spec"]["containers"][0]["image"], "nginx:1");
    assert!(server.requests().iter().all(|it| !it.path.contains("/jobs")), "{}", server.request_lines());
}

#[test]
fn a_dry_run_and_an_explanation_change_nothing() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::on(&server);
    let words = ["rollback", "qa", "web", "--skip-migrations", "--dry-run"];
    let _ = kdj.run(words).expect_code(0).says(&["(dry run: nothing was changed)"]);
    assert!(server.requests().iter().all(|it| it.method != "PATCH" || it.is_dry_run()), "{}", server.request_lines());
    let output = kdj.run(["rollback", "qa", "2", "web", "--explain"]).expect_code(0);
    assert!(output.stdout_text().contains("rollout undo deployment/web '--to-revision=2'\n"), "{output}");
    assert_eq!(template(&server, "web")["spec"]["containers"][0]["image"], "registry.acme.dev/shop:1.42");
}

/// Rolls web back, and changes its Deployment between the last look and the PATCH.
fn changed_meanwhile(change: impl Fn(&mut Value)) -> (ApiServer, CommandOutput) {
    let server = ApiServer::http(objects());
    server.fault(On::patch("deployments", NAMESPACE).once(), Fault::Delay(Duration::from_secs(1)));
    let kdj = Kdj::on(&server);
    let running = kdj.start(["rollback", "qa", "web", "--skip-migrations"]);
    server.wait_for_request("the patch", |it| it.method == "PATCH");
    server.change(|objects| objects.change("deployments", "web", change));
    let output = running.finish();
    (server, output)
}

#[test]
fn a_change_of_somebody_else_s_is_not_undone() {
    let (server, output) = changed_meanwhile(|web| {
        web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("5");
    });
    let expected = ["`web` was changed meanwhile: it was not rolled back", "its current revision is no longer 4"];
    let _ = output.expect_code(1).says(&expected);
    assert_eq!(server.requests().iter().filter(|it| it.method == "PATCH").count(), 1, "{}", server.request_lines());
    assert_eq!(template(&server, "web")["spec"]["containers"][0]["image"], "registry.acme.dev/shop:1.42");
}

#[test]
fn a_change_of_its_number_or_status_is_none_of_the_template() {
    let (server, output) = changed_meanwhile(|web| web["spec"]["replicas"] = json!(5));
    let _ = output.expect_code(0).says(&["web 4 -> 2"]);
    assert_eq!(server.requests().iter().filter(|it| it.method == "PATCH").count(), 2, "{}", server.request_lines());
    assert_eq!(template(&server, "web")["spec"]["containers"][0]["image"], "registry.acme.dev/shop:1.41");
}

/// A Deployment's generation, and the one that its controller has seen.
fn seen(generation: u64, seen: u64) -> impl Fn(&mut Value) {
    move |web| {
        web["metadata"]["generation"] = json!(generation);
        web["status"]["observedGeneration"] = json!(seen);
    }
}

#[test]
fn a_change_of_a_moment_ago_is_waited_for_and_not_for_ever() {
    let mut objects = objects();
    objects.change("deployments", "web", seen(9, 8));
    let server = ApiServer::http(objects);
    let kdj = Kdj::on(&server);
    let words = ["rollback", "qa", "web", "--skip-migrations"];
    let _ = kdj.run(words).expect_code(1).says(&["its controller has not seen it yet", "hint: try again"]);
    assert!(server.requests().iter().all(|it| it.method != "PATCH"), "{}", server.request_lines());
    let looks = |server: &ApiServer| server.requests().iter().filter(|it| it.path == DEPLOYMENTS).count();
    let before = looks(&server);
    let running = kdj.start(words);
    poll_until("it looks again", Duration::from_secs(10), || (looks(&server) > before + 1).then_some(()));
    server.change(|objects| objects.change("deployments", "web", seen(9, 9)));
    let _ = running.finish().expect_code(0).says(&["web 4 -> 2"]);
}

#[test]
fn a_change_the_controller_has_not_seen_is_waited_for() {
    let mut objects = objects();
    objects.change("deployments", "web", seen(8, 8));
    let server = ApiServer::http(objects);
    server.fault(On::patch("deployments", NAMESPACE).once(), Fault::Delay(Duration::from_secs(1)));
    let kdj = Kdj::on(&server);
    let running = kdj.start(["rollback", "qa", "web", "--skip-migrations"]);
    server.wait_for_request("the patch", |it| it.method == "PATCH");
    server.change(|objects| objects.change("deployments", "web", seen(9, 8)));
    let looks = |server: &ApiServer| server.requests().iter().filter(|it| it.path == DEPLOYMENTS).count();
    let before = looks(&server);
    poll_until("it looks again", Duration::from_secs(10), || (looks(&server) > before).then_some(()));
    server.change(|objects| objects.change("deployments", "web", seen(9, 9)));
    let _ = running.finish().expect_code(0).says(&["web 4 -> 2"]);
}

#[test]
fn a_beat_gets_its_strategy_back_when_the_next_role_is_refused() {
    let mut objects = objects();
    objects.change("deployments", "celerybeat", |beat| {
        beat["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
    });
    let mut old = objects.get("replicasets", NAMESPACE, "celeryd-old").expect("a ReplicaSet").clone();
    let owner = objects.get("replicasets", NAMESPACE, "celerybeat-5d5d5d").expect("a ReplicaSet").clone();
    old["metadata"]["name"] = json!("celerybeat-old");
    old["metadata"]["uid"] = json!("uid-celerybeat-old");
    old["metadata"]["ownerReferences"] = owner["metadata"]["ownerReferences"].clone();
    objects.add_json("replicasets", old);
    // Its old pod has gone at once.
    objects.remove("pods", "celerybeat-5d5d5d-zzzzz");
    let server = ApiServer::http(objects);
    server.fault(On::prefix(&format!("{DEPLOYMENTS}/web")), Fault::forbidden("dev", "patch", "deployments", NAMESPACE));
    let words = ["rollback", "qa", "celerybeat", "web", "--skip-migrations"];
    let output = Kdj::on(&server).run(words).expect_code(1);
    let _ = output.says(&["rolled back before that: celerybeat"]).never_says(&["keeps the strategy"]);
    let patches: Vec<Value> = server
        .requests()
        .iter()
        .filter(|it| it.method == "PATCH" && it.path.ends_with("celerybeat"))
        .map(|it| it.json()["spec"]["strategy"]["type"].clone())
        .collect();
    assert_eq!(patches, ["Recreate", "RollingUpdate"], "{}", server.request_lines());
}

#[test]
fn who_leaves_between_two_roles_is_told_which_are_done() {
    let server = ApiServer::http(objects());
    server.fault(On::patch("deployments", NAMESPACE).once(), Fault::Delay(Duration::from_secs(1)));
    let running = Kdj::on(&server).start(["rollback", "qa", "web", "celeryd", "--skip-migrations"]);
    server.wait_for_request("the first patch", |it| it.method == "PATCH");
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130);
    let _ = output.says(&["left: `celeryd` is not rolled back", "rolled back before that: web"]);
    assert_eq!(template(&server, "celeryd")["spec"]["containers"][0]["image"], "registry.acme.dev/shop:1.42");
}

#[test]
fn a_lost_answer_is_looked_up() {
    let server = ApiServer::http(objects());
    server.fault(On::prefix(&format!("{DEPLOYMENTS}/web")).once(), Fault::carried_out(Fault::Reset));
    let _ = Kdj::on(&server).run(["rollback", "qa", "web", "--skip-migrations"]).expect_code(0).says(&["web 4 -> 2"]);
    assert_eq!(server.requests().iter().filter(|it| it.method == "PATCH").count(), 1, "{}", server.request_lines());
}

#[test]
fn what_cannot_be_gone_back_to_is_said_before_anything_is_done() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::on(&server);
    for (words, code, phrases) in [
        (&["rollback", "qa", "9", "web"][..], 2, &["`web` of `qa` has no revision 9", "its revisions are 4, 2"][..]),
        (&["rollback", "qa", "4", "web"], 1, &["`web` of `qa` is at revision 4: nothing was done"]),
        (&["rollback", "qa", "shell"], 1, &["`shell` of `qa` has nothing to go back to"]),
        (&["rollback", "qa", "nosuch"], 2, &["no role `nosuch` in `qa`"]),
        // The shell and beat have the image, too, and never had the older one.
        (
            &["rollback", "qa"],
            1,
            &["`shell` of `qa` has no revision with the image registry.acme.dev/shop:1.41", "kdj rollback qa 2 web"],
        ),
    ] {
        let _ = kdj.run(words).expect_code(code).says(phrases);
    }
    let protected = Kdj::on(&server).config(&format!("{CONFIG}protected = true\n"));
    let before = server.requests().len();
    let refused = protected.run(["rollback", "qa", "web"]).expect_code(1);
    let _ = refused.says(&["refusing to roll back protected environment `qa`", "`--confirm qa`"]);
    assert_eq!(server.requests().len(), before);
    assert!(server.requests().iter().all(|it| it.method != "PATCH"), "{}", server.request_lines());
}

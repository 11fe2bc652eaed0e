//! `kdj releases` and `kdj rollback` against the fake server: which requests, and what befalls them.

use serde_json::{Value, json};

use crate::harness::{ApiServer, CONFIG, Fault, Kdj, On, objects::Objects, shop, shop::NAMESPACE};

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

#[test]
fn a_change_of_somebody_else_s_is_not_undone() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::on(&server);
    let words = ["rollback", "qa", "web", "--skip-migrations"];
    // Between the look and the change somebody released again.
    server.change(|objects| {
        objects.change("deployments", "web", |web| {
            web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("5");
        });
    });
    let output = kdj.run(words).expect_code(1);
    let _ =
        output.says(&["`web` was changed meanwhile: it was not rolled back", "its current revision is no longer 4"]);
    assert!(server.requests().iter().all(|it| it.method != "PATCH"), "{}", server.request_lines());
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

//! The one POST that makes a Job, and what may keep it from being made.

use serde_json::{Value, json};

use super::{created, objects, run, server};
use crate::harness::{ApiServer, Fault, Kdj, On, Run, shop::NAMESPACE, status};

fn refused(message: &str) -> Fault {
    Fault::status(&status::failure(403, "Forbidden", message))
}

#[test]
fn a_refusal_comes_before_anything_exists() {
    let quota =
        r#"pods "kdj-run-a" is forbidden: exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=4"#;
    let security =
        r#"pods "kdj-run-a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false"#;
    let webhook = r#"admission webhook "policy.acme.dev" denied the request: no image of this registry"#;
    for message in [quota, security, webhook] {
        let server = ApiServer::http(objects());
        server.fault(On::dry_run("pods", NAMESPACE), refused(message));
        let _ = run(&server, []).expect_code(125).prints("").says(&[
            "cannot create job kdj-run-",
            "pod in `shop-qa`",
            message,
        ]);
        assert_eq!((created(&server), server.objects("jobs").len()), (0, 0));
    }
    let server = ApiServer::http(objects());
    server.fault(On::create("jobs", NAMESPACE), Fault::status(&status::quota_exceeded("jobs.batch", "a", "jobs")));
    let _ = run(&server, []).expect_code(125).says(&["exceeded quota: jobs"]);
    assert_eq!((created(&server), server.objects("jobs").len()), (1, 0));
}

#[test]
fn what_a_viewer_lacks_is_named() {
    let server = ApiServer::http(objects());
    server.fault(On::create("jobs", NAMESPACE), Fault::forbidden("viewer", "create", "jobs", NAMESPACE));
    let rule = r#"{apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}"#;
    let _ = run(&server, []).expect_code(125).says(&["`viewer` may not `create` `jobs` in namespace `shop-qa`", rule]);

    let server = ApiServer::http(objects());
    let deployments = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments");
    server.fault(On::get(&deployments), Fault::forbidden("viewer", "list", "deployments", NAMESPACE));
    let _ = run(&server, []).expect_code(125).says(&["`viewer` may not `list` `deployments`"]);
    assert_eq!(created(&server), 0);
}

#[test]
fn rights_that_only_help_can_be_missing() {
    let core = format!("/api/v1/namespaces/{NAMESPACE}");
    for (on, verb, resource, keeps_labels) in [
        (On::dry_run("pods", NAMESPACE), "create", "pods", true),
        (
            On::get(&format!("/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets")),
            "list",
            "poddisruptionbudgets",
            true,
        ),
        (On::get(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets")), "list", "statefulsets", true),
        (On::get(&format!("{core}/services")), "list", "services", false),
    ] {
        let mut objects = objects();
        objects.change("deployments", "web", |web| web["spec"]["template"]["metadata"]["labels"]["team"] = json!("a"));
        let server = ApiServer::http(objects);
        server.run(Run::prints("x\n", 0));
        server.fault(on, Fault::forbidden("dev", verb, resource, NAMESPACE));
        let _ = run(&server, []).expect_code(0).prints("x\n");
        let labels = &server.objects("jobs")[0]["spec"]["template"]["metadata"]["labels"];
        assert_eq!(labels["team"], if keeps_labels { json!("a") } else { Value::Null }, "without {resource}");
        assert_eq!(labels["app.kubernetes.io/component"], Value::Null, "the Service's and the Deployment's label");
    }
}

#[test]
fn an_unknown_outcome_is_looked_up_and_never_repeated() {
    for fault in [Fault::timeout(), Fault::internal_error(), Fault::Reset, Fault::Close, Fault::html(502)] {
        let server = server(Run::prints("x\n", 3));
        server.fault(On::create("jobs", NAMESPACE).once(), Fault::carried_out(fault));
        let _ = run(&server, []).expect_code(3).prints("x\n");
        assert_eq!((created(&server), server.objects("jobs").len()), (1, 1), "{}", server.request_lines());
    }
}

#[test]
fn what_may_still_be_made_is_255() {
    for fault in [Fault::timeout(), Fault::Reset] {
        let server = ApiServer::http(objects());
        server.fault(On::create("jobs", NAMESPACE), fault);
        let _ = run(&server, []).expect_code(255).says(&["whether the Job exists, nobody knows"]);
        assert_eq!((created(&server), server.objects("jobs").len()), (1, 0), "{}", server.request_lines());
    }
}

#[test]
fn an_outcome_nobody_knows_is_255() {
    let server = server(Run::prints("x\n", 0));
    server.fault(On::create("jobs", NAMESPACE), Fault::carried_out(Fault::timeout()));
    server.fault(
        On::prefix(&format!("/apis/batch/v1/namespaces/{NAMESPACE}/jobs/")),
        Fault::forbidden("dev", "get", "jobs", NAMESPACE),
    );
    let _ = run(&server, []).expect_code(255).says(&["whether the Job exists, nobody knows", "kdj jobs qa"]);
}

#[test]
fn what_looks_secret_in_a_command_is_warned_of() {
    for (words, warned) in [
        (["python", "-c", "print('once')"], false),
        (["python", "-c", "u.set_password('hunter2')"], true),
        (["curl", "-u", "ada:hunter2"], true),
    ] {
        let server = server(Run::prints("", 0));
        let words = ["run", "qa", "--"].iter().chain(&words);
        let output = Kdj::on(&server).run(words).expect_code(0);
        assert_eq!(output.stderr.contains("looks like a secret"), warned, "{output}");
    }
}

#[test]
fn no_value_of_a_secret_s_name_gets_into_the_manifest() {
    let server = ApiServer::http(objects());
    let output =
        Kdj::on(&server).run(["run", "qa", "-e", "DB_PASSWORD=canary-c0ffee", "--", "report"]).expect_code(125);
    let _ = output.says(&["`DB_PASSWORD` looks like a secret", "--env-from secret/NAME"]).never_says(&["canary"]);
    assert!(server.requests().is_empty());
    let server = super::server(Run::prints("", 0));
    let words = [
        "run",
        "qa",
        "--env-from",
        "secret/mail",
        "--env-from",
        "configmap/flags",
        "-e",
        "A=$(B) $$",
        "--",
        "sh",
        "-c",
        "echo $$ $(A)",
    ];
    let _ = Kdj::on(&server).run(words).expect_code(0);
    let container = &server.objects("jobs")[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["envFrom"], json!([{"secretRef": {"name": "mail"}}, {"configMapRef": {"name": "flags"}}]));
    // Kubernetes makes one of two.
    assert_eq!(container["env"], json!([{"name": "A", "value": "$$(B) $$$$"}]));
    assert_eq!(container["command"], json!(["sh", "-c", "echo $$$$ $$(A)"]));
}

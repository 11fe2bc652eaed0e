//! `kdj config` against the fake server: which requests, and what is told without rights.

use serde_json::{Value, json};

use crate::harness::{ApiServer, CommandOutput, Exec, Fault, Kdj, On, objects::Objects, shop, shop::NAMESPACE};

/// "canary-fake-6Tr2" in base64, as the API has it.
const CANARY: (&str, &str) = ("canary-fake-6Tr2", "Y2FuYXJ5LWZha2UtNlRyMg==");
const VERSIONS: &str =
    "\nkdj-versions: {\"settings\": \"shop.settings\", \"python\": \"3.12.1\", \"django\": \"5.2\"}\n";

/// Web with a ConfigMap, a Secret, and what is not of them.
fn objects() -> Objects {
    let mut objects = shop::one_web_pod();
    objects.change("deployments", "web", |web| {
        let container = &mut web["spec"]["template"]["spec"]["containers"][0];
        container["envFrom"] = json!([{"configMapRef": {"name": "app"}}, {"secretRef": {"name": "app"}}]);
        container["env"] = json!([{"name": "DEBUG", "value": "true"}, {"name": "DB_PASSWORD", "value": CANARY.0}]);
    });
    let map = json!({"metadata": {"name": "app", "uid": "uid-map"}, "data": {"DEBUG": "false", "HOSTS": "*"}});
    let secret = json!({"metadata": {"name": "app", "uid": "uid-secret"}, "data": {"TOKEN": CANARY.1}});
    objects.with_json("configmaps", map).with_json("secrets", secret)
}

#[track_caller]
fn json_of(output: &CommandOutput) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_container_takes_five_requests_and_one_for_each_object_it_names() {
    let server = ApiServer::http(objects());
    server.exec(Exec::prints(VERSIONS, 0).always());
    let kdj = Kdj::on(&server);
    let output = kdj.run(["config", "qa", "-v"]).expect_code(0).never_says(&[CANARY.0, CANARY.1]);
    assert_eq!(server.requests().len(), 7, "{}", server.request_lines());
    insta::assert_snapshot!(output.stdout_text(), @"
    FACT              VALUE
    image             registry.acme.dev/shop:1.42
    digest            registry.acme.dev/shop:1.42@sha256:0a1b2c
    settings module   shop.settings
    Python            3.12.1
    Django            5.2

    VARIABLE      VALUE      ORIGIN
    DB_PASSWORD   <hidden>   literal
    DEBUG         true       literal
    HOSTS         *          ConfigMap app/HOSTS
    TOKEN         <hidden>   Secret app/TOKEN
    ");
    let output = json_of(&kdj.run(["config", "qa", "-o", "json"]).expect_code(0).never_says(&[CANARY.0, CANARY.1]));
    assert_eq!((&output["version"], &output["django"]), (&json!(1), &json!("5.2")));
    let debug = json!({
        "name": "DEBUG", "state": "plain", "value": "true", "origin": {"kind": "literal"},
        "overrides": [{"kind": "config_map", "name": "app", "key": "DEBUG"}],
    });
    assert_eq!(output["variables"][1], debug);
    // Names only: two objects fewer.
    let before = server.requests().len();
    let output = kdj.run(["config", "qa", "--no-values"]).expect_code(0).never_says(&["TOKEN"]);
    assert!(output.stdout_text().contains("<not read>   Secret app\n"), "{output}");
    assert_eq!(server.requests().len() - before, 5, "{}", server.request_lines());
}

#[test]
fn without_rights_there_are_the_names_and_a_word_why() {
    let server = ApiServer::http(objects());
    server
        .fault(On::prefix("/api/v1/namespaces/shop-qa/secrets"), Fault::forbidden("dev", "get", "secrets", NAMESPACE));
    server.fault(On::pods(NAMESPACE), Fault::pods_forbidden("dev", NAMESPACE));
    let output = Kdj::on(&server).run(["config", "qa"]).expect_code(0).never_says(&["TOKEN"]);
    assert!(output.stdout_text().ends_with("*             <not read>   Secret app\n"), "{output}");
    let _ = output.says(&[
        "Secret app was not read: `dev` may not `get` `secrets` in namespace `shop-qa`",
        "settings module and versions are not known: `dev` may not `list` `pods`",
    ]);
}

#[test]
fn two_roles_or_environments_are_compared() {
    let mut objects = objects().and_namespace("shop");
    for resource in ["deployments", "pods", "configmaps", "secrets"] {
        let all: Vec<Value> = objects.list(resource, Some(NAMESPACE)).into_iter().cloned().collect();
        for mut object in all {
            object["metadata"]["namespace"] = json!("shop");
            object["metadata"]["uid"] = json!(format!("{}-2", object["metadata"]["uid"].as_str().unwrap_or_default()));
            objects.add_json(resource, object);
        }
    }
    let server = ApiServer::http(objects);
    server.exec(Exec::prints(VERSIONS, 0).always());
    let config = "[environments.qa]\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\n\
                  [environments.prod]\ncontext = \"acme-staging\"\nnamespace = \"shop\"\n";
    let kdj = Kdj::on(&server).config(config);
    let equal = kdj.run(["config", "qa", "--diff", "prod"]).expect_code(0).prints("");
    let _ = equal.says(&["nothing differs between web of qa and web of prod"]);
    server.change(|objects| {
        for (_, object) in objects.iter_mut().filter(|(_, object)| object["metadata"]["namespace"] == "shop") {
            if object["data"]["TOKEN"].is_string() {
                object["data"]["TOKEN"] = json!("b3RoZXI=");
            }
        }
    });
    for words in [&["config", "qa", "--diff", "prod"][..], &["config", "qa", "web", "--diff", "prod:web"]] {
        let output = kdj.run(words).expect_code(1).never_says(&[CANARY.0, CANARY.1, "other", "b3RoZXI="]);
        assert_eq!(
            output.stdout_text(),
            "KIND       NAME    WEB_OF_QA                     WEB_OF_PROD\n\
             variable   TOKEN   <hidden> (Secret app/TOKEN)   <hidden> (Secret app/TOKEN)\n"
        );
    }
    let output = json_of(&kdj.run(["config", "qa", "--diff", "prod", "-o", "json"]).expect_code(1));
    assert_eq!(
        (&output["equal"], &output["differences"][0]["differs"], &output["differences"][0]["left"]["state"]),
        (&json!(false), &json!("value"), &json!("hidden"))
    );
    // What a container that cannot be entered has is not known.
    server.fault(On::pods("shop"), Fault::pods_forbidden("dev", "shop"));
    let output = json_of(&kdj.run(["config", "qa", "--diff", "prod", "-o", "json"]).expect_code(1));
    let digest = &output["differences"][0];
    assert_eq!((&digest["name"], &digest["differs"]), (&json!("digest"), &json!("unknown")), "{output:#}");
    let _ = kdj.run(["config", "qa", "--diff", "nosuch"]).expect_code(2).says(&[
        "no role `nosuch` in `qa`",
        "`web`",
        "it is no environment either: ",
    ]);
}

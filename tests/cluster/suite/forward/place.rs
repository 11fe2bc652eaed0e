//! Where it listens, what it leads to, and who may.

use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    super::harness::{
        Namespace, SHOP, cluster,
        objects::{deployment, pod, sleeping, stateful_set},
    },
    Forward, answer, servers,
};

#[test]
fn it_says_what_to_use() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let running = kdj.start(["forward", "qa", "db"]);
    running.wait_for_stdout("\n");
    let line = running.stdout_so_far();
    assert!(line.starts_with("psql \"host=127.0.0.1 port=") && line.ends_with(" user=shop dbname=shop\"\n"), "{line}");
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130).never_says(&["canary", "error"]);
    let _ = output.says(&["db: 127.0.0.1:", " -> postgres:5432, relayed by pod shell-"]);
    // The password is shown to who asks for it.
    let running = kdj.start(["forward", "qa", "db", "--show-password"]);
    running.wait_for_stdout("\n");
    assert!(running.stdout_so_far().starts_with("PGPASSWORD=canary-qa-database-7Kp2 psql \"host="));
    assert!(!running.stderr_so_far().contains("canary"));
    let json = Forward::start(&kdj, &["qa", "svc/web", "redis"]);
    let (web, redis) = (&json.told["forwards"][0], &json.told["forwards"][1]);
    assert_eq!((&json.told["version"], &json.told["environment"]), (&json!(1), &json!("qa")));
    assert_eq!(web["url"], format!("http://127.0.0.1:{}/", json.port(0)));
    assert_eq!((&web["relayed"], &web["to"]), (&json!(false), &json!("port 8000")));
    assert_eq!(redis["url"], format!("redis://127.0.0.1:{}/0", json.port(1)));
    assert_eq!((&redis["protocol"], &redis["database"]), (&json!("redis"), &json!("0")));
}

#[test]
fn it_lists_what_there_is() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().run(["forward", "prod", "-o", "json"]).expect_code(0);
    let listed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let find = |name: &str| {
        let all = listed["targets"].as_array().expect("targets");
        all.iter().find(|one| one["target"] == name).unwrap_or_else(|| panic!("no {name} in {listed:#}")).clone()
    };
    assert_eq!(find("web")["ports"], json!([{"port": 8000, "name": "http"}]));
    assert_eq!(find("svc/shop-web")["problem"], Value::Null);
    assert!(find("svc/postgres")["problem"].as_str().is_some_and(|why| why.contains("no selector")));
    assert_eq!(find("db")["kind"], "settings");
}

#[test]
fn a_port_in_use_is_named_and_passed_over() {
    let Some(cluster) = cluster() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let pid = std::process::id();
    let kdj = cluster.kdj();
    let output = kdj.run(["forward", "qa", "web", &format!("{port}:8000")]).expect_code(1).prints("");
    let _ = output.says(&[&format!("error: port {port} is in use by "), &format!("(pid {pid})"), " is free"]);
    let kdj = kdj.config(&format!(
        "[environments.qa]\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\n\
         [forwards.site]\nrole = \"web\"\nport = 8000\nlocal = {port}\n"
    ));
    let forward = Forward::start(&kdj, &["qa", "site"]);
    assert!(forward.port(0) > port);
    forward.running.wait_for_stderr(&format!("site: port {port} is in use by "));
}

#[test]
fn ports_have_names_and_services_lead_to_them() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 1);
    let kdj = namespace.kdj();
    let pod = namespace.pods("web").remove(0);
    let forward =
        Forward::start(&kdj, &["own", "web:echo", "svc/web:70", &format!("pod/{pod}:echo"), "deploy/web:7000"]);
    for number in 0..4 {
        assert_eq!(answer(forward.connect(number), b"x"), b"x", "{number}");
    }
    // The one called http is meant when no port is named.
    let forward = Forward::start(&kdj, &["own", "web"]);
    assert_eq!(forward.told["forwards"][0]["to"], "port 7001");
    for (target, says) in [
        ("svc/web", &["Service `web` has several ports", "70 (echo), 72 (bulk)", "`svc/web:70`"][..]),
        ("svc/web:71", &["Service `web` has no port `71`"]),
        ("svc/wep", &["no Service `wep` in `own`", "did you mean `svc/web`?"]),
        ("web:grpc", &["`web` has no port `grpc`", "7000 (echo), 7001 (http)"]),
        ("pod/web-0:80", &["no pod `web-0` in `own`"]),
        ("wep", &["no role `wep` in `own`"]),
    ] {
        let output = kdj.run(["forward", "own", target]);
        let code = output.code;
        assert!(matches!(code, Some(1 | 2)), "{target}: {output}");
        let _ = output.prints("").says(says);
    }
}

#[test]
fn services_without_an_address_of_their_own_are_refused_with_the_reason() {
    let Some(cluster) = cluster() else { return };
    let service = |name: &str, spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec});
    let objects = [
        service("outside", json!({"type": "ExternalName", "externalName": "db.acme.dev", "ports": [{"port": 5432}]})),
        service("managed", json!({"ports": [{"port": 5432}]})),
        service("members", json!({"clusterIP": "None", "selector": {"component": "db"}, "ports": [{"port": 5432}]})),
        service("names", json!({"selector": {"component": "db"}, "ports": [{"port": 53, "protocol": "UDP"}]})),
        stateful_set("db", 2, pod([sleeping("db", SHOP)])),
        deployment("shell", pod([sleeping("django", SHOP)])),
    ];
    let namespace = Namespace::with(cluster, objects);
    namespace.wait_for_rollout(["statefulset/db", "deployment/shell"]);
    let kdj = namespace.kdj();
    for (target, says) in [
        ("svc/outside", &["has no pods to forward to", "ExternalName", "[forwards.outside]"][..]),
        ("svc/managed", &["has no pods to forward to", "no selector"]),
        ("svc/members", &["headless, and has 2 ready pods", "db-0, db-1", "`pod/db-0:5432`"]),
        ("svc/names", &["port 53 of Service `names` is UDP", "only TCP"]),
        ("shell", &["`shell` has no port that is known", "`shell:PORT`"]),
        ("db", &["cannot load the settings of `own`"]),
    ] {
        let output = kdj.run(["forward", "own", target]);
        assert!(matches!(output.code, Some(1 | 2)), "{target}: {output}");
        let _ = output.prints("").says(says);
    }
}

#[test]
fn who_may_not_forward_is_told_the_rule() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().run(["forward", "acme-staging-viewer/shop-qa", "web"]).expect_code(1).prints("");
    let _ = output.says(&[
        "error: `viewer` may not `get` `pods/portforward` in namespace `shop-qa` (context `acme-staging-viewer`)",
        r#"resources: ["pods/portforward"], verbs: ["get", "create"]"#,
    ]);
    // A developer may; without the right to watch pods it works as well.
    let _ = cluster.kdj().run(["forward", "acme-staging-dev/shop-qa", "web", "--exec", "true"]).expect_code(0);
}

#[test]
fn a_protected_environment_asks_and_records() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    for target in ["db", "web", "svc/shop-web"] {
        let output = kdj.run(["forward", "prod", target]).expect_code(1).prints("");
        let _ = output.says(&["refusing to forward in protected environment `prod`", "--confirm prod"]);
    }
    let output = kdj.run(["forward", "prod", "web", "--address", "0.0.0.0", "--confirm", "prod"]).expect_code(2);
    let _ = output.says(&["`--address 0.0.0.0` is not for protected environment `prod`"]);
    let exec =
        ["forward", "prod", "db", "--show-password", "--confirm", "prod", "--reason", "ticket 7", "--exec", "true"];
    let _ = kdj.run(exec).expect_code(0);
    let audit = kdj.run(["audit", "prod", "-o", "json"]).expect_code(0);
    let audit: Value = serde_json::from_slice(&audit.stdout).expect("JSON");
    let own = |change: &&Value| change["verb"] == "forward" && change["reason"] == "ticket 7";
    let change = audit["changes"].as_array().expect("changes").iter().rfind(own).expect("a record").clone();
    assert_eq!(change["command"], json!(["db", "--exec", "true", "--show-password"]));
    assert_eq!(change["exit"], 0);
    assert!(!audit.to_string().contains("canary"));
    // Elsewhere another address is warned of.
    let output = kdj.run(["forward", "qa", "web", "--address", "0.0.0.0", "--exec", "true"]).expect_code(0);
    let _ = output.says(&["warning: everybody who reaches 0.0.0.0"]);
}

//! `kdj config`: variables and files of real containers, their origins, and what differs; no secret in any output.

use serde_json::{Value, json};

use super::harness::{CommandOutput, Kdj, Namespace, SHOP, cluster, objects};

/// What only Secrets have, and a literal that looks like one.
const CANARIES: [&str; 4] =
    ["canary-config-token-4Mv8", "canary-config-file-7Qx1", "canary-config-literal-2Bs6", "canary-config-url-9Jt3"];

fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

fn secret(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})
}

/// A role with all that a container can be given.
fn role(name: &str, debug: &str, more: &[Value]) -> Value {
    let mut container = objects::sleeping("django", SHOP);
    container["resources"] = json!({"limits": {"memory": "256Mi"}});
    container["envFrom"] = json!([
        {"configMapRef": {"name": "app"}}, {"secretRef": {"name": "app"}}, {"prefix": "TWO_", "secretRef": {"name": "app"}},
        {"configMapRef": {"name": "nosuch", "optional": true}},
    ]);
    let mut variables = vec![
        json!({"name": "DEBUG", "value": debug}),
        json!({"name": "SMTP_PASSWORD", "value": CANARIES[2]}),
        json!({"name": "SEARCH_URL", "value": format!("https://ada:{}@search/", CANARIES[3])}),
        json!({"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}),
        json!({"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}),
        json!({"name": "ONE_KEY", "valueFrom": {"secretKeyRef": {"name": "app", "key": "API_TOKEN"}}}),
        json!({"name": "NEVER", "valueFrom": {"secretKeyRef": {"name": "app", "key": "nosuch", "optional": true}}}),
    ];
    variables.extend(more.iter().cloned());
    container["env"] = variables.into();
    container["volumeMounts"] = json!([
        {"name": "files", "mountPath": "/etc/app"}, {"name": "keys", "mountPath": "/run/keys"},
        {"name": "tmp", "mountPath": "/scratch"},
    ]);
    let mut pod = objects::pod([container]);
    pod["volumes"] = json!([
        {"name": "files", "configMap": {"name": "files"}},
        {"name": "keys", "secret": {"secretName": "keys", "items": [{"key": "key", "path": "tls/key.pem"}]}},
        {"name": "tmp", "emptyDir": {}},
    ]);
    objects::deployment(name, pod)
}

/// All kdj says, also under `-v`, without a secret in it.
#[track_caller]
fn config(kdj: &Kdj, words: &[&str], code: i32) -> CommandOutput {
    let words = ["config"].iter().chain(words).chain(&["-v"]);
    kdj.run(words).expect_code(code).never_says(&CANARIES)
}

#[track_caller]
fn rows(output: &CommandOutput) -> Vec<String> {
    let row = |line: &str| line.split("   ").map(str::trim).filter(|it| !it.is_empty()).collect::<Vec<_>>().join("|");
    output.stdout_text().lines().map(row).collect()
}

#[test]
fn what_a_role_is_given_and_from_where() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(
        cluster,
        [
            config_map("app", json!({"DEBUG": "false", "MOTTO": "from the map", "LINES": "a\nb"})),
            secret("app", json!({"API_TOKEN": CANARIES[0], "MOTTO": "from the secret"})),
            config_map("files", json!({"local.py": format!("KEY = '{}'", CANARIES[1])})),
            secret("keys", json!({"key": CANARIES[1], "other": "not mounted"})),
            role("web", "true", &[]),
            role("celeryd", "maybe", &[json!({"name": "QUEUE", "value": "mails"})]),
        ],
    );
    namespace.wait_for_rollout(["deployment/web", "deployment/celeryd"]);
    let kdj = namespace.kdj();
    let output = config(&kdj, &["own", "web"], 0);
    let rows = rows(&output);
    for row in [
        "image|registry.local/shop:1",
        "settings module|shop.settings",
        "API_TOKEN|<hidden>|Secret app/API_TOKEN",
        "DEBUG|true|literal",
        "LINES|a\\nb|ConfigMap app/LINES",
        "MEMORY|<set by the cluster>|resource limits.memory",
        "MOTTO|<hidden>|Secret app/MOTTO",
        "ONE_KEY|<hidden>|Secret app/API_TOKEN",
        "POD_IP|<set by the cluster>|field status.podIP",
        "SEARCH_URL|https://ada:<redacted>@search/|literal",
        "SMTP_PASSWORD|<hidden>|literal",
        "TWO_API_TOKEN|<hidden>|Secret app/API_TOKEN",
        "/etc/app/local.py|ConfigMap files/local.py",
        "/run/keys/tls/key.pem|Secret keys/key",
        "/scratch|emptyDir tmp",
    ] {
        assert!(rows.iter().any(|it| it == row), "{row}: {output}");
    }
    assert!(rows.iter().any(|row| row.starts_with("Django|5.")), "{output}");
    assert!(rows.iter().any(|row| row.starts_with("digest|sha256:") || row.starts_with("digest|registry")), "{output}");
    let _ = output.never_says(&["NEVER", "not mounted"]);
    // What kdj says is what the container has.
    let pod = namespace.pods("web").remove(0);
    let inside = namespace.kubectl(["exec", &pod, "--", "sh", "-c", "env; ls /etc/app/local.py /run/keys/tls/key.pem"]);
    for fact in [
        "DEBUG=true",
        "MOTTO=from the secret",
        "TWO_MOTTO=from the secret",
        "/etc/app/local.py",
        "/run/keys/tls/key.pem",
    ] {
        assert!(inside.lines().any(|line| line == fact), "{fact}: {inside}");
    }
    let output = config(&kdj, &["own", "web", "-o", "json"], 0);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let motto = json!({
        "name": "MOTTO", "state": "hidden", "origin": {"kind": "secret", "name": "app", "key": "MOTTO"},
        "overrides": [{"kind": "config_map", "name": "app", "key": "MOTTO"}],
    });
    assert!(json["variables"].as_array().is_some_and(|all| all.contains(&motto)), "{json:#}");

    let output = config(&kdj, &["own", "web", "--diff", "celeryd"], 1);
    assert_eq!(
        self::rows(&output),
        ["KIND|NAME|WEB_OF_OWN|CELERYD_OF_OWN", "variable|DEBUG|true|maybe", "variable|QUEUE|<none>|mails"]
    );
    let _ = config(&kdj, &["own", "web", "--diff", "web"], 0).prints("");
    // A reference to what is not there: such a container cannot start.
    let broken = json!({"name": "LOST", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "LOST"}}});
    namespace.apply([role("celeryd", "maybe", &[broken])]);
    let output = config(&kdj, &["own", "celeryd"], 0);
    assert!(self::rows(&output).contains(&"LOST|<missing>|ConfigMap app/LOST".to_owned()), "{output}");
}

#[test]
fn environments_are_compared_without_a_word_of_their_secrets() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().run(["config", "qa", "--diff", "prod", "-v"]).expect_code(1).never_says(&["canary-"]);
    assert!(rows(&output).iter().any(|row| row.starts_with("variable|DJANGO_SECRET_KEY|<hidden>")), "{output}");
    let output = cluster.kdj().run(["config", "qa", "--diff", "qa:celeryd", "-v"]).expect_code(0);
    let _ = output.prints("").never_says(&["canary-"]);
}

#[test]
fn who_may_not_read_secrets_gets_the_names_that_are_left() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().run(["config", "acme-staging-viewer/shop-qa", "web"]).expect_code(0);
    let rows = rows(&output);
    assert!(rows.contains(&"*|<not read>|Secret app".to_owned()), "{output}");
    assert!(rows.contains(&"DEBUG|false|ConfigMap app/DEBUG".to_owned()), "{output}");
    let _ = output.says(&[
        "Secret app was not read: `viewer` may not `get` `secrets`",
        "settings module and versions are not known: `viewer` may not `get` `pods/exec`",
    ]);
}

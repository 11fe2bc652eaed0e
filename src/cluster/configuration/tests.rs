//! Variables and files as Kubernetes gives them.

use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};

use super::*;

fn object<T: serde::de::DeserializeOwned>(value: Json) -> T {
    serde_json::from_value(value).unwrap()
}

fn map(data: Json) -> Result<Option<ConfigMap>> {
    Ok(Some(object(json!({"metadata": {}, "data": data}))))
}

/// Values in base64, as the API has them.
fn secret(data: Json) -> Result<Option<Secret>> {
    Ok(Some(object(json!({"metadata": {}, "data": data}))))
}

fn pod(container: Json, volumes: Json) -> Pod {
    let mut container = container;
    container["name"] = json!("django");
    container["image"] = json!("shop:1");
    object(json!({"metadata": {}, "spec": {"containers": [container], "volumes": volumes}}))
}

fn assembled(pod: &Pod, objects: &Objects) -> Configuration {
    let names = ("web".to_owned(), "deployment/web".to_owned(), "django".to_owned());
    Cluster::assemble(names, pod, objects, Vec::new()).unwrap()
}

fn shown(given: &[Given]) -> Vec<String> {
    let line = |given: &Given| {
        let value = match &given.value {
            Value::Known(value) => format!("{:?}", String::from_utf8_lossy(value.expose_secret())),
            other => format!("{other:?}"),
        };
        let over: String = given.overrides.iter().map(|origin| format!(", not {origin}")).collect();
        format!("{}={value} by {}{over}", given.name, given.origin)
    };
    given.iter().map(line).collect()
}

#[test]
fn later_sources_count_more_and_env_counts_most() {
    let pod = pod(
        json!({
            "envFrom": [
                {"configMapRef": {"name": "app"}}, {"prefix": "APP_", "secretRef": {"name": "keys"}},
                {"secretRef": {"name": "keys"}}, {"configMapRef": {"name": "gone", "optional": true}},
                {"secretRef": {"name": "lost"}}, {"secretRef": {"name": "closed"}},
            ],
            "env": [
                {"name": "DEBUG", "value": "true"}, {"name": "DEBUG", "value": "$(A)/x"}, {"name": "EMPTY"},
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}},
                {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "A"}}},
                {"name": "MAYBE", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "B", "optional": true}}},
                {"name": "NEVER", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "B"}}},
            ],
        }),
        json!([]),
    );
    let (maps, secrets) = objects::named(&pod, Some("django"));
    assert_eq!(maps.into_iter().collect::<Vec<_>>(), ["app", "gone"]);
    assert_eq!(secrets.into_iter().collect::<Vec<_>>(), ["closed", "keys", "lost"]);
    let objects = Objects::new(
        vec![
            ("app".into(), map(json!({"A": "map", "DEBUG": "false", "a.b-c": "1", "no\u{fc}": "2"}))),
            ("gone".into(), Ok(None)),
        ],
        vec![
            ("keys".into(), secret(json!({"A": "c2VjcmV0"}))),
            ("lost".into(), Ok(None)),
            ("closed".into(), Err(Error::failed("you may not"))),
        ],
    );
    let found = assembled(&pod, &objects);
    let doubt = "Secret closed comes later, and was not read: it may say something else of A, APP_A, a.b-c";
    assert_eq!(
        shown(&found.variables),
        [
            "A=\"secret\" by Secret keys/A, not ConfigMap app/A",
            "APP_A=\"secret\" by Secret keys/A",
            "DEBUG=\"$(A)/x\" by literal, not literal, not ConfigMap app/DEBUG",
            "EMPTY=\"\" by literal",
            "IP=Elsewhere by field status.podIP",
            "KEY=\"secret\" by Secret keys/A",
            "MEMORY=Elsewhere by resource limits.memory",
            "NEVER=Missing by ConfigMap app/B",
            "a.b-c=\"1\" by ConfigMap app/a.b-c",
            "*=Missing by Secret lost",
            "*=Unread by Secret closed",
        ]
    );
    assert_eq!(found.notes, ["Secret closed was not read: you may not", doubt]);
    assert!(!format!("{found:?}").contains("secret\""), "{found:?}");
}

#[test]
fn binary_data_is_for_files_and_for_no_variables() {
    let pod = pod(
        json!({
            "envFrom": [{"configMapRef": {"name": "app"}}],
            "env": [{"name": "LOGO", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "logo"}}}],
            "volumeMounts": [{"name": "files", "mountPath": "/etc/app"}],
        }),
        json!([{"name": "files", "configMap": {"name": "app"}}]),
    );
    let map = object(json!({"metadata": {}, "data": {"A": "1"}, "binaryData": {"logo": "cG5n"}}));
    let found = assembled(&pod, &Objects::new(vec![("app".into(), Ok(Some(map)))], Vec::new()));
    assert_eq!(shown(&found.variables), ["A=\"1\" by ConfigMap app/A", "LOGO=Missing by ConfigMap app/logo"]);
    assert_eq!(
        shown(&found.files),
        ["/etc/app/A=\"1\" by ConfigMap app/A", "/etc/app/logo=\"png\" by ConfigMap app/logo"]
    );
}

#[test]
fn files_are_named_by_the_path_they_are_mounted_at() {
    let pod = pod(
        json!({"volumeMounts": [
            {"name": "conf", "mountPath": "/etc/app/"},
            {"name": "conf", "mountPath": "/app/local.py", "subPath": "local.py"},
            {"name": "keys", "mountPath": "/run/keys"},
            {"name": "mixed", "mountPath": "/run/mixed"},
            {"name": "data", "mountPath": "/data", "subPath": "shop"},
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "closed", "mountPath": "/run/closed"},
            {"name": "closed", "mountPath": "/run/one.pem", "subPath": "one.pem"},
        ]}),
        json!([
            {"name": "conf", "configMap": {"name": "files"}},
            {"name": "keys", "secret": {"secretName": "keys", "items": [
                {"key": "A", "path": "sub/a.pem"}, {"key": "nosuch", "path": "b.pem"}]}},
            {"name": "mixed", "projected": {"sources": [
                {"configMap": {"name": "files", "items": [{"key": "local.py", "path": "l.py"}]}},
                {"serviceAccountToken": {"path": "token"}},
                {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "uploads"}},
            {"name": "tmp", "emptyDir": {"medium": "Memory"}},
            {"name": "closed", "secret": {"secretName": "closed"}},
            {"name": "unused", "secret": {"secretName": "unused"}},
        ]),
    );
    let (_, secrets) = objects::named(&pod, Some("django"));
    assert_eq!(secrets.into_iter().collect::<Vec<_>>(), ["closed", "keys"]);
    let objects = Objects::new(
        vec![("files".into(), map(json!({"local.py": "DEBUG = 1", "other.py": ""})))],
        vec![("keys".into(), secret(json!({"A": "c2VjcmV0"})))],
    );
    assert_eq!(
        shown(&assembled(&pod, &objects).files),
        [
            "/app/local.py=\"DEBUG = 1\" by ConfigMap files/local.py",
            "/data=Elsewhere by persistentVolumeClaim uploads",
            "/etc/app/local.py=\"DEBUG = 1\" by ConfigMap files/local.py",
            "/etc/app/other.py=\"\" by ConfigMap files/other.py",
            "/run/closed/*=Unread by Secret closed",
            "/run/keys/b.pem=Missing by Secret keys/nosuch",
            "/run/keys/sub/a.pem=\"secret\" by Secret keys/A",
            "/run/mixed/l.py=\"DEBUG = 1\" by ConfigMap files/local.py",
            "/run/mixed/labels=Elsewhere by downwardAPI mixed",
            "/run/mixed/token=Elsewhere by serviceAccountToken mixed",
            "/run/one.pem=Unread by Secret closed",
            "/tmp=Elsewhere by emptyDir tmp",
        ]
    );
}

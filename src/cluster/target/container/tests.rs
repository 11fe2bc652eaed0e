use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::cluster::target::fixtures::{PodBuilder, now, pod};

fn django(name: &str) -> Value {
    let env = json!([{"name": "DJANGO_SETTINGS_MODULE", "value": "shop.settings"}]);
    json!({"name": name, "image": "registry:5000/shop:1", "env": env})
}

fn chosen(pod: PodBuilder) -> Result<String> {
    choose_container(&pod.build(), None, None, "web")
}

#[test]
fn the_app_is_found_among_its_sidecars() {
    let image = |name: &str, image: &str| json!({"name": name, "image": image});
    for (pod, expected) in [
        (pod("p").container("whatever", &[]), "whatever"),
        (pod("p").container("nginx", &[]), "nginx"),
        (pod("p").container("istio-proxy", &[]).container("x", &[]), "x"),
        (pod("p").container("nginx", &["nginx"]).container("x", &[]).container("pg-exporter", &[]), "x"),
        (pod("p").container_of(image("proxy", "envoyproxy/envoy:v1@sha256:00")).container("x", &[]), "x"),
        (pod("p").container_of(image("db", "reg.io:443/cloud-sql-proxy:2")).container("x", &[]), "x"),
        (pod("p").container("helper", &[]).container_of(django("x")), "x"),
        (pod("p").container("helper", &[]).container("x", &["gunicorn", "shop.wsgi"]), "x"),
        (pod("p").container("helper", &["cat"]).container("x", &["sh", "-c", "python manage.py tick"]), "x"),
        (pod("p").container("helper", &[]).container("web", &[]), "web"),
        (pod("p").container_of(django("metrics")).container_of(django("web")), "web"),
        (pod("p").container("a", &[]).container("b", &[]).annotation(DEFAULT_CONTAINER, "b"), "b"),
        (pod("p").container("a", &[]).container("web", &[]).annotation(DEFAULT_CONTAINER, "gone"), "web"),
    ] {
        assert_eq!(chosen(pod.clone()).unwrap(), expected, "{:?}", names(&pod.build()));
    }
}

#[test]
fn asked_beats_configured_beats_annotated() {
    let pod = pod("p").container("a", &[]).container("b", &[]).container("c", &[]);
    let pod = pod.annotation(DEFAULT_CONTAINER, "c").build();
    assert_eq!(choose_container(&pod, Some("a"), Some("b"), "web").unwrap(), "a");
    assert_eq!(choose_container(&pod, None, Some("b"), "web").unwrap(), "b");
    assert_eq!(choose_container(&pod, None, None, "web").unwrap(), "c");
}

#[test]
fn what_cannot_be_chosen_is_an_error_with_the_list() {
    let init = json!([{"name": "migrate", "image": "shop"}]);
    let pod = pod("p").container("alpha", &[]).container("beta", &[]).set("/spec/initContainers", init);
    let pod = pod.build();
    let text = |result: Result<String>| {
        let error = result.unwrap_err();
        format!("{error}\n{}", error.hints().join("\n"))
    };
    assert_snapshot!(text(choose_container(&pod, Some("alhpa"), None, "web")), @r"
    no container `alhpa` in pod `p`: its containers are `alpha`, `beta`, `migrate` (init)
    did you mean `--container alpha`?
    ");
    assert_snapshot!(text(choose_container(&pod, None, Some("django"), "web")), @r"
    no container `django`, which is configured for role `web`, in pod `p`: its containers are `alpha`, `beta`, `migrate` (init)
    correct `container` in `[roles.web]`, or choose one with `--container CONTAINER`
    ");
    assert_snapshot!(text(choose_container(&pod, None, None, "web")), @r"
    no container of pod `p` is surely the app's: its containers are `alpha`, `beta`, `migrate` (init)
    name it: `--container alpha`
    ");
}

#[test]
fn a_container_that_does_not_run_says_its_state() {
    let crashing = pod("p").crash_looping().build();
    assert_eq!(
        require_running(&crashing, "app", now()).unwrap_err().to_string(),
        "container `app` of pod `p` is not running: CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts"
    );
    let done = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
    let done = pod("p").state(done, Value::Null, 0).build();
    assert_eq!(require_running(&done, "app", now()).unwrap_err().causes(), ["exit 0 (Completed)"]);
    let unscheduled = pod("p").unschedulable().build();
    assert_eq!(require_running(&unscheduled, "app", now()).unwrap_err().causes(), ["not started yet"]);
    assert!(require_running(&pod("p").build(), "app", now()).is_ok());
}

#[test]
fn sidecars_are_those_that_run_beside() {
    let pod = pod("p").container("istio-proxy", &[]).container("web", &[]);
    let pod = pod.set("/spec/initContainers", json!([{"name": "migrate", "image": "shop"}])).build();
    assert_eq!(running_beside(&pod, "web"), ["istio-proxy"]);
}

//! POST, PATCH, DELETE.

use serde_json::{Value, json};

use super::{get, send};
use crate::harness::{ApiServer, Fault, Job, Objects, On, Pod, shop::NAMESPACE};

const JOBS: &str = "/apis/batch/v1/namespaces/shop-qa/jobs";

fn server() -> ApiServer {
    ApiServer::http(Objects::in_namespace(NAMESPACE))
}

fn job(name: &str) -> String {
    json!({
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [{"name": "django", "image": "shop:1"}]}}},
    })
    .to_string()
}

/// The status code, and the body.
async fn answer(server: &ApiServer, method: &str, target: &str, body: &str) -> (u16, Value) {
    let (code, body) = send(server, method, target, body).await.expect("an answer");
    (code, serde_json::from_str(&body).expect("JSON"))
}

#[tokio::test]
async fn what_is_created_is_found() {
    let server = server();
    let (code, made) = answer(&server, "POST", JOBS, &job("a")).await;
    assert_eq!((code, &made["kind"], &made["apiVersion"]), (201, &json!("Job"), &json!("batch/v1")), "{made}");
    let metadata = &made["metadata"];
    assert!(["uid", "resourceVersion", "creationTimestamp"].iter().all(|key| metadata[key].is_string()), "{metadata}");
    let labels = &made["spec"]["template"]["metadata"]["labels"];
    assert_eq!(labels["batch.kubernetes.io/controller-uid"], metadata["uid"]);
    assert_eq!(answer(&server, "GET", &format!("{JOBS}/a"), "").await, (200, made.clone()));
    assert_eq!(super::list(&server, JOBS).await, ["a"]);
    let (code, again) = answer(&server, "POST", JOBS, &job("a")).await;
    assert_eq!((code, &again["reason"]), (409, &json!("AlreadyExists")));
    assert_eq!(again["message"], r#"jobs.batch "a" already exists"#);
    let (code, elsewhere) = answer(&server, "POST", &JOBS.replace("-qa", ""), &job("a")).await;
    assert_eq!((code, &elsewhere["message"]), (404, &json!(r#"namespaces "shop" not found"#)));
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let server = server();
    let (code, made) = answer(&server, "POST", &format!("{JOBS}?dryRun=All"), &job("a")).await;
    assert!(code == 201 && made["metadata"]["uid"].is_string(), "{made}");
    assert!(server.objects("jobs").is_empty());
    assert!(server.requests()[0].is_dry_run());
}

#[tokio::test]
async fn events_have_the_names_of_both_apis() {
    let server = server();
    let event = json!({"metadata": {"generateName": "a."}, "regarding": {"name": "a"}, "note": "hello"}).to_string();
    assert_eq!(answer(&server, "POST", "/apis/events.k8s.io/v1/namespaces/shop-qa/events", &event).await.0, 201);
    let selected = "/api/v1/namespaces/shop-qa/events?fieldSelector=involvedObject.name%3Da";
    let (_, list) = answer(&server, "GET", selected, "").await;
    assert_eq!(list["items"][0]["message"], "hello");
}

#[tokio::test]
async fn a_patch_is_merged() {
    let server = server();
    let (_, made) = answer(&server, "POST", JOBS, &job("a")).await;
    let target = format!("{JOBS}/a");
    let patch = json!({"metadata": {"annotations": {"x": "1"}}, "spec": {"selector": null}}).to_string();
    let (code, patched) = answer(&server, "PATCH", &target, &patch).await;
    assert_eq!((code, &patched["metadata"]["annotations"]["x"]), (200, &json!("1")));
    assert!(patched["spec"]["selector"].is_null() && patched["spec"]["template"].is_object(), "{patched}");
    assert_ne!(patched["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
    let stale = json!({"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}}).to_string();
    assert_eq!(answer(&server, "PATCH", &target, &stale).await.0, 409);
    assert_eq!(answer(&server, "PATCH", &format!("{JOBS}/b"), "{}").await.0, 404);
}

#[tokio::test]
async fn a_deleted_job_takes_its_pods_when_told() {
    for (policy, left) in [("Background", 0), ("Orphan", 1)] {
        let objects = Objects::in_namespace(NAMESPACE).with(Job::new("a")).with(Pod::ready("a-1").owned_by_job("a"));
        let server = ApiServer::http(objects);
        let target = format!("{JOBS}/a");
        let body = json!({"propagationPolicy": policy, "preconditions": {"uid": "another"}}).to_string();
        let (code, conflict) = answer(&server, "DELETE", &target, &body).await;
        assert_eq!((code, &conflict["reason"]), (409, &json!("Conflict")), "{conflict}");
        let (code, done) = answer(&server, "DELETE", &target, &body.replace("another", "uid-a")).await;
        assert_eq!((code, &done["status"]), (200, &json!("Success")));
        assert_eq!(server.objects("pods").len(), left, "{policy}");
        assert_eq!(server.requests()[1].option("propagationPolicy").as_deref(), Some(policy));
        assert_eq!(answer(&server, "DELETE", &target, "").await.0, 404);
    }
}

#[tokio::test]
async fn an_outcome_can_be_unknown() {
    let server = server();
    server.fault(On::dry_run("jobs", NAMESPACE), Fault::forbidden("dev", "create", "jobs", NAMESPACE));
    server.fault(On::create("jobs", NAMESPACE).once(), Fault::carried_out(Fault::timeout()));
    server.fault(On::create("jobs", NAMESPACE).once(), Fault::carried_out(Fault::Reset));
    server.fault(On::delete("jobs", NAMESPACE).once(), Fault::carried_out(Fault::Close));
    server.fault(On::patch("jobs", NAMESPACE).once(), Fault::internal_error());
    let (code, refused) = answer(&server, "POST", &format!("{JOBS}?dryRun=All"), &job("a")).await;
    let message = refused["message"].as_str().expect("a message");
    assert!(code == 403 && message.contains(r#"cannot create resource "jobs" in API group "batch""#), "{message}");
    assert_eq!(answer(&server, "POST", JOBS, &job("a")).await.0, 504);
    send(&server, "POST", JOBS, &job("b")).await.expect_err("a reset");
    assert_eq!(super::list(&server, JOBS).await, ["a", "b"]);
    assert_eq!(answer(&server, "PATCH", &format!("{JOBS}/a"), "{}").await.0, 500);
    send(&server, "DELETE", &format!("{JOBS}/a"), "").await.expect_err("the end");
    assert_eq!(get(&server, &format!("{JOBS}/a")).await.expect("an answer").0, 404);
}

#[tokio::test]
async fn the_user_is_told() {
    let (code, review) = answer(
        &server(),
        "POST",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        r#"{"kind":"SelfSubjectReview"}"#,
    )
    .await;
    assert_eq!((code, &review["status"]["userInfo"]["username"]), (201, &json!("dev")));
}

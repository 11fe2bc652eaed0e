//! WATCH.

use std::{io::ErrorKind, time::Duration};

use serde_json::json;

use super::{get, streamed::Streamed};
use crate::harness::{ApiServer, Fault, On, Rupture, shop, shop::NAMESPACE};

const PODS: &str = "/api/v1/namespaces/shop-qa/pods";

/// The server, and a watch of its pods from the list on.
async fn watched(query: &str) -> (ApiServer, Streamed) {
    let server = ApiServer::http(shop::one_web_pod());
    let (_, list) = get(&server, PODS).await.expect("an answer");
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    let revision = list["metadata"]["resourceVersion"].as_str().expect("a revision");
    let watch = Streamed::open(&server, &format!("{PODS}?watch=true&resourceVersion={revision}{query}")).await;
    (server, watch)
}

fn add(server: &ApiServer, suffix: &str) {
    server.change(|objects| *objects = objects.clone().with(shop::web_pod(suffix)));
}

fn label(server: &ApiServer, value: &str) {
    server.change(|objects| {
        objects.change("pods", "web-7c9d8f-aaaaa", |pod| pod["metadata"]["labels"]["tier"] = json!(value));
    });
}

#[tokio::test]
async fn a_watch_tells_what_happens() {
    let (server, mut watch) = watched("").await;
    assert!(watch.is_quiet().await);
    add(&server, "bbbbb");
    label(&server, "x");
    assert_eq!(watch.events().await, ["ADDED web-7c9d8f-bbbbb"]);
    let (word, pod) = watch.event().await;
    assert_eq!(
        (word.as_str(), &pod["kind"], &pod["metadata"]["labels"]["tier"]),
        ("MODIFIED", &json!("Pod"), &json!("x"))
    );
    server.change(|objects| objects.remove("pods", "web-7c9d8f-aaaaa"));
    server.change(|objects| objects.remove("deployments", "web"));
    assert_eq!(watch.events().await, ["DELETED web-7c9d8f-aaaaa"]);
    assert!(watch.is_quiet().await);
}

#[tokio::test]
async fn a_watch_without_revision_begins_with_what_is_there() {
    let server = ApiServer::http(shop::two_web_pods());
    let mut watch = Streamed::open(&server, &format!("{PODS}?watch=true")).await;
    assert_eq!(watch.events().await, ["ADDED web-7c9d8f-aaaaa", "ADDED web-7c9d8f-bbbbb"]);
    let listing = "watch=1&sendInitialEvents=true&fieldSelector=metadata.name%3Dweb-7c9d8f-bbbbb";
    let mut watch = Streamed::open(&server, &format!("{PODS}?{listing}")).await;
    assert_eq!(watch.events().await, ["ADDED web-7c9d8f-bbbbb"]);
    let (word, bookmark) = watch.event().await;
    let annotation = &bookmark["metadata"]["annotations"]["k8s.io/initial-events-end"];
    assert_eq!((word.as_str(), annotation), ("BOOKMARK", &json!("true")));
}

#[tokio::test]
async fn objects_come_and_go_with_their_labels() {
    let (server, mut watch) = watched("&labelSelector=tier%3Dx").await;
    for value in ["x", "x", "y"] {
        label(&server, value);
        add(&server, &format!("ccc{value}c"));
    }
    assert_eq!(watch.events().await, ["ADDED web-7c9d8f-aaaaa", "DELETED web-7c9d8f-aaaaa"]);
}

#[tokio::test]
async fn old_revisions_are_gone() {
    let (server, mut watch) = watched("").await;
    add(&server, "bbbbb");
    assert_eq!(watch.events().await, ["ADDED web-7c9d8f-bbbbb"]);
    server.forget_history();
    let mut late = Streamed::open(&server, &format!("{PODS}?watch=true&resourceVersion=4711")).await;
    let (word, status) = late.event().await;
    assert_eq!((word.as_str(), &status["code"], &status["reason"]), ("ERROR", &json!(410), &json!("Expired")));
    assert_eq!(late.line().await.expect("the end"), None);
}

#[tokio::test]
async fn a_watch_ends_in_time_with_a_bookmark() {
    let (server, mut watch) = watched("&allowWatchBookmarks=true&timeoutSeconds=1").await;
    server.bookmark();
    assert_eq!(watch.event().await.0, "BOOKMARK");
    assert_eq!(watch.event().await.0, "BOOKMARK");
    assert_eq!(watch.line().await.expect("the end"), None);
    server.end_watches_after(Duration::from_millis(50));
    let mut short =
        Streamed::open(&server, &format!("{PODS}?watch=true&resourceVersion=4711&timeoutSeconds=290")).await;
    assert_eq!(short.line().await.expect("the end"), None);
}

#[tokio::test]
async fn watches_break_off() {
    let server = ApiServer::http(shop::two_web_pods());
    let watches = || On::watch("pods", NAMESPACE).once();
    server.fault(watches(), Fault::AfterLines(1, Rupture::Reset));
    server.fault(watches(), Fault::AfterLines(1, Rupture::Close));
    server.fault(watches(), Fault::watch_expires(1));
    server.fault(watches(), Fault::AfterLines(0, Rupture::Silence));
    server.fault(watches(), Fault::forbidden("dev", "watch", "pods", NAMESPACE));
    let target = format!("{PODS}?watch=true");
    for kind in [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof] {
        let mut watch = Streamed::open(&server, &target).await;
        assert_eq!(watch.events().await, ["ADDED web-7c9d8f-aaaaa"]);
        assert_eq!(watch.line().await.expect_err("a cut").kind(), kind);
    }
    let mut expired = Streamed::open(&server, &target).await;
    assert_eq!((expired.event().await.0, expired.event().await.0), ("ADDED".to_owned(), "ERROR".to_owned()));
    assert!(Streamed::open(&server, &target).await.is_quiet().await);
    assert_eq!(get(&server, &target).await.expect("an answer").0, 403);
    assert_eq!(super::list(&server, PODS).await.len(), 2);
}

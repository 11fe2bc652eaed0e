//! GET of logs.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use super::{get, streamed::Streamed};
use crate::harness::{ApiServer, Fault, Objects, On, Pod, Rupture, shop, shop::NAMESPACE};

const POD: &str = "web-7c9d8f-aaaaa";
const LOG: &str = "/api/v1/namespaces/shop-qa/pods/web-7c9d8f-aaaaa/log";

fn server() -> ApiServer {
    let server = ApiServer::http(shop::one_web_pod());
    for (second, text) in [("00.000000001", "one\n"), ("01.5", "two\n"), ("01.9", "ÿ\0three\n")] {
        server.log_at(&format!("2026-11-01T08:00:{second}Z"), NAMESPACE, POD, "django", text);
    }
    server
}

async fn read(server: &ApiServer, query: &str) -> String {
    let log = Streamed::open(server, &format!("{LOG}?{query}")).await;
    String::from_utf8_lossy(&log.rest().await.expect("a clean end")).into_owned()
}

#[tokio::test]
async fn logs_are_read_as_the_kubelet_reads_them() {
    let server = server();
    assert_eq!(read(&server, "").await, "one\ntwo\nÿ\0three\n");
    assert_eq!(read(&server, "sinceTime=2026-11-01T08%3A00%3A01Z").await, "two\nÿ\0three\n");
    assert_eq!(read(&server, "sinceTime=2026-11-01T08%3A00%3A02Z").await, "");
    assert_eq!(read(&server, "tailLines=2&limitBytes=6").await, "two\nÿ");
    assert_eq!(
        read(&server, "container=django&timestamps=true&tailLines=3&limitBytes=71").await,
        "2026-11-01T08:00:00.000000001Z one\n2026-11-01T08:00:01.500000000Z two\n2"
    );
}

#[tokio::test]
async fn bytes_stay_bytes() {
    let server = ApiServer::http(shop::one_web_pod());
    server.log(NAMESPACE, POD, "django", b"\xff\xfe\n\0");
    let log = Streamed::open(&server, LOG).await;
    assert_eq!(log.rest().await.expect("a clean end"), b"\xff\xfe\n\0");
}

#[tokio::test]
async fn a_followed_log_grows_until_the_container_ends() {
    let server = server();
    let mut log = Streamed::open(&server, &format!("{LOG}?follow=true&tailLines=1")).await;
    assert!(log.line().await.expect("a line").expect("one").ends_with("three"));
    assert!(log.is_quiet().await);
    server.log(NAMESPACE, POD, "django", "ha");
    server.log(NAMESPACE, POD, "django", "lf\nlast");
    assert_eq!(log.line().await.expect("a line").as_deref(), Some("half"));
    server.change(|objects| objects.remove("pods", POD));
    assert_eq!(log.rest().await.expect("a clean end"), b"last");
    assert_eq!(get(&server, LOG).await.expect("an answer").0, 404);
}

#[tokio::test]
async fn a_log_can_be_refused() {
    let two = Pod::ready("two").container("a", "x", &[]).container("b", "x", &[]);
    let objects = Objects::in_namespace(NAMESPACE)
        .with(Pod::waiting("new", "ContainerCreating", "").django("django"))
        .with(Pod::unschedulable("none", "0/1 nodes").django("django"))
        .with(two);
    let server = ApiServer::http(objects);
    for (target, words) in [
        ("new/log", r#"container \"django\" in pod \"new\" is waiting to start: ContainerCreating"#),
        ("none/log", "pod none does not have a host assigned"),
        ("two/log", "a container name must be specified for pod two, choose one of: [a b]"),
        ("two/log?container=c", "container c is not valid for pod two"),
        ("two/log?container=a&previous=true", r#"previous terminated container \"a\" in pod \"two\" not found"#),
    ] {
        let (code, body) = get(&server, &format!("/api/v1/namespaces/shop-qa/pods/{target}")).await.expect("an answer");
        assert!(code == 400 && body.contains(words), "{body}");
    }
}

#[tokio::test]
async fn logs_break_off() {
    let server = server();
    let logs = || On::log(NAMESPACE).once();
    server.fault(logs(), Fault::AfterLines(2, Rupture::Reset));
    server.fault(logs(), Fault::CutBody(5));
    server.fault(logs(), Fault::AfterLines(1, Rupture::End));
    server.fault(logs(), Fault::kubelet_error(1));
    let target = format!("{LOG}?follow=true");
    let mut cut = Streamed::open(&server, &target).await;
    assert_eq!(cut.line().await.expect("a line").as_deref(), Some("one"));
    assert_eq!(cut.line().await.expect("a line").as_deref(), Some("two"));
    assert_eq!(cut.line().await.expect_err("a cut").kind(), ErrorKind::ConnectionReset);
    let mut cut = Streamed::open(&server, &target).await;
    assert_eq!(cut.line().await.expect("a line").as_deref(), Some("one"));
    assert_eq!(cut.line().await.expect_err("a cut").kind(), ErrorKind::ConnectionReset);
    assert_eq!(read(&server, "follow=true").await, "one\n");
    let error = "one\nfailed to create fsnotify watcher: too many open files\n";
    assert_eq!(read(&server, "follow=true&timestamps=true").await.split_once(' ').expect("a time").1, error);
}

#[tokio::test]
async fn long_logs_are_quick() {
    let server = ApiServer::http(shop::one_web_pod());
    let text: String = (1..=200_000).map(|number| format!("line {number}\n")).collect();
    server.log(NAMESPACE, POD, "django", &text);
    let started = Instant::now();
    assert_eq!(read(&server, "").await, text);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

//! What becomes of Jobs.

use std::time::Duration;

use futures::{AsyncBufReadExt, StreamExt};
use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{Event, Pod},
    },
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, LogParams, PostParams, Preconditions, WatchEvent, WatchParams},
};
use serde_json::{Value, json};

use super::{get, send, streamed::Streamed};
use crate::harness::{ApiServer, Objects, Run, Turn, shop::NAMESPACE};

const JOBS: &str = "/apis/batch/v1/namespaces/shop-qa/jobs";
const PODS: &str = "/api/v1/namespaces/shop-qa/pods";

fn server() -> ApiServer {
    ApiServer::http(Objects::in_namespace(NAMESPACE))
}

/// Creates the Job `a`, of an app and a sidecar.
async fn create(server: &ApiServer) -> Value {
    let job = json!({
        "metadata": {"name": "a"},
        "spec": {"template": {
            "metadata": {"labels": {"app": "shop"}},
            "spec": {"containers": [{"name": "django", "image": "shop:1"}, {"name": "proxy", "image": "proxy:1"}]},
        }},
    });
    let (code, body) = send(server, "POST", JOBS, &job.to_string()).await.expect("an answer");
    assert_eq!(code, 201, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

fn condition(object: &Value, name: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|condition| condition["type"] == name && condition["status"] == "True")
}

/// The phase of the next event's pod, and the state of its first container.
async fn phase(watch: &mut Streamed) -> String {
    let (_, pod) = watch.event().await;
    let state =
        pod["status"]["containerStatuses"][0]["state"].as_object().and_then(|state| state.keys().next().cloned());
    format!("{} {}", pod["status"]["phase"].as_str().expect("a phase"), state.unwrap_or_default())
}

#[tokio::test]
async fn a_job_runs_its_course() {
    let server = server();
    server.run(Run::starts_and([Turn::prints("hel"), Turn::prints("lo\n"), Turn::ends(3)]).of_job("a"));
    let mut watch = Streamed::open(&server, &format!("{PODS}?watch=true&resourceVersion=4711")).await;
    let job = create(&server).await;
    for expected in ["Pending ", "Pending waiting", "Running running", "Failed terminated"] {
        assert_eq!(phase(&mut watch).await, expected);
    }
    let failed = server.wait_for_object("jobs", |job| condition(job, "Failed"));
    assert_eq!((&failed["status"]["failed"], &failed["metadata"]["uid"]), (&json!(1), &job["metadata"]["uid"]));
    let selector = format!(
        "labelSelector=batch.kubernetes.io/controller-uid%3D{}",
        job["metadata"]["uid"].as_str().expect("a uid")
    );
    let (_, pods) = get(&server, &format!("{PODS}?{selector}")).await.expect("an answer");
    let pods: Value = serde_json::from_str(&pods).expect("JSON");
    let pod = &pods["items"][0];
    assert_eq!(pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 3);
    let name = pod["metadata"]["name"].as_str().expect("a name");
    let log = Streamed::open(&server, &format!("{PODS}/{name}/log?container=django&follow=true")).await;
    assert_eq!(log.rest().await.expect("a clean end"), b"hello\n");
    let reasons: Vec<String> = server.objects("events").iter().map(|event| event["reason"].to_string()).collect();
    assert_eq!(reasons, [r#""SuccessfulCreate""#, r#""Scheduled""#, r#""Pulling""#, r#""Started""#]);
}

#[tokio::test]
async fn a_run_waits_to_be_let_on() {
    let server = server();
    server.run(Run::plays([
        Turn::Appears,
        Turn::Hold,
        Turn::unschedulable("0/1 nodes are available"),
        Turn::Pause(Duration::from_millis(20)),
        Turn::Scheduled,
        Turn::waits("ErrImagePull", "not found"),
        Turn::pod_changes(|pod| pod["metadata"]["annotations"] = json!({"seen": "1"})),
        Turn::job_event("FailedCreate", "exceeded quota"),
        Turn::job_fails("DeadlineExceeded", "Job was active longer than specified deadline"),
        Turn::PodGone,
    ]));
    let mut watch = Streamed::open(&server, &format!("{PODS}?watch=true&resourceVersion=4711")).await;
    create(&server).await;
    assert_eq!(phase(&mut watch).await, "Pending ");
    assert!(watch.is_quiet().await);
    server.go_on();
    let (_, pod) = watch.event().await;
    assert_eq!(pod["status"]["conditions"][0]["reason"], "Unschedulable");
    assert_eq!(phase(&mut watch).await, "Pending waiting");
    let (_, pod) = watch.event().await;
    assert_eq!(pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "ErrImagePull");
    assert_eq!(watch.event().await.1["metadata"]["annotations"]["seen"], "1");
    assert_eq!(watch.event().await.0, "DELETED");
    assert!(condition(&server.objects("jobs")[0], "Failed"));
}

#[tokio::test]
async fn a_sidecar_goes_on() {
    let server = server();
    server.run(Run::starts_and([Turn::PrintsLines(3), Turn::oom_killed()]).others_go_on());
    create(&server).await;
    let pod = server.wait_for_object("pods", |pod| {
        pod["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "OOMKilled"
    });
    assert_eq!(pod["status"]["phase"], "Running");
    assert!(!pod["status"]["containerStatuses"][1]["state"]["running"].is_null(), "{pod}");
    assert!(!condition(&server.objects("jobs")[0], "Failed"));
}

#[tokio::test]
async fn a_deleted_job_ends_its_run() {
    let server = server();
    server.run(Run::starts_and([Turn::Hold, Turn::prints("never")]));
    create(&server).await;
    server.wait_for_object("pods", |pod| pod["status"]["phase"] == "Running");
    let mut log = Streamed::open(&server, &format!("{PODS}/a-x7k00/log?container=django&follow=true")).await;
    assert!(log.is_quiet().await);
    let (code, _) =
        send(&server, "DELETE", &format!("{JOBS}/a?propagationPolicy=Background"), "").await.expect("an answer");
    assert_eq!(code, 200);
    assert_eq!(log.line().await.expect("the end"), None);
    assert!(server.objects("pods").is_empty());
}

#[tokio::test]
async fn the_client_of_kdj_understands_it() {
    let server = server();
    server.run(Run::starts_and([Turn::PrintsLines(2), Turn::pod_event("Unhealthy", "so so"), Turn::ends(0)]));
    let client = Client::try_from(kube::Config::new(server.url().parse().expect("a URL"))).expect("a client");
    let jobs: Api<Job> = Api::namespaced(client.clone(), NAMESPACE);
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let events: Api<Event> = Api::namespaced(client, NAMESPACE);
    let job = json!({
        "metadata": {"name": "a"},
        "spec": {"template": {"spec": {"containers": [{"name": "django", "image": "shop:1"}]}}},
    });
    let job: Job = serde_json::from_value(job).expect("a Job");
    let dry = jobs.create(&PostParams { dry_run: true, ..PostParams::default() }, &job).await.expect("a dry run");
    assert!(dry.metadata.uid.is_some() && server.objects("jobs").is_empty());
    let made = jobs.create(&PostParams::default(), &job).await.expect("created");
    let uid = made.metadata.uid.expect("a uid");
    let selector = format!("batch.kubernetes.io/controller-uid={uid}");
    let mut watch = pods.watch(&WatchParams::default().labels(&selector), "4711").await.expect("a watch").boxed();
    let name = loop {
        let event = watch.next().await.expect("no end").expect("an event");
        let (WatchEvent::Added(pod) | WatchEvent::Modified(pod)) = event else { panic!("{event:?}") };
        let statuses = pod.status.expect("a status").container_statuses.unwrap_or_default();
        let ended = statuses.first().and_then(|status| status.state.as_ref()?.terminated.as_ref());
        if ended.is_some_and(|ended| ended.exit_code == 0) {
            break pod.metadata.name.expect("a name");
        }
    };
    let params = LogParams { follow: true, since_time: Some(Timestamp::UNIX_EPOCH), ..LogParams::default() };
    let lines: Vec<_> = pods.log_stream(&name, &params).await.expect("a log").lines().collect().await;
    assert_eq!(lines.into_iter().collect::<Result<Vec<_>, _>>().expect("lines"), ["line 1", "line 2"]);
    let about = ListParams::default().fields(&format!("involvedObject.name={name}"));
    let mut told = events.list(&about).await.expect("events").items.into_iter().filter_map(|event| event.message);
    assert_eq!(told.next_back().as_deref(), Some("so so"));
    assert_eq!(jobs.get("a").await.expect("the Job").status.expect("a status").succeeded, Some(1));
    let stale = Preconditions { uid: Some("another".to_owned()), resource_version: None };
    let refused = jobs.delete("a", &DeleteParams::background().preconditions(stale)).await.expect_err("a conflict");
    assert!(matches!(&refused, kube::Error::Api(status) if status.code == 409), "{refused}");
    let _ = jobs.delete("a", &DeleteParams::background()).await.expect("deleted");
    assert!(server.objects("pods").is_empty());
}

#[test]
#[should_panic(expected = "the Job of this run was never created")]
fn a_run_that_never_comes_fails_the_test() {
    server().run(Run::prints("", 0));
}

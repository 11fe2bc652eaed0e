use super::*;

fn worker(name: &str) -> Worker {
    let tasks = |count| Some(Tasks { count, tasks: Vec::new() });
    Worker {
        name: name.to_owned(),
        queues: None,
        concurrency: None,
        prefetch: None,
        active: tasks(2),
        reserved: tasks(3),
        scheduled: tasks(9),
    }
}

#[test]
fn a_worker_is_in_the_pod_it_is_named_after() {
    assert!(worker("celery@celeryd-1").is_in("celeryd-1"));
    assert!(worker("slow@celeryd-1.workers.shop.svc.cluster.local").is_in("celeryd-1"));
    assert!(!worker("celery@celeryd-11").is_in("celeryd-1"));
    assert!(!worker("celeryd-1").is_in("celeryd-1"));
}

#[test]
fn old_workers_forget_the_queues_they_were_told() {
    for (version, expected) in
        [(Some("5.6.2"), true), (Some("4.4"), true), (Some("5.7.0"), false), (Some("5.10.0rc1"), false), (None, true)]
    {
        let answer = serde_json::json!({"app": "shop", "version": version, "broker": {"kind": "redis", "place": ""}});
        let celery: Celery = serde_json::from_value(answer).unwrap();
        assert_eq!(celery.forgets_queues(), expected, "{version:?}");
    }
}

#[test]
fn orders_that_reach_nobody_are_an_error() {
    let told = || Some(vec![Consumer("celery@a".to_owned(), vec!["mails".to_owned()])]);
    let celery = |problem: Option<&str>, consumers| Celery {
        app: "shop".to_owned(),
        version: None,
        broker: Broker { kind: "redis".to_owned(), place: "redis://redis:6379/0".to_owned() },
        queues: None,
        unacknowledged: None,
        workers: None,
        consumers,
        problem: problem.map(str::to_owned),
    };
    let text = |celery| changed(celery, "qa").map_err(|error| error.to_string());
    assert_eq!(text(Some(celery(None, told()))).unwrap()[0].1, ["mails"]);
    assert_eq!(
        text(Some(celery(Some("refused"), None))).unwrap_err(),
        "cannot reach the Celery workers of `qa` by redis://redis:6379/0: refused"
    );
    assert_eq!(
        text(Some(celery(None, None))).unwrap_err(),
        "cannot reach the Celery workers of `qa` by redis://redis:6379/0: a broker of the kind redis passes on no orders"
    );
    assert_eq!(text(None).unwrap_err(), "the app of `qa` has no Celery");
}

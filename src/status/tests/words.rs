//! What is said first, and what must not be said.

use super::*;

const LOG: &str =
    "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nValueError: DB_PASSWORD=hunter2\n";

fn one(pod: Pod) -> Status {
    status(vec![short("web", Kind::Web, 0, 1)], vec![pod]).concluded()
}

#[test]
fn a_traceback_is_the_cause_where_the_container_ended_by_itself() {
    let heard = |pod: Pod, log: &str| {
        let mut problem = one(pod).problems.remove(0);
        problem.hear(log);
        assert!(!problem.traceback.is_empty() && !problem.traceback.concat().contains("hunter2"), "{problem:?}");
        problem.causes.remove(0).text
    };
    let crashed = |code, reason: &str| crash_looping("web-1", "web", exit(code, reason, 12));
    let text = heard(crashed(1, "Error"), LOG);
    assert!(text.starts_with("ValueError: DB_PASSWORD=<redacted>: container `django` ends with exit 1"), "{text}");
    let served: String = (0..20).map(|number| format!("GET /{number} 200\n")).collect();
    for (pod, log) in [
        (crashed(137, "OOMKilled"), LOG.to_owned()),
        (crashed(137, "Error"), LOG.to_owned()),
        (crashed(143, "Error"), LOG.to_owned()),
        (crashed(1, "Error"), format!("{LOG}{served}")),
        (unready("web-1", "web", |_| {}), LOG.to_owned()),
    ] {
        let text = heard(pod, &log);
        assert!(text.starts_with("container `django`"), "{text}");
    }
}

#[test]
fn of_several_containers_the_surest_cause_comes_first() {
    let mut pod = crash_looping("web-1", "web", exit(1, "Error", 12));
    let pulling = waiting("web-1", "web", "ImagePullBackOff", "").containers.remove(0);
    pod.containers.push(Container { name: "proxy".to_owned(), image: "proxy:9".to_owned(), ..pulling });
    let seen = one(pod);
    assert!(seen.headline.contains("image `proxy:9` cannot be pulled"), "{}", seen.headline);
}

#[test]
fn the_next_command_is_about_that_pod_and_that_container() {
    let mut crashed = crash_looping("db-1", "web", exit(1, "Error", 12));
    crashed.containers.insert(0, container("proxy"));
    let other = pod("db-10", "web");
    let seen = status(vec![short("web", Kind::Web, 1, 2)], vec![crashed, other]).concluded();
    let next = seen.problems[0].next.as_deref();
    assert_eq!(next, Some("kdj logs qa --pod '^db-1$' -c django --no-follow --tail 50"));
}

#[test]
fn values_in_what_the_cluster_says_are_left_out() {
    let mut seen = status(vec![short("web", Kind::Web, 0, 1)], vec![unready("web-1", "web", |_| {})]);
    seen.events.push(event("pod/web-1", "Unhealthy", "Readiness probe failed: login with --password=hunter2 failed"));
    seen.roles[0].failure = Some("denied:\n  TOKEN=hunter2 is\n  not allowed".to_owned());
    seen.changes.push(Change {
        workload: "deployment/web".to_owned(),
        revision: 7,
        at: before(300).unwrap(),
        cause: Some("kubectl set env deploy/web DB_PASSWORD=hunter2 --record=true".to_owned()),
        differences: Vec::new(),
    });
    let seen = seen.concluded();
    let json = seen.json().to_string();
    assert!(json.contains("<redacted>") && !json.contains("hunter2"), "{json}");
    let table = text(&seen, Show { wide: true, why: true, colored: false });
    assert!(!table.contains("hunter2") && !table.contains("TOKEN=<redacted> is\n"), "{table}");
}

#[test]
fn beats_are_counted_by_app() {
    let beat = |name: &str, app: &str| {
        let words = ["celery", "-A", app, "beat"].map(str::to_owned).to_vec();
        Role { words, ..role(name, Kind::Beat, 1) }
    };
    let pods = || vec![pod("shop-beat-1", "shop-beat"), pod("billing-beat-1", "billing-beat")];
    let seen = status(vec![beat("shop-beat", "shop"), beat("billing-beat", "billing")], pods()).concluded();
    assert_eq!((seen.health, seen.beat), (Health::Ok, Some(Beat { desired: 2, running: 2, ok: true })));
    let seen = status(vec![beat("shop-beat", "shop"), beat("billing-beat", "shop")], pods()).concluded();
    assert!(seen.is_broken() && seen.headline.contains("2 beats"), "{}", seen.headline);
}

#[test]
fn a_beat_that_crashes_does_not_run() {
    let crashed = crash_looping("beat-1", "beat", exit(1, "Error", 12));
    let seen = status(vec![short("beat", Kind::Beat, 0, 1)], vec![crashed]).concluded();
    assert_eq!(seen.beat, Some(Beat { desired: 1, running: 0, ok: false }));
    assert!(text(&seen, Show::default()).contains("BROKEN, no beat runs"));
}

#[test]
fn all_at_zero_is_idle_though_beat_is_among_it() {
    let seen = status(vec![role("web", Kind::Web, 0), role("beat", Kind::Beat, 0)], Vec::new()).concluded();
    assert_eq!(seen.headline, "idle: every role is scaled to zero");
}

#[test]
fn probes_of_several_pods_are_one_cause() {
    let mut seen = status(
        vec![short("web", Kind::Web, 0, 2)],
        vec![unready("web-1", "web", |_| {}), unready("web-2", "web", |_| {})],
    );
    for number in 1..3 {
        let message = format!("Readiness probe failed: dial tcp 10.0.0.{number}:8000: connection refused");
        seen.events.push(event(&format!("pod/web-{number}"), "Unhealthy", &message));
    }
    let causes = seen.concluded().problems.remove(0).causes;
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert!(causes[0].text.ends_with("(2 pods, web-1 among them)"), "{causes:?}");
}

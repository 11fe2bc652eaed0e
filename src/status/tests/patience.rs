//! What passes by itself, and what does not: for how long it is waited for.

use super::*;

fn set(ready: u32, pods: Vec<Pod>) -> Status {
    let set = Role { workload: "statefulset/db".to_owned(), has_deadline: false, ..short("db", Kind::Other, ready, 1) };
    let own = |pod: Pod| Pod { workload: "statefulset/db".to_owned(), ..pod };
    status(vec![set], pods.into_iter().map(own).collect())
}

/// The health, and the first cause.
fn said(status: &Status) -> (Health, String) {
    let seen = status.clone().concluded();
    (seen.health, seen.problems.first().map(Problem::line).unwrap_or_default())
}

#[test]
fn pods_that_nobody_makes_are_waited_for_a_moment_only() {
    let mut seen = set(0, Vec::new());
    assert_eq!(
        said(&seen),
        (Health::Broken, "db: 0 of 1 pods ready: there are 0 pods of 1, and no more are made".to_owned())
    );
    seen.roles[0].created = before(5);
    assert_eq!(said(&seen).0, Health::Changing);
    seen.roles[0].created = before(9000);
    seen.roles[0].changed = before(5);
    assert_eq!(said(&seen).0, Health::Changing);
}

#[test]
fn a_pod_that_does_not_go_is_named() {
    let going = |seconds| Pod { terminating: before(seconds), ready: false, ..pod("db-0", "db") };
    assert_eq!(said(&set(0, vec![going(30)])).0, Health::Changing);
    let (health, line) = said(&set(0, vec![going(3600)]));
    assert_eq!(health, Health::Broken);
    assert!(line.contains("it was to be gone 1h ago and is not: its node node-1 does not answer"), "{line}");
}

#[test]
fn a_quota_is_the_cause_for_as_long_as_the_controller_waits() {
    let mut seen = set(0, Vec::new());
    let failed = event("statefulset/db", "FailedCreate", "create Pod db-0 failed: exceeded quota: shop");
    seen.events.push(Event { at: before(950).unwrap(), ..failed });
    let (health, line) = said(&seen);
    assert_eq!(health, Health::Broken);
    assert!(line.contains("exceeded quota: shop"), "{line}");
}

#[test]
fn without_pods_the_counts_tell() {
    let mut seen = status(vec![short("web", Kind::Web, 0, 2)], Vec::new());
    seen.missing.push("pods: `dev` may not `list` `pods`".to_owned());
    assert_eq!(
        said(&seen),
        (Health::Broken, "web: 0 of 2 pods ready: its pods could not be read, which would tell".to_owned())
    );
    seen.roles[0].changed = before(20);
    assert_eq!(said(&seen).0, Health::Changing);
    seen.roles[0] = role("beat", Kind::Beat, 1);
    let seen = seen.concluded();
    assert_eq!((seen.health, seen.beat), (Health::Ok, Some(Beat { desired: 1, running: 1, ok: true })));
}

#[test]
fn a_rollout_without_a_deadline_gets_ten_minutes() {
    let new = |age| {
        let mut pod = unready("db-0", "db", |container| container.running_since = before(age));
        pod.created = before(age);
        let mut seen = set(0, vec![pod]);
        let text = "0 of 1 pods available".to_owned();
        seen.roles[0].rollout = Some(Rollout { phase: RolloutPhase::Progressing, text, held_by: None });
        seen
    };
    assert_eq!(said(&new(500)).0, Health::Changing);
    assert_eq!(said(&new(700)).0, Health::Broken);
    let mut deployed = new(700);
    deployed.roles[0].has_deadline = true;
    assert_eq!(said(&deployed).0, Health::Changing);
}

#[test]
fn a_rollout_that_somebody_is_to_finish_is_no_failure() {
    let old = Pod { outdated: true, ..pod("db-0", "db") };
    let mut seen = set(1, vec![old]);
    let text = "1 old pod until they are deleted by hand".to_owned();
    seen.roles[0].rollout = Some(Rollout { phase: RolloutPhase::Waiting, text, held_by: None });
    let seen = seen.concluded();
    assert_eq!(seen.health, Health::Warning);
    assert_eq!(
        seen.problems[0].next.as_deref(),
        Some("kubectl --context acme-staging -n shop-qa delete pod db-0"),
        "{}",
        seen.headline
    );
}

#[test]
fn a_node_is_waited_for() {
    let pending = |age, why: &str| {
        let mut pod = Pod { node: None, phase: "Pending".to_owned(), ..unready("web-1", "web", |_| {}) };
        pod.containers.clear();
        pod.created = before(age);
        pod.unschedulable = Some(why.to_owned());
        status(vec![short("web", Kind::Web, 0, 1)], vec![pod])
    };
    let cpu = "0/3 nodes are available: 3 Insufficient cpu";
    assert_eq!(said(&pending(100, cpu)).0, Health::Changing);
    assert_eq!(said(&pending(400, cpu)).0, Health::Broken);
    let told = |seconds, reason| {
        let mut seen = pending(seconds, cpu);
        seen.events.push(event("pod/web-1", reason, "pod triggered scale-up"));
        said(&seen).0
    };
    assert_eq!(told(400, "TriggeredScaleUp"), Health::Changing);
    assert_eq!(told(700, "TriggeredScaleUp"), Health::Broken);
    assert_eq!(told(30, "NotTriggerScaleUp"), Health::Broken);
    let selector = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector";
    assert_eq!(said(&pending(30, selector)).0, Health::Broken);
}

#[test]
fn what_starts_slowly_gets_its_time() {
    let seen = |pod: Pod| said(&status(vec![short("web", Kind::Web, 0, 1)], vec![pod])).0;
    let aged = |pod: Pod, age| Pod { created: before(age), ..pod };
    for reason in ["ContainerCreating", "PodInitializing"] {
        assert_eq!(seen(aged(waiting("web-1", "web", reason, ""), 500)), Health::Changing);
        assert_eq!(seen(aged(waiting("web-1", "web", reason, ""), 700)), Health::Broken);
    }
    let probed = |age| {
        aged(
            unready("web-1", "web", |container| {
                container.running_since = before(age);
                container.starting = true;
            }),
            age,
        )
    };
    assert_eq!((seen(probed(500)), seen(probed(700))), (Health::Changing, Health::Broken));
    let mut init = aged(waiting("web-1", "web", "PodInitializing", ""), 300);
    let running = Container { init: true, ready: false, running_since: before(290), ..container("migrate") };
    init.containers.insert(0, running);
    assert_eq!(seen(init), Health::Changing);
}

#[test]
fn a_node_that_does_not_answer_is_the_cause() {
    let lost = Pod { ready: false, abandoned: true, ..pod("web-1", "web") };
    let (health, line) = said(&status(vec![short("web", Kind::Web, 0, 1)], vec![lost]));
    assert_eq!(health, Health::Broken);
    assert!(line.contains("its node node-1 does not answer (pod web-1)"), "{line}");
}

#[test]
fn one_end_after_a_long_run_is_no_crash_loop() {
    let again = |ran: i64| {
        let mut pod = pod("web-1", "web");
        pod.containers[0].restarts = 3;
        pod.containers[0].running_since = before(30);
        let last = Exit { began: before(31 + ran), ..exit(1, "Error", 31) };
        pod.containers[0].last_exit = Some(last.clone());
        let mut web = role("web", Kind::Web, 1);
        web.last_restart = Some(LastRestart { pod: "web-1".to_owned(), exit: last });
        said(&status(vec![web], vec![pod])).0
    };
    assert_eq!((again(20), again(40 * 3600)), (Health::Broken, Health::Warning));
}

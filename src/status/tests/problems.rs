//! Each kind of problem: what is said to be wrong, why, and what to type next.

use super::*;

/// The health, and of each problem what it is, its causes and the next command.
fn said(status: &Status) -> String {
    let mut text = format!("{}\n", status.headline);
    for problem in &status.problems {
        text.push_str(&format!("{:?} {}\n", problem.severity, problem.what));
        for cause in &problem.causes {
            text.push_str(&format!("  {}\n", cause.text));
            cause.evidence.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
        text.push_str(&format!("  $ {}\n", problem.next.as_deref().unwrap_or_default()));
    }
    text
}

fn web(ready: u32, pods: Vec<Pod>) -> Status {
    status(vec![short("web", Kind::Web, ready, 2)], pods)
}

#[test]
fn what_is_as_it_should_be_is_ok() {
    let pods = vec![pod("web-1", "web"), pod("web-2", "web")];
    let status = web(2, pods).concluded();
    assert_eq!((status.headline.as_str(), status.is_broken()), ("ok: 2 of 2 pods ready in 1 role", false));
    assert!(!status.wants_evidence() && status.problems.is_empty());
}

#[test]
fn scaled_to_zero_is_not_broken() {
    let status = status(vec![role("web", Kind::Web, 0)], Vec::new()).concluded();
    assert_eq!((status.headline.as_str(), status.health), ("idle: every role is scaled to zero", Health::Idle));
}

#[test]
fn a_crash_loop_names_the_exit_and_what_changed() {
    let pods =
        vec![crash_looping("web-1", "web", exit(1, "Error", 12)), crash_looping("web-2", "web", exit(1, "Error", 40))];
    let mut seen = web(0, pods);
    seen.changes.push(Change {
        workload: "deployment/web".to_owned(),
        revision: 7,
        at: before(300).unwrap(),
        cause: Some("deploy 1.42".to_owned()),
        differences: vec!["image `shop:1.41` → `shop:1.42`".to_owned(), "new variable `SENTRY_DSN`".to_owned()],
    });
    insta::assert_snapshot!(said(&seen.concluded()), @"
    BROKEN: web: 0 of 2 pods ready: container `django` ends with exit 1, restarted 7 times, last 12s ago (2 pods, web-1 among them)
    Broken web: 0 of 2 pods ready
      container `django` ends with exit 1, restarted 7 times, last 12s ago (2 pods, web-1 among them)
      revision 7 was released 5m ago, it changed image `shop:1.41` → `shop:1.42`; new variable `SENTRY_DSN`
        change cause: deploy 1.42
      $ kdj logs qa --pod web-1 --no-follow --tail 50
    ");
}

#[test]
fn want_of_memory_names_the_limit() {
    let oom = || exit(137, "OOMKilled", 5);
    insta::assert_snapshot!(said(&web(1, vec![pod("web-1", "web"), crash_looping("web-2", "web", oom())]).concluded()), @"
    BROKEN: web: 1 of 2 pods ready: container `django` was OOMKilled, its memory limit is 512Mi, restarted 7 times, last 5s ago (pod web-2)
    Broken web: 1 of 2 pods ready
      container `django` was OOMKilled, its memory limit is 512Mi, restarted 7 times, last 5s ago (pod web-2)
      $ kdj logs qa --pod web-2 --no-follow --tail 50
    ");
    // Between two crashes it runs for a moment.
    let again = unready("web-2", "web", |container| {
        container.ready = true;
        container.restarts = 3;
        container.running_since = before(4);
        container.last_exit = Some(oom());
    });
    insta::assert_snapshot!(said(&web(2, vec![pod("web-1", "web"), Pod { ready: true, ..again }]).concluded()), @"
    BROKEN: web: keeps crashing, 2 of 2 pods ready at the moment: container `django` was OOMKilled, its memory limit is 512Mi, restarted 3 times, last 5s ago (pod web-2)
    Broken web: keeps crashing, 2 of 2 pods ready at the moment
      container `django` was OOMKilled, its memory limit is 512Mi, restarted 3 times, last 5s ago (pod web-2)
      $ kdj logs qa --pod web-2 --previous
    ");
}

#[test]
fn an_image_that_cannot_be_pulled() {
    let pulling = waiting("web-2", "web", "ImagePullBackOff", "Back-off pulling image \"registry.acme.dev/shop:1.43\"");
    let mut seen = web(1, vec![pod("web-1", "web"), pulling]);
    let failed = "Failed to pull image \"registry.acme.dev/shop:1.43\": rpc error: code = NotFound desc = not found";
    seen.events.push(event("pod/web-2", "Failed", failed));
    insta::assert_snapshot!(said(&seen.concluded()), @r#"
    BROKEN: web: 1 of 2 pods ready: image `registry.acme.dev/shop:1.42` cannot be pulled (ImagePullBackOff): code = NotFound desc = not found (pod web-2)
    Broken web: 1 of 2 pods ready
      image `registry.acme.dev/shop:1.42` cannot be pulled (ImagePullBackOff): code = NotFound desc = not found (pod web-2)
        Failed: Failed to pull image "registry.acme.dev/shop:1.43": rpc error: code = NotFound desc = not found
      $ kdj releases qa
    "#);
}

#[test]
fn what_a_container_needs_and_does_not_get() {
    let config = waiting("web-1", "web", "CreateContainerConfigError", "secret \"shop\" not found");
    let mount = waiting("web-2", "web", "ContainerCreating", "");
    let mut seen = web(0, vec![config, mount]);
    let message = "MountVolume.SetUp failed for volume \"settings\" : configmap \"shop-settings\" not found";
    seen.events.push(event("pod/web-2", "FailedMount", message));
    insta::assert_snapshot!(said(&seen.concluded()), @r#"
    BROKEN: web: 0 of 2 pods ready: container `django` cannot be started (CreateContainerConfigError): secret "shop" not found (pod web-1)
    Broken web: 0 of 2 pods ready
      container `django` cannot be started (CreateContainerConfigError): secret "shop" not found (pod web-1)
      it cannot get what it needs to start: MountVolume.SetUp failed for volume "settings" : configmap "shop-settings" not found (pod web-2)
        FailedMount: MountVolume.SetUp failed for volume "settings" : configmap "shop-settings" not found
      $ kdj config qa web
    "#);
}

#[test]
fn no_node_and_no_quota() {
    let mut pending = unready("web-1", "web", |_| {});
    pending.phase = "Pending".to_owned();
    pending.containers.clear();
    pending.unschedulable = Some("0/3 nodes are available: 3 Insufficient cpu".to_owned());
    let mut seen = web(0, vec![pending]);
    insta::assert_snapshot!(said(&seen.clone().concluded()), @"
    BROKEN: web: 0 of 2 pods ready: no node takes it: 0/3 nodes are available: 3 Insufficient cpu (pod web-1)
    Broken web: 0 of 2 pods ready
      no node takes it: 0/3 nodes are available: 3 Insufficient cpu (pod web-1)
      $ kdj scale qa
    ");
    seen.pods.clear();
    seen.roles[0].failure = Some("pods \"web-7c9d8f-x\" is forbidden: exceeded quota: shop".to_owned());
    insta::assert_snapshot!(said(&seen.concluded()), @r#"
    BROKEN: web: 0 of 2 pods ready: no pod can be made: pods "web-7c9d8f-x" is forbidden: exceeded quota: shop
    Broken web: 0 of 2 pods ready
      no pod can be made: pods "web-7c9d8f-x" is forbidden: exceeded quota: shop
      $ kdj scale qa
    "#);
}

#[test]
fn a_stateful_set_says_in_events_that_it_may_not_make_pods() {
    let mut set = Role { workload: "statefulset/db".to_owned(), ..short("db", Kind::Other, 0, 1) };
    set.available = None;
    let mut seen = status(vec![set], Vec::new());
    seen.events.push(event("statefulset/db", "FailedCreate", "create Pod db-0 failed: exceeded quota: shop"));
    insta::assert_snapshot!(said(&seen.concluded()), @"
    BROKEN: db: 0 of 1 pods ready: no pod can be made: create Pod db-0 failed: exceeded quota: shop
    Broken db: 0 of 1 pods ready
      no pod can be made: create Pod db-0 failed: exceeded quota: shop
        FailedCreate: create Pod db-0 failed: exceeded quota: shop
      $ kdj scale qa
    ");
}

#[test]
fn a_probe_that_fails() {
    let mut seen = web(1, vec![pod("web-1", "web"), unready("web-2", "web", |_| {})]);
    seen.events.push(event("pod/web-2", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"));
    insta::assert_snapshot!(said(&seen.clone().concluded()), @"
    BROKEN: web: 1 of 2 pods ready: container `django` is not ready: Readiness probe failed: HTTP probe failed with statuscode: 503 (pod web-2)
    Broken web: 1 of 2 pods ready
      container `django` is not ready: Readiness probe failed: HTTP probe failed with statuscode: 503 (pod web-2)
        Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503
      $ kdj logs qa --pod web-2 --no-follow --tail 50
    ");
    // A pod that has just started only takes its time.
    seen.pods[1].containers[0].running_since = before(10);
    seen.pods[1].created = before(15);
    insta::assert_snapshot!(said(&seen.concluded()), @"changing: web: 1 of 2 pods ready");
}

#[test]
fn a_rollout_says_what_holds_it() {
    let mut new = unready("web-3", "web", |container| container.running_since = before(200));
    new.created = before(210);
    let old = |name: &str| Pod { outdated: true, ..pod(name, "web") };
    let mut seen = web(2, vec![old("web-1"), old("web-2"), new]);
    let rollout = |phase, text: &str| Some(Rollout { phase, text: text.to_owned(), held_by: None });
    seen.roles[0].rollout = rollout(RolloutPhase::Progressing, "1 of 2 pods updated");
    let going = seen.clone().concluded();
    assert_eq!(going.headline, "changing: web: 1 of 2 pods updated");
    let held = going.roles[0].rollout.as_ref().unwrap().held_by.as_deref();
    assert_eq!(held, Some("web-3: container `django` is not ready"));

    seen.roles[0].rollout = rollout(RolloutPhase::Failed, "no progress within its deadline of 600 s");
    insta::assert_snapshot!(said(&seen.clone().concluded()), @"
    BROKEN: web: the rollout does not get through, 2 old pods serve: container `django` is not ready (pod web-3)
    Broken web: the rollout does not get through, 2 old pods serve
      container `django` is not ready (pod web-3)
      no progress within its deadline of 600 s
      $ kdj logs qa --pod web-3 --no-follow --tail 50
    ");
    seen.pods.pop();
    seen.roles[0].rollout = rollout(RolloutPhase::Paused, "paused: 0 of 2 pods updated");
    insta::assert_snapshot!(said(&seen.concluded()), @"
    warning: web: its rollout is paused: paused: 0 of 2 pods updated
    Warning web: its rollout is paused
      paused: 0 of 2 pods updated
      $ kubectl --context acme-staging -n shop-qa rollout resume deployment/web
    ");
}

#[test]
fn exactly_one_beat() {
    let beats = |desired, running: usize| {
        let beats = (0..running).map(|number| pod(&format!("beat-{number}"), "beat"));
        let pods = beats.chain([pod("web-1", "web")]).collect();
        status(vec![role("beat", Kind::Beat, desired), role("web", Kind::Web, 1)], pods).concluded()
    };
    let one = beats(1, 1);
    assert_eq!((one.health, one.beat), (Health::Ok, Some(Beat { desired: 1, running: 1, ok: true })));
    let two = beats(2, 2);
    assert!(!two.beat.unwrap().ok && two.roles[0].health == Health::Broken);
    insta::assert_snapshot!(said(&two), @"
    BROKEN: 2 beats: each sends every periodic task: they run several times over
    Broken 2 beats
      each sends every periodic task: they run several times over
        of deployment/beat
      $ kdj scale qa beat=1
    ");
    insta::assert_snapshot!(said(&beats(0, 0)), @"
    warning: no beat: it is scaled to zero: no periodic task is sent
    Warning no beat
      it is scaled to zero: no periodic task is sent
        of deployment/beat
      $ kdj scale qa beat=1
    ");
    let embedded = Role { embeds_beat: true, ..role("worker", Kind::Worker, 2) };
    let workers = vec![pod("worker-1", "worker"), pod("worker-2", "worker")];
    assert!(status(vec![embedded], workers).concluded().headline.contains("2 beats"));
}

#[test]
fn what_works_and_wants_a_look() {
    let mut seen = web(2, vec![pod("web-1", "web"), pod("web-2", "web")]);
    seen.roles[0].last_restart = Some(LastRestart { pod: "web-1".to_owned(), exit: exit(137, "OOMKilled", 300) });
    let autoscaler = |trouble: Option<&str>| Autoscaler {
        kind: "hpa",
        name: "web".to_owned(),
        min: 2,
        max: 4,
        current: 4,
        wanted: 4,
        trouble: trouble.map(str::to_owned),
    };
    seen.roles[0].autoscaler = Some(autoscaler(None));
    insta::assert_snapshot!(said(&seen.clone().concluded()), @"
    warning: web: a container was restarted lately: pod web-1 ended with exit 137 (OOMKilled) 5m ago (and 1 more)
    Warning web: a container was restarted lately
      pod web-1 ended with exit 137 (OOMKilled) 5m ago
      $ kdj logs qa --pod web-1 --previous
    Warning web: hpa 2-4 is at its limit
      it wants 4 pods or more, and may not have more
      $ kdj scale qa
    ");
    assert!(!seen.clone().concluded().is_broken());
    seen.roles[0].last_restart = None;
    seen.roles[0].autoscaler = Some(autoscaler(Some("the HPA was unable to get metrics")));
    insta::assert_snapshot!(said(&seen.concluded()), @"
    warning: web: hpa 2-4 does not scale it: the HPA was unable to get metrics
    Warning web: hpa 2-4 does not scale it
      the HPA was unable to get metrics
      $ kdj scale qa
    ");
}

#[test]
fn where_there_is_nothing() {
    for (presence, expected) in [
        (Presence::Empty, "BROKEN: no workloads in namespace `shop-qa`: nothing was deployed here, or it was deleted"),
        (
            Presence::NoNamespace,
            "BROKEN: no namespace `shop-qa`: the cluster of context `acme-staging` has none of this name",
        ),
        (
            Presence::Deleting,
            "BROKEN: namespace `shop-qa` is being deleted: everything in it goes, and nothing new can be made",
        ),
    ] {
        let seen = Status { presence, ..status(Vec::new(), Vec::new()) }.concluded();
        assert_eq!(seen.headline, expected);
        assert!(seen.is_broken());
    }
}

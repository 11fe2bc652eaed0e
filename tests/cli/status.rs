//! `kdj status`: what is asked, what is shown, how it ends.

mod many;
mod page;
mod page_commands;
mod page_sight;
mod watch;
mod web;

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    ApiServer, Fault, Kdj, On,
    objects::{Deployment, Objects, Pod, ReplicaSet},
    shop::{self, NAMESPACE},
};

/// A condition of the web Deployment, and how many pods are ready.
fn with_condition(objects: &mut Objects, condition: Value, ready: u32) {
    objects.change("deployments", "web", |web| {
        web["status"]["conditions"] = json!([condition]);
        web["status"]["readyReplicas"] = json!(ready);
        web["status"]["availableReplicas"] = json!(ready);
    });
}

/// A web whose only pod crashes, the log of which tells why.
fn crashing() -> ApiServer {
    let server = ApiServer::http(shop::web_pods([shop::in_web(Pod::crash_looping("web-7c9d8f-aaaaa", 1, "Error"))]));
    server.change(|objects| {
        let settled = json!({"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"});
        with_condition(objects, settled, 0);
        let container = |image: &str, variables: &[&str]| {
            let variables: Vec<_> = variables.iter().map(|name| json!({"name": name, "value": "canary-value"})).collect();
            json!([{"name": "django", "image": image, "env": variables}])
        };
        objects.change("replicasets", "web-7c9d8f", |set| {
            set["spec"]["template"]["spec"]["containers"] = container("shop:1.42", &["A", "SENTRY_DSN"]);
            let two_hours = k8s_openapi::jiff::SignedDuration::from_secs(7300);
            let made = k8s_openapi::jiff::Timestamp::now().checked_sub(two_hours).expect("a time");
            set["metadata"]["creationTimestamp"] = json!(made.to_string());
        });
        objects.change("replicasets", "web-6b6b6b", |set| {
            set["spec"]["template"]["spec"]["containers"] = container("shop:1.41", &["A"]);
        });
        objects.add_json(
            "events",
            json!({
                "metadata": {"name": "web.1"}, "type": "Warning", "reason": "BackOff", "count": 4,
                "involvedObject": {"kind": "Pod", "name": "web-7c9d8f-aaaaa"},
                "message": "Back-off restarting failed container django\x1b[2J", "lastTimestamp": "2026-11-01T09:00:00Z",
            }),
        );
    });
    let log = "starting\nTraceback (most recent call last):\n  File \"/app/shop/settings.py\", line 3, in <module>\n    \
               KEY = os.environ[\"KEY\"]\nKeyError: 'KEY'\n";
    server.log(NAMESPACE, "web-7c9d8f-aaaaa", "django", log);
    server
}

#[test]
fn where_nothing_is_wrong_four_requests_do() {
    let server = ApiServer::http(shop::whole());
    let output = Kdj::on(&server).run(["status", "qa"]).expect_code(0);
    insta::assert_snapshot!(age_less(&output.stdout_text()), @"
    qa (acme-staging/shop-qa): ok: 6 of 6 pods ready in 5 roles
    ROLE  KIND  READY  UP-TO-DATE  RESTARTS  VERSION  AGE  STATE
    web  web  2/2  2  0  1.42  <age>  ok
    celeryd  worker  1/1  1  0  1.42  <age>  ok
    celerybeat  beat  1/1  1  0  1.42  <age>  ok
    shell  shell  1/1  1  0  1.42  <age>  ok
    redis  other  1/1  1  0  <none>  <age>  ok
    ");
    let mut paths: Vec<String> = server.requests().iter().map(|request| request.path.clone()).collect();
    paths.sort();
    let of = |group: &str, kind: &str| format!("/{group}/namespaces/{NAMESPACE}/{kind}");
    let expected = [
        of("api/v1", "pods"),
        of("apis/apps/v1", "deployments"),
        of("apis/apps/v1", "statefulsets"),
        of("apis/autoscaling/v2", "horizontalpodautoscalers"),
    ];
    assert_eq!(paths, expected);
}

/// A table without its ages, which grow, and the width they give it.
fn age_less(text: &str) -> String {
    let age = |word: &str| word.strip_suffix('d').is_some_and(|number| number.parse::<u32>().is_ok());
    let word = |word: &str| match word.trim_start_matches('(') {
        bare if age(bare) => word.replace(bare, "<age>"),
        _ => word.to_owned(),
    };
    let mut text: String =
        text.lines().map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n").collect();
    while text.contains("   ") {
        text = text.replace("   ", "  ");
    }
    text
}

#[test]
fn what_is_broken_ends_with_1_and_says_why() {
    let server = crashing();
    let kdj = Kdj::on(&server);
    let output = kdj.run(["status", "qa"]).expect_code(1);
    insta::assert_snapshot!(age_less(&output.stdout_text()), @"
    qa (acme-staging/shop-qa): BROKEN
    ROLE  KIND  READY  UP-TO-DATE  RESTARTS  VERSION  AGE  STATE
    web  web  0/1  1  7 (<age> ago)  1.42  <age>  BROKEN
    web: 0 of 1 pods ready
      why: container `django` ends with exit 1, restarted 7 times, last <age> ago (pod web-7c9d8f-aaaaa)
      next: kdj logs qa --pod web-7c9d8f-aaaaa --no-follow --tail 50
    ");
    // Events, revisions and the namespace are asked for only then, and no log.
    assert_eq!(server.requests().len(), 7, "{}", server.request_lines());
    let output = kdj.run(["status", "qa", "--why"]).expect_code(1);
    insta::assert_snapshot!(age_less(&output.stdout_text()), @r#"
    qa (acme-staging/shop-qa): BROKEN
    ROLE  KIND  READY  UP-TO-DATE  RESTARTS  VERSION  AGE  STATE
    web  web  0/1  1  7 (<age> ago)  1.42  <age>  BROKEN

    web: 0 of 1 pods ready
      1. KeyError: 'KEY': container `django` ends with exit 1, restarted 7 times, last <age> ago (pod web-7c9d8f-aaaaa)
      - BackOff: Back-off restarting failed container django�[2J
      2. revision 4 was released 2h ago, it changed image `shop:1.41` → `shop:1.42`; new variables `SENTRY_DSN`
      the last words of web-7c9d8f-aaaaa:
      Traceback (most recent call last):
      File "/app/shop/settings.py", line 3, in <module>
      KEY = os.environ["KEY"]
      KeyError: 'KEY'
      next: kdj logs qa --pod web-7c9d8f-aaaaa --no-follow --tail 50

    last events:
      <age> ago  pod/web-7c9d8f-aaaaa BackOff: Back-off restarting failed container django�[2J (4 times)
    "#);
    assert_eq!(server.requests().len(), 7 + 10, "{}", server.request_lines());
    let _ = output.never_says(&["canary-value", "\x1b"]);
}

#[test]
fn json_has_it_all_and_no_values() {
    let server = crashing();
    let output = Kdj::on(&server).run(["status", "qa", "--why", "-o", "json"]).expect_code(1);
    let document: Value = serde_json::from_str(&output.stdout_text()).expect("JSON");
    let qa = &document["environments"][0];
    assert_eq!((&document["version"], &qa["version"], &qa["health"]), (&json!(1), &json!(1), &json!("broken")));
    let problem = &qa["problems"][0];
    assert_eq!((&problem["role"], &problem["container"]), (&json!("web"), &json!("django")));
    assert_eq!(problem["traceback"][3], json!("KeyError: 'KEY'"));
    assert_eq!(
        qa["changes"][0]["differences"],
        json!(["image `shop:1.41` → `shop:1.42`", "new variables `SENTRY_DSN`"])
    );
    let _ = output.never_says(&["canary-value"]);
}

#[test]
fn whoever_may_not_see_all_sees_the_rest() {
    let server = ApiServer::http(shop::whole());
    let list = |group: &str, kind: &str| On::get(&format!("/{group}/namespaces/{NAMESPACE}/{kind}"));
    let denied = |kind: &str| Fault::forbidden("dev", "list", kind, NAMESPACE);
    server.fault(list("apis/autoscaling/v2", "horizontalpodautoscalers"), denied("horizontalpodautoscalers"));
    server.fault(list("apis/apps/v1", "deployments"), denied("deployments"));
    let output = Kdj::on(&server).run(["status", "qa"]).expect_code(0);
    insta::assert_snapshot!(age_less(&output.to_string()), @"
    qa (acme-staging/shop-qa): ok: 6 of 6 pods ready in 5 roles
    ROLE  KIND  READY  UP-TO-DATE  RESTARTS  VERSION  AGE  STATE
    web  web  2  <none>  0  1.42  <none>  ok
    celeryd  worker  1  <none>  0  1.42  <none>  ok
    celerybeat  beat  1  <none>  0  1.42  <none>  ok
    shell  shell  1  <none>  0  1.42  <none>  ok
    redis  other  1/1  1  0  <none>  <age>  ok
    ------- stderr -------
    warning: qa: not seen: Deployments: `dev` may not `list` `deployments` in namespace `shop-qa` (context `acme-staging`)
    warning: qa: not seen: HPAs: `dev` may not `list` `horizontalpodautoscalers` in namespace `shop-qa` (context `acme-staging`)
    ");
}

#[test]
fn without_pods_the_workloads_tell() {
    let server = ApiServer::http(shop::whole());
    server.fault(On::pods(NAMESPACE), Fault::pods_forbidden("dev", NAMESPACE));
    let output = Kdj::on(&server).run(["status", "qa"]).expect_code(0);
    let _ = output.says(&["not seen: pods: `dev` may not `list` `pods`"]);
}

#[test]
fn who_may_see_nothing_is_told_which_right_is_missing() {
    let server = ApiServer::http(shop::whole());
    server.fault(On::any(), Fault::pods_forbidden("dev", NAMESPACE));
    let output = Kdj::on(&server).run(["status", "qa"]).expect_code(1).prints("");
    let _ = output.says(&["`dev` may not `list` `pods`", "a Role needs the rule"]);
}

#[test]
fn what_tells_why_and_does_not_come_is_done_without() {
    let server = crashing();
    server.fault(On::get(&format!("/api/v1/namespaces/{NAMESPACE}/events")), Fault::Blackhole);
    let output = Kdj::on(&server).deadline(Duration::from_secs(40)).run(["status", "qa", "--why"]).expect_code(1);
    assert!(output.stdout_text().contains("1. KeyError: 'KEY'"), "{output}");
    let _ = output.says(&["qa: not seen: events: no answer within 5 s"]);
    let server = crashing();
    server.fault(On::log(NAMESPACE), Fault::Blackhole);
    let output = Kdj::on(&server).deadline(Duration::from_secs(40)).run(["status", "qa", "--why"]).expect_code(1);
    assert!(output.stdout_text().contains("- BackOff: "), "{output}");
    let _ = output.says(&["qa: not seen: the log: no answer within 5 s"]);
}

#[test]
fn what_fails_and_is_not_forbidden_leaves_no_half_of_the_truth() {
    let server = ApiServer::http(shop::whole());
    server.fault(On::get(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments")), Fault::internal_error());
    let output = Kdj::on(&server).run(["status", "qa"]).expect_code(1).prints("");
    let _ = output.says(&["cannot list deployments"]);
}

#[test]
fn a_change_cause_and_a_log_show_no_values() {
    let server = crashing();
    server.change(|objects| {
        objects.change("replicasets", "web-7c9d8f", |set| {
            set["metadata"]["annotations"]["kubernetes.io/change-cause"] =
                json!("kubectl set env deploy/web DB_PASSWORD=canary-cause --record=true");
        });
    });
    let log =
        "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\nKeyError: TOKEN=canary-log\n";
    server.log(NAMESPACE, "web-7c9d8f-aaaaa", "django", log);
    for words in [&["status", "qa", "--why"][..], &["status", "qa", "--why", "-o", "json"]] {
        let output = Kdj::on(&server).run(words).expect_code(1).never_says(&["canary-cause", "canary-log"]);
        let text = output.stdout_text();
        assert!(text.contains("DB_PASSWORD=<redacted>") && text.contains("KeyError: TOKEN=<redacted>"), "{text}");
    }
}

#[test]
fn a_namespace_that_goes_is_empty_or_is_not_there() {
    let server = ApiServer::http(Objects::in_namespace(NAMESPACE));
    let kdj = Kdj::on(&server);
    let says = |phrase: &str| {
        let output = kdj.run(["status", "qa"]).expect_code(1);
        assert!(output.stdout_text().contains(phrase), "{phrase}\n{output}");
    };
    says("no workloads in namespace `shop-qa`");
    assert_eq!(server.requests().len(), 5, "{}", server.request_lines());
    server.change(|objects| objects.change("namespaces", NAMESPACE, |it| it["status"]["phase"] = json!("Terminating")));
    says("namespace `shop-qa` is being deleted");
    server.change(|objects| objects.remove("namespaces", NAMESPACE));
    says("no namespace `shop-qa`");
}

#[test]
fn a_rollout_tells_its_pods_apart() {
    let mut objects = shop::web_pods([
        Pod::ready("web-6b6b6b-ccccc").owned_by_replica_set("web", "6b6b6b").component("web").django("django"),
        shop::in_web(Pod::waiting("web-7c9d8f-aaaaa", "ImagePullBackOff", "Back-off pulling image")),
    ]);
    objects.change("deployments", "web", |web| {
        web["spec"]["replicas"] = json!(1);
        web["status"] = json!({"replicas": 2, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1,
                               "observedGeneration": 1});
    });
    let server = ApiServer::http(objects);
    let output = Kdj::on(&server).run(["status", "qa", "-o", "wide"]).expect_code(1);
    insta::assert_snapshot!(age_less(&output.stdout_text()), @"
    qa (acme-staging/shop-qa): BROKEN
    ROLE  KIND  READY  UP-TO-DATE  RESTARTS  VERSION  AGE  AVAILABLE  WORKLOAD  MANAGED BY  IMAGE  STATE
    web  web  1/1  1  0  1.42  <age>  1  deployment/web  <none>  registry.acme.dev/shop:1.42  BROKEN: 1 old pod to go
    web: the rollout does not get through, 1 old pods serve
      why: image `registry.acme.dev/shop:1.42` cannot be pulled (ImagePullBackOff) (pod web-7c9d8f-aaaaa)
      next: kdj releases qa

    POD  ROLE  READY  RESTARTS  AGE  NODE  STATE
    web-6b6b6b-ccccc  web  1/1  0  <age>  node-1  ready, old revision
    web-7c9d8f-aaaaa  web  0/1  0  <age>  node-1  ImagePullBackOff: Back-off pulling image
    ");
}

#[test]
fn scaled_to_zero_and_two_beats() {
    let beat = |name: &str| {
        Pod::ready(name).owned_by_replica_set("beat", "5d5d5d").component("beat").container(
            "app",
            "shop:1",
            &["celery", "-A", "shop", "beat"],
        )
    };
    let objects = Objects::in_namespace(NAMESPACE)
        .with(Deployment::new("web", 0).container("app", "shop:1", &["gunicorn"]))
        .with(Deployment::new("beat", 2).container("app", "shop:1", &["celery", "-A", "shop", "beat"]))
        .with(ReplicaSet::of("beat", "5d5d5d", 1, 2))
        .with(beat("beat-5d5d5d-a"))
        .with(beat("beat-5d5d5d-b"));
    let server = ApiServer::http(objects);
    let output = Kdj::on(&server).run(["status", "qa"]).expect_code(1);
    insta::assert_snapshot!(age_less(&output.stdout_text()), @"
    qa (acme-staging/shop-qa): BROKEN
    ROLE  KIND  READY  UP-TO-DATE  RESTARTS  VERSION  AGE  STATE
    web  web  0/0  0  0  1  <age>  idle
    beat  beat  2/2  2  0  1  <age>  BROKEN, 2 beats
    2 beats
      why: each sends every periodic task: they run several times over
      next: kdj scale qa beat=1
    ");
    server.change(|objects| {
        objects.change("deployments", "beat", |beat| {
            beat["spec"]["replicas"] = json!(1);
            beat["status"]["replicas"] = json!(1);
        });
        objects.remove("pods", "beat-5d5d5d-b");
    });
    let _ = Kdj::on(&server).run(["status", "qa"]).expect_code(0);
}

#[test]
fn explain_asks_nothing() {
    let server = ApiServer::http(shop::whole());
    let output = Kdj::on(&server).run(["--explain", "status", "qa"]).expect_code(0);
    insta::assert_snapshot!(output.stdout_text(), @"
    kubectl --context acme-staging -n shop-qa get pods
    kubectl --context acme-staging -n shop-qa get deployments
    kubectl --context acme-staging -n shop-qa get statefulsets
    kubectl --context acme-staging -n shop-qa get horizontalpodautoscalers
    ");
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

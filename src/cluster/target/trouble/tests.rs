use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::cluster::target::{
    fixtures::{PodBuilder, environment, now, object, pod, with_role},
    role::Roles,
    workload::group,
};

fn workloads(pods: Vec<PodBuilder>) -> Vec<Workload> {
    let pods = pods.into_iter().map(PodBuilder::build).collect();
    group(pods, &Roles::new(&environment("qa", None), None).unwrap())
}

fn web(name: &str) -> PodBuilder {
    pod(name).of_deployment("web", "1")
}

fn deployment(name: &str, replicas: u32, status: Value) -> Idle {
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app"}]}});
    let spec = json!({"replicas": replicas, "selector": {}, "template": template});
    let deployment = object(json!({"metadata": {"name": name}, "spec": spec, "status": status}));
    Idle::of_deployment(&deployment, &Roles::new(&environment("qa", None), None).unwrap()).unwrap()
}

fn full(error: &Error) -> String {
    format!("{error}\n{}", error.hints().join("\n"))
}

fn unready(pods: Vec<PodBuilder>, newest: Option<&str>, exclude: &[&str]) -> String {
    let exclude: Vec<String> = exclude.iter().map(|name| (*name).to_owned()).collect();
    full(&no_ready_pod(&environment("qa", None), &workloads(pods)[0], newest, &exclude, now()))
}

#[test]
fn pods_that_are_not_ready_are_listed_with_why() {
    assert_snapshot!(unready(vec![web("web-a").crash_looping(), web("web-b").unschedulable()], None, &[]), @r"
    no ready pod for role `web` in `qa`: 0 of 2 pods ready (web-a: CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts; web-b: Pending, Unschedulable: 0/3 nodes are available: 3 Insufficient cpu)
    see why: `kubectl --context acme -n shop-qa logs web-a -c app --previous`
    ");
    assert_snapshot!(unready(vec![web("web-a").unschedulable()], None, &[]), @r"
    no ready pod for role `web` in `qa`: 0 of 1 pod ready (web-a: Pending, Unschedulable: 0/3 nodes are available: 3 Insufficient cpu)
    see why: `kubectl --context acme -n shop-qa describe pod web-a`
    ");
}

#[test]
fn the_log_that_says_why_is_named() {
    let ended = json!({"terminated": {"exitCode": 3, "reason": "Error"}});
    let init =
        json!([{"name": "migrate", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": ended}]);
    let hint = |pod: PodBuilder| see_why(&environment("qa", None), &pod.build());
    let kubectl = "kubectl --context acme -n shop-qa";
    assert_eq!(hint(web("a").crash_looping()), format!("see why: `{kubectl} logs a -c app --previous`"));
    assert_eq!(hint(web("a").state(ended.clone(), Value::Null, 0)), format!("see why: `{kubectl} logs a -c app`"));
    let failed = web("a").phase("Pending").set("/status/initContainerStatuses", init);
    assert_eq!(hint(failed), format!("see why: `{kubectl} logs a -c migrate`"));
    assert_eq!(hint(web("a").not_ready()), format!("see why: `{kubectl} describe pod a`"));
}

#[test]
fn going_pods_count_only_when_there_are_no_others() {
    assert_snapshot!(unready(vec![web("a").terminating(), web("b").not_ready()], None, &[]), @r"
    no ready pod for role `web` in `qa`: 0 of 1 pod ready (b: running, not ready)
    see why: `kubectl --context acme -n shop-qa describe pod b`
    ");
    assert_snapshot!(unready(vec![web("a").terminating()], None, &[]), @r"
    no ready pod for role `web` in `qa`: 0 of 1 pod ready (a: Terminating, asked to go 10 s ago)
    see why: `kubectl --context acme -n shop-qa describe pod a`
    ");
}

#[test]
fn many_pods_are_not_all_listed() {
    let pods = (0..9).map(|n| web(&format!("web-{n}")).phase("Pending")).collect();
    assert_snapshot!(unready(pods, None, &["web-0"]), @r"
    no ready pod for role `web` in `qa`: 0 of 9 pods ready (web-0: gone when tried; web-1: Pending; web-2: Pending; web-3: Pending; and 5 more)
    see why: `kubectl --context acme -n shop-qa describe pod web-0`
    ");
}

#[test]
fn an_old_revision_is_offered_and_not_taken() {
    let pods = vec![web("web-old"), pod("web-new").of_deployment("web", "2").crash_looping()];
    assert_snapshot!(unready(pods, Some("2"), &[]), @r"
    no ready pod of the newest revision for role `web` in `qa`: 0 of 1 pod ready (web-new: CrashLoopBackOff, last exit 1 (Error) 12 s ago, 7 restarts)
    to use the old revision all the same, add `--pod web-old`
    see why: `kubectl --context acme -n shop-qa logs web-new -c app --previous`
    ");
}

#[test]
fn an_unknown_role_lists_the_known_ones() {
    let qa = environment("qa", None);
    let workloads = workloads(vec![web("a"), pod("b").of_deployment("celeryd", "1")]);
    let idle = [deployment("celerybeat", 1, json!({}))];
    assert_snapshot!(full(&no_role(&qa, Some("wbe"), &workloads, &idle)), @r"
    no role `wbe` in `qa`: its roles are `web` (web), `celeryd` (worker), `celerybeat` (beat)
    did you mean `--role web`?
    ");
    assert_snapshot!(full(&no_role(&qa, Some("mail"), &workloads, &[])), @"no role `mail` in `qa`: its roles are `web` (web), `celeryd` (worker)");
    assert_snapshot!(full(&no_role(&qa, None, &workloads[..1], &[])), @r"
    no role `web` in `qa`: its roles are `celeryd` (worker)
    name the role to run in: `--role ROLE`
    ");
    let configured = with_role(qa, "web", Some("app=nothing"), None);
    assert_snapshot!(full(&no_role(&configured, Some("web"), &[], &[])), @"no role `web` in `qa`: its configured selector `app=nothing` matches no workload");
}

#[test]
fn a_role_without_pods_says_why() {
    let qa = environment("qa", None);
    let failure = json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": "pods \"web-1\" is forbidden: exceeded quota"}]);
    let idle = [deployment("web", 0, json!({})), deployment("celeryd", 2, json!({"conditions": failure}))];
    assert_snapshot!(full(&no_role(&qa, Some("web"), &[], &idle)), @r"
    role `web` has 0 replicas in `qa`: `deployment/web` is scaled to zero
    start one: `kubectl --context acme -n shop-qa scale deployment/web --replicas=1`
    ");
    for asked in [Some("deployment/web"), None] {
        assert_eq!(no_role(&qa, asked, &[], &idle).message(), "role `web` has 0 replicas in `qa`");
    }
    assert_snapshot!(full(&no_role(&qa, Some("celeryd"), &[], &idle)), @r#"
    no pods for role `celeryd` in `qa`: `deployment/celeryd` wants 2 and has none: pods "web-1" is forbidden: exceeded quota
    see why: `kubectl --context acme -n shop-qa describe deployment/celeryd`
    "#);
}

#[test]
fn an_empty_namespace_is_said_to_be_empty() {
    let mut qa = environment("qa", None);
    qa.context = "my context".to_owned();
    assert_snapshot!(full(&no_role(&qa, None, &[], &[])), @r"
    no pods in `qa`: namespace `shop-qa` of context `my context` has no workloads
    look there: `kubectl --context 'my context' -n shop-qa get pods`
    ");
    assert_snapshot!(full(&no_role(&environment("qa", Some("car9-qa")), Some("web"), &[], &[])), @r"
    no pods in `qa`: namespace `shop-qa` of context `acme` has no instance `car9-qa`
    list the instances that exist: `kdj envs --live`
    ");
}

#[test]
fn a_pod_asked_for_by_name_is_that_one_or_an_error() {
    let qa = environment("qa", None);
    let refused =
        |pod: PodBuilder, exclude: &[String]| full(&require_usable(&qa, &pod.build(), exclude, now()).unwrap_err());
    assert_snapshot!(refused(web("a").terminating(), &[]), @"pod `a` cannot be entered: Terminating, asked to go 10 s ago");
    assert_snapshot!(refused(web("a").phase("Succeeded"), &[]), @"pod `a` cannot be entered: Completed");
    assert_snapshot!(refused(web("a"), &["a".to_owned()]), @"pod `a` is gone: its node no longer knows it");
    assert_snapshot!(refused(web("a").unschedulable(), &[]), @r"
    pod `a` cannot be entered: Pending, Unschedulable: 0/3 nodes are available: 3 Insufficient cpu
    see why: `kubectl --context acme -n shop-qa describe pod a`
    ");
    assert!(require_usable(&qa, &web("a").not_ready().build(), &[], now()).is_ok());
}

#[test]
fn an_unknown_pod_gets_the_nearest_name() {
    let qa = environment("qa", None);
    let pods: Vec<Pod> = vec![web("web-7c9d8f-abcde").build(), web("celeryd-5f2a-xyz12").build()];
    assert_snapshot!(full(&no_pod(&qa, "web-7c9d8f-zzzzz", &pods)), @r"
    no pod `web-7c9d8f-zzzzz` in `qa`: its pods are `web-7c9d8f-abcde`, `celeryd-5f2a-xyz12`
    did you mean `--pod web-7c9d8f-abcde`?
    ");
    assert_snapshot!(full(&no_pod(&qa, "web", &[])), @"no pod `web` in `qa`: it has no running pods");
}

#[test]
fn a_pod_of_another_instance_is_refused() {
    let car1 = environment("car1-qa", Some("car1-qa"));
    let error = other_instance(&car1, "car2-web-1", Some(&"car2-qa".to_owned()));
    assert_snapshot!(error.to_string(), @"pod `car2-web-1` is not in `car1-qa`: it is of instance `car2-qa`, the environment is instance `car1-qa`");
}

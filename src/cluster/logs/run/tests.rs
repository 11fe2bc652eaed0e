use serde_json::{Value, json};

use super::*;

fn pod(status: Value, spec: Value, deleted: bool) -> Pod {
    let mut spec = spec;
    spec["containers"] = json!([{"name": "django"}]);
    let mut metadata = json!({"name": "web-1"});
    if deleted {
        metadata["deletionTimestamp"] = json!("2026-11-21T12:00:00Z");
    }
    let status = json!({"phase": "Running", "containerStatuses": [status]});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec, "status": status})).unwrap()
}

fn runs(state: Value, last: Value, restarts: u32) -> Runs {
    Runs::of(&pod(status(state, last, restarts), json!({}), false), "django")
}

fn status(state: Value, last: Value, restarts: u32) -> Value {
    let (image, ready) = ("shop:1", false);
    json!({
        "name": "django", "image": image, "imageID": image, "ready": ready, "restartCount": restarts,
        "state": state, "lastState": last,
    })
}

fn ended(code: i32, reason: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "containerID": "containerd://1"}})
}

#[test]
fn the_newest_run_is_read_from_the_status() {
    let waiting = || json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let running = || json!({"running": {"startedAt": "2026-11-21T12:00:00Z"}});
    for (runs, newest, is_running, ending) in [
        (runs(json!({"waiting": {"reason": "ContainerCreating"}}), json!({}), 0), None, false, None),
        (runs(running(), json!({}), 0), Some(0), true, None),
        (runs(running(), ended(137, "OOMKilled"), 3), Some(3), true, Some("exit 137 (OOMKilled)")),
        (runs(ended(1, "Error"), json!({}), 2), Some(2), false, Some("exit 1")),
        (runs(waiting(), ended(1, "Error"), 2), Some(2), false, Some("exit 1")),
    ] {
        let told = runs.endings.first().map(|(_, ending)| ending.as_str());
        assert_eq!((runs.newest, runs.is_running, told), (newest, is_running, ending));
        assert!(!runs.is_last);
    }
}

#[test]
fn an_ending_is_that_of_its_run() {
    let running = || json!({"running": {"startedAt": "2026-11-21T12:00:00Z"}});
    let all = |runs: Runs| [0, 1, 2].map(|run| runs.ending_of(run));
    let ending = |text: &str| Some(text.to_owned());
    assert_eq!(all(runs(running(), ended(137, "OOMKilled"), 1)), [ending("exit 137 (OOMKilled)"), None, None]);
    assert_eq!(all(runs(running(), ended(137, "OOMKilled"), 1).stopped())[1], None);
    let both = runs(ended(2, "Error"), ended(1, "Error"), 2);
    assert_eq!(all(both), [None, ending("exit 1"), ending("exit 2")]);
    let waiting = runs(json!({"waiting": {"reason": "CrashLoopBackOff"}}), ended(1, "Error"), 2);
    assert_eq!(all(waiting), [None, None, ending("exit 1")]);
}

#[test]
fn while_a_container_waits_the_run_before_its_newest_is_lost() {
    let waiting = runs(json!({"waiting": {"reason": "CrashLoopBackOff"}}), ended(1, "Error"), 2);
    assert_eq!([0, 1, 2].map(|run| waiting.phase(run)), [Phase::Lost, Phase::Lost, Phase::Ended]);
}

#[test]
fn a_container_that_could_not_be_made_has_not_run() {
    let failed = json!({"terminated": {"exitCode": 128, "reason": "StartError"}});
    assert_eq!(runs(failed, json!({}), 0).newest, None);
}

#[test]
fn which_run_is_the_last() {
    for (spec, code, deleted, last) in [
        (json!({}), 0, false, false),
        (json!({}), 0, true, true),
        (json!({"restartPolicy": "Always"}), 1, false, false),
        (json!({"restartPolicy": "Never"}), 1, false, true),
        (json!({"restartPolicy": "OnFailure"}), 0, false, true),
        (json!({"restartPolicy": "OnFailure"}), 1, false, false),
    ] {
        let pod = pod(status(ended(code, "Error"), json!({}), 0), spec.clone(), deleted);
        assert_eq!(Runs::of(&pod, "django").is_last, last, "{spec} {code} {deleted}");
    }
}

#[test]
fn an_init_container_is_done_once_and_a_native_sidecar_is_not() {
    for (policy, last) in [(Value::Null, true), (json!("Always"), false)] {
        let init = json!([{"name": "django", "restartPolicy": policy}]);
        let pod = pod(status(ended(0, "Completed"), json!({}), 0), json!({"initContainers": init}), false);
        assert_eq!(Runs::of(&pod, "django").is_last, last);
    }
}

#[test]
fn a_run_goes_from_running_to_lost() {
    let at = |newest: u32, is_running| Runs {
        newest: Some(newest),
        previous: newest.checked_sub(1),
        is_running,
        ..Runs::default()
    };
    assert_eq!(at(2, true).phase(2), Phase::Running);
    assert_eq!(at(2, false).phase(2), Phase::Ended);
    assert_eq!(at(3, true).phase(2), Phase::Replaced);
    assert_eq!(at(3, false).phase(2), Phase::Replaced);
    assert_eq!(at(4, true).phase(2), Phase::Lost);
    assert_eq!(Runs { is_gone: true, ..at(2, true) }.phase(2), Phase::Lost);
}

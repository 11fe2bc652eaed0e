use serde_json::{Value, json};

use super::*;

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A pod of an app and a sidecar; the app's container is in this state.
fn pod(phase: &str, state: &Value, change: impl FnOnce(&mut Value)) -> Pod {
    let mut pod = json!({
        "metadata": {"name": "a"},
        "spec": {
            "activeDeadlineSeconds": 60,
            "containers": [
                {"name": "app", "resources": {"limits": {"memory": "512Mi"}}}, {"name": "proxy"},
            ],
        },
        "status": {
            "phase": phase, "startTime": "2026-11-01T09:00:00Z",
            "containerStatuses": [
                {"name": "app", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state},
                {"name": "proxy", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}},
            ],
        },
    });
    change(&mut pod);
    serde_json::from_value(pod).unwrap()
}

fn state(pod: &Pod) -> PodState {
    read(pod, "app", at("2026-11-01T09:10:00Z"))
}

/// The verdict on a container that ended with this code and reason, 30 s after its pod's start.
fn ended(code: i64, reason: &str, change: impl FnOnce(&mut Value)) -> Verdict {
    let end = json!({"terminated": {"exitCode": code, "reason": reason, "finishedAt": "2026-11-01T09:00:30Z"}});
    match state(&pod("Failed", &end, change)) {
        PodState::Ended(verdict) => verdict,
        other => panic!("{other:?}"),
    }
}

fn killed(code: u8, words: &str) -> Verdict {
    Verdict::Killed { code, why: format!("pod a: {words}") }
}

#[test]
fn a_code_of_its_own_is_passed_on() {
    for code in [0, 1, 3, 255] {
        assert_eq!(ended(code, "Error", |_| ()), Verdict::Exited(u8::try_from(code).unwrap()));
    }
    assert_eq!(ended(1000, "Error", |_| ()), Verdict::Exited(255), "wider than an exit code");
    assert_eq!(ended(-1, "Error", |_| ()), Verdict::Exited(255));
}

#[test]
fn out_of_memory_has_the_limit() {
    let why = |limit: &str| format!("container `app` was OOMKilled{limit}");
    let limit = "SIGKILL: often the memory limit (512Mi), when nobody killed it".to_owned();
    assert_eq!(ended(137, "Error", |_| ()), Verdict::Killed { code: 137, why: limit });
    let verdict = ended(137, "OOMKilled", |_| ());
    assert_eq!(verdict, Verdict::Killed { code: 137, why: why(", its memory limit is 512Mi") });
    let verdict = ended(137, "OOMKilled", |pod| pod["spec"]["containers"][0]["resources"] = json!({}));
    assert_eq!(verdict, Verdict::Killed { code: 137, why: why("") });
}

#[test]
fn what_the_runtime_could_not_start() {
    let start = |words: &str| {
        let end = json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": words}});
        state(&pod("Failed", &end, |_| ()))
    };
    for (words, expected) in [
        (r#"exec: "x": executable file not found in $PATH"#, Verdict::NotFound as fn(String) -> Verdict),
        (r#"exec: "x": permission denied"#, Verdict::CannotExec),
        ("error mounting \"/x\" to rootfs", Verdict::NotStarted),
    ] {
        assert_eq!(start(words), PodState::Ended(expected(words.to_owned())));
    }
}

#[test]
fn who_ended_it_is_named() {
    let evicted = |pod: &mut Value| {
        pod["status"]["reason"] = json!("Evicted");
        pod["status"]["message"] = json!("low on memory");
    };
    assert_eq!(ended(137, "Error", evicted), killed(137, "Evicted: low on memory"));
    let disrupted = |time: &'static str| {
        move |pod: &mut Value| {
            pod["status"]["conditions"] = json!([{
                "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "drained",
                "lastTransitionTime": time,
            }]);
        }
    };
    assert_eq!(ended(143, "Error", disrupted("2026-11-01T09:00:20Z")), killed(143, "EvictionByEvictionAPI: drained"));
    let deleted = |time: &'static str| {
        move |pod: &mut Value| {
            pod["metadata"]["deletionTimestamp"] = json!(time);
            pod["metadata"]["deletionGracePeriodSeconds"] = json!(10);
        }
    };
    assert_eq!(ended(0, "Completed", deleted("2026-11-01T09:00:35Z")), killed(0, "it was deleted"));
    // What came after the end is no reason for it.
    assert_eq!(ended(3, "Error", disrupted("2026-11-01T09:00:40Z")), Verdict::Exited(3));
    assert_eq!(ended(0, "Completed", deleted("2026-11-01T09:00:45Z")), Verdict::Exited(0));
}

#[test]
fn its_time_was_over() {
    let late = |limit: i64| {
        move |pod: &mut Value| {
            pod["status"]["reason"] = json!("DeadlineExceeded");
            pod["spec"]["activeDeadlineSeconds"] = json!(limit);
        }
    };
    assert_eq!(ended(137, "Error", late(30)), Verdict::TimedOut);
    assert_eq!(ended(0, "Completed", late(30)), Verdict::TimedOut);
    assert_eq!(ended(137, "ContainerStatusUnknown", late(30)), Verdict::TimedOut);
    // A sidecar went on till then.
    assert_eq!(ended(3, "Error", late(60)), Verdict::Exited(3));
    let nothing = pod("Failed", &json!({"waiting": {"reason": "ContainerCreating"}}), late(60));
    assert_eq!(state(&nothing), PodState::Ended(Verdict::NotStarted("the time ran out before pod a ran".to_owned())));
}

#[test]
fn what_nobody_knows_is_said_so() {
    let lost = Verdict::Unknown("the node lost container `app`".to_owned());
    assert_eq!(ended(137, "ContainerStatusUnknown", |_| ()), lost);
    let of_lost_node = pod("Failed", &json!({"running": {}}), |_| ());
    assert!(matches!(state(&of_lost_node), PodState::Ended(Verdict::Unknown(_))));
    assert_eq!(state(&pod("Running", &json!({"running": {}}), |_| ())), PodState::Running);
}

#[test]
fn a_pod_that_failed_before_its_container() {
    let init = |pod: &mut Value| {
        pod["status"]["initContainerStatuses"] = json!([
            {"name": "one", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": {"terminated": {"exitCode": 0}}},
            {"name": "two", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": 4}}},
        ]);
    };
    let waiting = json!({"waiting": {"reason": "PodInitializing"}});
    let why = "init container `two` ended with exit code 4".to_owned();
    assert_eq!(state(&pod("Failed", &waiting, init)), PodState::Ended(Verdict::NotStarted(why)));
    let rejected = pod("Failed", &waiting, |pod| {
        pod["status"] = json!({"phase": "Failed", "reason": "OutOfcpu", "message": "Pod was rejected: no CPU"});
    });
    let why = "OutOfcpu: Pod was rejected: no CPU".to_owned();
    assert_eq!(state(&rejected), PodState::Ended(Verdict::NotStarted(why)));
}

#[test]
fn patience_goes_by_what_may_heal() {
    let none = Some(Duration::ZERO);
    for (reason, message, expected) in [
        ("ContainerCreating", "", None),
        ("PodInitializing", "", None),
        ("InvalidImageName", "x", none),
        ("ErrImageNeverPull", "x", none),
        ("ErrImagePull", "failed to resolve reference \"x\": not found", none),
        ("ErrImagePull", "manifest unknown", none),
        ("ImagePullBackOff", "pull access denied, repository does not exist", none),
        ("ErrImagePull", "429 Too Many Requests", Some(PULL_LIMIT)),
        ("ImagePullBackOff", "Back-off pulling image \"x\"", Some(PULL_LIMIT)),
        ("CreateContainerConfigError", "secret \"x\" not found", none),
        ("CreateContainerConfigError", "couldn't find key a in Secret b", none),
        ("CreateContainerConfigError", "container has runAsNonRoot and image will run as root", none),
        ("CreateContainerConfigError", "failed to sync secret cache: timed out waiting for the condition", None),
        ("CreateContainerError", "context deadline exceeded", Some(PULL_LIMIT)),
        ("CreateContainerError", "executable file `x` not found in $PATH", none),
    ] {
        for init in [false, true] {
            let waiting = json!({"waiting": {"reason": reason, "message": message}});
            let own = if init { json!({"waiting": {"reason": "PodInitializing"}}) } else { waiting.clone() };
            let pod = pod("Pending", &own, |pod| {
                if init {
                    pod["status"]["initContainerStatuses"] = json!([{
                        "name": "first", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": waiting,
                    }]);
                }
            });
            let PodState::Waiting { patience, .. } = state(&pod) else { panic!("{reason}") };
            assert_eq!(patience, expected, "{reason}: {message}");
        }
    }
}

#[test]
fn sidecars_that_go_on_are_seen() {
    let end = json!({"terminated": {"exitCode": 0}});
    assert_eq!(others_running(&pod("Running", &end, |_| ()), "app"), ["proxy"]);
    let native = pod("Running", &end, |pod| {
        pod["status"]["initContainerStatuses"] = pod["status"]["containerStatuses"].take();
    });
    assert_eq!(others_running(&native, "app"), [""; 0]);
}

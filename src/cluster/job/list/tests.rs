use serde_json::{Value, json};

use super::*;

fn job(status: Value) -> Job {
    serde_json::from_value(json!({
        "metadata": {
            "name": "kdj-run-a", "namespace": "shop-qa", "uid": "u", "resourceVersion": "7",
            "creationTimestamp": "2026-11-01T09:00:00Z",
            "labels": {"app.kubernetes.io/managed-by": "kdj", "kdj.dev/kind": "run", "kdj.dev/role": "web"},
            "annotations": {
                "kdj.dev/user": "ada", "kdj.dev/command": "report", "kdj.dev/container": "app",
                "kdj.dev/environment": "qa", "kdj.dev/host": "laptop", "kdj.dev/reason": "ticket 7",
            },
        },
        "spec": {"ttlSecondsAfterFinished": 60, "template": {"spec": {"activeDeadlineSeconds": 90, "containers": []}}},
        "status": status,
    }))
    .unwrap()
}

fn condition(name: &str, reason: &str) -> Value {
    json!({"type": name, "status": "True", "reason": reason, "lastTransitionTime": "2026-11-01T09:05:00Z"})
}

#[test]
fn how_far_a_job_is() {
    let end = Some("2026-11-01T09:05:00Z".parse().unwrap());
    for (status, state, why, finished) in [
        (json!({}), JobState::Pending, None, None),
        (json!({"active": 1, "ready": 0}), JobState::Pending, None, None),
        (json!({"active": 1, "ready": 1}), JobState::Running, None, None),
        // These come before the pod has ended.
        (
            json!({"ready": 1, "conditions": [condition("FailureTarget", "DeadlineExceeded")]}),
            JobState::Running,
            None,
            None,
        ),
        (json!({"ready": 1, "conditions": [condition("SuccessCriteriaMet", "")]}), JobState::Running, None, None),
        (
            json!({"conditions": [condition("SuccessCriteriaMet", ""), condition("Complete", "")]}),
            JobState::Complete,
            None,
            end,
        ),
        (
            json!({"conditions": [condition("FailureTarget", "x"), condition("Failed", "DeadlineExceeded")]}),
            JobState::Failed,
            Some("DeadlineExceeded"),
            end,
        ),
        (json!({"ready": 1, "conditions": [{"type": "Failed", "status": "False"}]}), JobState::Running, None, None),
    ] {
        let summary = JobSummary::of(&job(status.clone())).unwrap();
        assert_eq!((summary.state, summary.why.as_deref(), summary.finished), (state, why, finished), "{status}");
        assert_eq!(summary.is_over(), finished.is_some());
    }
}

#[test]
fn what_a_job_says_of_itself() {
    let job = job(json!({}));
    let summary = JobSummary::of(&job).unwrap();
    assert_eq!(
        [&summary.user, &summary.host, &summary.command, &summary.role, &summary.environment],
        ["ada", "laptop", "report", "web", "qa"]
    );
    assert_eq!((summary.kind, summary.reason.as_deref()), (JobKind::Run, Some("ticket 7")));
    let JobHandle { uid, container, timeout, kept, resource_version, .. } = summary.handle;
    assert_eq!((uid.as_str(), container.as_str(), timeout), ("u", "app", Some(Duration::from_secs(90))));
    assert!(!kept && resource_version.is_none());
    assert_eq!(JobHandle::of(&job).resource_version.as_deref(), Some("7"), "its pod is still to come");
    let mut kept = job.clone();
    kept.spec.as_mut().unwrap().ttl_seconds_after_finished = None;
    assert!(JobHandle::of(&kept).kept);
}

#[test]
fn the_jobs_of_others_are_none_of_kdj_s() {
    for (label, value) in [("app.kubernetes.io/managed-by", "Helm"), ("kdj.dev/kind", "unheard-of")] {
        let mut job = job(json!({}));
        job.metadata.labels.as_mut().unwrap().insert(label.to_owned(), value.to_owned());
        assert!(JobSummary::of(&job).is_none(), "{label}={value}");
    }
}

//! Exit codes, and Jobs that do not start.

use std::time::Instant;

use serde_json::json;

use super::{
    super::harness::{
        Namespace, SHOP, cluster, objects,
        wait::{DEADLINE, poll_until},
    },
    jobs, name, namespace, script,
};

#[test]
fn exit_codes_pass() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    for code in [0, 1, 3] {
        let _ = kdj.run(script([], &format!("echo x; exit {code}"))).expect_code(code).prints("x\n");
    }
    let _ = kdj.run(["run", "own", "--", "nosuch"]).expect_code(127).says(&["no `nosuch` in the image of job", "PATH"]);
    let _ = kdj.run(["run", "own", "--", "/etc/passwd"]).expect_code(126).says(&["permission denied"]);
    // The Job controller takes a moment to count what ended.
    poll_until("the Jobs to have ended", DEADLINE, || {
        let listed = kdj.run(["jobs", "own"]).expect_code(0).stdout_text();
        ((listed.matches(" Complete ").count(), listed.matches(" Failed ").count()) == (1, 4)).then_some(())
    });
}

#[test]
fn out_of_memory_names_the_limit() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let words =
        ["run", "own", "--memory", "48Mi", "--", "python", "-c", "print('begun', flush=True); x = 'a' * (1 << 30)"];
    let output = namespace.kdj().run(words).expect_code(137).prints("begun\n");
    // Now and then the node does not say what it was killed for: containerd 1.6 has lost the kernel's word.
    let told = ["container `app` was OOMKilled, its memory limit is 48Mi", "SIGKILL: often the memory limit (48Mi)"];
    assert!(told.iter().any(|told| output.stderr.contains(told)), "{output}");
}

#[test]
fn a_timeout_ends_it_and_keeps_the_log() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let words = script(["--timeout", "20s"], "trap 'echo asked; exit 0' TERM; echo begun; sleep 60 & wait");
    let output = kdj.run(words).expect_code(124).prints("begun\nasked\n");
    let name = name(&output.stderr);
    let _ = output.says(&["did not end within 20 s", "--timeout"]);
    let _ = kdj.run(["jobs", "logs", "own", &name]).expect_code(0).prints("begun\nasked\n");
    let _ = kdj.run(["jobs", "attach", "own", &name]).expect_code(124).prints("begun\nasked\n");
}

#[test]
fn what_cannot_start_says_so_and_is_gone() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    for (options, phrases) in [
        (&["--env-from", "secret/nosuch"][..], &["CreateContainerConfigError", r#"secret "nosuch" not found"#][..]),
        (&["--image", "registry.local/nosuch:1", "--pod-running-timeout", "8s"], &["registry.local/nosuch:1", "Image"]),
        (&["--cpu", "900", "--pod-running-timeout", "5s"], &["not running after", "Unschedulable", "Insufficient cpu"]),
    ] {
        let started = Instant::now();
        let words = [&["run", "own"], options, &["--", "true"]].concat();
        let output = kdj.run(words).expect_code(125).prints("");
        let _ = output.says(&["did not start in `own`", "the job is deleted again"]).says(phrases);
        assert!(started.elapsed().as_secs() < 30, "{:?} for {options:?}", started.elapsed());
    }
    assert_eq!(jobs(&kdj), [""; 0]);
    poll_until("the pods to be gone", DEADLINE, || {
        namespace.kubectl(["get", "pods", "-o", "name"]).is_empty().then_some(())
    });
}

#[test]
fn quota_and_policy_refuse_before_anything_exists() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}});
    namespace.apply([quota]);
    // The quota counts from the moment its controller has seen it.
    namespace.wait_for("resourcequota/none", "{.status.hard.pods}", "0");
    let kdj = namespace.kdj();
    let _ = kdj.run(["run", "own", "--", "true"]).expect_code(125).says(&["exceeded quota: none"]);
    namespace.kubectl(["delete", "resourcequota", "none"]);
    let metadata = json!({"name": namespace.name(), "labels": {"pod-security.kubernetes.io/enforce": "restricted"}});
    namespace.apply([json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})]);
    let _ =
        kdj.run(["run", "own", "--", "true"]).expect_code(125).says(&["violates PodSecurity \"restricted:latest\""]);
    assert_eq!(jobs(&kdj), [""; 0]);
}

#[test]
fn a_workload_that_conforms_to_restricted_has_jobs_that_do() {
    let Some(cluster) = cluster() else { return };
    let mut pod = objects::pod([objects::sleeping("app", SHOP), objects::sleeping("cache", SHOP)]);
    pod["securityContext"] =
        json!({"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}});
    for number in 0..2 {
        pod["containers"][number]["securityContext"] =
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    }
    let mut web = objects::deployment("web", pod);
    web["spec"]["replicas"] = 0.into();
    let namespace = Namespace::with(cluster, []);
    let metadata = json!({"name": namespace.name(), "labels": {"pod-security.kubernetes.io/enforce": "restricted"}});
    namespace.apply([json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}), web]);
    let words = ["run", "own", "-c", "app", "--", "id", "-u"];
    let _ = namespace.kdj().run(words).expect_code(0).prints("1000\n");
}

#[test]
fn a_sidecar_that_never_ends_holds_nothing_up() {
    let Some(cluster) = cluster() else { return };
    let mut web =
        objects::deployment("web", objects::pod([objects::sleeping("app", SHOP), objects::sleeping("proxy", SHOP)]));
    web["spec"]["replicas"] = 0.into();
    let namespace = Namespace::with(cluster, [web]);
    let kdj = namespace.kdj();
    let words = ["run", "own", "-c", "app", "--with-sidecars", "--", "sh", "-c", "echo done; exit 3"];
    let output = kdj.run(words).expect_code(3).prints("done\n");
    let _ = output.says(&["container `proxy` went on", "is deleted, with its log"]);
    assert_eq!(jobs(&kdj), [""; 0]);
}

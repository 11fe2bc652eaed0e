//! The password is in the program's environment, and nowhere else.

use std::{fs, path::Path};

use super::super::harness::cluster;

#[test]
fn no_password_is_in_arguments_or_logs() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let before = cluster.audit_log().map_or(0, |log| log.len());
    let words = ["-v", "forward", "qa", "db", "redis", "--exec", "sh", "-c", "echo ready; sleep 30"];
    let running = kdj.start(words);
    running.wait_for_stdout("ready\n");
    let canary = "canary-qa-database-7Kp2";
    // Everything runs on this machine, the pods too: whatever process has it in its arguments is found.
    if Path::new("/proc/self/cmdline").exists() {
        for process in fs::read_dir("/proc").expect("/proc").flatten() {
            let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let arguments = String::from_utf8_lossy(&arguments).into_owned();
            assert!(!arguments.contains(canary), "{arguments}");
        }
    }
    let said = running.stderr_so_far() + &running.stdout_so_far();
    assert!(!said.contains("canary"), "{said}");
    drop(running);
    if let Some(log) = cluster.audit_log() {
        assert!(
            !log[before..].lines().any(|line| line.contains(canary) && line.contains("/exec")),
            "the audit log has it"
        );
    }
}

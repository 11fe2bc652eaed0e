//! Who may run Jobs, and whether a secret shows anywhere.

use std::fs;

use super::{
    super::harness::{Cluster, cluster},
    name, namespace, script,
};

/// Removes a Job that a test made among the fixtures.
struct Removed<'a>(&'a Cluster, &'a str, String);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_kubectl(&["-n", self.1, "delete", "job", &self.2, "--wait=false"], "");
    }
}

#[test]
fn a_viewer_is_told_what_is_missing() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let output = kdj.run(["run", "acme-staging-viewer/shop-qa", "--", "true"]).expect_code(125).prints("");
    let _ = output
        .says(&["`viewer` may not `create` `jobs`", r#"apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]"#]);
    let _ = kdj.run(["jobs", "acme-staging-viewer/shop-qa"]).expect_code(0);
    // As protected as `prod`, which is the same place by another context.
    let place = "acme-prod-dev/shop";
    let output = kdj.run(["run", place, "--confirm", place, "--", "true"]).expect_code(125);
    let _ = output.says(&["`dev` may not `list` `deployments` in namespace `shop`"]);
}

#[test]
fn a_developer_runs_jobs() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let kdj = namespace.kdj();
    let as_developer = ["--as", "dev", "--as-group", "developers"];
    let output = kdj.run(script(as_developer, "echo x; exit 3")).expect_code(3).prints("x\n");
    let name = name(&output.stderr);
    let listed = kdj.run(["jobs", "own", "-o", "json"]).expect_code(0).stdout_text();
    assert!(listed.contains("\"user\": \"dev\""), "{listed}");
    let words = ["jobs", "cancel", "own", &name].into_iter().chain(as_developer);
    let _ = kdj.run(words).expect_code(0).says(&["job kdj-run-"]);
    assert_eq!(super::jobs(&kdj), [""; 0]);
}

#[test]
fn a_job_takes_nine_requests() {
    let Some(cluster) = cluster() else { return };
    let namespace = namespace(cluster);
    let user = format!("budget-{}-jobs", std::process::id());
    let words = script(["--as", &user, "--as-group", "system:masters"], "true");
    let _ = namespace.kdj().run(words).expect_code(0);
    let Some(mut requests) = cluster.requests_of(&user) else { return };
    // A pod that is slow to start is asked after.
    requests.retain(|it| !["list events", "get jobs"].contains(&it.as_str()));
    requests[..5].sort();
    let together = [
        "create selfsubjectreviews",
        "list deployments",
        "list poddisruptionbudgets",
        "list services",
        "list statefulsets",
    ];
    let expected = [&together[..], &["create pods", "create jobs", "watch pods"]].concat();
    assert_eq!(requests[..8], expected[..]);
    assert!(requests[8..].iter().all(|it| it == "get pods/log") && requests.len() <= 10, "{requests:?}");
}

#[test]
fn what_the_entrypoint_injects_is_there_and_shows_nowhere() {
    let Some(cluster) = cluster() else { return };
    const SECRETS: [&str; 2] = ["canary-injected-django-5Hd7", "canary-qa-database-7Kp2"];
    let kdj = cluster.kdj();
    let code = "import os, time; print(len(os.environ['DJANGO_SECRET_KEY'])); time.sleep(3)";
    let running = kdj.start(["-v", "run", "injected", "--", "python", "-c", code]);
    running.wait_for_stderr(" job kdj-run-");
    running.wait_for_stdout(&format!("{}\n", SECRETS[0].len()));
    // While it runs: the process lists of this machine, which is the node.
    let lists = fs::read_dir("/proc").expect("/proc").flatten();
    let lines: Vec<Vec<u8>> = lines_of(lists);
    let output = running.finish().expect_code(0);
    let _removed = Removed(cluster, "injected", name(&output.stderr));
    let manifest = cluster.kubectl(["-n", "injected", "get", "job", &_removed.2, "-o", "yaml"]);
    for secret in SECRETS {
        assert!(!manifest.contains(secret), "{manifest}");
        assert!(!output.stderr.contains(secret) && !output.stdout_text().contains(secret), "{output}");
        let shown = lines.iter().any(|line| line.windows(secret.len()).any(|it| it == secret.as_bytes()));
        assert!(!shown, "{secret} is in a process list");
        let log = cluster.audit_log().unwrap_or_default();
        let of_job = log.lines().filter(|line| line.contains("kdj-run-"));
        assert!(of_job.into_iter().all(|line| !line.contains(secret)), "{secret} is in the audit log");
    }
    let output = kdj.run(["run", "injected", "--", "python", "manage.py", "check"]).expect_code(0);
    let _removed = Removed(cluster, "injected", name(&output.stderr));
    let _ = output.never_says(&["canary-"]);
}

fn lines_of(entries: impl Iterator<Item = fs::DirEntry>) -> Vec<Vec<u8>> {
    entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok()).collect()
}

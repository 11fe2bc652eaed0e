//! The cluster the tests run on, found once.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Write, stderr},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

use super::Kdj;

/// The context tests change the cluster with: what it does is not in the audit log.
const SETUP: &str = "setup";

/// A cluster that is up.
pub struct Cluster {
    /// Its kubeconfig.
    pub kubeconfig: PathBuf,
    kubectl: PathBuf,
}

/// The cluster, or `None` and a word about it when there is none.
///
/// # Panics
/// When there is none and `KDJ_REQUIRE_CLUSTER` is 1.
#[track_caller]
pub fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(Cluster::find).as_ref();
    if cluster.is_none() {
        assert!(env::var_os("KDJ_REQUIRE_CLUSTER").is_none_or(|it| it != "1"), "no cluster: run tests/cluster/up");
        // Straight to stderr: what `eprintln!` says is shown for failures only.
        let _ = writeln!(stderr(), "SKIPPED: needs tests/cluster/up");
    }
    cluster
}

impl Cluster {
    fn find() -> Option<Self> {
        let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let kubeconfig = variable("KDJ_TEST_KUBECONFIG").or_else(|| {
            let home = variable("KDJ_CLUSTER_HOME").or_else(|| {
                let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
                Some(cache.join("kdj-cluster"))
            })?;
            Some(home.join("state/kubeconfig"))
        })?;
        if !kubeconfig.exists() {
            return None;
        }
        let beside = kubeconfig.parent()?.join("bin/kubectl");
        let kubectl = if beside.exists() { beside } else { "kubectl".into() };
        let cluster = Self { kubeconfig, kubectl };
        cluster.sweep();
        Some(cluster)
    }

    /// kdj with the environments of `tests/cluster/kdj.toml`.
    pub fn kdj(&self) -> Kdj {
        Kdj::on(&self.kubeconfig).config(ENVIRONMENTS).link(&self.kubectl, "kubectl")
    }

    /// Runs kubectl, which must succeed, and gives its stdout.
    #[track_caller]
    pub fn kubectl<const N: usize>(&self, arguments: [&str; N]) -> String {
        self.kubectl_with(&arguments, "")
    }

    /// Runs kubectl with something on stdin.
    #[track_caller]
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> String {
        let output = self.try_kubectl(arguments, input).expect("kubectl runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "kubectl {arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs kubectl, and gives what came of it.
    pub fn try_kubectl(&self, arguments: &[&str], input: &str) -> io::Result<Output> {
        let mut child = self
            .kubectl_command()
            .args(["--request-timeout", "60s"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().expect("kubectl's stdin");
        // What it does not read it does not want.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output()
    }

    /// kubectl as it is, to be started.
    pub fn kubectl_command(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(["--context", SETUP]).env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// The name of a pod of the role, in one of the app's namespaces.
    #[track_caller]
    pub fn pod(&self, namespace: &str, selector: &str) -> String {
        let arguments = ["-n", namespace, "get", "pods", "-l", selector, "-o", "jsonpath={.items[0].metadata.name}"];
        let name = self.kubectl(arguments);
        assert!(!name.is_empty(), "no pod {selector} in {namespace}");
        name
    }

    /// The API server's audit log; `None` on a cluster that keeps it elsewhere.
    pub fn audit_log(&self) -> Option<String> {
        let path = self.kubeconfig.parent().map(|folder| folder.join("audit.jsonl")).filter(|path| path.exists());
        if path.is_none() {
            let _ = writeln!(stderr(), "SKIPPED in part: this cluster's audit log is not beside its kubeconfig");
        }
        path.map(|path| fs::read_to_string(path).expect("the audit log"))
    }

    /// The requests of one impersonated user, in order: verb and resource.
    pub fn requests_of(&self, user: &str) -> Option<Vec<String>> {
        let mut seen = Vec::new();
        let mut requests = Vec::new();
        for line in self.audit_log()?.lines().filter(|line| line.contains(user)) {
            // The last line may be half written.
            let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
            if event["impersonatedUser"]["username"] != user || seen.contains(&event["auditID"]) {
                continue;
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (verb, object) = (text(&event["verb"]), &event["objectRef"]);
            let subresource = object["subresource"].as_str().map(|name| format!("/{name}")).unwrap_or_default();
            requests.push(format!("{verb} {}{subresource}", text(&object["resource"])));
            seen.push(event["auditID"].clone());
        }
        Some(requests)
    }

    /// Removes the namespaces of test runs that were killed.
    fn sweep(&self) {
        let output = self.try_kubectl(&["get", "namespaces", "-l", "kdj.test/process", "-o", "json"], "");
        let list: Value =
            serde_json::from_slice(&output.map(|output| output.stdout).unwrap_or_default()).unwrap_or_default();
        for namespace in list["items"].as_array().into_iter().flatten() {
            let process = namespace["metadata"]["labels"]["kdj.test/process"].as_str().unwrap_or_default();
            let name = namespace["metadata"]["name"].as_str().unwrap_or_default();
            if Path::new("/proc/self").exists() && !Path::new("/proc").join(process).exists() {
                let _ = self.try_kubectl(&["delete", "namespace", name, "--wait=false"], "");
            }
        }
    }

    /// A kubeconfig like the cluster's, changed.
    pub fn changed_kubeconfig(&self, change: impl FnOnce(&mut Value)) -> String {
        let arguments: Vec<OsString> = ["config", "view", "--raw", "-o", "json"].iter().map(Into::into).collect();
        let output = Command::new(&self.kubectl).args(arguments).env("KUBECONFIG", &self.kubeconfig).output();
        let mut config = serde_json::from_slice(&output.expect("kubectl runs").stdout).expect("a kubeconfig");
        change(&mut config);
        config.to_string()
    }
}

/// The environments, as a developer of the app has them.
const ENVIRONMENTS: &str = include_str!("../../kdj.toml");

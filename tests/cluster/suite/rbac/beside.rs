//! Roles that go beside others: what is read of Secrets and ConfigMaps, what is recorded, which namespaces there are.

use std::process::Command;

use serde_json::json;

use super::{
    super::harness::{
        Cluster, SHOP, cluster, objects,
        wait::{DEADLINE, poll_until},
    },
    Namespace, bound, by, is_named, rights, role, with_web,
};

#[test]
fn secrets_are_compared_by_whoever_may_read_them() {
    let Some(cluster) = cluster() else { return };
    const CANARY: &str = "canary-rbac-secret-4Wq";
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "settings"}, "stringData": {"TOKEN": CANARY}});
    let mut container = objects::sleeping("app", SHOP);
    container["envFrom"] = json!([{"secretRef": {"name": "settings"}}]);
    let web = objects::deployment("web", objects::pod([container]));
    let namespace = Namespace::with(cluster, [secret, web]);
    namespace.apply(bound("config", rights(&role("config")).into_iter()));
    let both = rights(&role("config")).into_iter().chain(rights(&role("secrets")));
    namespace.apply(bound("config-and-secrets", both));
    let kdj = namespace.kdj();
    let output = by(&kdj, "config", &["config", "own", "web"]);
    assert!(is_named(&output, ("get", "secrets")) && !output.stdout_text().contains("TOKEN"), "{output}");
    let output =
        by(&kdj, "config-and-secrets", &["config", "own", "web"]).expect_code(0).never_says(&["`secrets`", CANARY]);
    assert!(output.stdout_text().contains("TOKEN") && !output.stdout_text().contains(CANARY), "{output}");
}

#[test]
fn what_was_changed_lately_is_known_to_whoever_may_list_configmaps() {
    let Some(cluster) = cluster() else { return };
    let settings =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"DEBUG": "false"}});
    let mut container = objects::container("app", SHOP, ["sh", "-c", "exit 3"]);
    container["envFrom"] = json!([{"configMapRef": {"name": "settings"}}]);
    let namespace = Namespace::with(cluster, [settings, objects::deployment("web", objects::pod([container]))]);
    namespace.apply(bound("status", rights(&role("status")).into_iter()));
    namespace.apply(bound("status-and-why", rights(&role("status")).into_iter().chain(rights(&role("why")))));
    poll_until("a pod that has ended twice", DEADLINE, || {
        let count = "jsonpath={.items[*].status.containerStatuses[*].restartCount}";
        (namespace.kubectl(["get", "pods", "-o", count]).trim().parse::<u32>().ok()? > 1).then_some(())
    });
    let kdj = namespace.kdj();
    let command = ["status", "own", "--why"];
    let output = by(&kdj, "status", &command).expect_code(1);
    assert!(is_named(&output, ("list", "configmaps")), "{output}");
    let output = by(&kdj, "status-and-why", &command).expect_code(1).never_says(&["may not"]);
    let text = output.stdout_text();
    assert!(text.contains("ConfigMap `settings`") && !text.contains("may not"), "{output}");
}

#[test]
fn changes_are_recorded_by_whoever_may_make_events() {
    let Some(cluster) = cluster() else { return };
    let namespace = with_web(cluster);
    let session = || rights(&role("session")).into_iter();
    namespace.apply(bound("session", session()));
    namespace.apply(bound("session-and-record", session().chain(rights(&role("record")))));
    let place = format!("context = \"acme-staging\"\nnamespace = \"{}\"\n", namespace.name());
    let kdj = namespace.kdj().config(&format!("[environments.live]\n{place}protected = true\n"));
    let command = ["shell", "live", "--confirm", "live", "--", "true"];
    let output = by(&kdj, "session", &command).expect_code(0);
    assert!(is_named(&output, ("create", "events")), "{output}");
    let _ = by(&kdj, "session-and-record", &command).expect_code(0).never_says(&["may not"]);
    let message = "jsonpath={range .items[*]}{.message}{'\\n'}{end}";
    let events = namespace.kubectl(["get", "events", "-l", "app.kubernetes.io/managed-by=kdj", "-o", message]);
    // What takes more than a second has another event for its beginning.
    assert_eq!(events.lines().filter(|message| !message.ends_with("; begins")).count(), 1, "{events}");
}

/// Removes what is in no namespace.
struct Removed<'a>(&'a Cluster, String);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let words = ["delete", "clusterrole,clusterrolebinding", &self.1, "--wait=false", "--ignore-not-found"];
        let _ = self.0.try_kubectl(&words, "");
    }
}

#[test]
fn namespaces_of_a_pattern_are_found_by_whoever_may_list_them() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, []);
    let group = namespace.name();
    namespace.apply(bound(group, rights(&role("status")).into_iter()));
    // Only this very namespace fits.
    let suffix = group.strip_prefix("kdj").expect("a name of the tests");
    let config = format!("[environments.\"*{suffix}\"]\ncontext = \"acme-staging\"\nnamespace = \"{{name}}\"\n");
    let kdj = namespace.kdj().config(&config);
    let command = ["envs", "--live"];
    let output = by(&kdj, group, &command).expect_code(1);
    assert!(is_named(&output, ("list", "namespaces")), "{output}");

    let _removed = Removed(cluster, group.to_owned());
    let [mut role, mut binding] = bound(group, rights(&role("namespaces")).into_iter());
    role["kind"] = "ClusterRole".into();
    binding["kind"] = "ClusterRoleBinding".into();
    binding["roleRef"]["kind"] = "ClusterRole".into();
    namespace.apply([role, binding]);
    let output = by(&kdj, group, &command).expect_code(0).never_says(&["may not"]);
    assert!(output.stdout_text().lines().any(|line| line.starts_with(group)), "{output}");
}

/// What the page says is typed as it is, but for the names.
#[test]
fn the_page_gives_them_to_a_group() {
    let Some(cluster) = cluster() else { return };
    let namespace = with_web(cluster);
    let page = include_str!("../../../../docs/rbac/README.md");
    let (_, block) = page.split_once("```sh\n").expect("commands");
    let (block, _) = block.split_once("```").expect("their end");
    assert!(block.contains("kubectl apply -n shop-qa -k docs/rbac"), "{block}");
    let commands = block.replace("shop-qa", namespace.name()).replace("=developers", "=page");
    let kubeconfig = cluster.changed_kubeconfig(|document| document["current-context"] = json!("setup"));
    let kdj = namespace.kdj();
    let admin = namespace.kdj().file("setup", &kubeconfig);
    let mut bash = Command::new("bash");
    bash.args(["-ec", &commands]);
    admin.prepare(&mut bash);
    let kubeconfig = admin.directory().join("setup");
    let output =
        bash.env("KUBECONFIG", kubeconfig).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("bash runs");
    assert!(output.status.success(), "{output:?}");
    let _ = by(&kdj, "page", &["shell", "own", "--", "true"]).expect_code(0).never_says(&["may not"]);
    let _ = by(&kdj, "page", &["logs", "own", "--no-follow"]).expect_code(0).never_says(&["may not"]);
    let output = by(&kdj, "page", &["scale", "own", "web+1"]);
    assert!(is_named(&output, ("patch", "deployments/scale")) && output.code == Some(1), "{output}");
}

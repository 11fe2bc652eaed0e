//! What a user may not do, said in the cluster's own terms.

use super::harness::{CommandOutput, Kdj, cluster};

const TRUE: [&str; 2] = ["--", "true"];

fn shell<const N: usize>(kdj: &Kdj, arguments: [&str; N]) -> CommandOutput {
    kdj.run(["shell"].into_iter().chain(arguments).chain(TRUE))
}

#[test]
fn who_may_not_exec_is_told_the_rule() {
    let Some(cluster) = cluster() else { return };
    let output = shell(&cluster.kdj(), ["acme-staging-viewer/shop-qa"]).expect_code(125).prints("");
    let _ = output.says(&[
        "error: `viewer` may not `get` `pods/exec` in namespace `shop-qa` (context `acme-staging-viewer`)",
        r#"resources: ["pods/exec"], verbs: ["get", "create"]"#,
        "WebSocket",
        "1.35",
    ]);
}

#[test]
fn who_may_not_list_pods_is_told_so() {
    let Some(cluster) = cluster() else { return };
    // As protected as `prod`, which is the same place by another context.
    let place = "acme-prod-dev/shop";
    let output = shell(&cluster.kdj(), [place, "--confirm", place]).expect_code(125).prints("");
    let _ = output.says(&[
        "`dev` may not `list` `pods` in namespace `shop` (context `acme-prod-dev`)",
        r#"resources: ["pods"], verbs: ["list"]"#,
    ]);
}

#[test]
fn a_developer_works_in_staging() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    for environment in ["acme-staging-dev/shop-qa", "acme-staging-dev/tenants-qa/car1-qa", "acme-staging-dev/bluegreen"]
    {
        let _ = shell(&kdj, [environment]).expect_code(0);
    }
    let _ = kdj.run(["pyshell", "acme-staging-dev/injected", "-c", "print(1)"]).expect_code(0).prints("1\n");
}

#[test]
fn the_context_can_be_another_than_the_environment_s() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let _ = shell(&kdj, ["qa", "--context", "acme-staging-dev"]).expect_code(0).says(&["context acme-staging-dev"]);
    let place = "acme-prod-dev/shop";
    let _ = shell(&kdj, ["prod", "--context", "acme-prod-dev", "--confirm", place])
        .expect_code(125)
        .says(&["`dev` may not `list` `pods`"]);
}

#[test]
fn impersonation_changes_the_rights() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let _ = shell(&kdj, ["qa", "--as", "dev"])
        .expect_code(125)
        .says(&["`dev` may not `list` `pods` in namespace `shop-qa`"]);
    let _ = shell(&kdj, ["qa", "--as", "dev", "--as-group", "developers"]).expect_code(0);
    let output = shell(&kdj, ["prod", "--confirm", "prod", "--as", "dev", "--as-group", "developers"]).expect_code(125);
    let _ = output.says(&["`dev` may not `list` `pods` in namespace `shop`"]);
    // Who may not impersonate is told that.
    let output = shell(&kdj, ["acme-staging-dev/shop-qa", "--as", "admin"]).expect_code(125);
    let _ = output.says(&["`dev` may not `impersonate` `users`"]);
}

#[test]
fn credentials_that_are_not_accepted() {
    let Some(cluster) = cluster() else { return };
    let wrong = cluster.changed_kubeconfig(|config| {
        for user in config["users"].as_array_mut().expect("users") {
            user["user"] = serde_json::json!({"token": "canary-wrong-token"});
        }
    });
    let kdj = cluster.kdj().file("home/config", &wrong);
    let path = kdj.directory().join("home/config");
    let output = shell(&kdj.variable("KUBECONFIG", path), ["qa"]).expect_code(125);
    let _ = output.says(&["`acme-staging` does not accept your credentials", "log in again"]).never_says(&["canary"]);
}

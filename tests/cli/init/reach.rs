//! How far a search comes: big clusters, plugins that hang, contexts that tell nothing.

use std::time::Duration;

use serde_json::json;

use super::objects;
use crate::harness::{
    ApiServer, Fault, Kdj, Kubeconfig, On,
    objects::{Objects, Pod},
    plugin::Plugin,
    shop,
};

#[test]
fn what_a_big_cluster_has_told_is_kept() {
    let other =
        |number: u32| Pod::ready(&format!("x-{number}")).owned_by_replica_set("x", "1").container("x", "x", &[]);
    // In the order of a real server: by namespace.
    let before = Objects::in_namespace("a-shop-qa").with(shop::web_pod("aaaaa")).and_namespace("many");
    let objects = (0..1100).fold(before, |objects, number| objects.with(other(number)));
    let server = ApiServer::http(objects.and_namespace("z-shop-dev").with(shop::web_pod("bbbbb")));
    let kdj = Kdj::bare().kubeconfig(&Kubeconfig::of(&server));
    let output = kdj.run(["init", "--dry-run"]).expect_code(0);
    assert_eq!(output.stdout_text().matches("\n[environments.").count(), 2, "{output}");
    assert_eq!(server.requests().len(), 3);
    // The third page does not come.
    let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "the continue token is too old"});
    server.fault(On::get("/api/v1/pods").after(2), Fault::status(&gone));
    let output = kdj.run(["init", "--dry-run"]).expect_code(0);
    let said =
        "context acme-staging: a-shop-qa; it stopped after 1000 pods (the continue token is too old): `-n NAMESPACE`";
    let output = output.says(&[said]);
    assert_eq!(output.stdout_text().matches("\n[environments.").count(), 1, "{output}");
}

#[test]
fn a_plugin_that_hangs_for_one_profile_is_run_for_another() {
    let server = ApiServer::http(objects());
    let kdj = Kdj::bare();
    let script = "[ \"$1\" = hang ] && sleep 60\nprintf '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\
                  \"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}'";
    let plugin = Plugin::script(&kdj.bin(), script);
    let with = |profile: &str| plugin.clone().setting("args", json!([profile]));
    let kubeconfig = Kubeconfig::empty()
        .server("acme", &server)
        .plugin("hangs", &with("hang"))
        .plugin("works", &with("work"))
        .context_on("acme-one", "acme", "hangs", None)
        .context_on("acme-two", "acme", "hangs", None)
        .context_on("acme-three", "acme", "works", None);
    let kdj = kdj.kubeconfig(&kubeconfig).deadline(Duration::from_secs(60));
    let output = kdj.run(["init", "--dry-run"]).expect_code(0).says(&[
        "context `acme-one` is left out: the credential plugin",
        "is not run again: it did not answer for another context",
        "context acme-three: ",
    ]);
    assert!(output.stdout_text().contains("context   = \"acme-three\""), "{output}");
    assert_eq!(plugin.runs().len(), 2);
}

#[test]
fn why_nothing_was_found_is_said_with_what_to_type() {
    let server = ApiServer::http(Objects::default());
    let kdj = Kdj::bare();
    let plugin = Plugin::failing(&kdj.bin(), "Token has expired and refresh failed", 255);
    let dead = json!({"server": "http://127.0.0.1:1"});
    let all = Kubeconfig::empty()
        .server("acme", &server)
        .token("dev", "t")
        .plugin("sso", &plugin)
        .cluster("dead", dead)
        .context_on("acme-sso", "acme", "sso", None)
        .context_on("acme-empty", "acme", "dev", None)
        .context_on("acme-dead", "dead", "dev", None);
    let output = kdj.kubeconfig(&all).run(["init", "--yes"]).expect_code(1);
    let _ = output.says(&[
        "context `acme-sso` is left out: the credential plugin",
        "it said: Token has expired and refresh failed",
        "  `kdj init --context acme-sso` lets its credential plugin ask",
        "context acme-empty: nothing that looks like Django",
        "one context answered, and nothing there looks like Django",
        "one context did not take your login, or its credentials could not be had",
        "one context could not be reached",
        "hint: `kdj init --context acme-sso` lets its credential plugin ask",
    ]);
    // A token of the kubeconfig that is not accepted any more: nobody could ask.
    server.fault(On::any(), Fault::unauthorized());
    let expired = Kubeconfig::of(&server);
    let output = Kdj::bare().kubeconfig(&expired).run(["init", "--yes"]).expect_code(1);
    let _ = output.says(&[
        "context `acme-staging` is left out: the API server of context `acme-staging` does not accept your credentials",
        "  your login has probably expired: log in again",
        "one context did not take your login",
        "hint: when what stands above is mended: `kdj init` again",
    ]);
}

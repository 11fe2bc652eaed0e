//! What `kdj init` says at its end, and of what it leaves alone.

use super::{NAMESPACE, written};
use crate::harness::{
    ApiServer, Kdj, Kubeconfig,
    objects::{Objects, Pod},
    plugin::Plugin,
    pty::Pty,
    shop,
};

#[test]
fn what_is_protected_is_not_entered_and_the_command_is_said() {
    let server = ApiServer::http(shop::one_web_pod());
    let kubeconfig = Kubeconfig::of(&server).context_on("acme-prod", "acme-staging", "dev", None);
    let kdj = Kdj::bare().kubeconfig(&kubeconfig);
    let output = kdj.run(["init", "--yes", "--context", "acme-prod"]).expect_code(0).says(&[
        "✓ qa: pod web-7c9d8f-aaaaa",
        "not looked into, as changes there ask for the name: the app of qa; `kdj doctor qa --only application` does",
        "hint: `kdj doctor qa` looks at all of it, `kdj pyshell qa` opens Django's shell",
    ]);
    assert!(server.execs().is_empty());
    let text = written(&kdj).expect("a file");
    let line = "protected = true                # its context says production, its namespace qa: delete this line if that is right\n";
    assert!(text.contains(line), "{output}");
    // As it says: without the line the place is an ordinary one.
    let kdj = kdj.config(&text.replace(line, ""));
    let envs = kdj.run(["envs", "-o", "json"]).expect_code(0);
    assert!(envs.stdout_text().contains("\"protected\": false"), "{envs}");
}

#[test]
fn it_ends_with_a_command_when_nothing_works() {
    let pod = Pod::crash_looping("web-1", 1, "Error").owned_by_replica_set("web", "1").django("django");
    let server = ApiServer::http(Objects::in_namespace(NAMESPACE).with(pod));
    let kdj = Kdj::bare().kubeconfig(&Kubeconfig::of(&server));
    let output = kdj.run(["init", "--yes"]).expect_code(1);
    server.forgive();
    let _ = output.says(&["✗ qa: no ready pod", "hint: `kdj doctor qa` says what is in the way"]);
}

#[test]
fn a_plugin_that_has_asked_does_not_ask_again_for_the_check() {
    let server = ApiServer::http(shop::one_web_pod());
    let kdj = Kdj::bare();
    let plugin = Plugin::asking(&kdj.bin());
    let kubeconfig =
        Kubeconfig::of(&server).plugin("asked", &plugin).context_on("acme-asks", "acme-staging", "asked", None);
    let kdj = kdj.kubeconfig(&kubeconfig);
    let mut pty = Pty::run(&kdj, ["init", "--yes", "--context", "acme-asks"]);
    pty.wait_for("Enter the code: ");
    pty.press("1234\n");
    let _ = pty.finish();
    server.forgive();
    let shown = pty.text();
    assert!(shown.contains("looking into the app of qa") && shown.contains("hint: `kdj doctor qa`"), "{shown}");
    assert_eq!(plugin.runs().len(), 1, "{shown}");
}

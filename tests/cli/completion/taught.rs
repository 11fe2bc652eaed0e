//! What commands teach completion, where a Tab may not ask: most credential plugins might ask for a password.

use serde_json::json;

use super::{CONFIG, complete, objects};
use crate::harness::{
    ApiServer, Fault, Kdj, Kubeconfig, On,
    objects::Deployment,
    plugin::Plugin,
    shop::{self, NAMESPACE},
};

const JOBS: &str = "/apis/batch/v1/namespaces/shop-qa/jobs";

/// A kdj whose plugin no Tab runs, and the plugin.
fn attended(server: &ApiServer) -> (Kdj, Plugin) {
    let kdj = Kdj::on(server).config(CONFIG).variable("KDJ_COMPLETION", "15000");
    let plugin = Plugin::with_token(&kdj.bin(), "canary-token").setting("interactiveMode", json!("IfAvailable"));
    let kubeconfig = Kubeconfig::empty().server("acme-staging", server).plugin("dev", &plugin);
    (kdj.kubeconfig(&kubeconfig.context("acme-staging", "dev", None)), plugin)
}

/// A Tab at the end of `line`, which neither runs the plugin nor asks the server.
#[track_caller]
fn tab(kdj: &Kdj, plugin: &Plugin, server: &ApiServer, line: &str) -> Vec<String> {
    let before = (server.requests().len(), plugin.runs().len());
    let found = complete(kdj, &line.split(' ').collect::<Vec<_>>());
    assert_eq!((server.requests().len(), plugin.runs().len()), before, "{line}: {}", server.request_lines());
    found
}

#[test]
fn a_tab_knows_what_commands_have_seen() {
    let flower = Deployment::new("flower", 0).container("flower", "registry.acme.dev/shop:1.42", &["flower"]);
    let server = ApiServer::http(objects().with(flower));
    let roles = &["celerybeat", "celeryd", "flower", "redis", "shell", "web"][..];
    for (command, lines) in [
        ("jobs qa", &[("jobs cancel qa ", &["kdj-run-x7k2m"][..]), ("sessions attach qa ", &[])][..]),
        ("sessions qa", &[("sessions attach qa ", &["kdj-session-p3q4r"]), ("jobs cancel qa ", &[])]),
        ("gc qa --dry-run", &[("sessions end qa ", &["kdj-session-p3q4r"])]),
        ("status qa", &[("restart qa ", roles), ("shell qa --pod shell", &["shell-5d5d5d-zzzzz"])]),
        ("logs qa --no-follow --tail 1", &[("shell qa --pod shell", &["shell-5d5d5d-zzzzz"])]),
        ("forward qa", &[("forward qa svc", &["svc/web"]), ("shell qa --role red", &["redis"])]),
        ("scale qa web=2", &[("scale qa fl", &["flower="])]),
        ("restart qa web --explain", &[("restart qa fl", &["flower"])]),
        ("envs --live", &[("shell qa -r web -c ", &["django"])]),
    ] {
        let (kdj, plugin) = attended(&server);
        for (line, _) in lines {
            assert_eq!(tab(&kdj, &plugin, &server, &format!("kdj {line}")), [""; 0], "before {command}: {line}");
        }
        let output = kdj.run(command.split(' '));
        assert!(!plugin.runs().is_empty(), "{command}: {}", output.stderr);
        for (line, expected) in lines {
            assert_eq!(tab(&kdj, &plugin, &server, &format!("kdj {line}")), *expected, "{command}: {line}");
        }
    }
}

#[test]
fn jobs_are_known_from_their_making_to_their_end() {
    let server = ApiServer::http(shop::whole());
    let (kdj, plugin) = attended(&server);
    let mut names = Vec::new();
    for _ in 0..2 {
        let output = kdj.run(["run", "qa", "--detach", "--", "report"]).expect_code(0);
        names.insert(0, output.stdout_text().trim().to_owned());
    }
    assert_eq!(tab(&kdj, &plugin, &server, "kdj jobs attach qa "), names);
    let _ = kdj.run(["jobs", "cancel", "qa", &names[0], "--yes"]).expect_code(0);
    assert_eq!(tab(&kdj, &plugin, &server, "kdj jobs attach qa "), [names[1].as_str()]);
}

#[test]
fn what_fails_is_asked_for_again_when_the_cluster_answers() {
    let server = ApiServer::http(objects());
    server.fault(On::get(JOBS).once(), Fault::forbidden("dev", "list", "jobs", NAMESPACE));
    let kdj = super::kdj(&server);
    assert_eq!(complete(&kdj, &["kdj", "jobs", "cancel", "qa", ""]), [""; 0]);
    // Who may not list jobs may list pods.
    assert_eq!(complete(&kdj, &["kdj", "shell", "qa", "--pod", "redis"]), ["redis-0"]);
    assert_eq!(complete(&kdj, &["kdj", "jobs", "cancel", "qa", ""]), [""; 0]);
    assert_eq!(server.requests().len(), 2, "{}", server.request_lines());
    // A command that gets an answer, whatever it asks, is a reason to ask again.
    let _ = kdj.run(["shell", "qa", "--pod", "none", "--", "true"]);
    assert_eq!(complete(&kdj, &["kdj", "jobs", "cancel", "qa", ""]), ["kdj-run-x7k2m"]);
}

#[test]
fn configured_roles_are_offered_without_a_pod() {
    let server = ApiServer::http(objects());
    server.fault(On::pods(NAMESPACE), Fault::pods_forbidden("dev", NAMESPACE));
    let config = format!("{CONFIG}[roles.website]\nselector = 'component=web'\n");
    let kdj = super::kdj(&server).config(&config);
    assert_eq!(complete(&kdj, &["kdj", "scale", "qa", "webs"]), ["website="]);
}

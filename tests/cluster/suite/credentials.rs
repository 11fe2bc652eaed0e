//! A credential plugin, as EKS, GKE and AKS have it.

use std::{fs, path::Path};

use serde_json::json;

use super::harness::{Cluster, Kdj, Pty, cluster};

/// Notes each of its runs, and gives the administrator's token.
const PLUGIN: &str = r#"#!/bin/sh
echo run >>"$RUNS"
read -r line && echo "read: $line" >>"$RUNS"
echo "plugin: $1" >&2
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "admin-token"}}'
"#;

fn with_plugin(cluster: &Cluster) -> Kdj {
    let kdj = cluster.kdj().file("home/plugin", PLUGIN);
    let (plugin, runs) = (kdj.directory().join("home/plugin"), kdj.directory().join("home/runs"));
    let config = cluster.changed_kubeconfig(|config| {
        for user in config["users"].as_array_mut().expect("users") {
            user["user"] = json!({"exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "IfAvailable",
                "command": "/bin/sh", "args": [plugin.display().to_string(), "get-token"],
                "env": [{"name": "RUNS", "value": runs.display().to_string()}],
            }});
        }
    });
    let path = kdj.directory().join("home/config");
    kdj.file("home/config", &config).variable("KUBECONFIG", path)
}

fn runs(kdj: &Kdj) -> String {
    let path: &Path = &kdj.directory().join("home/runs");
    let text = fs::read_to_string(path).unwrap_or_default();
    let _ = fs::remove_file(path);
    text
}

#[test]
fn the_plugin_runs_once_per_command() {
    let Some(cluster) = cluster() else { return };
    let kdj = with_plugin(cluster);
    let _ = kdj.run(["shell", "qa", "--", "true"]).expect_code(0).says(&["plugin: get-token"]);
    assert_eq!(runs(&kdj), "run\n");
    // With several requests, and questions after the end.
    let _ = kdj.run(["shell", "bluegreen", "--", "sh", "-c", "exit 137"]).expect_code(137);
    assert_eq!(runs(&kdj), "run\n");
    let _ = kdj.run(["shell", "qa", "--role", "nosuch", "--", "true"]).expect_code(125);
    assert_eq!(runs(&kdj), "run\n");
}

#[test]
fn the_plugin_does_not_eat_what_is_piped() {
    let Some(cluster) = cluster() else { return };
    let kdj = with_plugin(cluster).stdin("for the remote side\n");
    let _ = kdj.run(["shell", "qa", "--", "cat"]).expect_code(0).prints("for the remote side\n");
    assert_eq!(runs(&kdj), "run\n");
}

#[test]
fn a_plugin_that_asks_gets_the_terminal() {
    let Some(cluster) = cluster() else { return };
    let kdj = with_plugin(cluster);
    let mut pty = Pty::run(&kdj, ["shell", "qa", "--", "sh", "-c", "echo in the pod; exit 3"]);
    // It waits for an answer before it gives the token.
    pty.press("the password\r");
    pty.wait_for("in the pod");
    assert_eq!(pty.finish().code(), Some(3));
    assert_eq!(runs(&kdj), "run\nread: the password\n");
}

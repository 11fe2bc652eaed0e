//! `kdj doctor`: what it prints, how it ends, what it mends. Of the checks themselves, `doctor::worlds` shows each of the
//! machine, the kubeconfig and the credentials in two worlds; `doctor_cluster` does so for the others.

mod fixes;
mod ids;
mod shown;
mod worlds;

use serde_json::Value;

use crate::harness::{ApiServer, CommandOutput, Kdj, Kubeconfig, objects::Objects, plugin::Plugin, shop::NAMESPACE};

/// A kdj on a server that knows nothing but itself.
fn quiet() -> (ApiServer, Kdj) {
    let server = ApiServer::http(Objects::in_namespace(NAMESPACE));
    let kdj = Kdj::on(&server);
    own_files(&kdj);
    (server, kdj)
}

/// The kubeconfig is its owner's alone.
fn own_files(kdj: &Kdj) {
    use std::os::unix::fs::PermissionsExt;
    let path = kdj.directory().join("home/.kube/config");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its permissions");
}

/// The kubeconfig of a server, whose user's credentials come from a plugin.
fn with_plugin(server: &ApiServer, plugin: &Plugin) -> Kubeconfig {
    let kubeconfig = Kubeconfig::empty().server("acme-staging", server).plugin("dev", plugin);
    kubeconfig.context("acme-staging", "dev", Some(NAMESPACE))
}

#[track_caller]
fn document(output: &CommandOutput) -> Value {
    serde_json::from_str(&output.stdout_text()).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

/// What a check says in a document: of all its subjects.
#[track_caller]
fn of(document: &Value, id: &str) -> Vec<Value> {
    let checks = document["checks"].as_array().expect("checks");
    let found: Vec<Value> = checks.iter().filter(|check| check["id"] == id).cloned().collect();
    assert!(!found.is_empty(), "no check {id} in {document:#}");
    found
}

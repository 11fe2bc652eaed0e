//! The replicas as they are.

use serde_json::{Value, json};

use super::{super::choose, SHAPE};
use crate::{cluster::Operated, ui::table::Table};

/// The replicas as they are, in the form `kdj scale` accepts.
pub fn line(workloads: &[Operated]) -> String {
    let words: Vec<String> =
        workloads.iter().map(|one| format!("{}={}", choose::short(one, workloads), one.replicas())).collect();
    format!("{}\n", words.join(" "))
}

/// The names of the roles, one per line.
pub fn names(workloads: &[Operated]) -> String {
    workloads.iter().map(|one| format!("{}\n", choose::short(one, workloads))).collect()
}

/// The replicas as a table.
pub fn table(workloads: &[Operated]) -> String {
    let mut table = Table::new(["ROLE", "KIND", "REPLICAS", "READY", "AUTOSCALER", "MANAGED-BY", "WORKLOAD"]);
    for one in workloads {
        let autoscaler = one.autoscaler.as_ref().map(|it| format!("{} ({}-{})", it.name, it.min, it.max));
        let managers: Vec<String> = one.managers.iter().map(ToString::to_string).collect();
        table.row([
            one.role.clone(),
            one.kind.to_string(),
            one.replicas().to_string(),
            one.rollout.counts.ready.to_string(),
            autoscaler.unwrap_or_default(),
            managers.join(", "),
            one.workload.clone(),
        ]);
    }
    table.render()
}

/// The replicas as JSON.
pub fn json(workloads: &[Operated], environment: &str) -> String {
    let roles = workloads.iter().map(|one| {
        json!({
            "role": one.role, "kind": one.kind, "workload": one.workload, "replicas": one.replicas(),
            "ready": one.rollout.counts.ready, "autoscaler": one.autoscaler, "managers": one.managers,
        })
    });
    let all = json!({"version": SHAPE, "environment": environment, "roles": roles.collect::<Vec<Value>>()});
    format!("{all:#}\n")
}

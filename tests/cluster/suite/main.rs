//! The real binary on the real cluster: Kubernetes, containerd and the Django app of `tests/cluster`.
//!
//! One module per subject; `harness` is what they stand on. Without a cluster every test says that it was skipped;
//! `KDJ_REQUIRE_CLUSTER=1` makes that a failure. What a real cluster won't do on demand is tested in `tests/cli`.

#![cfg(unix)]

mod access;
mod budget;
mod commands;
mod config;
mod credentials;
mod db;
mod dbshell;
mod doctor;
mod dump;
mod endings;
mod explain;
mod forward;
mod harness;
mod init;
mod jobs;
mod logs;
mod manage;
mod migrate;
mod newcomer;
mod newest;
mod operate;
mod protection;
mod pyshell;
mod pyshell_console;
mod rbac;
mod readme;
mod rights;
mod sessions;
mod signals;
mod status;
mod streams;
mod targets;
mod terminal;
mod trouble;

#[test]
fn every_test_file_is_listed() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/suite");
    let list = std::fs::read_to_string(here.join("main.rs")).expect("this file");
    for entry in std::fs::read_dir(&here).expect("this directory") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let module = name.trim_end_matches(".rs");
        let listed =
            ["main", "fixtures"].contains(&module) || list.lines().any(|line| line == format!("mod {module};"));
        assert!(listed, "tests/cluster/suite/{name} is not in main.rs, so its tests never run: add `mod {module};`");
    }
}

//! The real binary against a fake API server: what is printed, which requests are made, how faults end.
//!
//! One module per subject; `harness` is what they stand on. The cluster's own behaviour is tested in `tests/cluster`.

#![cfg(unix)]

mod blocked;
mod completion;
mod config;
mod credentials;
mod django;
mod doctor;
mod doctor_cluster;
mod envs_live;
mod exec_faults;
mod fake_server;
mod forward;
mod forward_healing;
mod fresh;
mod harness;
mod harness_run;
mod help;
mod init;
mod jobs;
mod logs;
mod migrate;
mod output;
mod protection;
mod requests;
mod restart;
mod restart_beat;
mod restart_drain;
mod rollback;
mod scale;
mod sessions;
mod status;
mod targets;
mod terminal;
mod version;

#[test]
fn every_test_file_is_listed() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let list = std::fs::read_to_string(here.join("main.rs")).expect("this file");
    for entry in std::fs::read_dir(&here).expect("this directory") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let module = name.trim_end_matches(".rs");
        let listed = module == "main" || list.lines().any(|line| line == format!("mod {module};"));
        assert!(listed, "tests/cli/{name} is not in main.rs, so its tests never run: add `mod {module};`");
    }
}

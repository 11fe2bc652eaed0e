//! The project's own checks, and whether its file is trusted.

use serde_json::Value;

use super::{expect, of_json};
use crate::harness::{CONFIG, Kdj};

const CHECK: &str = "[[doctor.checks]]\nid = 'vpn'\ntitle = 'the VPN is up'\ncommand = ['sh', '-c', 'touch ran; echo up']\n\
                     why = 'the registry is behind it'\nfix = 'acme-vpn connect'\n";

fn check(kdj: &Kdj) -> Value {
    of_json(&kdj.run(["doctor", "--only", "project.vpn", "-o", "json"]), "project.vpn")
}

fn kdj(text: &str) -> Kdj {
    Kdj::bare().config(&format!("{CONFIG}{text}"))
}

/// Whether the command ran.
fn ran(kdj: &Kdj) -> bool {
    let file = kdj.directory().join("project/ran");
    let ran = file.exists();
    let _ = std::fs::remove_file(file);
    ran
}

#[test]
fn a_command_of_the_project_runs_only_when_its_file_is_trusted() {
    let kdj = kdj(CHECK);
    expect(&check(&kdj), "skip", &["you have not trusted", "kdj doctor --trust"]);
    assert!(!ran(&kdj));
    let output = kdj.run(["doctor", "--trust", "--only", "project"]).expect_code(0);
    let _ =
        output.says(&["project/kdj.toml, as it is now; its checks run on this computer", "sh -c 'touch ran; echo up'"]);
    assert!(ran(&kdj));
    expect(&check(&kdj), "pass", &["up"]);
    assert!(ran(&kdj));

    // One byte more, and it is another file.
    let kdj = kdj.config(&format!("{CONFIG}{CHECK}\n"));
    expect(&check(&kdj), "skip", &["has changed since you trusted it"]);
    assert!(!ran(&kdj));
    // As it was, it is trusted.
    let kdj = kdj.config(&format!("{CONFIG}{CHECK}"));
    expect(&check(&kdj), "pass", &[]);
    // What others may have written counts for nothing.
    let trusted = kdj.directory().join("state/kdj/trusted.json");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&trusted).expect("it").permissions()) & 0o777,
        0o600
    );
    std::fs::set_permissions(&trusted, mode(0o666)).expect("its mode");
    expect(&check(&kdj), "skip", &["you have not trusted"]);
}

#[test]
fn trust_is_of_one_file_alone() {
    let kdj = kdj(CHECK);
    let _ = kdj.run(["doctor", "--trust", "--only", "project"]).expect_code(0);
    let other = kdj.file("other/kdj.toml", &format!("{CONFIG}{CHECK}"));
    let path = other.directory().join("other/kdj.toml");
    expect(&check(&other.variable("KDJ_CONFIG", path)), "skip", &["you have not trusted"]);
}

#[test]
fn the_users_own_file_needs_no_trust() {
    let own = Kdj::bare().file("config/kdj/config.toml", &CHECK.replace("touch ran; ", ""));
    expect(&check(&own), "pass", &["up"]);
}

#[test]
fn a_check_that_fails_says_what_the_command_said_but_no_secrets() {
    let failing = CHECK.replace("touch ran; echo up", "echo API_TOKEN=canary-hunter2 >&2; exit 4");
    let kdj = kdj(&failing);
    let output = kdj.run(["doctor", "--trust", "--only", "project"]).expect_code(1);
    let text = output.stdout_text();
    for part in
        ["project.vpn", "`sh` ended with 4", "API_TOKEN=<redacted>", "the registry is behind it", "acme-vpn connect"]
    {
        assert!(text.contains(part), "{part}\n{output}");
    }
    assert!(!text.contains("canary-hunter2"), "{output}");
}

#[test]
fn a_check_of_some_environments_runs_for_those() {
    let of_prod = format!("{CHECK}environments = ['prod']\n");
    let kdj = kdj(&of_prod);
    let _ = kdj.run(["doctor", "--trust", "--only", "project"]).expect_code(0);
    expect(&check(&kdj), "skip", &["it is about `prod`"]);
    assert!(!ran(&kdj));
}

#[test]
fn what_is_no_check_is_refused() {
    for (text, word) in [
        ("[[doctor.checks]]\nid = 'Vpn up'\ntitle = 't'\ncommand = ['x']\n", "the id of a check is lower-case letters"),
        ("[[doctor.checks]]\nid = 'vpn'\ntitle = 't'\ncommand = []\n", "expected the words of a command"),
        ("[[doctor.checks]]\nid = 'vpn'\ntitle = 't'\ncommand = 'x'\n", "kdj.toml:7:11"),
    ] {
        let _ = kdj(text).run(["envs"]).expect_code(2).says(&[word]);
    }
}

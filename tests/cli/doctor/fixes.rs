//! `--fix`: asks, mends, looks again; and never without being told.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use super::{document, of, own_files, quiet};
use crate::harness::{CONFIG, Kdj, Kubeconfig, pty::Pty};

fn mode(kdj: &Kdj) -> u32 {
    let about = fs::metadata(kdj.directory().join("home/.kube/config")).expect("the kubeconfig");
    about.permissions().mode() & 0o777
}

fn open(kdj: &Kdj) {
    let path = kdj.directory().join("home/.kube/config");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("its permissions");
}

#[test]
fn without_a_terminal_it_wants_to_be_told() {
    let (_server, kdj) = quiet();
    open(&kdj);
    let _ = kdj.run(["doctor", "--fix"]).expect_code(2).says(&["no terminal", "kdj doctor --fix --yes"]).prints("");
    assert_eq!(mode(&kdj), 0o644);
    let _ = kdj.run(["doctor", "--yes"]).expect_code(2).says(&["--fix"]);
}

#[test]
fn what_is_mended_is_looked_at_again() {
    let (_server, kdj) = quiet();
    open(&kdj);
    let kdj = kdj.variable("SHELL", "/bin/bash").file("home/.bashrc", "export A=1");
    let only = "kubeconfig.permissions,machine.completions";
    let report = document(&kdj.run(["doctor", "--fix", "--yes", "--only", only, "-o", "json"]).expect_code(0));
    assert_eq!(of(&report, "kubeconfig.permissions")[0]["status"], "pass", "{report:#}");
    assert_eq!(of(&report, "machine.completions")[0]["status"], "pass", "{report:#}");
    assert_eq!(mode(&kdj), 0o600);
    let text = fs::read_to_string(kdj.directory().join("home/.bashrc")).expect("the file");
    assert_eq!(text, "export A=1\nsource <(kdj completions bash)\n");
    let _ =
        kdj.run(["doctor", "--fix", "--yes", "--only", only]).expect_code(0).says(&["nothing that `--fix` can mend"]);
}

#[test]
fn it_asks_and_takes_no_for_an_answer() {
    let (_server, kdj) = quiet();
    open(&kdj);
    let mut pty = Pty::run(&kdj, ["doctor", "--fix", "--only", "kubeconfig.permissions"]);
    pty.wait_for("readable by you alone");
    pty.wait_for("[y/N]");
    pty.press("n\r");
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
    assert_eq!(mode(&kdj), 0o644);
    let mut pty = Pty::run(&kdj, ["doctor", "--fix", "--only", "kubeconfig.permissions"]);
    pty.wait_for("[y/N]");
    pty.press("y\r");
    pty.wait_for("they are yours alone");
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
    assert_eq!(mode(&kdj), 0o600);
}

/// A cloud's command, which gives a token once it was logged in to.
fn logged_out(works: bool) -> Kdj {
    let (server, kdj) = quiet();
    let credential =
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}"#;
    let login = if works { "touch \"$HOME/in\"; echo welcome" } else { "echo 'the browser is shut' >&2; exit 1" };
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> \"$HOME/runs\"\ncase $1 in\nsso) {login} ;;\n*) test -e \"$HOME/in\" || \
         {{ echo 'log in first' >&2; exit 255; }}\n  echo '{credential}' ;;\nesac\n"
    );
    let kdj = kdj.file("bin/aws", &script);
    fs::set_permissions(kdj.bin().join("aws"), fs::Permissions::from_mode(0o755)).expect("it may be executed");
    let exec = json!({
        "command": "aws", "args": ["eks", "get-token", "--cluster-name", "a", "--profile", "acme"],
        "apiVersion": "client.authentication.k8s.io/v1",
    });
    let kubeconfig = Kubeconfig::empty().server("acme-staging", &server).user("dev", json!({"exec": exec}));
    let kdj = kdj.kubeconfig(&kubeconfig.context("acme-staging", "dev", None)).config(CONFIG);
    own_files(&kdj);
    kdj
}

fn runs(kdj: &Kdj) -> Vec<String> {
    let text = fs::read_to_string(kdj.directory().join("home/runs")).unwrap_or_default();
    text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_login_is_made_once_and_what_waited_for_it_is_looked_at() {
    let kdj = logged_out(true);
    let output = kdj.run(["doctor", "--only", "credentials"]).expect_code(1);
    let text = output.stdout_text();
    assert!(
        text.contains("fix: `aws sso login --profile acme`") && text.contains("needs credentials.plugin"),
        "{text}"
    );
    let report = document(&kdj.run(["doctor", "--fix", "--yes", "--only", "credentials", "-o", "json"]).expect_code(0));
    for id in ["credentials.plugin", "credentials.expiry", "credentials.cloud"] {
        assert_eq!(of(&report, id)[0]["status"], "pass", "{report:#}");
    }
    let logins = runs(&kdj).iter().filter(|line| *line == "sso login").count();
    assert_eq!(logins, 1, "{:?}", runs(&kdj));
}

#[test]
fn a_fix_that_fails_is_said_and_the_check_still_fails() {
    let kdj = logged_out(false);
    let output = kdj.run(["doctor", "--fix", "--yes", "--only", "credentials.plugin"]).expect_code(1);
    let _ = output.says(&["`aws sso login --profile acme` did not succeed", "the browser is shut"]);
}

//! `--explain`, `-q` and `-v` on the real thing.

use std::process::{Command, Stdio};

use super::harness::{Kdj, cluster};

/// Runs the printed kubectl command in a shell.
fn paste(kdj: &Kdj, command: &str) -> (i32, String) {
    let mut shell = Command::new("sh");
    kdj.prepare(&mut shell);
    let output = shell.args(["-c", command]).stdin(Stdio::null()).output().expect("sh runs");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_printed_kubectl_command_does_the_same() {
    let Some(cluster) = cluster() else { return };
    for arguments in [
        &["shell", "qa", "--", "printf", "%s|", "a b", "", "it's", "zürich", "$HOME"][..],
        &[
            "shell",
            "prod",
            "--confirm",
            "prod",
            "--role",
            "web",
            "--",
            "sh",
            "-c",
            "cat /etc/hostname; echo ${DATABASE_URL:+set}; exit 9",
        ],
        &["shell", "qa", "--as", "dev", "--as-group", "developers", "--", "pwd"],
        &["manage", "injected", "--", "orders_report", "--count", "1"],
    ] {
        let kdj = cluster.kdj();
        let explained = kdj.run(["--explain"].iter().chain(arguments)).expect_code(0);
        let command = explained.stdout_text();
        assert_eq!(command.matches("kubectl").count(), 1, "{command}");
        let explained = explained.says(&["nothing was done", "its pod ", "nothing was done"]);
        assert!(command.starts_with("kubectl --context acme-"), "{explained}");
        let output = kdj.run(["-q"].iter().chain(arguments));
        let (code, text) = paste(&kdj, &command);
        assert_eq!((output.code, output.stdout_text()), (Some(code), text), "{command}");
    }
}

#[test]
fn explain_does_nothing() {
    let Some(cluster) = cluster() else { return };
    let file = format!("/tmp/kdj-explained-{}", std::process::id());
    let kdj = cluster.kdj();
    let _ = kdj.run(["shell", "qa", "--explain", "--", "touch", &file]).expect_code(0);
    let _ = kdj.run(["shell", "qa", "--", "test", "-e", &file]).expect_code(1);
}

#[test]
fn quiet_says_nothing_but_errors() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let output = kdj.run(["-q", "shell", "bluegreen", "--", "sh", "-c", "exit 3"]).expect_code(3);
    assert_eq!((output.stdout_text().as_str(), output.stderr.as_str()), ("", ""));
    let _ = kdj.run(["-q", "shell", "qa", "--role", "nosuch"]).expect_code(125).says(&["error: no role `nosuch`"]);
}

#[test]
fn verbose_names_each_request() {
    let Some(cluster) = cluster() else { return };
    let output = cluster.kdj().run(["-v", "shell", "bluegreen", "--", "true"]).expect_code(0);
    let output = output.says(&[
        "bluegreen: context acme-staging, namespace bluegreen (",
        "kdj.toml:",
        "list pods: ",
        "list services: ",
        "exec in pod web-green-",
    ]);
    let _ = output.never_says(&["admin-token"]);
}

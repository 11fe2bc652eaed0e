//! The programs that a check runs: they ask nobody, and are not waited for.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{quiet, with_plugin};
use crate::harness::{Kubeconfig, plugin::Plugin, pty::Pty};

#[test]
fn a_plugin_cannot_ask_at_the_terminal_behind_its_stdin() {
    let (server, kdj) = quiet();
    let script = "(printf 'MFA code: ' && read -r code) < /dev/tty > /dev/tty\necho 'it needs a code' >&2\nexit 1";
    let plugin = Plugin::script(&kdj.bin(), script);
    let kdj = kdj.kubeconfig(&with_plugin(&server, &plugin));
    let begin = Instant::now();
    let mut pty = Pty::run(&kdj, ["doctor", "--only", "credentials.plugin"]);
    assert_eq!(pty.finish().code(), Some(1), "{}", pty.text());
    let text = pty.text();
    assert!(text.contains("it needs a code") && text.contains("without a terminal to ask at"), "{text}");
    assert!(!text.contains("MFA code"), "{text}");
    assert!(begin.elapsed() < Duration::from_secs(14), "{:?}", begin.elapsed());
}

#[test]
fn what_a_plugin_said_is_shown_when_it_waits_for_somebody() {
    let (server, kdj) = quiet();
    let plugin = Plugin::script(&kdj.bin(), "echo 'to sign in, open https://acme.dev/device' >&2\nsleep 50");
    let kdj = kdj.kubeconfig(&with_plugin(&server, &plugin)).deadline(Duration::from_secs(45));
    let begin = Instant::now();
    let output = kdj.run(["doctor", "--only", "credentials.plugin"]).expect_code(1);
    let text = output.stdout_text();
    for words in ["did not answer within 15 s", "to sign in, open https://acme.dev/device", "KDJ_PLUGIN_TIMEOUT"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(begin.elapsed() < Duration::from_secs(40), "{:?}", begin.elapsed());
}

#[test]
fn those_who_wait_for_the_terminal_have_their_whole_time() {
    let (server, kdj) = quiet();
    let plugin = Plugin::asking(&kdj.bin()).setting("interactiveMode", json!("Always"));
    let other = plugin.clone().setting("args", json!(["--prod"]));
    let kubeconfig: Kubeconfig = with_plugin(&server, &plugin)
        .plugin("ops", &other)
        .server("acme-prod", &server)
        .context("acme-prod", "ops", None);
    let kdj = kdj
        .kubeconfig(&kubeconfig)
        .variable("KDJ_PLUGIN_TIMEOUT", "9")
        .config("[environments.qa]\ncontext = 'acme-staging'\n[environments.prod]\ncontext = 'acme-prod'\n");
    let mut pty = Pty::run(&kdj, ["doctor", "--only", "credentials.plugin"]);
    for code in ["first\r", "second\r"] {
        pty.wait_for("Enter the code: ");
        // Together they take longer than one may.
        thread::sleep(Duration::from_secs(6));
        pty.press(code);
    }
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
}

#[test]
fn contexts_of_one_user_ask_its_plugin_once() {
    let (server, kdj) = quiet();
    let plugin = Plugin::with_token(&kdj.bin(), "t");
    let other = plugin.clone().setting("args", json!(["--prod"]));
    let kubeconfig = with_plugin(&server, &plugin).plugin("ops", &other).server("acme-prod", &server);
    let kubeconfig = kubeconfig.context("acme-qa", "dev", None).context("acme-prod", "ops", None);
    let places = ["acme-staging", "acme-qa", "acme-prod"];
    let config = places.map(|context| format!("[environments.{context}]\ncontext = '{context}'\n")).concat();
    // The cluster of `acme-qa`, too.
    let kdj = kdj.kubeconfig(&kubeconfig.server("acme-qa", &server)).config(&config);
    let output = kdj.run(["doctor", "--only", "credentials.plugin"]).expect_code(0);
    assert!(output.stdout_text().contains("acme-login.sh` answers in"), "{output}");
    assert_eq!(plugin.runs().len(), 2, "{output}");
    let failing = Plugin::failing(&kdj.bin(), "the session has expired", 1);
    let before = failing.runs().len();
    let output = kdj.run(["doctor", "--only", "credentials.plugin"]).expect_code(1);
    assert_eq!(failing.runs().len() - before, 2, "{output}");
}

/// As a file does on a file server that is away.
#[test]
fn a_file_that_does_not_come_is_told_of() {
    let (_server, kdj) = quiet();
    let path = kdj.directory().join("config/kdj/config.toml");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
    let running = kdj.deadline(Duration::from_secs(60)).start(["doctor", "--only", "machine.git"]);
    running.wait_for_stderr("kdj has waited 5 s for a file");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // It comes at last, as often as it is read.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drop(fs::OpenOptions::new().read(true).write(true).open(&path).expect("the file"));
                thread::sleep(Duration::from_millis(20));
            }
        });
        let output = running.finish();
        over.store(true, Ordering::Relaxed);
        let _ = output.expect_code(0);
    });
}

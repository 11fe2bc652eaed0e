//! `kdj help`, `--version`, and kdj as a plugin of kubectl.

use std::{fs, os::unix::fs::symlink, process::Command};

use crate::harness::{ApiServer, Kdj, Kubeconfig, shop};

#[test]
fn help_of_a_command_is_the_command_s_help() {
    let kdj = Kdj::bare();
    for words in [&["shell"][..], &["jobs", "attach"], &["db", "dump"]] {
        let help = kdj.run(["help"].into_iter().chain(words.iter().copied())).expect_code(0);
        let flag = kdj.run(words.iter().copied().chain(["--help"])).expect_code(0);
        assert_eq!(help.stdout_text(), flag.stdout_text());
        assert!(help.stdout_text().contains("\nExamples:\n  kdj "), "{help}");
    }
}

#[test]
fn topics_are_read_without_a_network_or_a_configuration() {
    let kdj = Kdj::bare().config("[environments").without("HOME");
    let list = kdj.run(["help"]).expect_code(0).stdout_text();
    let topics: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert!(topics.contains(&"getting-started") && topics.contains(&"exit-codes"), "{list}");
    for topic in topics {
        let page = kdj.run(["help", topic]).expect_code(0).stdout_text();
        assert!(page.lines().count() > 10, "{topic}: {page}");
        let widest = page.lines().filter(|line| !line.starts_with("    ")).map(|line| line.chars().count()).max();
        assert!(widest <= Some(140), "{topic}: a line of {widest:?} characters");
    }
    let page = kdj.run(["help", "exit-codes"]).expect_code(0).stdout_text();
    assert!(page.starts_with("Exit codes\n"), "{page}");
    assert!(page.contains("  `255`"), "{page}");
}

#[test]
fn a_topic_that_does_not_exist_is_not_far() {
    let output = Kdj::bare().run(["help", "configuratoin"]).expect_code(2).prints("");
    insta::assert_snapshot!(output, @"
    ------- stderr -------
    error: no command and no topic `configuratoin`

    hint: did you mean `configuration` or `config`?
    hint: `kdj help` lists the topics, `kdj --help` the commands
    [exit status: 2]
    ");
    let _ = Kdj::bare().run(["help", "shell", "nothing"]).expect_code(2);
}

#[test]
fn the_version_makes_no_request() {
    let server = ApiServer::http(shop::one_web_pod());
    let kdj = Kdj::on(&server);
    let version = kdj.run(["--version"]).expect_code(0).stdout_text();
    assert!(version.starts_with(&format!("kdj {}", env!("CARGO_PKG_VERSION"))), "{version}");
    let _ = kdj.run(["--help"]).expect_code(0);
    assert!(server.requests().is_empty());
}

#[test]
fn as_a_plugin_of_kubectl_it_says_what_to_type() {
    let kdj = Kdj::bare().kubeconfig(&Kubeconfig::empty()).config("[environments.qa]\ncontext = 'c'\n");
    let plugin = kdj.bin().join("kubectl-kdj");
    symlink(Kdj::binary(), &plugin).expect("a plugin");
    let run = |words: &[&str]| {
        let mut command = Command::new(&plugin);
        command.args(words);
        kdj.prepare(&mut command);
        let output = command.output().expect("it runs");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    assert!(run(&["shell", "--help"]).contains("Usage: kubectl kdj shell "), "{}", run(&["shell", "--help"]));
    let said = run(&["status", "qaa"]);
    assert!(said.contains("`kubectl kdj envs`"), "{said}");
    assert!(run(&["shel"]).contains("`shell`"));
    // What it prints for people can be typed, too: examples, pages, the doctor's report.
    let help = run(&["doctor", "--help"]);
    assert!(help.contains("\n  kubectl kdj doctor qa ") && !help.contains("  kdj "), "{help}");
    assert!(run(&["help", "shell"]).contains("as `kubectl kdj envs` lists it"));
    assert!(run(&["help"]).contains("`kubectl kdj help TOPIC`"));
    assert!(run(&["help", "getting-started"]).contains("\n    kubectl kdj init"));
    let report = run(&["doctor", "--only", "configuration"]);
    assert!(report.contains("`kubectl kdj doctor ENV`") && !report.contains("`kdj "), "{report}");
    // By its own name it is itself.
    let said = kdj.run(["status", "qaa"]).expect_code(2).stderr;
    assert!(said.contains("`kdj envs`"), "{said}");
    assert!(fs::symlink_metadata(plugin).is_ok());
}

//! What is printed, in which order, and how it ends.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{document, of, own_files, quiet, with_plugin};
use crate::harness::{CONFIG, Kdj, Kubeconfig, kubeconfig::TOKEN, plugin::Plugin, pty::Pty, shop::NAMESPACE};

const ONLY: &str = "kubeconfig,credentials";

#[test]
fn it_says_that_one_is_good_to_go() {
    let (server, kdj) = quiet();
    let output = kdj.run(["doctor", "--only", ONLY]).expect_code(0).never_says(&[TOKEN]);
    insta::assert_snapshot!(output, @r"
    kubeconfig
      ✓ ok       files        $TEMP/home/.kube/config
      ✓ ok       syntax       1 context
      ✓ ok       merge        one file
      ✓ ok       permissions  they are yours alone
      ✓ ok       contexts     qa: context acme-staging
      ✓ ok       entries      acme-staging: cluster acme-staging, user dev
      ✓ ok       paths        acme-staging: what it names is there
      ✓ ok       verify       acme-staging: the server's certificate is looked at
      ✓ ok       provider     acme-staging: the credentials do not come from an auth provider
    credentials
      ✓ ok       plugin       acme-staging: the credentials stand in the kubeconfig

    this machine: nothing wrong in what was looked at; no cluster was asked: `kdj doctor ENV`
    ");
    assert!(server.requests().is_empty(), "without an environment no cluster is asked: {}", server.request_lines());
}

#[test]
fn what_failed_stands_at_the_end_once_more_with_what_mends_it() {
    let (_server, kdj) = quiet();
    let kdj = kdj.config(&format!("{CONFIG}[environments.prod]\ncontext = \"acme-prd\"\n"));
    let output = kdj.run(["doctor", "qa", "prod", "--only", ONLY]).expect_code(1);
    insta::assert_snapshot!(output, @r"
    kubeconfig
      ✓ ok       files        $TEMP/home/.kube/config
      ✓ ok       syntax       1 context
      ✓ ok       merge        one file
      ✓ ok       permissions  they are yours alone
      ✓ ok       contexts     qa: context acme-staging, namespace shop-qa
      ✗ failed   contexts     prod: the kubeconfig has no context `acme-prd`
      ✓ ok       entries      acme-staging: cluster acme-staging, user dev
      ✓ ok       paths        acme-staging: what it names is there
      ✓ ok       verify       acme-staging: the server's certificate is looked at
      ✓ ok       provider     acme-staging: the credentials do not come from an auth provider
    credentials
      ✓ ok       plugin       acme-staging: the credentials stand in the kubeconfig

    ✗ kubeconfig.contexts (prod)
        the kubeconfig has no context `acme-prd`
        caused by: the context of `prod` comes from: $TEMP/project/kdj.toml:5
        why: no command reaches the environment without it
        fix: contexts of the kubeconfig: `acme-staging`

    qa: nothing wrong in what was looked at; prod: not yet: 1 failure
    [exit status: 1]
    ");
}

#[test]
fn without_a_kubeconfig_what_needs_it_is_skipped() {
    let (_server, kdj) = quiet();
    let output = kdj.variable("KUBECONFIG", "nowhere").run(["doctor", "qa", "--only", ONLY]).expect_code(1);
    insta::assert_snapshot!(output, @r"
    kubeconfig
      ✗ failed   files        no kubeconfig
      – skipped  syntax       needs kubeconfig.files
      – skipped  merge        needs kubeconfig.syntax
      – skipped  permissions  needs kubeconfig.syntax
      – skipped  contexts     qa: needs kubeconfig.syntax

    ✗ kubeconfig.files
        no kubeconfig
        caused by: looked for `nowhere`
        why: every command finds its cluster and its credentials in them
        fix: set KUBECONFIG or pass `--kubeconfig FILE`; your cluster's provider writes one: `aws eks update-kubeconfig`, `gcloud container clusters get-credentials`, ...

    qa: not yet: 1 failure
    [exit status: 1]
    ");
}

#[test]
fn json_is_alone_on_stdout_and_versioned() {
    let (_server, kdj) = quiet();
    let output = kdj.run(["doctor", "qa", "--only", "kubeconfig.contexts", "-o", "json"]).expect_code(0);
    let mut report = document(&output);
    report["kdj"] = "VERSION".into();
    report["checks"][0]["milliseconds"] = 0.into();
    insta::assert_snapshot!(format!("{report:#}"), @r#"
    {
      "checks": [
        {
          "broke": null,
          "category": "kubeconfig",
          "causes": [],
          "contexts": [
            "acme-staging"
          ],
          "detail": "context acme-staging, namespace shop-qa",
          "environment": "qa",
          "fixable": false,
          "fixes": [],
          "id": "kubeconfig.contexts",
          "milliseconds": 0,
          "needs": [
            "kubeconfig.syntax",
            "configuration.file"
          ],
          "problem": null,
          "skipped": null,
          "status": "pass",
          "title": "the environment's context exists",
          "why": "no command reaches the environment without it"
        }
      ],
      "counts": {
        "fail": 0,
        "open": 0,
        "pass": 1,
        "skip": 0,
        "warn": 0
      },
      "environments": [
        {
          "counts": {
            "fail": 0,
            "open": 0,
            "pass": 1,
            "skip": 0,
            "warn": 0
          },
          "good": true,
          "name": "qa",
          "verdict": "nothing wrong in what was looked at"
        }
      ],
      "good": true,
      "kdj": "VERSION",
      "version": 1
    }
    "#);
    assert_eq!(output.stderr, "");
}

#[test]
fn only_takes_ids_and_categories_and_says_what_is_near() {
    let (server, kdj) = quiet();
    let report = document(&kdj.run(["doctor", "--only", "machine.git,credentials", "-o", "json"]));
    let ids: Vec<&str> =
        report["checks"].as_array().into_iter().flatten().filter_map(|check| check["id"].as_str()).collect();
    assert_eq!(ids, ["machine.git", "credentials.plugin"]);
    let _ =
        kdj.run(["doctor", "--only", "credentails"]).expect_code(2).says(&["did you mean `credentials`?", "--list"]);
    let _ = kdj.run(["doctor", "--only", "kubeconfig.context"]).expect_code(2).says(&["`kubeconfig.contexts`"]);
    let _ = kdj.run(["doctor", "--only", "cluster"]).expect_code(2).says(&["kdj doctor ENV --only cluster"]);
    let _ = kdj.run(["doctor", "qaa"]).expect_code(2).says(&["unknown environment `qaa`", "did you mean `qa`?"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn a_word_after_what_is_wanted_is_an_environment() {
    let (_server, kdj) = quiet();
    let report = document(&kdj.run(["doctor", "--only", "kubeconfig.contexts", "qa", "-o", "json"]).expect_code(0));
    assert_eq!(report["environments"][0]["name"], "qa", "{report:#}");
}

#[test]
fn what_failed_is_told_also_when_only_another_check_was_asked_for() {
    let (server, kdj) = quiet();
    let plugin = Plugin::missing(&kdj.bin());
    let kdj = kdj.kubeconfig(&with_plugin(&server, &plugin));
    own_files(&kdj);
    let output = kdj.run(["doctor", "qa", "--only", "cluster.reachable"]).expect_code(1);
    let text = output.stdout_text();
    for part in [
        "credentials\n  ✗ failed   command ",
        "– skipped  reachable  acme-staging: needs credentials.plugin",
        "\n✗ credentials.command (acme-staging)\n",
        "\nqa: not yet: 1 failure\n",
    ] {
        assert!(text.contains(part), "{part}\n{output}");
    }
    let report = document(&kdj.run(["doctor", "qa", "--only", "cluster.reachable", "-o", "json"]).expect_code(1));
    assert_eq!(of(&report, "credentials.command")[0]["status"], "fail", "{report:#}");
    assert_eq!((&report["good"], &report["environments"][0]["good"]), (&false.into(), &false.into()), "{report:#}");
}

#[test]
fn an_environment_that_cannot_be_found_is_never_good_to_go() {
    let (server, kdj) = quiet();
    let kdj = kdj.config(&format!("{CONFIG}[environments.prod]\ncontext = \"acme-prd\"\n"));
    let told = "the kubeconfig has no context `acme-prd`";
    for arguments in [
        vec!["doctor", "prod", "--only", "cluster.reachable"],
        vec!["doctor", "qa", "prod", "--only", "credentials"],
        vec!["doctor", "prod", "--only", "project"],
    ] {
        let output = kdj.run(arguments).expect_code(1).never_says(&["name an environment"]);
        let text = output.stdout_text();
        assert!(text.contains(told) && text.contains("prod: not yet: 1 failure"), "{output}");
    }
    let kdj = kdj.config(CONFIG).variable("KUBECONFIG", "nowhere");
    let output = kdj.run(["doctor", "qa", "--only", "cluster"]).expect_code(1);
    assert!(output.stdout_text().contains("✗ kubeconfig.files\n    no kubeconfig\n"), "{output}");
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn where_there_is_nothing_to_look_at_the_hint_fits() {
    let (_server, kdj) = quiet();
    let none = kdj.run(["doctor", "qa", "--only", "project"]).expect_code(2);
    let _ = none.says(&["no checks of their own", "[[doctor.checks]]"]).never_says(&["name an environment"]);
    let none = kdj.run(["doctor", "qa", "--only", "credentials.command"]).expect_code(2);
    let _ = none.says(&["nothing here", "`kdj doctor qa`"]).never_says(&["name an environment"]);
}

#[test]
fn who_can_only_warn_does_not_fail_when_it_cannot_start() {
    let (server, kdj) = quiet();
    let credential =
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}"#;
    let kdj = program(kdj, "gke-gcloud-auth-plugin", &format!("#!/bin/sh\necho '{credential}'\n"));
    let kdj = ["gcloud", "kubectl"].into_iter().fold(kdj, |kdj, name| program(kdj, name, "#!/no/such/shell\n"));
    let exec = json!({"command": "gke-gcloud-auth-plugin", "apiVersion": "client.authentication.k8s.io/v1"});
    let kubeconfig = Kubeconfig::empty().server("acme-staging", &server).user("dev", json!({"exec": exec}));
    let kdj = kdj.kubeconfig(&kubeconfig.context("acme-staging", "dev", Some(NAMESPACE)));
    let only = "credentials.cloud,cluster.kubectl";
    let report = document(&kdj.run(["doctor", "qa", "--only", only, "-o", "json"]).expect_code(0));
    for id in ["credentials.cloud", "cluster.kubectl"] {
        assert_eq!(of(&report, id)[0]["status"], "warn", "{report:#}");
    }
}

fn program(kdj: Kdj, name: &str, text: &str) -> Kdj {
    use std::os::unix::fs::PermissionsExt;
    let kdj = kdj.file(&format!("bin/{name}"), text);
    std::fs::set_permissions(kdj.bin().join(name), std::fs::Permissions::from_mode(0o755)).expect("it may be executed");
    kdj
}

#[test]
fn a_kubeconfig_that_can_be_read_once_is_enough() {
    let (server, kdj) = quiet();
    let pipe = kdj.directory().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let text = Kubeconfig::of(&server).text();
    let kdj = kdj.variable("KUBECONFIG", &pipe);
    std::thread::spawn(move || std::fs::write(pipe, text));
    let output = kdj.run(["doctor", "qa", "--only", ONLY]).expect_code(0);
    assert!(output.stdout_text().contains("context acme-staging"), "{output}");
}

#[test]
fn a_time_limit_may_be_as_long_as_one_likes() {
    let (server, kdj) = quiet();
    let plugin = Plugin::with_token(&kdj.bin(), "canary");
    let kdj = kdj.kubeconfig(&with_plugin(&server, &plugin));
    let kdj = kdj.variable("KDJ_PLUGIN_TIMEOUT", u64::MAX.to_string());
    let _ = kdj.run(["doctor", "qa", "--only", "credentials"]).expect_code(0);
}

#[test]
fn json_of_a_failure_says_all_that_the_text_says() {
    let (_server, kdj) = quiet();
    let kdj = kdj.config("[environments.prod]\ncontext = 'acme-prud'\n");
    let output = kdj.run(["doctor", "prod", "--only", "kubeconfig.contexts", "-o", "json"]).expect_code(1);
    let mut report = document(&output)["checks"][0].take();
    report["milliseconds"] = json!(0);
    let shown = format!("{report:#}").replace(&kdj.directory().display().to_string(), "$TEMP");
    insta::assert_snapshot!(shown, @r#"
    {
      "broke": null,
      "category": "kubeconfig",
      "causes": [
        "the context of `prod` comes from: $TEMP/project/kdj.toml:2"
      ],
      "contexts": null,
      "detail": null,
      "environment": "prod",
      "fixable": false,
      "fixes": [
        "contexts of the kubeconfig: `acme-staging`"
      ],
      "id": "kubeconfig.contexts",
      "milliseconds": 0,
      "needs": [
        "kubeconfig.syntax",
        "configuration.file"
      ],
      "problem": "the kubeconfig has no context `acme-prud`",
      "skipped": null,
      "status": "fail",
      "title": "the environment's context exists",
      "why": "no command reaches the environment without it"
    }
    "#);
}

#[test]
fn a_configuration_that_cannot_be_read_is_a_failed_check() {
    let (_server, kdj) = quiet();
    let kdj = kdj.config("[environments.qa]\ncontex = 'acme-staging'\n");
    let report = document(&kdj.run(["doctor", "qa", "-o", "json"]).expect_code(1));
    assert_eq!(of(&report, "configuration.file")[0]["status"], "fail");
    assert_eq!(of(&report, "kubeconfig.contexts")[0]["skipped"], "needs configuration.file");
    let _ = kdj.run(["envs"]).expect_code(2).says(&["hint: `kdj doctor --only configuration` says more"]);
}

/// Without the file its environments would be looked for among the contexts, and be unprotected.
#[test]
fn a_configuration_that_cannot_be_read_leads_nowhere_else() {
    let (server, kdj) = quiet();
    let kubeconfig = Kubeconfig::of(&server).server("acme-prod", &server).context("acme-prod", "dev", Some("shop"));
    let kdj = kdj.kubeconfig(&kubeconfig).config("[environments.prod\n");
    for environment in ["prod", "acme-prod/shop"] {
        let report = document(&kdj.run(["doctor", environment, "-o", "json"]).expect_code(1));
        assert_eq!(of(&report, "configuration.file")[0]["status"], "fail", "{environment}");
        assert_eq!(report["environments"][0]["good"], false, "{environment}");
    }
    assert_eq!(server.requests().len(), 0, "{}", server.request_lines());
}

#[test]
fn plugins_run_once_each_and_at_the_same_time() {
    let (server, kdj) = quiet();
    let config = "[environments.qa]\ncontext = 'acme-staging'\n[environments.prod]\ncontext = 'acme-prod'\n";
    let plugin = Plugin::slow(&kdj.bin(), "canary", "5");
    // Asked for something else.
    let other = plugin.clone().setting("args", json!(["--prod"]));
    let kubeconfig: Kubeconfig = with_plugin(&server, &plugin)
        .plugin("ops", &other)
        .server("acme-prod", &server)
        .context("acme-prod", "ops", None);
    let kdj = kdj.kubeconfig(&kubeconfig).config(config);
    let begin = Instant::now();
    let output = kdj.run(["doctor", "--only", "credentials.plugin"]).expect_code(0).never_says(&["canary"]);
    assert!(begin.elapsed() < Duration::from_millis(9900), "one after the other: {:?}", begin.elapsed());
    assert!(output.stdout_text().contains("acme-staging: "), "{output}");
    assert_eq!(plugin.runs().len(), 2);
}

#[test]
fn what_is_over_is_shown_while_something_is_waited_for() {
    let (server, kdj) = quiet();
    let plugin = Plugin::slow(&kdj.bin(), "canary", "6");
    let kdj = kdj.kubeconfig(&with_plugin(&server, &plugin));
    let mut pty = Pty::run(&kdj, ["doctor"]);
    let begin = Instant::now();
    pty.wait_for("machine");
    pty.wait_for("kubeconfig");
    assert!(begin.elapsed() < Duration::from_millis(5500), "{:?}", begin.elapsed());
    assert_eq!(pty.finish().code(), Some(0), "{}", pty.text());
    assert!(pty.text().contains("adds 6."), "{}", pty.text());
}

#[test]
fn nothing_of_it_needs_a_home() {
    let kdj = Kdj::bare().without("HOME").without("KUBECONFIG");
    let report = document(&kdj.run(["doctor", "-o", "json"]));
    assert_eq!(report["version"], 1);
}

#[test]
fn list_names_every_check() {
    let output = Kdj::bare().run(["doctor", "--list"]).expect_code(0);
    let text = output.stdout_text();
    assert!(text.starts_with("machine.version"), "{text}");
    assert!(text.contains("credentials.plugin         the context's credentials can be had\n"), "{text}");
}

#[test]
fn explained_nothing_is_run() {
    let (server, kdj) = quiet();
    let plugin = Plugin::with_token(&kdj.bin(), "canary");
    let kdj = kdj.kubeconfig(&with_plugin(&server, &plugin));
    let output = kdj.run(["doctor", "qa", "--only", "cluster.clock", "--explain"]).expect_code(0);
    let text = output.stdout_text();
    assert!(text.ends_with("cluster.reachable acme-staging\ncluster.clock acme-staging\n"), "{text}");
    assert!(text.contains("credentials.plugin acme-staging\n"), "what it needs would be run, too: {text}");
    assert!(plugin.runs().is_empty() && server.requests().is_empty());
}

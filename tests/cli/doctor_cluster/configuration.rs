//! The files.

use serde_json::Value;

use super::{expect, of_json};
use crate::harness::{CONFIG, Kdj};

fn check(kdj: &Kdj, id: &str) -> Value {
    of_json(&kdj.run(["doctor", "--only", id, "-o", "json"]), id)
}

fn kdj(text: &str) -> Kdj {
    Kdj::bare().config(text)
}

#[test]
fn a_broken_file_is_reported_and_no_more() {
    expect(&check(&kdj(CONFIG), "configuration.file"), "pass", &["kdj.toml"]);
    let broken = kdj("[environments.qa]\nnamspace = 'shop'\n");
    let output = broken.run(["doctor"]).expect_code(1);
    let text = output.stdout_text();
    for part in ["kdj.toml:2:1: unknown key `namspace`", "did you mean `namespace`?", "needs configuration.file"] {
        assert!(text.contains(part), "{part}\n{output}");
    }
    let _ = broken.run(["envs"]).expect_code(2);
    let alias = kdj(&format!("{CONFIG}[aliases]\norders = 'mange ENV'\n"));
    expect(&check(&alias, "configuration.file"), "fail", &["unknown command, `mange`", "did you mean `manage`?"]);
}

#[test]
fn variables_that_lead_elsewhere_are_named() {
    expect(&check(&kdj(CONFIG), "configuration.origins"), "pass", &["environments: 1 from kdj.toml"]);
    let led = kdj(CONFIG).variable("KDJ_NAMESPACE", "elsewhere");
    let words = ["KDJ_NAMESPACE leads every environment into namespace `elsewhere`", "unset"];
    expect(&check(&led, "configuration.origins"), "warn", &words);
}

#[test]
fn patterns_that_tie_are_named() {
    let patterns = "[environments.'*-qa']\ncontext = 'c'\n[environments.'a1-*']\ncontext = 'c'\n";
    expect(&check(&kdj(CONFIG), "configuration.patterns"), "pass", &[]);
    expect(&check(&kdj(patterns), "configuration.patterns"), "warn", &["fit `a1-qa` equally well"]);
}

#[test]
fn one_place_with_two_names_is_named() {
    let kubeconfig = crate::harness::Kubeconfig::empty()
        .cluster("acme-staging", serde_json::json!({"server": "https://127.0.0.1:1"}))
        .token("dev", "t")
        .context("acme-staging", "dev", Some("shop-qa"));
    let twice = format!("{CONFIG}[environments.other]\ncontext = 'acme-staging'\n");
    expect(&check(&kdj(CONFIG).kubeconfig(&kubeconfig), "configuration.places"), "pass", &[]);
    expect(&check(&kdj(&twice).kubeconfig(&kubeconfig), "configuration.places"), "warn", &["are one place"]);
}

#[test]
fn production_is_protected_and_fix_protects_it() {
    let open = "# ours\n[environments.prod]\ncontext = 'c'\n";
    expect(&check(&kdj("[environments.prod]\nprotected = true\n"), "configuration.protection"), "pass", &[]);
    let kdj = kdj(open);
    expect(&check(&kdj, "configuration.protection"), "warn", &["is called production and is not protected"]);
    let _ = kdj.run(["doctor", "--only", "configuration.protection", "--fix", "--yes"]);
    let text = std::fs::read_to_string(kdj.directory().join("project/kdj.toml")).expect("the file");
    assert_eq!(text, "# ours\n[environments.prod]\nprotected = true\ncontext = 'c'\n");
    expect(&check(&kdj, "configuration.protection"), "pass", &[]);
}

#[test]
fn aliases_name_environments() {
    let alias = |template: &str| kdj(&format!("{CONFIG}[aliases]\nx = '{template}'\n"));
    for template in ["shell qa", "shell ENV", "shell acme/shop", "envs --live"] {
        expect(&check(&alias(template), "configuration.aliases"), "pass", &[]);
    }
    expect(&check(&alias("shell qs -- ls"), "configuration.aliases"), "warn", &["names the environment `qs`"]);
}

//! Each check has its section in the documentation, a world in which it passes, and one in which it does not.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::document;
use crate::harness::Kdj;

fn checks() -> Vec<Value> {
    let list = document(&Kdj::bare().run(["doctor", "--list", "-o", "json"]).expect_code(0));
    assert_eq!(list["version"], 1);
    list["checks"].as_array().expect("checks").clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn ids_are_unique_and_what_a_check_needs_exists() {
    let checks = checks();
    let ids: BTreeSet<&str> = checks.iter().map(|check| text(&check["id"])).collect();
    assert_eq!(ids.len(), checks.len());
    assert!(ids.len() > 40, "{ids:?}");
    for check in &checks {
        for need in check["needs"].as_array().expect("needs") {
            assert!(ids.contains(text(need)), "{} needs {need}, which is none", check["id"]);
        }
        assert_eq!(text(&check["id"]).split_once('.').map(|(category, _)| category), Some(text(&check["category"])));
        for words in ["title", "why"] {
            let words = text(&check[words]);
            assert!(!words.is_empty() && !words.ends_with('.'), "{words:?}");
        }
    }
}

#[test]
fn each_check_has_a_section_and_each_section_a_check() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md")).expect("the page");
    let checks = checks();
    let ids: BTreeSet<&str> = checks.iter().map(|check| text(&check["id"])).collect();
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let documented: BTreeSet<&str> = sections.iter().copied().filter(|title| !title.starts_with("project.")).collect();
    assert_eq!(ids, documented);
    for check in &checks {
        let (id, title) = (text(&check["id"]), text(&check["title"]));
        let section = page.split(&format!("### {id}\n")).nth(1).expect("the section");
        let section = section.split("\n### ").next().unwrap_or_default();
        let flat = section.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.to_lowercase().contains(&title.to_lowercase()), "the section of {id} does not say: {title}");
    }
}

/// What says who else manages a workload: that is as it should be, whoever it is.
const INFORMATIVE: &[&str] = &["application.managers"];

/// The tests name a check and how it ended close to each other: `("machine.git", "skip", …)`.
#[test]
fn each_check_is_seen_to_pass_and_not_to_pass() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut tests = String::new();
    for folder in [here.clone(), here.join("doctor"), here.join("doctor_cluster")] {
        for entry in fs::read_dir(folder).expect("a folder of tests") {
            let path = entry.expect("an entry").path();
            let is_test = path.is_file() && path.to_string_lossy().contains("tests/cli/doctor");
            if is_test && !path.ends_with("ids.rs") {
                tests.push_str(&fs::read_to_string(path).expect("a test"));
            }
        }
    }
    let flat: String = tests.split_whitespace().collect::<Vec<_>>().join(" ");
    for check in checks() {
        let id = format!("\"{}\"", text(&check["id"]));
        let ends: Vec<&str> = flat.split(&id).skip(1).filter_map(|rest| status(rest)).collect();
        assert!(ends.contains(&"pass"), "no test has {id} pass: {ends:?}");
        let not = ends.iter().any(|end| *end != "pass") || INFORMATIVE.contains(&text(&check["id"]));
        assert!(not, "no test has {id} not pass: {ends:?}");
    }
}

/// The first status named after an id.
fn status(rest: &str) -> Option<&str> {
    let near: String = rest.chars().take(150).collect();
    let statuses = ["pass", "warn", "fail", "skip"];
    let found = statuses.into_iter().filter_map(|status| Some((near.find(&format!("\"{status}\""))?, status)));
    found.min().map(|(_, status)| status)
}

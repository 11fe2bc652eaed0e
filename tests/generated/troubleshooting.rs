//! `docs/troubleshooting.md` names what kdj says, and checks that `kdj doctor` has.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;

use super::{kdj, read, root};

/// The page, and the headings of its symptoms.
fn symptoms() -> (String, Vec<String>) {
    let page = read(&root().join("docs/troubleshooting.md"));
    let headings = page.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect();
    (page, headings)
}

#[test]
fn each_message_is_one_of_kdj_s() {
    fn walk(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("the source").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, text);
            } else if entry.extension().is_some_and(|it| it == "rs") {
                text.push_str(&read(&entry));
            }
        }
    }
    let mut source = String::new();
    walk(&root().join("src"), &mut source);
    let placeholders = Regex::new(r#"\{[^{}"\n]*\}"#).expect("a pattern");
    let source = placeholders.replace_all(&source, "");
    let mut messages = 0;
    // One that begins with a capital tells what is seen, in other words than kdj's.
    for heading in symptoms().1.iter().filter(|it| !it.starts_with(|c: char| c.is_uppercase()) || it.starts_with("TLS"))
    {
        messages += 1;
        let message = heading.replace('…', "");
        assert!(source.contains(message.trim_end()), "kdj never says: {heading}");
    }
    assert!(messages > 15, "{messages}");
}

#[test]
fn each_symptom_leads_to_checks_that_exist() {
    let listed = kdj(&["doctor", "--list", "-o", "json"]);
    assert!(listed.status.success(), "{listed:?}");
    let list: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let checks = list["checks"].as_array().expect("checks").iter();
    let ids: BTreeSet<&str> = checks.filter_map(|check| check["id"].as_str()).collect();
    let (page, headings) = symptoms();
    let form = Regex::new("`([a-z]+\\.[a-z]+)`").expect("a pattern");
    for (heading, section) in headings.iter().zip(page.split("\n### ").skip(1)) {
        let section = section.split("\n## ").next().unwrap_or_default();
        let named: Vec<&str> =
            form.captures_iter(section).map(|found| found.get(1).map_or("", |it| it.as_str())).collect();
        let named: Vec<&str> = named.into_iter().filter(|id| !id.ends_with(".toml")).collect();
        assert!(!named.is_empty(), "{heading}: no check is named");
        for id in named {
            assert!(ids.contains(id), "{heading}: `kdj doctor` has no check `{id}`: {ids:?}");
        }
    }
}

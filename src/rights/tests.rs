//! The table and `docs/rights.md` say the same.

use std::collections::BTreeSet;

use super::*;

const PAGE: &str = include_str!("../../docs/rights.md");
const VERBS: [&str; 6] = ["get", "list", "watch", "create", "patch", "delete"];

/// A row of the page: what it is for, and its rule.
fn rows() -> Vec<(&'static str, &'static str)> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| "));
    let cells =
        rows.filter_map(|row| row.split_once(" | ").and_then(|(name, rest)| Some((name, rest.split_once(" |")?.0))));
    cells.filter(|(name, _)| *name != "For" && !name.starts_with("---")).collect()
}

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rights a text names: verbs, then the resources they are of.
fn rights(text: &str) -> BTreeSet<(String, String)> {
    let known: BTreeSet<&str> = all().iter().map(|right| right.resource).collect();
    let mut found = BTreeSet::new();
    let (mut verbs, mut closed) = (Vec::new(), false);
    for word in quoted(text) {
        if VERBS.contains(&word) {
            if closed {
                verbs.clear();
            }
            closed = false;
            verbs.push(word);
        } else if known.contains(word) {
            closed = true;
            found.extend(verbs.iter().map(|verb| ((*verb).to_owned(), word.to_owned())));
        }
    }
    found
}

/// What the page says a command needs, with what it refers to.
fn rights_of(command: &str, deep: usize) -> BTreeSet<(String, String)> {
    let is_session = ["shell", "pyshell", "manage", "a session"].contains(&command);
    let mut found = BTreeSet::new();
    for (name, rule) in rows() {
        let of_sessions = ["Protected", "Pods of", "Two", "Explaining"].iter().any(|start| name.starts_with(start));
        let is_for = is_session && (of_sessions || name.contains("session"))
            || quoted(name).any(|word| word.split(' ').next() == Some(command) || word == command);
        if !is_for {
            continue;
        }
        found.extend(rights(rule));
        if deep == 0 {
            continue;
        }
        if rule.contains("what a session needs") {
            found.extend(rights_of("a session", deep - 1));
        }
        // "what `run` needs", "what `forward` of `db` needs, by a toolbox what `--fresh` needs"
        for part in rule.split("what ").skip(1).filter(|part| part.contains("need")) {
            let other = part.split('`').nth(1).unwrap_or_default();
            found.extend(rights_of(other, deep - 1));
        }
        // "needed. Of StatefulSets the same": said in the last column.
        if PAGE.lines().any(|line| line.starts_with(&format!("| {name} |")) && line.contains("StatefulSets")) {
            let same = found.clone();
            found.extend(same.into_iter().map(|(verb, of)| (verb, of.replace("deployments", "statefulsets"))));
        }
    }
    if PAGE.lines().any(|line| line.contains(&format!("`{command}`")) && line.contains("`controllerrevisions`")) {
        found.insert(("list".to_owned(), "controllerrevisions".to_owned()));
    }
    found
}

#[test]
fn each_right_of_a_command_stands_on_the_page_for_it() {
    for capability in CAPABILITIES {
        let commands = capability.name.split(", ").map(|name| name.trim_end_matches(" --live"));
        let page: BTreeSet<_> = commands.flat_map(|command| rights_of(command, 3)).collect();
        for right in capability.needed.iter().chain(capability.helpful) {
            let right = (right.verb.to_owned(), right.resource.to_owned());
            assert!(page.contains(&right), "docs/rights.md lacks {right:?} for `{}`: {page:?}", capability.name);
        }
    }
}

#[test]
fn each_right_of_the_page_stands_in_the_table() {
    let table: BTreeSet<_> = all().iter().map(|right| (right.verb.to_owned(), right.resource.to_owned())).collect();
    for (name, rule) in rows() {
        for right in rights(rule) {
            assert!(table.contains(&right), "the row `{name}` has {right:?}, which is not in the table");
        }
    }
    assert!(rows().len() > 40, "the page's rows were not found");
}

#[test]
fn every_resource_of_the_page_is_known() {
    let known: BTreeSet<&str> = all().iter().map(|right| right.resource).collect();
    // What every user may, and no command depends on.
    let elsewhere = ["apps", "selfsubjectrulesreviews", "selfsubjectaccessreviews"];
    for (name, rule) in rows() {
        let verbs = rights(rule);
        let words = quoted(rule).filter(|word| !VERBS.contains(word) && !elsewhere.contains(word));
        for word in words.filter(|word| word.ends_with('s') && word.chars().all(|c| c.is_ascii_lowercase())) {
            let is_command = CAPABILITIES.iter().any(|capability| capability.name.contains(word));
            assert!(known.contains(word) || is_command, "the row `{name}` names `{word}`: {verbs:?}");
        }
    }
}

#[test]
fn a_right_reads_as_kubectl_has_it() {
    let text = |verb, resource| Right { verb, resource }.to_string();
    assert_eq!(text("create", "jobs"), "create jobs.batch");
    assert_eq!(text("get", "pods/exec"), "get pods/exec");
    assert_eq!(text("patch", "deployments/scale"), "patch deployments.apps/scale");
}

#[test]
fn the_most_important_stands_first() {
    let first: Vec<String> = all().iter().take(3).map(Right::to_string).collect();
    assert_eq!(first, ["list pods", "get pods/exec", "create pods/exec"]);
}

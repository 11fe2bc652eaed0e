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

/// The Roles of `docs/rbac` for each capability.
const ROLES: [(&str, &[&str]); 17] = [
    ("shell, pyshell, manage", &["session", "record"]),
    ("logs", &["logs"]),
    ("status", &["status"]),
    ("status --why", &["status", "why"]),
    ("run", &["run"]),
    ("migrate", &["migrate"]),
    ("dbshell, db", &["session", "forward", "fresh"]),
    ("forward", &["forward", "session"]),
    ("scale", &["scale"]),
    ("restart", &["restart", "session"]),
    ("releases", &["releases"]),
    ("rollback", &["rollback", "run"]),
    ("jobs", &["run"]),
    ("--fresh, sessions, gc", &["fresh"]),
    ("config", &["config", "secrets", "session"]),
    ("audit", &["audit"]),
    ("envs --live", &["status", "namespaces"]),
];

/// The capabilities whose rights a Role has, and no others: what else these need, others of their Roles have.
const OF_ROLES: [(&str, &[&str]); 17] = [
    ("audit", &["audit"]),
    ("config", &["config"]),
    ("forward", &["forward"]),
    ("fresh", &["--fresh, sessions, gc"]),
    ("logs", &["logs"]),
    ("migrate", &["migrate"]),
    ("namespaces", &["envs --live"]),
    ("record", &["shell, pyshell, manage"]),
    ("releases", &["releases"]),
    ("restart", &["restart"]),
    ("rollback", &["rollback"]),
    ("run", &["run", "jobs"]),
    ("scale", &["scale"]),
    ("secrets", &["config"]),
    ("session", &["shell, pyshell, manage"]),
    ("status", &["status"]),
    ("why", &["status --why"]),
];

/// What a Role allows: verbs, and the resources they are of.
fn rights_of_role(name: &str) -> BTreeSet<(String, String)> {
    let path = format!("{}/docs/rbac/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let role: serde_json::Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let words = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let of_rule = |rule: &serde_json::Value| -> Vec<(String, String)> {
        let verbs = words(&rule["verbs"]);
        let pairs =
            |resource: String| verbs.iter().map(move |verb| (verb.clone(), resource.clone())).collect::<Vec<_>>();
        words(&rule["resources"]).into_iter().flat_map(pairs).collect()
    };
    role["rules"].as_array().unwrap().iter().flat_map(of_rule).collect()
}

#[test]
fn the_roles_of_the_documentation_allow_each_capability_and_no_more() {
    let mut allowed = BTreeSet::new();
    for capability in CAPABILITIES {
        let (_, roles) = ROLES.iter().find(|(name, _)| *name == capability.name).unwrap();
        let rights: BTreeSet<_> = roles.iter().flat_map(|role| rights_of_role(role)).collect();
        for right in capability.needed.iter().chain(capability.helpful) {
            // Everybody may ask who he is.
            let is_there = rights.contains(&(right.verb.to_owned(), right.resource.to_owned()));
            assert!(
                is_there || right.resource == "selfsubjectreviews",
                "{roles:?} lack `{right}`, for {}",
                capability.name
            );
        }
        allowed.extend(rights);
    }
    let table: BTreeSet<_> = all().iter().map(|right| (right.verb.to_owned(), right.resource.to_owned())).collect();
    let more: Vec<_> = allowed.difference(&table).collect();
    assert!(more.is_empty(), "Roles allow {more:?}, which no capability has");
}

#[test]
fn each_role_of_the_documentation_allows_what_its_own_commands_need_and_no_more() {
    let of_capability = |name: &&str| {
        let capability = CAPABILITIES.iter().find(|capability| capability.name == *name).unwrap();
        capability.needed.iter().chain(capability.helpful)
    };
    for (role, capabilities) in OF_ROLES {
        let rights = capabilities.iter().flat_map(of_capability);
        let table: BTreeSet<_> = rights.map(|right| (right.verb.to_owned(), right.resource.to_owned())).collect();
        let allowed = rights_of_role(role);
        let more: Vec<_> = allowed.difference(&table).collect();
        assert!(!allowed.is_empty() && more.is_empty(), "{role}.yaml allows {more:?}, which {capabilities:?} have not");
    }
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rbac")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = names.filter_map(|name| Some(name.strip_suffix(".yaml")?.to_owned())).collect();
    let known = OF_ROLES.iter().map(|(role, _)| (*role).to_owned()).chain(["kustomization".to_owned()]);
    assert_eq!(files, known.collect());
}

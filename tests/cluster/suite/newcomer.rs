//! The five minutes: a clean home directory, a kubeconfig and no kdj.toml. A newcomer types what
//! docs/getting-started.md says, and nothing else.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::harness::{Cluster, Kdj, cluster};

/// What the newcomer was given: the developers' contexts, the one they work with first, and one that leads nowhere.
fn kubeconfig(cluster: &Cluster) -> String {
    cluster.changed_kubeconfig(|document| {
        let contexts = document["contexts"].as_array_mut().expect("contexts");
        contexts.retain(|context| ["acme-staging-dev", "elsewhere"].iter().any(|name| context["name"] == *name));
        for context in contexts.iter_mut().filter(|context| context["name"] == "acme-staging-dev") {
            context["context"]["namespace"] = json!("shop-qa");
        }
        document["current-context"] = Value::Null;
    })
}

/// The commands of the page that stand alone in a block, in their order.
fn commands() -> Vec<Vec<String>> {
    let page = include_str!("../../../docs/getting-started.md");
    let typed = page.lines().filter_map(|line| line.strip_prefix("    kdj "));
    typed.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn the_page_leads_to_a_shell() {
    let Some(cluster) = cluster() else { return };
    let kdj =
        Kdj::on(Path::new("unused")).file("home/.kube/config", &kubeconfig(cluster)).file("project/manage.py", "");
    let path = kdj.directory().join("home/.kube/config");
    let kdj = kdj.variable("KUBECONFIG", path);
    let commands = commands();
    assert_eq!(
        commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>(),
        ["--version", "init", "doctor qa", "pyshell qa"],
        "the page has changed: follow it here"
    );
    for words in commands {
        // Who types answers the one question, and types code at the prompt; a script says both by flags.
        let more: &[&str] = match words[0].as_str() {
            "init" => &["--yes"],
            "pyshell" => &["-c", "from catalog.models import Product; print(Product.objects.count() > 0)"],
            _ => &[],
        };
        let output = kdj.run(words.iter().map(String::as_str).chain(more.iter().copied())).expect_code(0);
        match words[0].as_str() {
            "init" => {
                let written = fs::read_to_string(kdj.directory().join("project/kdj.toml")).expect("a file");
                assert!(written.contains("[environments.qa]"), "{output}");
            }
            "doctor" => assert!(output.stdout_text().contains("qa: good to go"), "{output}"),
            "pyshell" => assert_eq!(output.stdout_text(), "True\n"),
            _ => {}
        }
    }
}

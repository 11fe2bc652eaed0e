//! What README.md shows is what kdj prints, but for the names and the number of pods.

use std::process::Command;

use regex::Regex;

use super::harness::{Kdj, Pty, cluster};

/// A command of the page, and the lines below it.
struct Shown<'a> {
    command: &'a str,
    lines: Vec<&'a str>,
}

fn shown(page: &str) -> Vec<Shown<'_>> {
    let (_, block) = page.split_once("```console\n").expect("a block");
    let (block, _) = block.split_once("```").expect("its end");
    let mut found = Vec::<Shown<'_>>::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => found.push(Shown { command, lines: Vec::new() }),
            None => found.last_mut().expect("a command first").lines.push(line),
        }
    }
    found
}

/// The text without what differs from cluster to cluster, and without empty lines.
fn plain(text: &str) -> String {
    // A line of input is drawn anew when the terminal's size becomes known.
    let mut text = Regex::new(r"[^\n]*\r\x1b\[K").expect("a pattern").replace_all(text, "").replace('\r', "");
    for (pattern, name) in [
        (r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07", ""),
        (r"\b(\w+)-[0-9a-f]{7,10}-[a-z0-9]{5}\b", "$1-POD"),
        (r"\b\d+/\d+\b", "N/N"),
        (r"(?m)[ ]+$", ""),
        // So is the prompt.
        (r"(?:\(qa\) app@shell-POD:/app\$ )+", "(qa) app@shell-POD:/app$$ "),
    ] {
        text = Regex::new(pattern).expect("a pattern").replace_all(&text, name).into_owned();
    }
    text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// `bash -c COMMAND`, with kdj in its PATH.
fn bash(kdj: &Kdj, command: &str) -> Command {
    let link = kdj.bin().join("kdj");
    if !link.exists() {
        std::os::unix::fs::symlink(Kdj::binary(), link).expect("kdj in PATH");
    }
    let mut bash = Command::new("bash");
    bash.args(["-c", command]);
    kdj.prepare(&mut bash);
    bash
}

#[test]
fn what_the_page_shows_is_what_is_printed() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let all = shown(include_str!("../../../README.md"));
    assert!(all.len() >= 5, "{}", all.len());
    for Shown { command, lines } in all {
        let expected = plain(&lines.join("\n"));
        // What is typed at a prompt stands behind it.
        let typed: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(":/app$ ")?.1)).collect();
        let printed = if typed.is_empty() {
            let output = bash(&kdj, &format!("{command} 2>&1")).output().expect("bash runs");
            String::from_utf8_lossy(&output.stdout).into_owned()
        } else {
            let mut terminal = Pty::start(bash(&kdj, command), &kdj);
            for line in typed {
                terminal.wait_for("$ ");
                terminal.press(&format!("{line}\r"));
                terminal.wait_for("\r\n");
            }
            assert!(terminal.finish().success(), "{}", terminal.text());
            terminal.text()
        };
        assert_eq!(plain(&printed), expected, "`{command}`");
    }
}

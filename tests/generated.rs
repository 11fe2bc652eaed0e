//! What is made from the program, or must agree with it: the reference, the completion scripts, the exit codes, the
//! examples, the links. `KDJ_UPDATE=1 cargo test --test generated` writes the files anew.

#[path = "generated/commands.rs"]
mod commands;
#[path = "generated/troubleshooting.rs"]
mod troubleshooting;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::{ArgAction, builder::StyledStr};

/// Where everything is read and written.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares a file with what it should be, or writes it.
fn check(path: &str, expected: &str) {
    let file = root().join(path);
    if env::var_os("KDJ_UPDATE").is_some() {
        fs::create_dir_all(file.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(&file, expected).expect("the file can be written");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{path} is out of date: KDJ_UPDATE=1 cargo test --test generated\n\n{}",
        first_difference(&found, expected)
    );
}

fn first_difference(found: &str, expected: &str) -> String {
    let mut lines = found.lines().zip(expected.lines()).enumerate();
    match lines.find(|(_, (found, expected))| found != expected) {
        Some((number, (found, expected))) => format!("line {}:\n  is     {found}\n  should {expected}", number + 1),
        None => "one of them ends early".to_owned(),
    }
}

#[test]
fn the_reference_of_commands_is_current() {
    let mut program = kdj::cli::command();
    program.build();
    let mut text = String::from(
        "# Commands\n\n\
         Written by `KDJ_UPDATE=1 cargo test --test generated` from the program itself. `kdj COMMAND --help` says the \
         same.\nWhat the exit codes mean: [exit-codes.md](exit-codes.md).\n\n",
    );
    text.push_str(&table(&program));
    for command in visible(&program) {
        text.push_str(&section(command, "##", "kdj"));
    }
    text.push_str("\n## Global options\n\nThey stand before or after the command.\n\n");
    text.push_str(&list(program.get_arguments().filter(|argument| argument.is_global_set())));
    check("docs/commands.md", &text);
}

fn visible(program: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    program.get_subcommands().filter(|command| !command.is_hide_set())
}

fn table(program: &clap::Command) -> String {
    let row = |command: &clap::Command| {
        let name = command.get_name();
        format!("| [`kdj {name}`](#kdj-{name}) | {} |\n", plain(command.get_about()))
    };
    let rows: String = visible(program).map(row).collect();
    format!("| Command | |\n| --- | --- |\n{rows}")
}

/// A command, and below it those it has in turn.
fn section(command: &clap::Command, heading: &str, above: &str) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let name = format!("{above} {}", command.get_name());
    let mut text = format!("\n{heading} {name}\n\n{}\n\n    {usage}\n", plain(command.get_about()));
    let own = |argument: &&clap::Arg| !argument.is_global_set() && argument.get_id() != "help";
    let arguments = list(command.get_arguments().filter(own));
    if !arguments.is_empty() {
        text.push('\n');
        text.push_str(&arguments);
    }
    if let Some(after) = command.get_after_help() {
        let after = after.to_string();
        let (after, examples) = after.split_once("Examples:\n").unwrap_or((&after, ""));
        if !after.trim().is_empty() {
            text.push_str(&format!("\n{}\n", after.trim_end()));
        }
        let examples: String = examples.lines().map(|line| format!("  {line}\n")).collect();
        if !examples.is_empty() {
            text.push_str(&format!("\n{examples}"));
        }
    }
    for below in visible(command).filter(|below| below.get_name() != "help") {
        text.push_str(&section(below, &format!("{heading}#"), &name));
    }
    text
}

fn list<'a>(arguments: impl Iterator<Item = &'a clap::Arg>) -> String {
    arguments.filter(|argument| !argument.is_hide_set()).map(item).collect()
}

fn item(argument: &clap::Arg) -> String {
    let values: Vec<&str> = argument.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect();
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let value = if takes_value { format!(" <{}>", values.join("> <")) } else { String::new() };
    let name = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}{value}"),
        (None, Some(long)) => format!("--{long}{value}"),
        (Some(short), None) => format!("-{short}{value}"),
        (None, None) => values.join(" "),
    };
    let possible = if takes_value { argument.get_possible_values() } else { Vec::new() };
    let possible: Vec<String> = possible.iter().map(|value| format!("`{}`", value.get_name())).collect();
    let possible = if possible.len() < 2 { String::new() } else { format!(": {}", possible.join(", ")) };
    format!("- `{name}`: {}{possible}\n", plain(argument.get_help()))
}

fn plain(text: Option<&StyledStr>) -> String {
    // A vertical bar would end a cell of the table, and what looks like a tag would vanish.
    text.map(ToString::to_string).unwrap_or_default().replace('|', "\\|")
}

#[test]
fn the_manual_pages_are_current() {
    let mut program = kdj::cli::command().version(env!("CARGO_PKG_VERSION"));
    program.build();
    let mut pages = BTreeSet::new();
    manual(&program, &mut pages);
    let kept = fs::read_dir(root().join("docs/man")).expect("docs/man can be read").flatten();
    for name in kept.map(|entry| entry.file_name().into_string().expect("a name")) {
        assert!(pages.contains(&name), "docs/man/{name} is of no command: remove it");
    }
}

/// The page of a command, and those of what is below it.
fn manual(command: &clap::Command, pages: &mut BTreeSet<String>) {
    let page = clap_mangen::Man::new(command.clone().disable_help_subcommand(true)).manual("kdj").source("kdj");
    let name = page.get_filename();
    let mut text = Vec::new();
    page.render(&mut text).expect("a page is written");
    let path = format!("docs/man/{name}");
    check(&path, &String::from_utf8(text).expect("a page is text"));
    lint(&path);
    pages.insert(name);
    for below in visible(command) {
        manual(below, pages);
    }
}

/// Has `man` read a page, where there is one: it says what it does not understand.
fn lint(path: &str) {
    let mut man = Command::new("man");
    man.args(["--warnings", "-l", path]).current_dir(root());
    man.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "200").env("MANPAGER", "cat");
    let Some(output) = man.output().ok().filter(|output| output.status.success()) else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.trim().is_empty(), "{path}: {said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("NAME"), "{path} shows nothing");
}

#[test]
fn the_completion_scripts_are_current() {
    for (shell, path) in [
        ("bash", "completions/kdj.bash"),
        ("zsh", "completions/_kdj"),
        ("fish", "completions/kdj.fish"),
        ("powershell", "completions/kdj.ps1"),
        ("elvish", "completions/kdj.elv"),
    ] {
        let output = kdj(&["completions", shell]);
        assert!(output.status.success(), "{output:?}");
        check(path, &String::from_utf8(output.stdout).expect("scripts are text"));
    }
}

#[test]
fn completion_offers_the_configured_environments() {
    let directory = tempfile::tempdir().expect("a folder");
    fs::write(directory.path().join("kdj.toml"), "[environments.qa]\ncontext = 'c'\n[environments.'*-qa']\n")
        .expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_kdj"))
        .current_dir(directory.path())
        .env_clear()
        .env("HOME", directory.path())
        .envs([("COMPLETE", "fish")])
        .args(["--", "kdj", "shell", ""])
        .output()
        .expect("kdj runs");
    let text = String::from_utf8(output.stdout).expect("candidates are text");
    assert!(text.lines().any(|line| line == "qa"), "{text}");
    assert!(!text.contains("*-qa"), "{text}");
}

fn kdj(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_kdj")).env("KDJ_CONFIG", "none").args(arguments).output().expect("kdj runs")
}

#[test]
fn every_exit_code_is_documented() {
    use kdj::exit::{Exit, Failure};
    let page = read(&root().join("docs/exit-codes.md"));
    let documented: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(code, _)| code).collect();
    let failures = [
        Failure::Usage,
        Failure::Failed,
        Failure::CannotExec,
        Failure::NotFound,
        Failure::TimedOut,
        Failure::Lost,
        Failure::Signal(2),
    ];
    // When this match no longer compiles, the list above lacks a kind.
    let _ = |failure: Failure| match failure {
        Failure::Usage
        | Failure::Failed
        | Failure::CannotExec
        | Failure::NotFound
        | Failure::TimedOut
        | Failure::Lost
        | Failure::Signal(_) => {}
    };
    let own = [Exit::Success.code(), Exit::Failed.code()];
    let codes = failures.into_iter().flat_map(|failure| [failure.code(false), failure.code(true)]).chain(own);
    for code in codes {
        assert!(documented.contains(code.to_string().as_str()), "docs/exit-codes.md has no row for {code}");
    }
}

#[test]
fn the_example_configurations_parse() {
    let mut examples = 0;
    for page in pages() {
        let text = read(&page);
        for (number, block) in text.split("```toml\n").skip(1).enumerate() {
            let block = block.split("```").next().unwrap_or_default();
            let directory = tempfile::tempdir().expect("a folder");
            // The user file may say more than a project's; its example says so in its first line.
            let user_file = block.starts_with("# config.toml");
            let file = if user_file { "config.toml" } else { "kdj.toml" };
            fs::write(directory.path().join(file), block).expect("the file can be written");
            let folder = Some(directory.path().to_owned());
            let (user_directory, working_directory) = if user_file { (folder, None) } else { (None, folder) };
            let sources = kdj::config::Sources { user_directory, working_directory, ..Default::default() };
            if let Err(error) = kdj::config::Config::load(&sources) {
                panic!("{}, example {}: {error}", page.display(), number + 1);
            }
            examples += 1;
        }
    }
    assert!(examples > 0, "no example was found");
}

#[test]
fn links_lead_somewhere_and_every_page_is_linked() {
    let mut linked = BTreeSet::new();
    for page in pages() {
        let folder = page.parent().expect("a page has a folder");
        for link in links(&read(&page)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { page.clone() } else { folder.join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if let Some(anchor) = anchor {
                let found = anchors(&read(&target)).contains(anchor);
                assert!(found, "{}: {link}: there is no such heading", page.display());
            }
            if page.ends_with("README.md") {
                linked.insert(target.canonicalize().expect("an existing file"));
            }
        }
    }
    for page in pages() {
        let linked = page == root().join("README.md") || linked.contains(&page.canonicalize().expect("a page"));
        assert!(linked, "{} is not linked from README.md", page.display());
    }
}

/// The README and everything in `docs`.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("docs can be read") {
            let path = entry.expect("docs can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// The targets of `[text](target)`, outside code.
fn links(text: &str) -> Vec<String> {
    let prose: String = outside_code(text).map(|line| format!("{line}\n")).collect();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// The headings' anchors, made as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = outside_code(text).filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

fn outside_code(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence && !line.starts_with("    ")
    })
}

//! The layering that `docs/architecture.md` promises, checked in the source itself.
//!
//! The check reads lines, not syntax: comments and the insides of string literals are blanked first, and what a line
//! names counts wherever it stands.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A source file, its path relative to the package.
struct Source {
    path: String,
    text: String,
}

/// One rule: what may not be named, where, and why.
struct Rule {
    words: &'static [&'static str],
    /// Where the rule holds, by the beginning of the path.
    within: &'static [&'static str],
    /// Where it does not.
    except: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        words: &["kube::", "k8s_openapi", "use kube"],
        within: &["src/"],
        except: &["src/cluster/"],
        why: "the Kubernetes API is named in `src/cluster` only; let that return a type of kdj's own",
    },
    Rule {
        words: &[
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "io::stdout",
            "io::stderr",
            "dialoguer",
            "indicatif",
            "colored::",
        ],
        within: &["src/"],
        // What a build script prints is for Cargo.
        except: &["src/ui/", "src/build.rs"],
        why: "only `src/ui` touches the terminal; hand it the text",
    },
    Rule {
        words: &["process::exit", "process::abort"],
        within: &["src/"],
        except: &[],
        why: "return an `Exit` or an `Error`; `main` alone ends the process, after everything was put back",
    },
    Rule {
        words: &["clap::", "use clap"],
        within: &["src/"],
        except: &["src/cli.rs", "src/commands/", "src/ui/style.rs"],
        why: "the command line is parsed in `src/cli.rs` and `src/commands` only",
    },
    Rule {
        words: &["tokio", "async fn", ".await", "async move", "async {"],
        within: &[
            "src/config/",
            "src/environment/",
            "src/django/",
            "src/keeper/",
            "src/logs/",
            "src/migration/",
            "src/status/",
        ],
        except: &[],
        why: "configuration, environments, Django and migrations are pure: values in, values out",
    },
    Rule {
        words: &["crate::cluster", "crate::ui::Ui", "crate::commands"],
        within: &[
            "src/config/",
            "src/environment/",
            "src/django/",
            "src/keeper/",
            "src/logs/",
            "src/migration/",
            "src/status/",
        ],
        except: &[],
        why: "the pure layers know neither cluster, nor terminal, nor commands",
    },
    Rule {
        words: &["crate::ui", "crate::commands", "crate::cli"],
        within: &["src/cluster/"],
        except: &[],
        why: "the cluster never prints and never asks: return a value, let the command show it",
    },
    Rule {
        words: &["crate::commands", "crate::cluster", "crate::environment"],
        within: &["src/ui/"],
        except: &[],
        why: "the terminal is a leaf: it gets text and streams, and knows no command and no cluster",
    },
];

/// A file longer than this usually holds two subjects.
const LONGEST_FILE: usize = 300;

/// Names under which everything gathers.
const DRAWERS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

#[test]
fn the_source_keeps_its_layers() {
    let sources = read("src");
    assert!(sources.iter().any(|source| source.path == "src/main.rs"), "the source was not found");
    let found = violations(&sources);
    assert!(found.is_empty(), "{} broken:\n{}", found.len(), found.join("\n"));
}

#[test]
fn files_are_named_after_a_concept() {
    let found: Vec<String> =
        ["src", "tests"].into_iter().flat_map(read).filter_map(|source| drawer(&source.path)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_test_file_is_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for source in read("tests") {
        let path = Path::new(&source.path);
        let (directory, stem) = (path.parent().expect("a directory"), path.file_stem().expect("a name"));
        let stem = stem.to_str().expect("a name in UTF-8");
        if directory == Path::new("tests") || stem == "main" {
            continue;
        }
        // `a/mod.rs` is declared beside `a`, `a/b.rs` in `a/mod.rs`, `a/main.rs` or `a.rs`.
        let (module, parent) = if stem == "mod" {
            let module = directory.file_name().and_then(|name| name.to_str()).expect("a directory's name");
            (module, directory.parent().expect("a directory").to_path_buf())
        } else {
            (stem, directory.to_path_buf())
        };
        let declarations = [parent.join("mod.rs"), parent.join("main.rs"), parent.with_extension("rs")];
        let declared = declarations.iter().filter_map(|path| fs::read_to_string(root.join(path)).ok()).any(|text| {
            text.lines().any(|line| line.trim_start_matches("pub ").trim_end() == format!("mod {module};"))
        });
        assert!(declared, "{} is declared nowhere, so its tests never run: add `mod {module};`", source.path);
    }
}

#[test]
fn the_check_catches_what_it_should() {
    let cases = [
        ("src/commands/shell.rs", "use kube::Api;", true),
        ("src/commands/shell.rs", "// use kube::Api;", false),
        ("src/commands/shell.rs", "let url = \"kube::\";", false),
        ("src/cluster/pod.rs", "use kube::Api;", false),
        ("src/cluster/pod.rs", "use crate::ui::Ui;", true),
        ("src/config/file.rs", "    println!(\"x\");", true),
        ("src/ui/mod.rs", "io::stdout().lock();", false),
        ("src/main.rs", "std::process::exit(1);", true),
        ("src/error.rs", "impl From<clap::Error> for Error {}", true),
        ("src/cli.rs", "use clap::Parser;", false),
        ("src/environment/resolve.rs", "pub async fn resolve() {}", true),
        ("src/django/manage.rs", "use crate::cluster::Cluster;", true),
        ("src/migration/lint.rs", "async fn lint() {}", true),
        ("src/commands/shell.rs", "use super::pyshell;", true),
        ("src/commands/shell.rs", "use super::args::TargetArgs;", false),
        ("src/commands/shell.rs", "crate::commands::manage::run()", true),
        ("src/commands/mod.rs", "Command::Shell(args) => shell::run(args),", false),
        ("src/commands/shell/tests.rs", "use super::*;", false),
    ];
    for (path, line, broken) in cases {
        let source = Source { path: path.to_owned(), text: format!("//! Doc.\n{line}\n") };
        let found = violations(&[source]);
        assert_eq!(!found.is_empty(), broken, "{path}: {line}: {found:?}");
        if broken {
            assert!(found[0].starts_with(&format!("{path}:2: ")), "{found:?}");
        }
    }
    let long = |path: &str| Source { path: path.to_owned(), text: "\n".repeat(LONGEST_FILE + 1) };
    assert_eq!(violations(&[long("src/error.rs")]).len(), 1);
    assert!(violations(&[long("src/cluster/pod/tests.rs")]).is_empty());
    assert!(drawer("src/cluster/utils.rs").is_some());
    assert!(drawer("tests/common/mod.rs").is_some());
    assert!(drawer("src/exit.rs").is_none());
}

/// Every broken rule as `file:line: what, why`.
fn violations(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, text } in sources {
        let lines = text.lines().count();
        if lines > LONGEST_FILE && !path.ends_with("/tests.rs") {
            found.push(format!(
                "{path}:{LONGEST_FILE}: {lines} lines; more than {LONGEST_FILE} usually hold two subjects"
            ));
        }
        // Within a module of tests, `super` is the file's own subject.
        let tests = text.lines().position(|line| line == "#[cfg(test)]").unwrap_or(lines);
        for (number, line) in text.lines().enumerate() {
            let code = code_of(line);
            let place = format!("{path}:{}", number + 1);
            for rule in RULES {
                let applies = rule.within.iter().any(|within| path.starts_with(within))
                    && !rule.except.iter().any(|except| path.starts_with(except));
                if let Some(word) = rule.words.iter().find(|word| applies && names(&code, word)) {
                    found.push(format!("{place}: `{word}`: {}", rule.why));
                }
            }
            if let Some(other) = another_command(path, &code).filter(|_| number < tests) {
                let why = "a command calls no other; move what they share down a layer";
                found.push(format!("{place}: `{other}`: {why}"));
            }
        }
    }
    found
}

/// The other command a command names.
fn another_command(path: &str, code: &str) -> Option<String> {
    let own = path.strip_prefix("src/commands/")?.split(['/', '.']).next()?;
    if own == "mod" || path.ends_with("/tests.rs") {
        return None;
    }
    let prefixes = ["super::", "crate::commands::"];
    let mut rest = prefixes.iter().filter_map(|prefix| code.split_once(prefix)).map(|(_, rest)| rest);
    rest.find_map(|rest| {
        let name: String =
            rest.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
        let module = name.starts_with(|first: char| first.is_lowercase());
        (module && name != "args" && name != own).then_some(name)
    })
}

/// Whether code has this word, not as the end of a longer one (`my_kube::`).
fn names(code: &str, word: &str) -> bool {
    let within_word = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).any(|(at, _)| {
        let begins = !word.starts_with(within_word) || !code[..at].ends_with(within_word);
        let after = &code[at + word.len()..];
        let ends = !word.ends_with(within_word) || !after.starts_with(within_word) || word == "tokio";
        begins && ends
    })
}

/// The line without its comment and without what its string literals say.
fn code_of(line: &str) -> String {
    let mut code = String::new();
    let mut in_string = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if in_string => drop(characters.next()),
            // The character '"' is no beginning of a string.
            '\'' if !in_string && characters.peek() == Some(&'"') => drop(characters.next()),
            '"' => in_string = !in_string,
            '/' if !in_string && characters.peek() == Some(&'/') => break,
            _ if in_string => {}
            _ => code.push(character),
        }
    }
    code
}

/// What is wrong with a file's name.
fn drawer(path: &str) -> Option<String> {
    let mut words = path.split(['/', '.']);
    let word = words.find(|word| DRAWERS.contains(word))?;
    Some(format!("{path}: `{word}` is no subject; name the file after what it is about"))
}

/// All Rust files below a directory, in order. Dependencies' and build directories are not the package's own.
fn read(directory: &str) -> Vec<Source> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join(directory), &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path).expect("a source file in UTF-8"),
            path: path.strip_prefix(root).expect("a path within the package").display().to_string().replace('\\', "/"),
        })
        .collect()
}

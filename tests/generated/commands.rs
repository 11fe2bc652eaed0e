//! The commands that the pages show, understood by the program itself: in blocks of code whole, in the text as far as they go.

use std::path::Path;

use clap::error::ErrorKind;

use super::{pages, read, root};

/// What `[aliases]` of the examples defines.
const ALIASES: [&str; 1] = ["orders"];
/// Where a shell's command ends.
const ENDS: [&str; 7] = ["|", "||", "&&", ">", ">>", "<", "2>"];

#[test]
fn the_commands_of_the_pages_are_understood() {
    let (mut whole, mut wrong) = (0, Vec::new());
    for page in pages() {
        let (blocks, text) = lines(&read(&page));
        for line in blocks {
            for command in commands(&line) {
                whole += 1;
                note(&page, &command, understand(&command, true), &mut wrong);
            }
        }
        for span in text.iter().flat_map(|line| spans(line)).filter(|span| span.starts_with("kdj ")) {
            for command in commands(&span) {
                note(&page, &command, understand(&command, false), &mut wrong);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(whole > 150, "only {whole} commands were found");
}

fn note(page: &Path, command: &[String], outcome: Result<(), String>, wrong: &mut Vec<String>) {
    if let Err(why) = outcome {
        let page = page.strip_prefix(root()).expect("a page of the project");
        wrong.push(format!("{}: {}: {why}", page.display(), command.join(" ")));
    }
}

/// The lines of blocks of code, fenced or indented, and all others.
fn lines(page: &str) -> (Vec<String>, Vec<String>) {
    let (mut fenced, mut blocks, mut text) = (false, Vec::new(), Vec::new());
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            blocks.push(line.trim().to_owned());
        } else {
            text.push(line.to_owned());
        }
    }
    (blocks, text)
}

/// What stands between single backticks.
fn spans(line: &str) -> impl Iterator<Item = String> {
    line.split('`').skip(1).step_by(2).map(|span| span.replace("\\|", "|"))
}

/// The calls of kdj in a line of a shell, word by word. What follows two spaces, or a `#`, is a remark.
fn commands(line: &str) -> Vec<Vec<String>> {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let line = line.split("  ").next().unwrap_or_default().split(" # ").next().unwrap_or_default();
    if !line.split_whitespace().any(|word| word.trim_start_matches("<(") == "kdj") {
        return Vec::new();
    }
    // A call that goes on in the next line is its own in each.
    let words = shell_words::split(line.trim_end_matches('\\')).unwrap_or_default();
    let parts = words.split(|word| ENDS.contains(&word.as_str()));
    let mut found = Vec::new();
    for part in parts {
        let variables = part.iter().take_while(|word| word.contains('=') && !word.starts_with('-')).count();
        let Some((program, rest)) = part[variables..].split_first() else { continue };
        let (program, rest) = match program.as_str() {
            "source" => {
                (rest.first().map_or("", |word| word.trim_start_matches("<(")), rest.get(1..).unwrap_or_default())
            }
            program => (program, rest),
        };
        if program == "kdj" {
            let ends = rest.iter().position(|word| word.ends_with(';')).map_or(rest.len(), |at| at + 1);
            let words = rest[..ends].iter().map(|word| word.trim_end_matches([';', ')']).to_owned());
            found.push(["kdj".to_owned()].into_iter().chain(words).collect());
        }
    }
    found
}

/// Whether kdj takes it. One in the text may lack what is needed; what only says how to write a command has the right flags.
fn understand(words: &[String], whole: bool) -> Result<(), String> {
    let mut program = kdj::cli::command();
    program.build();
    let is_form = words.iter().any(|word| word.contains(['[', '|', '…', '<']));
    if is_form {
        return flags(&program, words);
    }
    let matches = match program.clone().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => {
            use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand as Bare, DisplayVersion};
            use ErrorKind::{InvalidValue, MissingRequiredArgument, MissingSubcommand};
            let shows = [DisplayHelp, DisplayVersion].contains(&error.kind());
            let said = error.to_string().lines().next().unwrap_or_default().to_owned();
            // A flag without its value, or with a word in capitals for it.
            let stands_for = words.iter().any(|word| word.chars().all(|c| c.is_ascii_uppercase()));
            let lacks_value = error.kind() == InvalidValue && (stands_for || said.contains("a value is required"));
            let lacks = lacks_value || [Bare, MissingRequiredArgument, MissingSubcommand].contains(&error.kind());
            return if shows || lacks && !whole { Ok(()) } else { Err(said) };
        }
    };
    // What is no command may be an alias, which clap leaves to the configuration.
    let name = matches.subcommand_name().unwrap_or_default();
    let is_known = program.get_subcommands().any(|command| command.get_name() == name) || ALIASES.contains(&name);
    // `COMMAND`, in the text.
    let known = is_known || !whole && name.chars().all(|c| c.is_ascii_uppercase());
    if known { Ok(()) } else { Err(format!("there is no command `{name}`")) }
}

/// Whether each flag of a form is one of the command's.
fn flags(program: &clap::Command, words: &[String]) -> Result<(), String> {
    let mut command = program;
    let mut known = longs(program);
    for word in words.iter().take_while(|word| *word != "--") {
        if let Some(below) = command.find_subcommand(word) {
            command = below;
            known.extend(longs(below));
        }
        let flag = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let Some(flag) = flag.strip_prefix("--").filter(|flag| !flag.is_empty()) else { continue };
        let flag = flag.split('=').next().unwrap_or_default().to_owned();
        if !known.contains(&flag) && flag != "help" {
            return Err(format!("there is no flag `--{flag}`"));
        }
    }
    if command.get_name() == program.get_name() { Err("there is no such command".to_owned()) } else { Ok(()) }
}

fn longs(command: &clap::Command) -> Vec<String> {
    command.get_arguments().filter_map(clap::Arg::get_long).map(str::to_owned).collect()
}

#[test]
fn a_wrong_command_is_found() {
    let one = |line: &str| commands(line).first().map(|words| understand(words, true));
    for right in ["kdj shell qa  a shell", "$ kdj db qa locks | less", "source <(kdj completions bash)", "A=b kdj envs"]
    {
        assert_eq!(one(right), Some(Ok(())), "{right}");
    }
    for wrong in ["kdj shel qa", "kdj shell qa --frech", "kdj scale ENV [ROLE=N …] [--wiat]", "kdj shell"] {
        assert!(one(wrong).is_some_and(|outcome| outcome.is_err()), "{wrong}");
    }
    assert_eq!(one("kubectl get pods"), None);
    assert_eq!(commands("kdj run qa -- sh -c 'a | b' && kdj jobs qa").len(), 2);
}

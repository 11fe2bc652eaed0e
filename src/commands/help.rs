//! `kdj help`: the help of a command, or a page of the documentation, which kdj carries with it.

use crate::{
    error::{Error, Result},
    exit::Exit,
    help::{self, TOPICS},
    names,
    ui::{Ui, style::Role},
};

/// How wide a page is at most, and where there is no terminal.
const WIDTH: usize = 100;

/// Arguments of `kdj help`.
#[derive(Debug, clap::Args)]
pub struct HelpArgs {
    /// Command or topic (default: list the topics)
    #[arg(value_name = "COMMAND|TOPIC")]
    words: Vec<String>,
}

impl HelpArgs {
    /// The words, when they are a command of the program.
    pub fn of_command(&self, program: &clap::Command) -> Option<&[String]> {
        let mut command = program;
        for word in &self.words {
            command = command.find_subcommand(word)?;
        }
        (!self.words.is_empty()).then_some(&self.words)
    }
}

/// Runs `kdj help` for what is no command.
pub fn run(args: &HelpArgs, commands: &[String], ui: &Ui) -> Result<Exit> {
    let [name] = args.words.as_slice() else {
        if let Some(word) = args.words.first() {
            return Err(unknown(word, commands));
        }
        ui.report(&topics())?;
        return Ok(Exit::Success);
    };
    let topic = help::find(name).ok_or_else(|| unknown(name, commands))?;
    let stdout = ui.stdout();
    let columns = stdout.columns.unwrap_or(WIDTH).clamp(40, WIDTH);
    let heading = |text: &str| crate::ui::style::paint(text, Role::Name, stdout.colored);
    ui.report(&help::render(&ui.named(topic.text), columns, &heading))?;
    Ok(Exit::Success)
}

fn topics() -> String {
    let width = TOPICS.iter().map(|topic| topic.name.len()).max().unwrap_or_default();
    let rows: String = TOPICS.iter().map(|topic| format!("  {:<width$}  {}\n", topic.name, topic.about)).collect();
    format!(
        "Topics:\n{rows}\n`kdj help TOPIC` shows one, `kdj help COMMAND` a command; `kdj --help` lists the commands.\n"
    )
}

fn unknown(word: &str, commands: &[String]) -> Error {
    let known = TOPICS.iter().map(|topic| topic.name).chain(commands.iter().map(String::as_str));
    let error = Error::usage(format!("no command and no topic `{}`", names::shown(word)));
    let error = names::did_you_mean(word, known).into_iter().fold(error, Error::hint);
    error.hint("`kdj help` lists the topics, `kdj --help` the commands")
}

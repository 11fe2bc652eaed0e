//! Management commands as words to execute.

use crate::{environment::DjangoSettings, script::terse};

/// Finds the container's Python and hands its arguments to it. Plain `sh`, since images have no more.
pub(super) const PYTHON: &str = include_str!("python.sh");
/// Runs in the container's Python (3.6 or later) and becomes the management command.
const START: &str = include_str!("start.py");

/// Words to execute, and others to try in their place when the first of them is not in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// In the order to try.
    pub alternatives: Vec<Vec<String>>,
}

impl Start {
    /// The words to try first.
    pub fn first(self) -> Vec<String> {
        self.alternatives.into_iter().next().unwrap_or_default()
    }
}

/// What [`START`] is to do.
pub(super) enum Mode {
    /// Run the command as given.
    Command,
    /// Run the `shell` by the code that is the command's only word.
    Console,
    /// Run, in its own process, the Python code that is the command's only word.
    Stdin,
}

/// A management command: its name and arguments, kept as they are. `term` is the remote terminal's type, if it has one.
pub fn management_command(settings: &DjangoSettings, term: Option<&str>, command: &[String]) -> Start {
    start(settings, term, &Mode::Command, command)
}

pub(super) fn start(settings: &DjangoSettings, term: Option<&str>, mode: &Mode, command: &[String]) -> Start {
    let mode = match mode {
        Mode::Command => "command",
        Mode::Console => "console",
        Mode::Stdin => "stdin",
    };
    let manage = settings.manage.as_deref().unwrap_or_default();
    let mut words: Vec<String> = vec![
        terse(START),
        mode.to_owned(),
        settings.workdir.clone().unwrap_or_default(),
        term.unwrap_or_default().to_owned(),
        manage.len().to_string(),
    ];
    words.extend_from_slice(manage);
    words.extend_from_slice(command);
    let before = |first: &[&str]| first.iter().map(ToString::to_string).chain(words.clone()).collect();
    let mut alternatives = vec![before(&["sh", "-c", &terse(PYTHON), "kdj"])];
    // An image without a shell may still have Python.
    let configured = manage.first().map(String::as_str).filter(|first| is_python(first));
    alternatives.extend(configured.into_iter().chain(["python3", "python"]).map(|python| before(&[python, "-c"])));
    Start { alternatives }
}

fn is_python(program: &str) -> bool {
    program.rsplit('/').next().is_some_and(|name| name.starts_with("python"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::django::{code_on_stdin, connection_facts, console};

    fn words(settings: &DjangoSettings, command: &[&str]) -> Vec<String> {
        let command: Vec<String> = command.iter().map(ToString::to_string).collect();
        management_command(settings, None, &command).alternatives.swap_remove(0)
    }

    #[test]
    fn the_command_is_kept_as_given() {
        let words = words(&DjangoSettings::default(), &["report", "--name", "a b'c\"", "", "zürich"]);
        assert_eq!(words[words.len() - 5..], ["report", "--name", "a b'c\"", "", "zürich"]);
    }

    #[test]
    fn settings_travel_before_it() {
        let settings = DjangoSettings {
            manage: Some(vec!["python3".into(), "src/manage.py".into()]),
            workdir: Some("/srv".into()),
        };
        let words = words(&settings, &["check"]);
        assert_eq!(words[5..], ["command", "/srv", "", "2", "python3", "src/manage.py", "check"]);
    }

    #[test]
    fn without_a_shell_the_configured_python_goes_first() {
        let manage = |python: &str| Some(vec![python.to_owned(), "manage.py".to_owned()]);
        let programs = |manage| {
            let settings = DjangoSettings { manage, workdir: None };
            let start = management_command(&settings, None, &["check".to_owned()]);
            start.alternatives.into_iter().map(|mut words| words.swap_remove(0)).collect::<Vec<_>>()
        };
        assert_eq!(programs(None), ["sh", "python3", "python"]);
        assert_eq!(programs(manage("/venv/bin/python3.12")), ["sh", "/venv/bin/python3.12", "python3", "python"]);
        assert_eq!(programs(manage("poetry")), ["sh", "python3", "python"]);
    }

    #[test]
    fn the_url_stays_within_what_proxies_let_through() {
        let settings = DjangoSettings::default();
        let starts = [
            management_command(&settings, None, &["check".to_owned()]),
            console(&settings, Some("xterm-256color")),
            code_on_stdin(&settings, "<code>", b"", true).0,
            connection_facts(&settings, "default", false).0,
        ];
        for start in starts {
            let encoded: usize = start.alternatives[0]
                .iter()
                .flat_map(|word| word.bytes())
                .map(|byte| if byte.is_ascii_alphanumeric() || b" -._*".contains(&byte) { 1 } else { 3 })
                .sum();
            assert!(encoded < 6500, "{encoded} bytes");
        }
    }
}

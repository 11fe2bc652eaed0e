//! Roles of text, and whether a stream shows them in colour. Decided per stream, once.

use std::{env, str::FromStr};

/// When to colour, from `--color`, `KDJ_COLOR` or the user file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorChoice {
    /// Where the stream is a terminal, `NO_COLOR` and `CLICOLOR_FORCE` obeyed.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// What can be typed.
    pub const NAMES: [&str; 3] = ["auto", "always", "never"];
}

impl FromStr for ColorChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(ColorChoice::Auto),
            "always" => Ok(ColorChoice::Always),
            "never" => Ok(ColorChoice::Never),
            _ => Err(format!("expected {}, and not {text:?}", Self::NAMES.join(", "))),
        }
    }
}

/// Whether a stream gets colour. `--color` beats the variables; a set, non-empty `NO_COLOR` beats `CLICOLOR_FORCE`
/// (<https://no-color.org>, <https://bixense.com/clicolors>).
pub fn colored(choice: ColorChoice, is_terminal: bool) -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let forced = env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if set("NO_COLOR") => false,
        ColorChoice::Auto if forced => true,
        ColorChoice::Auto => is_terminal && env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// What a piece of text is; the colour follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The word `error:`.
    Error,
    /// The word `warning:`.
    Warning,
    /// The word `hint:`.
    Hint,
    /// A name worth finding at a glance.
    Name,
    /// A protected environment, read-write: take care.
    Danger,
    /// All is well.
    Good,
    /// Supporting text.
    Faint,
}

impl Role {
    fn sgr(self) -> &'static str {
        match self {
            Role::Error => "1;31",
            Role::Warning => "1;33",
            Role::Hint => "1;36",
            Role::Name => "1",
            Role::Danger => "1;37;41",
            Role::Good => "32",
            Role::Faint => "2",
        }
    }
}

/// `text` in the colour of `role`, where `colored` says so.
pub fn paint(text: &str, role: Role, colored: bool) -> String {
    if colored { format!("\x1b[{}m{text}\x1b[0m", role.sgr()) } else { text.to_owned() }
}

/// `text` as it may be shown on a terminal: control characters (C0, DEL, C1) that could move the cursor, change the
/// title or the clipboard are replaced by `\u{fffd}`; tab and newline stay.
pub fn sanitize(text: &str) -> String {
    text.chars().map(|c| if is_command(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn is_command(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// The same, but colours (SGR sequences) stay: for text that has been painted.
pub(super) fn sanitize_painted(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_command) {
        let (before, from) = rest.split_at(at);
        clean.push_str(before);
        let length = colour_length(from);
        match length {
            Some(length) => clean.push_str(&from[..length]),
            None => clean.push(char::REPLACEMENT_CHARACTER),
        }
        let command = from.chars().next().map_or(0, char::len_utf8);
        rest = &from[length.unwrap_or(command)..];
    }
    clean + rest
}

/// The length of the SGR sequence `text` begins with.
fn colour_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some(end + "\x1b[m".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_the_cluster_do_not_reach_the_terminal() {
        assert_eq!(sanitize("a\x1b]52;c;eA\x07b\u{9b}2J\tc\nd"), "a\u{fffd}]52;c;eA\u{fffd}b\u{fffd}2J\tc\nd");
    }

    #[test]
    fn only_colours_survive_in_painted_text() {
        let painted = paint("a\x1b]0;t\x07\x1b[2Jb", Role::Name, true);
        assert_eq!(sanitize_painted(&painted), "\x1b[1ma\u{fffd}]0;t\u{fffd}\u{fffd}[2Jb\x1b[0m");
    }

    #[test]
    fn text_is_the_same_without_colour() {
        assert_eq!(paint("qa", Role::Name, false), "qa");
        assert_eq!(paint("qa", Role::Name, true), "\x1b[1mqa\x1b[0m");
    }
}

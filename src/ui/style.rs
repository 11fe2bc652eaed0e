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
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_the_cluster_do_not_reach_the_terminal() {
        assert_eq!(sanitize("a\x1b]52;c;eA\x07b\u{9b}2J\tc\nd"), "a\u{fffd}]52;c;eA\u{fffd}b\u{fffd}2J\tc\nd");
    }

    #[test]
    fn text_is_the_same_without_colour() {
        assert_eq!(paint("qa", Role::Name, false), "qa");
        assert_eq!(paint("qa", Role::Name, true), "\x1b[1mqa\x1b[0m");
    }
}

//! Why a template was changed: `kubectl --record` wrote its whole command line there, values included.

use super::{REDACTED, text};

/// The value of `kubernetes.io/change-cause` without what is, or may be, secret: what looks so, what `kubectl set env` sets,
/// and the text of a patch.
pub fn change_cause(cause: &str) -> String {
    let clean = text(cause);
    let mut sets_variables = false;
    let mut after = After::Nothing;
    let mut words: Vec<String> = Vec::new();
    let mut before = "";
    for word in clean.split_whitespace() {
        sets_variables |= before == "set" && word == "env";
        before = word;
        if after == After::Patch && !word.starts_with("--record") {
            continue;
        }
        let (shown, next) = match word.split_once('=') {
            Some((flag @ ("-p" | "--patch"), _)) => (format!("{flag}={REDACTED}"), After::Patch),
            Some((flag @ ("-e" | "--env"), _)) => (format!("{flag}={REDACTED}"), After::Value),
            Some((name, _)) if sets_variables && !name.starts_with('-') => (format!("{name}={REDACTED}"), After::Value),
            _ if matches!(word, "-p" | "--patch") => (format!("{word} {REDACTED}"), After::Patch),
            _ if word.starts_with("--") || word == "-e" || after == After::Nothing => (word.to_owned(), After::Nothing),
            // A value may hold spaces, and kubectl wrote no quotes.
            _ => continue,
        };
        after = next;
        words.push(shown);
    }
    // Spaces stay in what people wrote.
    if words.iter().map(String::as_str).eq(clean.split_whitespace()) { clean } else { words.join(" ") }
}

#[derive(PartialEq)]
enum After {
    Nothing,
    Value,
    Patch,
}

#[cfg(test)]
mod tests {
    use super::change_cause;

    #[test]
    fn no_value_of_a_command_is_shown() {
        for (cause, shown) in [
            (
                "kubectl set env deployment/web API_TOKEN=hunter2 --record=true",
                "kubectl set env deployment/web API_TOKEN=<redacted> --record=true",
            ),
            (
                "kubectl set env deployment/web A=hunter2 B=x hunter2 y --record=true",
                "kubectl set env deployment/web A=<redacted> B=<redacted> --record=true",
            ),
            (
                "kubectl patch deployment web -p {\"a\": hunter2 \"b\": hunter2} --record=true",
                "kubectl patch deployment web -p <redacted> --record=true",
            ),
            (
                "kubectl patch deployment web --patch={\"a\":\"hunter2\"}",
                "kubectl patch deployment web --patch=<redacted>",
            ),
            (
                "kubectl set env deployment/web --env=A=hunter2 -e B=hunter2",
                "kubectl set env deployment/web --env=<redacted> -e B=<redacted>",
            ),
            ("the login is now ada with password: hunter2", "the login is now ada with password: <redacted>"),
        ] {
            assert_eq!(change_cause(cause), shown);
        }
    }

    #[test]
    fn other_causes_stay_as_they_are() {
        for cause in [
            "kubectl set image deployment/web web=shop:2 --record=true",
            "a lighter image",
            "release 1.42,  see ticket 7=8",
            "kubectl apply --filename=web.yaml --record=true",
        ] {
            assert_eq!(change_cause(cause), cause);
        }
    }
}

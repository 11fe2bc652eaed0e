//! What a value must look like, whatever file it stands in. Each function says what is wrong, as a fragment.

use super::NAME_PLACEHOLDER;

/// Longest label value, and longest name of a namespace.
const LABEL_LENGTH: usize = 63;

/// What a shell gives a meaning to. A name that has one could do something on the line that completion writes it to.
const SHELL: &str = "$`\\\"'!#&;|<>()[]{}?~^";

/// The name of an environment, a role, a forward: something that can be typed as one word in every shell and is no flag.
pub(crate) fn name(name: &str) -> Result<(), String> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || c == '/';
    match name {
        "" => Err("the name is empty".to_owned()),
        _ if name.starts_with('-') => Err("a name cannot begin with `-`".to_owned()),
        _ if name.contains(bad) => Err("a name cannot contain white space, control characters or `/`".to_owned()),
        _ if name.contains(|c: char| SHELL.contains(c)) => {
            Err(format!("a name cannot contain what means something to a shell: {SHELL}"))
        }
        _ => Ok(()),
    }
}

/// A name that is also no pattern.
pub(super) fn exact_name(text: &str) -> Result<(), String> {
    name(text)?;
    if text.contains('*') { Err("only names of environments may contain `*`".to_owned()) } else { Ok(()) }
}

/// The name of a forward: a target of `kdj forward` that is none already.
pub(super) fn forward_name(name: &str) -> Result<(), String> {
    exact_name(name)?;
    match name {
        "db" | "redis" => Err(format!("`{name}` is what the app's settings say; choose another name")),
        _ if name.starts_with(|first: char| first.is_ascii_digit() || first == ':') => {
            Err("a forward's name cannot begin with a digit or `:`: that says ports".to_owned())
        }
        _ => Ok(()),
    }
}

/// A host, without its port.
pub(super) fn host(host: &str) -> Result<(), String> {
    text(host)?;
    if host.contains(['/', '@']) || host.contains(char::is_whitespace) || host.matches(':').count() == 1 {
        return Err(
            "expected a host's name or address alone, as in `db.internal`; the port is a key of its own".to_owned()
        );
    }
    Ok(())
}

/// Text that must say something.
pub(super) fn text(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        Err("the value is empty".to_owned())
    } else if text.contains(char::is_control) {
        Err("the value contains a control character".to_owned())
    } else {
        Ok(())
    }
}

/// The words that start a management command.
pub(super) fn words(words: &[String]) -> Result<(), String> {
    if words.is_empty() || words.iter().any(|word| word.is_empty()) {
        return Err("expected the words of a command, as in `[\"python\", \"manage.py\"]`".to_owned());
    }
    words.iter().try_for_each(|word| text(word))
}

/// A directory in the container.
pub(super) fn directory(path: &str) -> Result<(), String> {
    text(path)?;
    if path.starts_with('/') { Ok(()) } else { Err("expected an absolute path, as in `/app`".to_owned()) }
}

/// The name of an image.
pub(super) fn image(name: &str) -> Result<(), String> {
    text(name)?;
    if name.contains(char::is_whitespace) { Err("an image's name has no white space".to_owned()) } else { Ok(()) }
}

/// A namespace of an environment's entry, whose name may be a pattern.
pub(super) fn namespace_template(template: &str, pattern: bool) -> Result<(), String> {
    namespace(&filled(template, pattern)?)
}

/// An instance of an environment's entry, whose name may be a pattern.
pub(super) fn instance_template(template: &str, pattern: bool) -> Result<(), String> {
    instance(&filled(template, pattern)?)
}

/// The template with something harmless for `{name}`, if it may contain that.
fn filled(template: &str, pattern: bool) -> Result<String, String> {
    if !pattern && template.contains(NAME_PLACEHOLDER) {
        return Err("`{name}` has a meaning only where the environment's name contains `*`".to_owned());
    }
    Ok(template.replace(NAME_PLACEHOLDER, "x"))
}

/// A namespace, as Kubernetes wants it.
pub(crate) fn namespace(text: &str) -> Result<(), String> {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.is_empty() && text.len() <= LABEL_LENGTH && text.chars().all(inside) && edges_are_alphanumeric(text) {
        Ok(())
    } else {
        Err("a namespace is up to 63 lower-case letters, digits and `-`".to_owned())
    }
}

/// An instance: a label's value.
pub(crate) fn instance(text: &str) -> Result<(), String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.is_empty() && text.len() <= LABEL_LENGTH && text.chars().all(inside) && edges_are_alphanumeric(text) {
        Ok(())
    } else {
        Err("an instance is a label's value: up to 63 letters, digits, `-`, `_` and `.`".to_owned())
    }
}

fn edges_are_alphanumeric(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

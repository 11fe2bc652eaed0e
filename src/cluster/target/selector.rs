//! Label selectors in kubectl's syntax, so that configured ones can be matched here, against pods already listed.

use std::collections::BTreeSet;

use kube::core::{Expression, Selector};

/// Reads a selector: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas.
///
/// # Errors
/// When it is empty or malformed; the text says where.
pub(super) fn parse(text: &str) -> Result<Selector, String> {
    let requirements = split(text)?;
    requirements.into_iter().map(|requirement| expression(requirement.trim())).collect()
}

/// How many requirements a selector has: the more, the more specific it is.
pub(super) fn requirements(selector: &Selector) -> usize {
    selector.clone().into_iter().count()
}

/// The requirements: split at the commas that are outside parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut open) = (0, false);
    for (at, character) in text.char_indices() {
        match character {
            '(' if open => return Err("`(` inside `(`".to_owned()),
            '(' => open = true,
            ')' if !open => return Err("`)` without `(`".to_owned()),
            ')' => open = false,
            ',' if !open => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if open {
        return Err("`(` is not closed".to_owned());
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn expression(text: &str) -> Result<Expression, String> {
    if let Some(before) = text.strip_suffix(')') {
        let (head, values) = before.split_once('(').ok_or_else(|| format!("`{text}` lacks a `(`"))?;
        let values: BTreeSet<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        return match head.split_whitespace().collect::<Vec<_>>().as_slice() {
            [name, "in"] => Ok(Expression::In(key(name)?, values)),
            [name, "notin"] => Ok(Expression::NotIn(key(name)?, values)),
            _ => Err(format!("`{text}` is neither `KEY in (…)` nor `KEY notin (…)`")),
        };
    }
    if let Some(name) = text.strip_prefix('!') {
        return Ok(Expression::DoesNotExist(key(name)?));
    }
    if let Some((name, value)) = text.split_once("!=") {
        return Ok(Expression::NotEqual(key(name)?, self::value(value)?));
    }
    if let Some((name, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Expression::Equal(key(name)?, self::value(value)?));
    }
    Ok(Expression::Exists(key(text)?))
}

fn key(text: &str) -> Result<String, String> {
    let text = text.trim();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    match text {
        "" => Err("a requirement lacks its key".to_owned()),
        _ if text.chars().all(legal) => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is not a label's key")),
    }
}

fn value(text: &str) -> Result<String, String> {
    let text = text.trim();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.chars().all(legal) { Ok(text.to_owned()) } else { Err(format!("`{text}` is not a label's value")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kube::core::SelectorExt;

    use super::*;

    #[test]
    fn selectors_match_as_kubectl_s_do() {
        let labels =
            BTreeMap::from([("app".to_owned(), "shop".to_owned()), ("x.io/tier".to_owned(), "web".to_owned())]);
        for (selector, expected) in [
            ("app=shop", true),
            ("app==shop", true),
            ("app = shop , x.io/tier=web", true),
            ("app=shop,x.io/tier=worker", false),
            ("app!=shop", false),
            ("absent!=shop", true),
            ("x.io/tier in (web, worker),app", true),
            ("x.io/tier in (worker)", false),
            ("x.io/tier notin (worker,beat)", true),
            ("absent notin (a)", true),
            ("absent", false),
            ("!absent", true),
            ("!app", false),
        ] {
            assert_eq!(parse(selector).unwrap().matches(&labels), expected, "{selector}");
        }
    }

    #[test]
    fn malformed_selectors_are_named() {
        for (selector, expected) in [
            ("", "a requirement lacks its key"),
            ("app=shop,", "a requirement lacks its key"),
            ("=shop", "a requirement lacks its key"),
            ("app in (a", "`(` is not closed"),
            ("app in a)", "`)` without `(`"),
            ("app of (a)", "`app of (a)` is neither `KEY in (…)` nor `KEY notin (…)`"),
            ("app web", "`app web` is not a label's key"),
            ("app=a b", "`a b` is not a label's value"),
        ] {
            assert_eq!(parse(selector).unwrap_err(), expected, "{selector}");
        }
    }
}

//! Names as people type them: shown safely, and the nearest one that exists.

use std::cmp::Reverse;

/// How many suggestions are still read.
const SUGGESTIONS: usize = 3;

/// `name` as it may stand in a message: characters that are invisible, or that a terminal obeys, are escaped.
pub fn shown(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_control() || is_invisible(c) { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}

/// Characters that reorder or hide text without being control characters: zero-width, directional marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Those of `known` that somebody who typed `wanted` may have meant, nearest first, at most three.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = strsim::damerau_levenshtein(&wanted, &lower);
            let shorter = wanted.chars().count().min(lower.chars().count());
            // `production` for `prod`: a beginning of the other counts as near, whatever the distance.
            let begins = shorter >= 2 && (lower.starts_with(&wanted) || wanted.starts_with(&lower));
            (distance <= (shorter / 3).max(1) && distance < shorter || begins).then_some((distance, name))
        })
        .collect();
    near.sort();
    near.dedup();
    near.truncate(SUGGESTIONS);
    near.into_iter().map(|(_, name)| name).collect()
}

/// The nearest of `known`, if one is near.
pub fn find_nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(wanted, known).into_iter().next()
}

/// ``did you mean `qa`?``, when something is near enough.
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = nearest(wanted, known);
    (!near.is_empty()).then(|| format!("did you mean {}?", quoted(near, " or ")))
}

/// The names in backticks, joined.
pub fn quoted<'a>(names: impl IntoIterator<Item = &'a str>, separator: &str) -> String {
    names.into_iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(separator)
}

/// The longest of `prefixes` that `text` begins with and that is followed by `separator`, and what comes after it;
/// then the next longest, and so on.
pub fn split_after_longest<'a, 'b>(
    text: &'a str,
    prefixes: impl IntoIterator<Item = &'b str>,
    separator: char,
) -> Vec<(&'b str, &'a str)> {
    let mut splits: Vec<(&str, &str)> = prefixes
        .into_iter()
        .filter_map(|prefix| Some((prefix, text.strip_prefix(prefix)?.strip_prefix(separator)?)))
        .collect();
    splits.sort_by_key(|(prefix, _)| Reverse(prefix.len()));
    splits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let known = ["prod", "qa", "qa-eu", "staging"];
        assert_eq!(nearest("prd", known), ["prod"]);
        assert_eq!(nearest("production", known), ["prod"]);
        assert_eq!(nearest("qaa", known), ["qa"]);
        assert_eq!(nearest("QA", known), ["qa", "qa-eu"]);
        assert_eq!(nearest("stagign", known), ["staging"]);
        assert_eq!(nearest("x", known), [""; 0]);
        assert_eq!(nearest("", known), [""; 0]);
    }

    #[test]
    fn names_cannot_command_the_terminal() {
        assert_eq!(shown("q\x1b[2Ja\n\u{202e}ü"), "q\\u{1b}[2Ja\\n\\u{202e}ü");
    }

    #[test]
    fn the_longest_prefix_comes_first() {
        let contexts = ["eks", "eks/acme", "other"];
        assert_eq!(split_after_longest("eks/acme/shop", contexts, '/'), [("eks/acme", "shop"), ("eks", "acme/shop")]);
    }
}

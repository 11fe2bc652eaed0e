//! Names with `*`: one entry for many instances.

use std::collections::VecDeque;

/// Whether `name` is one the pattern stands for. Each `*` stands for one character or more.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            // Every place the star may end at; names are short.
            rest.char_indices().any(|(index, c)| matches(after, &rest[index + c.len_utf8()..]))
        }),
    }
}

/// How much of the pattern is literal: the more, the better it fits.
pub fn literal_length(pattern: &str) -> usize {
    pattern.chars().filter(|&c| c != '*').count()
}

/// The shortest name that both patterns stand for, if there is one.
pub(super) fn common_name(one: &str, other: &str) -> Option<String> {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    // Where each of them stands after the name so far. A star goes on, or is over.
    let steps = |pattern: &[char], at: usize| match pattern[at] {
        '*' => vec![at, at + 1],
        _ => vec![at + 1],
    };
    let mut seen = vec![vec![false; other.len() + 1]; one.len() + 1];
    let mut open = VecDeque::from([(0, 0, String::new())]);
    while let Some((first, second, name)) = open.pop_front() {
        if (first, second) == (one.len(), other.len()) {
            return Some(name);
        }
        if first == one.len() || second == other.len() || std::mem::replace(&mut seen[first][second], true) {
            continue;
        }
        let next = match (one[first], other[second]) {
            ('*', '*') => 'x',
            ('*', c) | (c, '*') => c,
            (c, d) if c == d => c,
            _ => continue,
        };
        for after in steps(&one, first) {
            for behind in steps(&other, second) {
                open.push_back((after, behind, format!("{name}{next}")));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_character_or_more() {
        let cases = [
            ("*-qa", "car1-qa", true),
            ("*-qa", "é-qa", true),
            ("*-qa", "-qa", false),
            ("*-qa", "car1-qa2", false),
            ("car*", "car", false),
            ("car*-*", "car1-qa", true),
            ("car*-*", "car-", false),
            ("*", "anything", true),
            ("**", "a", false),
            ("qa", "qa", true),
            ("a*a", "a", false),
            ("a*a", "aba-a", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
    #[test]
    fn patterns_that_fit_one_name_have_it_in_common() {
        for (one, other, expected) in [
            ("*-qa", "car*", Some("car-qa")),
            ("*-qa", "car1-*", Some("car1-qa")),
            ("*-qa", "*-prod", None),
            ("a*", "b*", None),
            ("*", "*", Some("x")),
            ("pr-*", "pr-1", Some("pr-1")),
            ("a*a", "a", None),
            ("a*b", "a**b", Some("axxb")),
        ] {
            assert_eq!(common_name(one, other).as_deref(), expected, "{one} {other}");
            if let Some(name) = expected {
                assert!(matches(one, name) && matches(other, name), "{one} {other} {name}");
            }
        }
    }
}

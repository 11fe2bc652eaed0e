//! Names with `*`: one entry for many instances.

/// Whether `name` is one the pattern stands for. Each `*` stands for one character or more.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            // Every place the star may end at; names are short.
            rest.char_indices().any(|(index, c)| matches(after, &rest[index + c.len_utf8()..]))
        }),
    }
}

/// How much of the pattern is literal: the more, the better it fits.
pub(super) fn literal_length(pattern: &str) -> usize {
    pattern.chars().filter(|&c| c != '*').count()
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
}

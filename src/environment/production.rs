//! What production is called: the one teller for all who have to guess.

/// Words that production is called by. A number behind one changes nothing: `prod2`.
const PRODUCTION: [&str; 5] = ["prod", "production", "prd", "live", "produktion"];
/// Words that say of the next one that it is not.
const NOT: [&str; 4] = ["non", "not", "pre", "no"];

/// Whether a name has a word in it that production is called by: `shop-prod`, `dev-team-prod`, and not `shop-nonprod` or
/// `pre-prod`. That a name is wrongly taken for production's is the safer mistake.
pub fn sounds_like_production(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = words(&name).collect();
    words.iter().enumerate().any(|(at, word)| {
        let is_negated = at.checked_sub(1).is_some_and(|before| is_negation(words[before]));
        is_production(word) && !is_negated
    })
}

/// The words of a name.
pub fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether this word, in small letters, is one of production's.
pub fn is_production(word: &str) -> bool {
    PRODUCTION.contains(&without_number(word))
}

/// Whether this word, in small letters, turns the next one into its opposite.
pub fn is_negation(word: &str) -> bool {
    NOT.contains(&word)
}

/// `qa2` is a `qa`.
pub fn without_number(word: &str) -> &str {
    word.trim_end_matches(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_sounds_like_it() {
        for (name, expected) in [
            ("prod", true),
            ("shop-prod", true),
            ("live", true),
            ("eu.production", true),
            ("ACME-Prod", true),
            ("production2", true),
            ("dev-team-prod", true),
            ("payments-int-prod", true),
            ("review-service-prod", true),
            ("live-demo", true),
            ("preprod-and-prod", true),
            ("arn:aws:eks:eu-west-1:1234:cluster/acme-prod", true),
            ("nonprod", false),
            ("non-prod", false),
            ("pre-prod", false),
            ("preprod", false),
            ("product", false),
            ("delivery", false),
            ("qa", false),
            ("", false),
        ] {
            assert_eq!(sounds_like_production(name), expected, "{name}");
        }
    }
}

//! "Did you mean": the names nearest to one that does not exist.

/// How alike two names must be, of 1, to be taken for one another.
const ALIKE: f64 = 0.8;

/// The valid name nearest to `name`, if one is near: alike, or one contains the other.
pub(super) fn find_nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let scored = valid.into_iter().map(|candidate| (score(&name, &candidate.to_lowercase()), candidate));
    let near = scored.filter(|(score, _)| *score >= ALIKE);
    near.max_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| y.cmp(x))).map(|(_, candidate)| candidate)
}

fn score(name: &str, candidate: &str) -> f64 {
    let slip = name.len() >= 3 && strsim::damerau_levenshtein(name, candidate) == 1;
    let alike = if slip { 0.95 } else { strsim::jaro_winkler(name, candidate) };
    let contained = name.len().min(candidate.len()) >= 3 && (candidate.contains(name) || name.contains(candidate));
    if contained { alike.max(ALIKE) } else { alike }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_guesses_are_not_made() {
        let valid = ["web", "celeryd", "celerybeat", "shop-db"];
        for (name, expected) in [
            ("wbe", Some("web")),
            ("Web", Some("web")),
            ("celery", Some("celeryd")),
            ("celerydbeat", Some("celerybeat")),
            ("db", None),
            ("shop", Some("shop-db")),
            ("postgres", None),
        ] {
            assert_eq!(find_nearest(name, valid), expected, "{name}");
        }
    }
}

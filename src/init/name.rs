//! What names say: `shop-qa` is the `qa` of something, `acme-prod` is production.

use crate::environment::production::{is_negation, is_production, sounds_like_production, without_number, words};

/// Words by which teams call their environments, production's aside.
const STAGES: [&str; 18] = [
    "qa",
    "test",
    "testing",
    "dev",
    "develop",
    "development",
    "stg",
    "stage",
    "staging",
    "uat",
    "preview",
    "review",
    "demo",
    "sandbox",
    "int",
    "integration",
    "preprod",
    "nonprod",
];

/// What a name says of the stage it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing.
    Unsaid,
    /// That it is not production.
    Other,
    /// That it is production.
    Production,
}

/// The stage that the name of a namespace, a context or an instance speaks of. That it is production counts more than any
/// other word.
pub(super) fn stage(name: &str) -> Stage {
    match word(name) {
        _ if sounds_like_production(name) => Stage::Production,
        Some(_) => Stage::Other,
        None => Stage::Unsaid,
    }
}

/// The word that a name has for its stage: `qa` of `shop-qa-eu`.
pub(super) fn word(name: &str) -> Option<String> {
    let parts = parts(name);
    let at = find(&parts)?;
    Some(parts[beginning(&parts, at)..=at].join("-"))
}

/// The name of an environment: the stage and what follows it, as `shop-qa-eu` is `qa-eu`; of the context where the
/// namespace has none; else the namespace.
pub(super) fn environment(context: &str, namespace: &str) -> String {
    of_stage(namespace).or_else(|| of_stage(context)).unwrap_or_else(|| match namespace {
        "default" => plain(context),
        _ => namespace.to_owned(),
    })
}

/// A name that says more, where a shorter one would mean two places.
pub(super) fn long(context: &str, namespace: &str) -> String {
    format!("{}-{namespace}", plain(context))
}

fn of_stage(name: &str) -> Option<String> {
    let parts = parts(name);
    let at = find(&parts)?;
    let from = beginning(&parts, at);
    // `qa-shop`: what follows is the app. `acme/prod/eu` is not one name.
    let until = if from == 0 { at + 1 } else { parts.len() };
    Some(parts[from..until].join("-"))
}

/// The last word of a context's name that can be typed: `arn:aws:eks:eu-west-1:1234:cluster/acme` is `acme`.
fn plain(context: &str) -> String {
    let last = context.rsplit(['/', ':', '@']).find(|part| !part.is_empty()).unwrap_or("default");
    let typable = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = last.chars().map(typable).collect();
    let name = name.trim_start_matches('-');
    if name.is_empty() { "default".to_owned() } else { name.to_owned() }
}

fn parts(name: &str) -> Vec<String> {
    words(&name.to_lowercase()).map(str::to_owned).collect()
}

/// Where the word of the stage is: production's, else the first one.
fn find(parts: &[String]) -> Option<usize> {
    let of_production = |at: &usize| is_production(&parts[*at]) && beginning(parts, *at) == *at;
    let is_stage = |at: &usize| is_production(&parts[*at]) || STAGES.contains(&without_number(&parts[*at]));
    (0..parts.len()).find(of_production).or_else(|| (0..parts.len()).find(is_stage))
}

/// Where the stage begins whose word is at `at`: `pre-prod` is one.
fn beginning(parts: &[String], at: usize) -> usize {
    at.checked_sub(1).filter(|before| is_negation(&parts[*before])).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_the_stage_is_called() {
        for (context, namespace, expected) in [
            ("acme-staging", "shop-qa", "qa"),
            ("acme-staging", "shop-qa-eu", "qa-eu"),
            ("acme-staging", "qa2", "qa2"),
            ("acme-staging", "qa-shop", "qa"),
            ("acme-staging", "shop-pre-prod", "pre-prod"),
            ("acme-prod", "shop", "prod"),
            ("acme", "dev-team-prod", "prod"),
            ("acme", "review-service-prod-eu", "prod-eu"),
            ("Acme-PROD", "shop", "prod"),
            ("acme", "shop", "shop"),
            ("arn:aws:eks:eu-west-1:1234:cluster/acme", "default", "acme"),
            ("gke_acme-prod_europe-west1_main", "shop", "prod-europe-west1-main"),
            ("kind kind", "default", "kind-kind"),
        ] {
            assert_eq!(environment(context, namespace), expected, "{context} {namespace}");
        }
    }

    #[test]
    fn production_smells() {
        for (name, expected) in [
            ("acme-prod", Stage::Production),
            ("production2", Stage::Production),
            ("shop.live", Stage::Production),
            ("arn:aws:eks:eu-west-1:1234:cluster/acme-prod", Stage::Production),
            ("non-prod", Stage::Other),
            ("preprod", Stage::Other),
            ("shop-qa", Stage::Other),
            ("dev-team-prod", Stage::Production),
            ("payments-int-prod", Stage::Production),
            ("delivery", Stage::Unsaid),
            ("products", Stage::Unsaid),
            ("shop", Stage::Unsaid),
        ] {
            assert_eq!(stage(name), expected, "{name}");
        }
    }
}

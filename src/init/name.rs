//! What names say: `shop-qa` is the `qa` of something, `acme-prod` is production.

/// Words by which teams call their environments.
const STAGES: [&str; 22] = [
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
    "prod",
    "prd",
    "production",
    "live",
];
/// Those that mean production.
const PRODUCTION: [&str; 4] = ["prod", "prd", "production", "live"];
/// Words that turn the next one into its opposite.
const NEGATIONS: [&str; 3] = ["non", "not", "pre"];

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

/// The stage that the name of a namespace, a context or an instance speaks of. The first word counts.
pub(super) fn stage(name: &str) -> Stage {
    let parts = parts(name);
    match find(&parts) {
        None => Stage::Unsaid,
        Some(at) if PRODUCTION.contains(&bare(parts[at])) && !is_negated(&parts, at) => Stage::Production,
        Some(_) => Stage::Other,
    }
}

/// The name of an environment: the stage and what follows it, as `shop-qa-eu` is `qa-eu`; of the context where the
/// namespace has none; else the namespace.
pub(super) fn environment(context: &str, namespace: &str) -> String {
    of_stage(namespace).or_else(|| of_stage(context)).unwrap_or_else(|| match namespace {
        "default" => plain(context),
        _ => namespace.to_owned(),
    })
}

/// A name that is surely its own, where a shorter one would mean two places.
pub(super) fn long(context: &str, namespace: &str) -> String {
    format!("{}-{namespace}", plain(context))
}

fn of_stage(name: &str) -> Option<String> {
    let parts = parts(name);
    let at = find(&parts)?;
    let from = if is_negated(&parts, at) { at - 1 } else { at };
    // `qa-shop`: what follows is the app. `acme/prod/eu` is not one name.
    let until = if from == 0 { at + 1 } else { parts.len() };
    Some(parts[from..until].join("-"))
}

/// The last word of a context's name that can be typed: `arn:aws:eks:eu-west-1:1234:cluster/acme` is `acme`.
fn plain(context: &str) -> String {
    let last = context.rsplit(['/', ':', '@']).find(|part| !part.is_empty()).unwrap_or("default");
    let typable = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    last.chars().map(typable).collect::<String>().trim_start_matches('-').to_owned()
}

fn parts(name: &str) -> Vec<&str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect()
}

fn find(parts: &[&str]) -> Option<usize> {
    parts.iter().position(|part| STAGES.contains(&bare(part)))
}

/// `qa2` is a `qa`.
fn bare(part: &str) -> &str {
    part.trim_end_matches(|c: char| c.is_ascii_digit())
}

fn is_negated(parts: &[&str], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| NEGATIONS.contains(&parts[before]))
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
            ("delivery", Stage::Unsaid),
            ("products", Stage::Unsaid),
            ("shop", Stage::Unsaid),
        ] {
            assert_eq!(stage(name), expected, "{name}");
        }
    }
}

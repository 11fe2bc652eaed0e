//! Label and field selectors, as an API server reads them.

use serde_json::Value;

use super::request::Recorded;

/// Whether a request's selectors select an object.
pub fn selects(request: &Recorded, object: &Value) -> bool {
    let selector = |name: &str| request.parameter(name).unwrap_or_default();
    labels_match(selector("labelSelector"), object) && fields_match(selector("fieldSelector"), object)
}

/// Whether an object has the labels a selector asks for: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
pub fn labels_match(selector: &str, object: &Value) -> bool {
    let labels = &object["metadata"]["labels"];
    requirements(selector).iter().all(|requirement| label_matches(requirement, labels))
}

/// Whether an object has the fields a selector asks for: `metadata.name=web-1,status.phase!=Running`.
pub fn fields_match(selector: &str, object: &Value) -> bool {
    requirements(selector).iter().all(|requirement| {
        let (path, wanted, equal) = comparison(requirement).unwrap_or((requirement, "", true));
        let found = path.split('.').fold(object, |value, key| &value[key]);
        (found.as_str().unwrap_or_default() == wanted) == equal
    })
}

fn label_matches(requirement: &str, labels: &Value) -> bool {
    if let Some(key) = requirement.strip_prefix('!') {
        return labels[key].is_null();
    }
    if let Some((key, wanted, equal)) = comparison(requirement) {
        return (labels[key].as_str() == Some(wanted)) == equal;
    }
    let one_of = |key: &str, set: &str| {
        let mut set = set.trim().trim_start_matches('(').trim_end_matches(')').split(',').map(str::trim);
        labels[key.trim()].as_str().is_some_and(|label| set.any(|wanted| wanted == label))
    };
    match (requirement.split_once(" notin "), requirement.split_once(" in ")) {
        (Some((key, set)), _) => !one_of(key, set),
        (None, Some((key, set))) => one_of(key, set),
        (None, None) => !labels[requirement].is_null(),
    }
}

/// `a=b`, `a==b` and `a!=b` as key, value and whether they shall be equal.
fn comparison(requirement: &str) -> Option<(&str, &str, bool)> {
    let (operator, equal) =
        [("!=", false), ("==", true), ("=", true)].into_iter().find(|(op, _)| requirement.contains(op))?;
    let (key, value) = requirement.split_once(operator)?;
    Some((key.trim(), value.trim(), equal))
}

/// Splits at the commas that are not within parentheses.
fn requirements(selector: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    selector
        .split(|character| {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            character == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|requirement| !requirement.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_read_as_kubernetes_reads_them() {
        let pod = json!({"metadata": {"name": "web-1", "labels": {"app": "shop", "component": "web"}}});
        let cases = [
            ("", true),
            ("app=shop", true),
            ("app==shop,component=web", true),
            ("app=shop,component=worker", false),
            ("component!=web", false),
            ("tier!=web", true),
            ("component in (web, worker)", true),
            ("component in (worker),app=shop", false),
            ("component notin (worker)", true),
            ("tier notin (web)", true),
            ("app", true),
            ("tier", false),
            ("!tier", true),
            ("!app", false),
        ];
        for (selector, expected) in cases {
            assert_eq!(labels_match(selector, &pod), expected, "{selector}");
        }
        assert!(fields_match("metadata.name=web-1", &pod));
        assert!(!fields_match("metadata.name!=web-1", &pod));
    }
}

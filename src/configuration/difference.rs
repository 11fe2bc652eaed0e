//! What differs between two containers: facts, variables and files by name, and what they say.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    hidden::{Shown, same, shown},
    versions::Versions,
};
use crate::cluster::{Configuration, Given, Origin, Value};

/// The names of what is known of a container itself.
const FACTS: [&str; 5] = ["image", "digest", "settings module", "Python", "Django"];

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The image, the settings module, a version.
    Fact,
    /// A variable.
    Variable,
    /// A file.
    File,
}

/// One of the two.
#[derive(Debug)]
pub struct Side {
    /// What it is given.
    pub configuration: Configuration,
    /// What it said of itself.
    pub versions: Option<Versions>,
}

/// What one side has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What may be shown of it.
    #[serde(flatten)]
    pub shown: Shown,
    /// Where it comes from; of facts nowhere.
    pub origin: Option<Origin>,
}

/// In which way they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Differs {
    /// The right side lacks it.
    OnlyLeft,
    /// The left side lacks it.
    OnlyRight,
    /// Both have it, and say something else.
    Value,
    /// One of them was not read.
    Unknown,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of what.
    pub kind: Kind,
    /// The name, or the path.
    pub name: String,
    /// In which way.
    pub differs: Differs,
    /// What the left side has.
    pub left: Option<Entry>,
    /// What the right side has.
    pub right: Option<Entry>,
}

impl Side {
    /// What is known of the container itself.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let [image, digest, settings_module, python, django] = FACTS;
        let mut facts = vec![(image, self.configuration.image.clone())];
        if let Some(versions) = &self.versions {
            let id = Some(&versions.image_id).filter(|id| !id.is_empty());
            let optional = [(digest, id), (settings_module, versions.settings.as_ref())];
            facts.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?.clone()))));
            facts.extend([(python, versions.python.clone()), (django, versions.django.clone())]);
        }
        facts
    }

    /// Whether the lack of a fact says that there is none.
    fn knows(&self, fact: &str) -> bool {
        let [image, digest, ..] = FACTS;
        let has_digest = self.versions.as_ref().is_some_and(|versions| !versions.image_id.is_empty());
        fact == image || self.versions.is_some() && (fact != digest || has_digest)
    }
}

/// What differs, by kind and name. Where something comes from is no difference: in another environment the same value may
/// well come from another Secret. `same_place` says that both are in one namespace, where what has not been read is the
/// same when it comes from the same.
pub fn differences(left: &Side, right: &Side, same_place: bool) -> Vec<Difference> {
    let mut found = facts(left, right);
    let (one, other) = (&left.configuration, &right.configuration);
    for (kind, one, other) in
        [(Kind::Variable, &one.variables, &other.variables), (Kind::File, &one.files, &other.files)]
    {
        let is_the_same = |given: &Given, others: &[Given]| {
            let unread = same_place && matches!(given.value, Value::Unread);
            unread && others.iter().any(|it| it.name == given.name && it.origin == given.origin)
        };
        let left: Vec<&Given> = one.iter().filter(|given| !is_the_same(given, other)).collect();
        let right: Vec<&Given> = other.iter().filter(|given| !is_the_same(given, one)).collect();
        found.extend(compare(kind, &left, &right));
    }
    found
}

/// What a container that cannot be asked does not tell is not known to be the same.
fn facts(left: &Side, right: &Side) -> Vec<Difference> {
    let entry = |text: &String| Entry { shown: Shown::Plain(text.clone()), origin: None };
    let of = |side: &Side, name: &str| side.facts().into_iter().find(|(of, _)| *of == name).map(|(_, text)| text);
    let differing = |name: &&'static str| {
        let (one, other) = (of(left, name), of(right, name));
        let is_known = left.knows(name) && right.knows(name);
        let differs = match (&one, &other) {
            _ if !is_known => Differs::Unknown,
            (Some(one), Some(other)) if one != other => Differs::Value,
            (Some(_), None) => Differs::OnlyLeft,
            (None, Some(_)) => Differs::OnlyRight,
            _ => return None,
        };
        let (left, right) = (one.as_ref().map(entry), other.as_ref().map(entry));
        Some(Difference { kind: Kind::Fact, name: (*name).to_owned(), differs, left, right })
    };
    FACTS.iter().filter_map(differing).collect()
}

fn compare(kind: Kind, left: &[&Given], right: &[&Given]) -> Vec<Difference> {
    let mut names = BTreeMap::<&str, (Vec<&Given>, Vec<&Given>)>::new();
    for given in left {
        names.entry(&given.name).or_default().0.push(given);
    }
    for given in right {
        names.entry(&given.name).or_default().1.push(given);
    }
    // What was not read may have any names in it.
    let is_incomplete = |given: &[&Given]| given.iter().any(|one| one.name.ends_with('*'));
    let incomplete = (is_incomplete(left), is_incomplete(right));
    let mut found = Vec::new();
    for (name, (of_left, of_right)) in names {
        // Several of one name are mounts of one path, or objects that were not read; they are paired as they come.
        for at in 0..of_left.len().max(of_right.len()) {
            let (one, other) = (of_left.get(at), of_right.get(at));
            let differs = match (one, other) {
                (Some(one), Some(other)) => match same(one, other) {
                    Some(true) => continue,
                    Some(false) => Differs::Value,
                    None => Differs::Unknown,
                },
                _ if name.ends_with('*') => Differs::Unknown,
                (Some(_), None) if incomplete.1 => Differs::Unknown,
                (None, _) if incomplete.0 => Differs::Unknown,
                (Some(_), None) => Differs::OnlyLeft,
                (None, _) => Differs::OnlyRight,
            };
            let entry = |given: &&Given| Entry { shown: shown(given), origin: Some(given.origin.clone()) };
            let (left, right) = (one.map(entry), other.map(entry));
            found.push(Difference { kind, name: name.to_owned(), differs, left, right });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(image: &str, variables: &[(&str, Option<&str>)], django: Option<&str>) -> Side {
        let given = |(name, value): &(&str, Option<&str>)| Given {
            name: (*name).to_owned(),
            origin: Origin::Literal,
            value: value.map_or(Value::Unread, |value| Value::Known(value.as_bytes().to_vec().into())),
            overrides: Vec::new(),
        };
        let configuration = Configuration {
            role: "web".to_owned(),
            workload: "deployment/web".to_owned(),
            container: "django".to_owned(),
            image: image.to_owned(),
            variables: variables.iter().map(given).collect(),
            files: Vec::new(),
            notes: Vec::new(),
        };
        let versions = django.map(|django| Versions {
            pod: "web-1".to_owned(),
            image_id: format!("{image}@sha256:1"),
            settings: None,
            python: "3.11".to_owned(),
            django: django.to_owned(),
        });
        Side { configuration, versions }
    }

    fn brief(left: &Side, right: &Side) -> Vec<(String, Differs)> {
        differences(left, right, false).into_iter().map(|it| (it.name, it.differs)).collect()
    }

    #[test]
    fn names_and_values_are_compared() {
        let left = side("shop:1", &[("A", Some("1")), ("B", Some("1")), ("C", Some("1"))], Some("5.1"));
        let right = side("shop:2", &[("A", Some("1")), ("B", Some("2")), ("D", Some("1"))], Some("5.2"));
        let expected = [
            ("image", Differs::Value),
            ("digest", Differs::Value),
            ("Django", Differs::Value),
            ("B", Differs::Value),
            ("C", Differs::OnlyLeft),
            ("D", Differs::OnlyRight),
        ];
        assert_eq!(brief(&left, &right), expected.map(|(name, differs)| (name.to_owned(), differs)));
        assert_eq!(brief(&left, &left), []);
    }

    #[test]
    fn what_was_not_read_is_not_said_to_be_the_same_or_another() {
        let left = side("shop:1", &[("A", Some("1")), ("*", None)], Some("5.2"));
        let right = side("shop:1", &[("B", Some("1"))], Some("5.2"));
        let expected = [("*", Differs::Unknown), ("A", Differs::OnlyLeft), ("B", Differs::Unknown)];
        assert_eq!(brief(&left, &right), expected.map(|(name, differs)| (name.to_owned(), differs)));
        // In one place it is the same Secret.
        let right = side("shop:1", &[("A", Some("1")), ("*", None)], Some("5.2"));
        assert_eq!(brief(&left, &right), [("*".to_owned(), Differs::Unknown)]);
        assert_eq!(differences(&left, &right, true), []);
    }

    #[test]
    fn containers_that_cannot_be_asked_are_not_said_to_be_the_same() {
        let (asked, not_asked) = (side("shop:latest", &[], Some("5.2")), side("shop:latest", &[], None));
        let expected =
            ["digest", "settings module", "Python", "Django"].map(|name| (name.to_owned(), Differs::Unknown));
        assert_eq!(brief(&asked, &not_asked), expected);
        assert_eq!(brief(&not_asked, &not_asked), expected);
        let mut without_digest = side("shop:latest", &[], Some("5.2"));
        if let Some(versions) = &mut without_digest.versions {
            versions.image_id = String::new();
            versions.settings = Some("shop.settings".to_owned());
        }
        let expected = [("digest", Differs::Unknown), ("settings module", Differs::OnlyRight)];
        assert_eq!(brief(&asked, &without_digest), expected.map(|(name, differs)| (name.to_owned(), differs)));
    }
}

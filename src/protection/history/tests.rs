use super::*;
use crate::protection::{journal::tests::entry, permit::tests::environment};

fn at(id: &str, minute: u8) -> Entry {
    Entry { when: format!("2026-07-30T10:{minute:02}:00Z").parse().unwrap(), ..entry(id, "pod/web-1") }
}

fn ended(entry: Entry) -> Entry {
    Entry { phase: Phase::End, exit: Some(3), milliseconds: Some(7), who: Some("ada@acme".into()), ..entry }
}

fn list(local: Vec<Entry>, cluster: Vec<Entry>) -> Vec<(String, Option<u8>, bool, bool)> {
    let merged = merge(&environment("prod", true), None, local, cluster);
    merged.into_iter().map(|it| (it.entry.id, it.entry.exit, it.local, it.cluster)).collect()
}

#[test]
fn each_change_is_one_oldest_first() {
    let local = vec![at("b", 2), ended(at("b", 2)), at("c", 3)];
    // In the cluster the order is anybody's guess.
    let cluster = vec![ended(at("a", 1)), ended(at("b", 2)), at("b", 2), at("a", 1)];
    let expected = [
        ("a".to_owned(), Some(3), false, true),
        ("b".to_owned(), Some(3), true, true),
        ("c".to_owned(), None, true, false),
    ];
    assert_eq!(list(local, cluster), expected);
}

#[test]
fn the_end_known_by_one_side_only_counts() {
    let merged = merge(&environment("prod", true), None, vec![at("a", 1)], vec![ended(at("a", 1))]);
    assert_eq!(merged[0].entry, ended(at("a", 1)));
    let merged = merge(&environment("prod", true), None, vec![ended(at("a", 1))], vec![at("a", 1)]);
    assert_eq!(merged[0].entry, ended(at("a", 1)));
}

#[test]
fn what_belongs_elsewhere_is_left_out() {
    let elsewhere = Entry { namespace: "other".into(), ..at("a", 1) };
    let other_cluster = Entry { context: "staging".into(), environment: "qa".into(), ..at("b", 1) };
    assert!(list(vec![elsewhere.clone(), other_cluster.clone()], vec![elsewhere]).is_empty());
    // A colleague's name for the context and the environment is another.
    assert_eq!(list(vec![], vec![other_cluster]).len(), 1);

    let mut tenant = environment("car1", true);
    tenant.instance = Some("car1".into());
    let of = |id: &str, instance: Option<&str>| Entry { instance: instance.map(str::to_owned), ..at(id, 1) };
    let merged = merge(&tenant, None, vec![of("a", Some("car1")), of("b", Some("car2")), of("c", None)], vec![]);
    assert_eq!(merged.iter().map(|it| it.entry.id.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn what_is_older_is_left_out() {
    let since = Some(at("x", 2).when);
    let merged = merge(&environment("prod", true), since, vec![at("a", 1), at("b", 2), at("c", 3)], vec![]);
    assert_eq!(merged.iter().map(|it| it.entry.id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
}

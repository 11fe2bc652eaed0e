use super::*;
use crate::protection::{journal::tests::entry, permit::tests::environment};

fn at(id: &str, minute: u8) -> Entry {
    Entry { when: format!("2026-07-30T10:{minute:02}:00Z").parse().unwrap(), ..entry(id, "pod/web-1") }
}

fn ended(entry: Entry) -> Entry {
    Entry { phase: Phase::End, exit: Some(3), milliseconds: Some(7), who: Some("ada@acme".into()), ..entry }
}

fn told(entries: Vec<Entry>) -> Vec<Told> {
    let written = |entry: &Entry| if entry.phase == Phase::End { second_after(entry.when) } else { entry.when };
    entries.into_iter().map(|entry| Told { written: written(&entry), by_job: false, entry }).collect()
}

fn second_after(time: Timestamp) -> Timestamp {
    time.checked_add(SignedDuration::from_secs(1)).unwrap()
}

fn list(local: Vec<Entry>, cluster: Vec<Entry>) -> Vec<(String, Option<u8>, bool, bool)> {
    let merged = merge(&environment("prod", true), None, local, told(cluster));
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
fn an_event_of_anybody_s_does_not_complete_the_user_s_own_record() {
    let environment = environment("prod", true);
    let forged = Entry { who: Some("mallory".into()), ..ended(at("a", 1)) };
    let merged = merge(&environment, None, vec![at("a", 1)], told(vec![forged]));
    assert_eq!((&merged[0].entry, merged[0].cluster), (&at("a", 1), true));
    let merged = merge(&environment, None, vec![ended(at("a", 1))], told(vec![at("a", 1)]));
    assert_eq!(merged[0].entry, ended(at("a", 1)));
}

#[test]
fn its_job_tells_how_it_ended() {
    let environment = environment("prod", true);
    let of_job = |object: &str| {
        let entry = Entry { exit: Some(0), who: None, object: Some(object.into()), ..ended(at("a", 1)) };
        vec![Told { written: entry.when, by_job: true, entry }]
    };
    let detached = Entry { exit: None, object: Some("job/run-1".into()), ..ended(at("a", 1)) };
    let begun = Entry { object: Some("job/run-1".into()), ..at("a", 1) };
    for (local, cluster, expected) in [
        (detached.clone(), of_job("job/run-1"), Some(0)),
        (begun, of_job("job/run-1"), Some(0)),
        (detached.clone(), of_job("job/other"), None),
        (Entry { exit: Some(7), ..detached }, of_job("job/run-1"), Some(7)),
    ] {
        let merged = merge(&environment, None, vec![local], cluster);
        assert_eq!((merged[0].entry.phase, merged[0].entry.exit), (Phase::End, expected));
    }
}

#[test]
fn of_others_changes_what_was_said_first_counts() {
    let first = Entry { command: vec!["true".into()], ..at("a", 1) };
    let later = Entry { command: vec!["false".into()], who: None, ..ended(at("a", 1)) };
    for cluster in [vec![first.clone(), later.clone()], vec![later, first]] {
        let merged = merge(&environment("prod", true), None, vec![], told(cluster));
        assert_eq!((merged[0].entry.command[0].as_str(), merged[0].entry.exit), ("true", Some(3)));
    }
}

#[test]
fn an_event_holds_its_own_record_and_is_not_of_tomorrow() {
    let written = at("a", 1).when;
    let by_event = |entry: Entry, id: &str, ended| Told::by_event(entry, id, ended, written);
    assert_eq!(by_event(at("a", 1), "b", false), None);
    assert_eq!(by_event(at("a", 1), "a", true), None);
    assert_eq!(by_event(at("a", 0), "a", false).unwrap().entry.when, at("a", 0).when);
    assert_eq!(by_event(at("a", 5), "a", false).unwrap().entry.when, written);
}

#[test]
fn an_event_that_claims_to_be_old_is_shown_as_well() {
    let old = Told { entry: at("a", 1), written: at("a", 9).when, by_job: false };
    let merged = merge(&environment("prod", true), Some(at("a", 5).when), vec![], vec![old]);
    assert_eq!(merged.len(), 1);
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

use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::*;
use crate::logs::{
    entry::Source,
    render::Clock,
    unit::{Line, Unit},
};

fn unit(second: i64, pod: &str, text: &str) -> Unit {
    let source = Source {
        environment: "qa".into(),
        role: "web".into(),
        pod: pod.into(),
        container: "django".into(),
        instance: 0,
        short: pod.into(),
    };
    let time = Timestamp::from_second(second).unwrap();
    let mut lines =
        text.lines().map(|text| Line { time, text: Bytes::copy_from_slice(text.as_bytes()), ..Line::default() });
    let first = lines.next().unwrap();
    let traceback = text.lines().position(|line| line.starts_with("Traceback"));
    Unit { source: Arc::new(source), first, rest: lines.collect(), traceback, continues: false }
}

fn traceback(message: &str, line: u32) -> String {
    format!(
        "Traceback (most recent call last):\n  File \"/app/orders/views.py\", line {line}, in post\n    pay()\n{message}"
    )
}

#[test]
fn numbers_and_ids_make_no_difference() {
    for (message, expected) in [
        ("order 17 failed", "order <n> failed"),
        ("task 3273046d-47c4-4d9b-a498-790544c3a7be of user_7", "task <id> of user_<n>"),
        ("task_3273046d-47c4-4d9b-a498-790544c3a7be, user_1234", "task_<id>, user_<n>"),
        ("user_1 after 150ms, 20261121", "user_<n> after <n>ms, <n>"),
        ("<Order object at 0x7f3a2b>", "<Order object at <id>>"),
        ("key d41d8cd98f00b204e9800998ecf8427e, 1.5 s", "key <id>, <n>.<n> s"),
        ("http2 utf8 café", "http<n> utf<n> café"),
        ("", ""),
    ] {
        assert_eq!(normalized(message), expected);
    }
    assert!(normalized(&"é".repeat(1000)).len() <= 512);
}

#[test]
fn the_same_exceptions_are_counted() {
    let mut groups = Groups::default();
    let mut add = |unit: &Unit| groups.add(&View::new(unit));
    assert!(add(&unit(10, "web-1", &traceback("shop.Boom: order 17 failed", 31))));
    assert!(!add(&unit(20, "web-2", &format!("ERROR: x\n{}", traceback("shop.Boom: order 18 failed", 31)))));
    let json = r#"{"message": "m", "exc_info": "Traceback (most recent call last):\n  File \"/app/orders/views.py\", line 31, in post\nshop.Boom: order 19 failed"}"#;
    assert!(!add(&unit(5, "web-1", json)));
    assert!(add(&unit(30, "web-1", &traceback("shop.Boom: order 17 failed", 99))), "another place");
    assert!(add(&unit(40, "web-1", &traceback("KeyError: 'k'", 31))), "another class");
    assert!(!add(&unit(50, "web-1", "no exception")));
    for (number, second) in [(17, 60), (18, 86_401)] {
        let json = format!(r#"{{"message": "m", "exception": "timeout after {number}"}}"#);
        assert_eq!(add(&unit(second, "web-1", &json)), number == 17, "no class, and the same message");
    }
    let mut clock = Clock::new(TimeZone::UTC);
    insta::assert_snapshot!(table(&groups, &mut clock, false), @"
    3× 1970-01-01 00:00:05 - 00:00:20 shop.Boom: order 17 failed (/app/orders/views.py:31 in post) web-1, web-2
    2× 1970-01-01 00:01:00 - 1970-01-02 00:00:01 timeout after 17 web-1
    1× 1970-01-01 00:00:30 shop.Boom: order 17 failed (/app/orders/views.py:99 in post) web-1
    1× 1970-01-01 00:00:40 KeyError: 'k' (/app/orders/views.py:31 in post) web-1
    ");
    assert!(table(&groups, &mut clock, true).contains("\n    Traceback (most recent call last):\n      File"));
    assert_eq!(super::json(&groups).lines().count(), 4);
    let first: serde_json::Value = serde_json::from_str(super::json(&groups).lines().next().unwrap()).unwrap();
    assert_eq!((&first["count"], &first["pattern"]), (&3.into(), &"order <n> failed".into()));
    let changed = groups.take_changed();
    assert_eq!((changed.len(), changed[0].count, changed[1].count), (2, 3, 2));
    assert!(groups.take_changed().is_empty());
}

#[test]
fn there_is_a_bound() {
    let mut groups = Groups::default();
    for number in 0..1500 {
        let long = "x".repeat(if number < 3 { 100_000 } else { 10 });
        let text = match number {
            0 => traceback(&format!("E{number}: {long}"), number),
            1 => traceback(&long, number),
            2 => traceback("E: m", number).replace("/app", &long),
            _ => traceback(&format!("E{number}: {long}"), number),
        };
        groups.add(&View::new(&unit(1, "web-1", &text)));
    }
    assert_eq!((groups.all().len(), groups.others()), (MOST_GROUPS, 500));
    assert!(groups.all().iter().all(|group| group.example.len() <= LONGEST_EXAMPLE && group.message.len() <= 1024));
    let keys = || groups.all().into_iter().map(|group| &group.key);
    assert!(keys().all(|key| [&key.class, &key.place, &key.message].iter().all(|text| text.len() <= LONGEST_NAME)));
    assert!(table(&groups, &mut Clock::new(TimeZone::UTC), false).ends_with("500 more, of other kinds\n"));
}

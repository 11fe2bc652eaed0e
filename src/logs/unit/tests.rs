use super::*;

fn source() -> Arc<Source> {
    let name = |text: &str| text.to_owned();
    Arc::new(Source {
        environment: name("qa"),
        role: name("web"),
        pod: name("web-7c9d-7k2xq"),
        container: name("django"),
        instance: 0,
        short: name("web-7k2xq"),
    })
}

/// An entry at so many microseconds.
fn entry(micros: i64, text: &str) -> Entry {
    let time = Timestamp::from_microsecond(1_800_000_000_000_000 + micros).unwrap();
    Entry { source: source(), time, line: Bytes::copy_from_slice(text.as_bytes()), partial: false }
}

/// The units of lines, each as its lines joined by `/`; what is handed on at the end stands behind `|`.
fn units(lines: &[(i64, &str)], patient: bool) -> Vec<String> {
    let mut assembler = Assembler::default();
    let mut units = Vec::new();
    let shown = |unit: &Unit| {
        let lines: Vec<_> = unit.lines().map(|line| std::str::from_utf8(&line.text).unwrap()).collect();
        let mark = if unit.continues { "+" } else { "" };
        let traceback = unit.traceback.map_or(String::new(), |at| format!("{at}!"));
        format!("{mark}{traceback}{}", lines.join("/"))
    };
    let now = Instant::now();
    for (time, text) in lines {
        assembler.take(entry(*time, text), now, patient, |unit| units.push(shown(&unit)));
    }
    units.extend(assembler.flush().map(|unit| format!("|{}", shown(&unit))));
    units
}

#[test]
fn a_record_and_its_traceback_are_one() {
    let celery =
        "[2026-11-21 16:00:17,976: ERROR/ForkPoolWorker-1] Task o.pay[3273046d-47c4] raised unexpected: Boom('x')";
    for patient in [true, false] {
        for record in
            [celery, "[2026-11-21 16:00:11 +0000] [7] [ERROR] Exception in worker process", "Internal Server Error: /x"]
        {
            let lines = [
                (0, record),
                (10, "Traceback (most recent call last):"),
                (20, "  File \"a.py\", line 1, in f"),
                (30, "Boom: x"),
                (40, "INFO: next"),
            ];
            let expected =
                format!("1!{record}/Traceback (most recent call last):/  File \"a.py\", line 1, in f/Boom: x");
            assert_eq!(units(&lines, patient)[0], expected);
        }
    }
}

#[test]
fn a_traceback_of_another_moment_or_behind_json_stands_alone() {
    let traceback = "Traceback (most recent call last):";
    assert_eq!(
        units(&[(0, "ERROR: x"), (90_000, traceback)], true),
        ["ERROR: x".to_owned(), format!("|0!{traceback}")]
    );
    assert_eq!(units(&[(0, "{\"a\":1}"), (9, traceback)], true), ["{\"a\":1}".to_owned(), format!("|0!{traceback}")]);
}

#[test]
fn lines_of_one_write_go_on_with_the_record() {
    let lines = [(0, "INFO: query"), (1, "  SELECT 1"), (2, "\tFROM x"), (3, "INFO: next"), (900_000, "  late")];
    assert_eq!(units(&lines, true), ["INFO: query/  SELECT 1/\tFROM x", "INFO: next", "|  late"]);
    assert_eq!(units(&lines, false), ["INFO: query", "+  SELECT 1", "+\tFROM x", "INFO: next", "  late"]);
}

#[test]
fn a_message_goes_on_for_as_long_as_it_is_one_write() {
    let lines = [
        (0, "Traceback (most recent call last):"),
        (1, "  File \"a.py\", line 1, in f"),
        (2, "ValueError: a"),
        (3, "b"),
        (90_000, "print of another moment"),
    ];
    let units = units(&lines, false);
    assert!(units[0].ends_with("ValueError: a/b"), "{units:?}");
    assert_eq!(units[1], "print of another moment");
}

#[test]
fn an_impatient_one_holds_nothing_but_what_announces_more() {
    assert_eq!(units(&[(0, "hello"), (1, "{\"level\":\"ERROR\"}")], false), ["hello", "{\"level\":\"ERROR\"}"]);
    assert_eq!(units(&[(0, "ERROR: x")], false), ["|ERROR: x"]);
}

#[test]
fn what_waits_is_handed_on_in_time() {
    let mut assembler = Assembler::default();
    let now = Instant::now();
    assert_eq!(assembler.due(), None);
    assembler.take(entry(0, "Traceback (most recent call last):"), now, false, |_| panic!("too early"));
    assert_eq!(assembler.due(), Some(now + PATIENCE));
    assert_eq!(assembler.flush().unwrap().traceback, Some(0));
    assert_eq!((assembler.due(), assembler.flush()), (None, None));
}

#[test]
fn an_endless_traceback_is_handed_on_in_parts() {
    let mut assembler = Assembler::default();
    let (mut units, mut most, now) = (Vec::new(), 0, Instant::now());
    assembler.take(entry(0, "Traceback (most recent call last):"), now, false, |unit| units.push(unit));
    let long = "  ".to_owned() + &"x".repeat(100_000);
    for number in 0..50_000 {
        let text = if number % 1000 == 0 { &long } else { "  File \"a.py\", line 1, in f" };
        assembler.take(entry(number, text), now, false, |unit| units.push(unit));
        most = most.max(assembler.open.as_ref().unwrap().unit.weight());
    }
    assert!(most < 2 * MOST_BYTES, "{most}");
    assert!(units.len() >= 12 && units[1..].iter().all(|unit| unit.continues && unit.traceback == Some(0)));
    let lines: usize = units.iter().chain(&assembler.flush()).map(|unit| unit.lines().count()).sum();
    assert_eq!(lines, 50_001);
}

#[test]
fn a_huge_line_is_a_unit_of_its_own() {
    let huge = "Traceback ".repeat(1_000_000);
    let lines = [(0, "Traceback (most recent call last):"), (1, huge.as_str()), (2, "INFO: next")];
    let units = units(&lines, true);
    assert_eq!(units.iter().map(String::len).max().unwrap(), huge.len() + "+0!".len());
    assert_eq!(units.len(), 3);
}

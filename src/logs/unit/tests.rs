use super::*;

pub fn source() -> Arc<Source> {
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

/// A line at so many microseconds.
fn line(micros: i64, text: &str) -> Line {
    let time = Timestamp::from_microsecond(1_800_000_000_000_000 + micros).unwrap();
    Line { time, is_timed: true, text: Bytes::copy_from_slice(text.as_bytes()), ..Line::default() }
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
        assembler.take(source(), line(*time, text), now, patient, |unit| units.push(shown(&unit)));
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
fn a_traceback_behind_a_line_that_has_none_stands_alone() {
    let traceback = ["Traceback (most recent call last):", "  File \"a.py\", line 1, in f", "KeyError: 'k'"];
    for (line, is_one) in [
        (r#"10.0.0.1 - - [21/Nov/2026:16:00:11 +0000] "GET /errors HTTP/1.1" 200 12"#, false),
        (r#"10.0.0.1 - - [21/Nov/2026:16:00:11 +0000] "GET / HTTP/1.1" 404 12"#, false),
        ("INFO: 0 errors found", false),
        ("hello", false),
        ("", false),
        ("WARNING shop.pay: cannot pay order 7", true),
        ("2026-11-21 16:00:11 [warning  ] cannot pay", true),
        ("[2026-11-21 16:00:17,976: INFO/ForkPoolWorker-1] Task o.pay[3273046d-47c4] retry: Retry in 3s: Boom()", true),
        ("Exception in thread Thread-1 (f):", true),
        ("Process ForkProcess-1:", true),
    ] {
        for patient in [true, false] {
            let lines = [(0, line), (2_000, traceback[0]), (2_010, traceback[1]), (2_020, traceback[2])];
            let whole = traceback.join("/");
            match is_one {
                true => assert_eq!(units(&lines, patient), [format!("|1!{line}/{whole}")]),
                false => assert_eq!(units(&lines, patient), [line.to_owned(), format!("|0!{whole}")]),
            }
        }
    }
}

#[test]
fn lines_of_one_time_are_one_write() {
    let another = "During handling of the above exception, another exception occurred:";
    let lines = ["Traceback (most recent call last):", "  File \"a.py\", line 1, in f", "ValueError: a", "second line"];
    let lines: Vec<(i64, &str)> =
        lines.iter().chain(&["", another, ""]).chain(&lines[..3]).map(|line| (0, *line)).collect();
    let text: Vec<_> = lines.iter().map(|(_, line)| *line).collect();
    assert_eq!(units(&lines, true), [format!("|0!{}", text.join("/"))]);
}

#[test]
fn a_stack_takes_nothing_that_comes_later() {
    let stack = "INFO m/Stack (most recent call last):/  File \"a.py\", line 1, in f/    g()";
    let mut lines: Vec<(i64, &str)> = stack.split('/').map(|line| (0, line)).collect();
    lines.extend([(10, "right behind"), (600_000_000, "ten minutes later")]);
    assert_eq!(units(&lines, true), [stack, "right behind", "|ten minutes later"]);
    let lines = [(0, "Traceback (most recent call last):"), (9, "KeyError"), (600_000_000, ""), (600_000_001, "  x")];
    assert_eq!(units(&lines, true), ["0!Traceback (most recent call last):/KeyError", "", "|  x"]);
}

#[test]
fn after_a_pause_of_the_network_the_traceback_goes_on() {
    let lines = ["ERROR: x", "Traceback (most recent call last):", "  File \"a.py\", line 1, in f", "KeyError: 'k'"];
    for pause in 0..lines.len() {
        let (mut assembler, mut units, now) = (Assembler::default(), Vec::new(), Instant::now());
        for (number, text) in lines.iter().enumerate() {
            assembler.take(source(), line(number as i64, text), now, false, |unit| units.push(unit));
            if number == pause {
                units.extend(assembler.flush());
            }
        }
        assembler.take(source(), line(50_000, "next"), now, false, |unit| units.push(unit));
        let parts: Vec<_> = units.iter().map(|unit| (unit.lines().count(), unit.continues, unit.traceback)).collect();
        let first = (pause + 1, false, (pause > 0).then_some(1));
        match 3 - pause {
            0 => assert_eq!(parts, [first, (1, false, None)]),
            rest => assert_eq!(parts, [first, (rest, true, Some(0)), (1, false, None)]),
        }
    }
}

#[test]
fn pieces_of_one_line_are_of_one_unit_or_go_on_with_it() {
    let mut assembler = Assembler::default();
    let (mut units, now) = (Vec::new(), Instant::now());
    for (micros, text, partial) in [(0, "INFO: a", true), (0, "b", true), (0, "c", false), (0, "d", false)] {
        let piece = Line { partial, ..line(micros, text) };
        assembler.take(source(), piece, now, false, |unit| units.push(unit));
    }
    let continues: Vec<bool> = units.iter().map(|unit| unit.continues).collect();
    assert_eq!(continues, [false, true, true, false]);
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
    assembler.take(source(), line(0, "Traceback (most recent call last):"), now, false, |_| panic!("too early"));
    assert_eq!(assembler.due(), Some(now + PATIENCE_WITHIN));
    for (text, patience) in [("  File \"t.py\", line 7, in f", PATIENCE_WITHIN), ("ValueError: a", PATIENCE)] {
        assembler.take(source(), line(0, text), now, false, |_| panic!("too early"));
        assert_eq!(assembler.due(), Some(now + patience), "{text}");
    }
    assert_eq!(assembler.flush().unwrap().traceback, Some(0));
    assert_eq!((assembler.due(), assembler.flush()), (None, None));
}

#[test]
fn an_endless_traceback_is_handed_on_in_parts() {
    let mut assembler = Assembler::default();
    let (mut units, mut most, now) = (Vec::new(), 0, Instant::now());
    assembler.take(source(), line(0, "Traceback (most recent call last):"), now, false, |unit| units.push(unit));
    let long = "  ".to_owned() + &"x".repeat(100_000);
    for number in 0..50_000 {
        let text = if number % 1000 == 0 { &long } else { "  File \"a.py\", line 1, in f" };
        assembler.take(source(), line(number, text), now, false, |unit| units.push(unit));
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

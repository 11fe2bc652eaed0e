use bytes::Bytes;
use jiff::tz::TimeZone;

use super::{
    super::{
        filter::Filter,
        render::{Json, TextOptions},
    },
    *,
};

fn source(pod: &str) -> Arc<Source> {
    Arc::new(Source {
        environment: "qa".into(),
        role: "web".into(),
        pod: format!("web-7c9d-{pod}"),
        container: "django".into(),
        instance: 0,
        short: pod.into(),
    })
}

/// An entry at so many milliseconds.
fn entry(source: &Arc<Source>, millis: i64, text: &str) -> Event {
    let time = Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap();
    let line = Bytes::copy_from_slice(text.as_bytes());
    Event::Entry(Entry { source: Arc::clone(source), time, line, partial: false })
}

fn text() -> Format {
    Format::Text(TextOptions {
        terminal: false,
        colored: false,
        prefix: true,
        timestamps: false,
        width: None,
        fields: None,
        highlight: Vec::new(),
    })
}

fn options() -> Options {
    Options {
        follow: true,
        stdin: false,
        by_time: true,
        filter: Filter::default(),
        group: false,
        format: text(),
        zone: TimeZone::UTC,
    }
}

/// All that came out: data as it is, what goes to stderr in brackets.
fn written(out: &mut Out) -> String {
    let piece = |piece: Piece| match piece {
        Piece::Data(data) => String::from_utf8(data).unwrap(),
        Piece::Status(text) => format!("[{text}]\n"),
        Piece::Warning(text) => format!("[warning: {text}]\n"),
    };
    out.take().into_iter().map(piece).collect()
}

fn later(now: Instant, millis: u64) -> Instant {
    now + Duration::from_millis(millis)
}

#[test]
fn a_traceback_is_not_interleaved_and_stands_where_it_began() {
    for follow in [true, false] {
        let (a, b, now) = (source("a"), source("b"), Instant::now());
        let mut pipeline = Pipeline::new(Options { follow, ..options() });
        let mut out = Out::default();
        pipeline.event(Event::Joined(a.clone()), now, &mut out);
        pipeline.event(Event::Joined(b.clone()), now, &mut out);
        for event in [
            entry(&a, 10, "Traceback (most recent call last):"),
            entry(&b, 11, "first of b"),
            entry(&a, 12, "  File \"a.py\", line 1, in f"),
            entry(&b, 9, "second of b, whose clock went back"),
            entry(&a, 13, "KeyError: 'k'"),
            entry(&a, 5_000, "INFO: last of a"),
        ] {
            pipeline.event(event, now, &mut out);
        }
        pipeline.event(Event::Left(b, "deleted".to_owned().into()), now, &mut out);
        pipeline.event(Event::Left(a, "deleted".to_owned().into()), now, &mut out);
        pipeline.tick(later(now, 1000), &mut out);
        let joined = if follow { "[+ a]\n[+ b]\n" } else { "" };
        assert_eq!(
            written(&mut out).strip_prefix(joined),
            Some(
                "a Traceback (most recent call last):\na   File \"a.py\", line 1, in f\na KeyError: 'k'\n\
             b first of b\nb second of b, whose clock went back\n[- b: deleted]\na INFO: last of a\n[- a: deleted]\n"
            ),
            "follow: {follow}"
        );
        assert_eq!(pipeline.counts(), Counts { lines: 6, shown: 6, gaps: 0 });
    }
}

#[test]
fn the_only_source_is_shown_at_once() {
    let (a, now) = (source("a"), Instant::now());
    let mut pipeline = Pipeline::new(options());
    let mut out = Out::default();
    pipeline.event(entry(&a, 0, "hello"), now, &mut out);
    assert_eq!(written(&mut out), "a hello\n");
    assert_eq!(pipeline.due(), None);
    // What may be followed by a traceback waits a little.
    pipeline.event(entry(&a, 1, "ERROR: x"), now, &mut out);
    let due = pipeline.due().unwrap();
    assert!(out.is_empty() && due <= later(now, 100));
    pipeline.tick(due, &mut out);
    assert_eq!(written(&mut out), "a ERROR: x\n");
}

#[test]
fn of_several_sources_nothing_waits_longer_than_the_hold_back() {
    let (a, b, now) = (source("a"), source("b"), Instant::now());
    let mut pipeline = Pipeline::new(options());
    let mut out = Out::default();
    pipeline.event(entry(&a, 0, "x"), now, &mut out);
    out.take();
    pipeline.event(Event::Joined(b), now, &mut out);
    out.take();
    pipeline.event(entry(&a, 1, "y"), now, &mut out);
    let mut clock = now;
    while out.is_empty() {
        clock = pipeline.due().unwrap();
        pipeline.tick(clock, &mut out);
    }
    assert_eq!(written(&mut out), "a y\n");
    assert!(clock <= later(now, 400), "{:?}", clock - now);
}

#[test]
fn arrival_is_an_order_too() {
    let (a, b, now) = (source("a"), source("b"), Instant::now());
    let mut pipeline = Pipeline::new(Options { by_time: false, ..options() });
    let mut out = Out::default();
    pipeline.event(entry(&a, 5, "x"), now, &mut out);
    pipeline.event(entry(&b, 1, "y"), now, &mut out);
    assert_eq!(written(&mut out), "a x\nb y\n");
}

#[test]
fn in_the_order_of_arrival_nothing_is_remembered() {
    let (a, b, now) = (source("a"), source("b"), Instant::now());
    let mut pipeline = Pipeline::new(Options { by_time: false, ..options() });
    for number in 0..100 {
        let mut out = Out::default();
        pipeline.event(entry(&a, number * 1_000, "ERROR: x"), now, &mut out);
        pipeline.event(entry(&b, number * 1_000, "ERROR: y"), now, &mut out);
        pipeline.tick(later(now, 200), &mut out);
        assert_eq!(written(&mut out), "a ERROR: x\nb ERROR: y\n");
    }
    assert_eq!((pipeline.order.remembered(), pipeline.due()), (0, None));
}

/// What comes of lines of stdin.
fn of_stdin(options: Options, lines: &[&str]) -> String {
    let (stdin, now) = (source("stdin"), Instant::now());
    let mut pipeline = Pipeline::new(Options { stdin: true, ..options });
    let mut out = Out::default();
    for (millis, line) in lines.iter().enumerate() {
        pipeline.event(entry(&stdin, millis as i64, line), now, &mut out);
    }
    pipeline.finish(now, &mut out);
    written(&mut out)
}

#[test]
fn stdin_is_shown_without_its_times_and_raw_with_them() {
    let lines =
        ["2026-11-21T12:00:00Z paid", "2026-11-21T12:00:01.5Z {\"level\":\"ERROR\",\"message\":\"m\"}", "plain"];
    assert_eq!(of_stdin(options(), &lines), "stdin paid\nstdin ERROR 12:00:01.500 m\nstdin plain\n");
    let raw = Options { format: Format::Raw, ..options() };
    assert_eq!(of_stdin(raw, &lines), lines.map(|line| format!("{line}\n")).concat());
    let json = of_stdin(Options { format: Format::Json(Json::default()), ..options() }, &lines);
    for (object, line) in json.lines().zip(lines) {
        assert_eq!(serde_json::from_str::<serde_json::Value>(object).unwrap()["line"], line);
    }
    let filter = Filter { since: Some("2026-11-21T12:00:01Z".parse().unwrap()), ..Filter::default() };
    assert_eq!(of_stdin(Options { filter, ..options() }, &lines).lines().count(), 2);
}

#[test]
fn without_times_only_what_looks_so_belongs_together() {
    let lines = [
        "ERROR: x",
        "Traceback (most recent call last):",
        "  File \"a.py\", line 1, in f",
        "KeyError: 'k'",
        "another line",
        "Traceback (most recent call last):",
        "KeyError: 'l'",
        "yet another",
    ];
    let filter = Filter { level: Some(crate::logs::Level::Error), ..Filter::default() };
    let shown = of_stdin(Options { filter, format: Format::Raw, ..options() }, &lines);
    let others = [lines[4], lines[7]];
    let expected: String = lines.iter().filter(|line| !others.contains(line)).map(|line| format!("{line}\n")).collect();
    assert_eq!(shown, expected);
    let groups = of_stdin(Options { group: true, ..options() }, &lines);
    assert!(groups.contains("KeyError: 'k'") && groups.contains("    KeyError: 'l'"), "{groups}");
}

#[test]
fn a_line_of_a_live_pipe_does_not_wait_for_the_next() {
    let (stdin, now) = (source("stdin"), Instant::now());
    let mut pipeline = Pipeline::new(Options { stdin: true, ..options() });
    let mut out = Out::default();
    pipeline.event(entry(&stdin, 0, "hello"), now, &mut out);
    assert_eq!(written(&mut out), "stdin hello\n");
    pipeline.event(entry(&stdin, 0, "ERROR: x"), now, &mut out);
    let due = pipeline.due().unwrap();
    pipeline.tick(due, &mut out);
    assert_eq!((written(&mut out), due <= later(now, 100)), ("stdin ERROR: x\n".into(), true));
}

#[test]
fn a_traceback_in_parts_is_counted_once() {
    let (a, now) = (source("a"), Instant::now());
    for follow in [true, false] {
        let mut pipeline = Pipeline::new(Options { follow, group: true, ..options() });
        let mut out = Out::default();
        for time in [0, 60_000] {
            pipeline.event(entry(&a, time, "Traceback (most recent call last):"), now, &mut out);
            for number in 0..4_500 {
                let frame = format!("  File \"/app/a{number}.py\", line 1, in f");
                pipeline.event(entry(&a, time + 1, &frame), now, &mut out);
            }
            pipeline.event(entry(&a, time + 2, "KeyError: 'k'"), now, &mut out);
        }
        let shown = written(&mut out);
        assert_eq!(shown.lines().count(), if follow { 4_502 } else { 0 });
        pipeline.finish(now, &mut out);
        assert!(written(&mut out).starts_with("2\u{d7} "), "follow: {follow}");
    }
}

#[test]
fn a_gap_and_an_end_are_told_in_their_place() {
    let (a, now) = (source("a"), Instant::now());
    let mut pipeline = Pipeline::new(options());
    let mut out = Out::default();
    pipeline.event(entry(&a, 0, "ERROR: held"), now, &mut out);
    let gap = Event::Gap {
        source: a.clone(),
        from: Some(Timestamp::from_second(1_800_000_000).unwrap()),
        to: Some(Timestamp::from_second(1_800_000_007).unwrap()),
        why: "rotated".into(),
    };
    pipeline.event(gap, now, &mut out);
    pipeline.event(entry(&a, 7_000, "next"), now, &mut out);
    pipeline.event(Event::Left(a, "deleted".to_owned().into()), now, &mut out);
    pipeline.event(Event::Note("a note".into()), now, &mut out);
    assert_eq!(
        written(&mut out),
        "a ERROR: held\n[warning: gap: lines of a after 08:00:00.000 before 08:00:07.000 may be lost: rotated]\na next\n\
         [- a: deleted]\n[warning: a note]\n"
    );
    assert_eq!(pipeline.counts().gaps, 1);
}

#[test]
fn what_goes_on_with_a_line_shares_its_fate() {
    let (a, now) = (source("a"), Instant::now());
    let filter = Filter { level: Some(crate::logs::Level::Warning), ..Filter::default() };
    let mut pipeline = Pipeline::new(Options { filter, ..options() });
    let mut out = Out::default();
    for (millis, text) in [(0, "INFO: query"), (1, "  of two lines"), (2, "WARNING: query"), (3, "  of two lines")] {
        pipeline.event(entry(&a, millis, text), now, &mut out);
    }
    pipeline.finish(now, &mut out);
    assert_eq!(written(&mut out), "a WARNING: query\na   of two lines\n");
}

#[test]
fn raw_is_what_was_written_byte_for_byte() {
    let (a, now) = (source("a"), Instant::now());
    let mut pipeline = Pipeline::new(Options { format: Format::Raw, ..options() });
    let mut out = Out::default();
    let bytes: &[u8] = b"\xff\0\x1b[2J\r";
    for (second, line, partial) in [
        (1, bytes, false),
        (1, b"", false),
        (2, b"first piece, ", true),
        (2, b"second piece, ", true),
        (2, b"last", false),
        (3, b"cut", true),
        (4, b"next", true),
    ] {
        let time = Timestamp::from_second(second).unwrap();
        let line = Bytes::copy_from_slice(line);
        pipeline.event(Event::Entry(Entry { source: a.clone(), time, line, partial }), now, &mut out);
    }
    pipeline.event(Event::Left(a, "ended".to_owned().into()), now, &mut out);
    pipeline.finish(now, &mut out);
    let Some(Piece::Data(data)) = out.take().into_iter().next() else { panic!("no data") };
    assert_eq!(data, b"\xff\0\x1b[2J\r\n\nfirst piece, second piece, last\ncut\nnext");
}

#[test]
fn groups_are_told_at_the_end_and_following_also_between() {
    let traceback = |order: i64| {
        ["Traceback (most recent call last):", "  File \"/app/a.py\", line 1, in f", &format!("Boom: order {order}")]
            .map(str::to_owned)
    };
    for follow in [true, false] {
        let (a, now) = (source("a"), Instant::now());
        let mut pipeline = Pipeline::new(Options { follow, group: true, ..options() });
        let mut out = Out::default();
        for order in 0..3 {
            for line in traceback(order) {
                pipeline.event(entry(&a, order * 1000, &line), now, &mut out);
            }
            pipeline.event(entry(&a, order * 1000 + 500, "something else"), now, &mut out);
        }
        pipeline.event(entry(&a, 9_000, "INFO: end"), now, &mut out);
        let shown = written(&mut out);
        let line = "3× 2027-01-15 08:00:00 - 08:00:02 Boom: order 0 (/app/a.py:1 in f) a\n";
        if follow {
            assert!(shown.starts_with("a Traceback") && shown.ends_with("a Boom: order 0\n"), "{shown}");
            pipeline.tick(pipeline.show.report.unwrap(), &mut out);
            assert_eq!(written(&mut out), line);
        } else {
            assert_eq!(shown, "");
        }
        pipeline.finish(now, &mut out);
        let end = written(&mut out);
        assert!(end.starts_with(line), "{end}");
        assert_eq!(end.contains("    Traceback"), !follow);
    }
}

#[test]
fn groups_in_json_are_objects_also_between() {
    let (a, now) = (source("a"), Instant::now());
    let format = Format::Json(Json::default());
    let mut pipeline = Pipeline::new(Options { group: true, format, ..options() });
    let mut out = Out::default();
    for number in 0..3 {
        let line = format!("{{\"message\": \"m\", \"exc_info\": \"Traceback\\nBoom: {number}\"}}");
        pipeline.event(entry(&a, number, &line), now, &mut out);
    }
    pipeline.tick(pipeline.show.report.unwrap(), &mut out);
    pipeline.finish(now, &mut out);
    let kinds: Vec<_> = written(&mut out)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|object| (object["kind"].as_str().unwrap().to_owned(), object["count"].as_u64()))
        .collect();
    let group = |count| ("group".to_owned(), Some(count));
    assert_eq!(kinds, [("exception".to_owned(), None), group(3), group(3)]);
}

#[test]
fn sources_come_and_go_without_a_trace() {
    let now = Instant::now();
    let mut pipeline = Pipeline::new(options());
    let mut out = Out::default();
    for number in 0..2_000 {
        let source = source(&number.to_string());
        pipeline.event(Event::Joined(source.clone()), now, &mut out);
        pipeline.event(entry(&source, number, "x"), now, &mut out);
        pipeline.event(Event::Left(source, "gone".to_owned().into()), now, &mut out);
        pipeline.tick(now, &mut out);
        out.take();
    }
    assert!(pipeline.states.len() < 3 && pipeline.places.is_empty());
    assert_eq!(pipeline.counts().shown, 2_000);
}

/// Every byte comes out that went in, each source's in its order, whatever is thrown at it.
#[test]
fn nothing_is_lost_doubled_or_turned_around() {
    let pieces = [
        "Traceback (most recent call last):",
        "  File \"a.py\", line 1, in f",
        "    pay()",
        "KeyError: 'k'",
        "",
        "During handling of the above exception, another exception occurred:",
        "  + Exception Group Traceback (most recent call last):",
        "  | x",
        "ERROR: x",
        "{\"message\": \"m\"}",
        "plain",
        "\tindented",
    ];
    for seed in 1..60_u64 {
        let mut state = seed;
        let mut thrown = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let (follow, by_time) = (thrown(2) == 0, thrown(3) > 0);
        let sources = [source("a"), source("b"), source("c")];
        let format = Format::Raw;
        let mut pipeline = Pipeline::new(Options { follow, by_time, format, ..options() });
        let (mut out, mut clock) = (Out::default(), Instant::now());
        let mut expected: [Vec<String>; 3] = Default::default();
        for number in 0..400_u64 {
            let which = thrown(3) as usize;
            let mark = ["a", "b", "c"][which];
            let text = format!("{}#{mark}#{number}", pieces[thrown(pieces.len() as u64) as usize]);
            // A mark at its end would hide the header.
            let text = match text.split_once("Traceback (most recent call last):") {
                Some((before, mark)) => format!("{before}{mark}#Traceback (most recent call last):"),
                None => text,
            };
            expected[which].push(text.clone());
            pipeline.event(entry(&sources[which], thrown(5_000) as i64, &text), clock, &mut out);
            clock += Duration::from_millis(thrown(120));
            if thrown(2) == 0 {
                pipeline.tick(clock, &mut out);
            }
        }
        pipeline.finish(clock, &mut out);
        let text = written(&mut out);
        for (mark, expected) in ["#a#", "#b#", "#c#"].iter().zip(&expected) {
            let found: Vec<&str> = text.lines().filter(|line| line.contains(mark)).collect();
            assert_eq!(found, *expected, "seed {seed}");
        }
        assert_eq!(text.lines().count(), 400);
    }
}

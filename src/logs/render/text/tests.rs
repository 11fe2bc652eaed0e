use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::logs::{entry::Source, unit::Unit};

fn options() -> TextOptions {
    TextOptions {
        terminal: false,
        colored: false,
        prefix: true,
        timestamps: false,
        width: None,
        fields: None,
        highlight: Vec::new(),
    }
}

fn shown(options: TextOptions, lines: &[&[u8]]) -> String {
    let line = |text: &&[u8]| Line {
        time: "2026-11-21T16:02:47.730123456Z".parse().unwrap(),
        text: Bytes::copy_from_slice(text),
        ..Line::default()
    };
    let source = Arc::new(Source {
        environment: "qa".into(),
        role: "web".into(),
        pod: "web-7c9d-7k2xq".into(),
        container: "django".into(),
        instance: 0,
        short: "web-7k2xq".into(),
    });
    let mut names = Names::default();
    names.add(&source);
    let traceback = lines.iter().position(|line| line.starts_with(b"Traceback"));
    let rest = lines[1..].iter().map(line).collect();
    let unit = Unit { source, first: line(&lines[0]), rest, traceback, continues: false };
    let mut out = Vec::new();
    Text::new(options, TimeZone::UTC).unit(&View::new(&unit), &names, &mut out);
    String::from_utf8_lossy(&out).replace('\x1b', "ESC")
}

const SHOP: &[u8] = br#"{"time": "2026-11-21 16:02:47,730", "level": "WARNING", "logger": "orders.tasks", "message": "low stock", "count": 2, "item": "red \"shoe\"", "task": null, "data": {"id": "3273"}}"#;

#[test]
fn json_lines_are_level_time_logger_message_and_fields() {
    assert_eq!(
        shown(options(), &[SHOP]),
        "web-7k2xq WARN  16:02:47.730 orders.tasks low stock count=2 item=\"red \\\"shoe\\\"\" data={\"id\": \"3273\"}\n"
    );
    let chosen = TextOptions { fields: Some(vec!["data.id".into(), "none".into()]), prefix: false, ..options() };
    assert_eq!(shown(chosen, &[SHOP]), "WARN  16:02:47.730 orders.tasks low stock data.id=3273\n");
    let stamped = TextOptions { timestamps: true, prefix: false, ..options() };
    assert_eq!(shown(stamped, &[br#"{"a": 1}"#]), "2026-11-21T16:02:47.730Z -     a=1\n");
}

#[test]
fn an_exception_in_json_is_shown_in_lines() {
    let line = br#"{"level": "ERROR", "message": "a\nb", "n": 1, "exc_info": "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'k'\n"}"#;
    insta::assert_snapshot!(shown(options(), &[line]), @r#"
    web-7k2xq ERROR 16:02:47.730 a n=1
    web-7k2xq b
    web-7k2xq Traceback (most recent call last):
    web-7k2xq   File "a.py", line 1, in f
    web-7k2xq KeyError: 'k'
    "#);
}

#[test]
fn plain_lines_are_as_they_are() {
    let stamped = TextOptions { timestamps: true, ..options() };
    assert_eq!(shown(stamped, &[b"ERROR: \x1b[2J\xff"]), "web-7k2xq 2026-11-21T16:02:47.730Z ERROR: ESC[2J\u{fffd}\n");
    assert_eq!(shown(options(), &[b""]), "web-7k2xq \n");
    assert_eq!(shown(options(), &[b"{not json}"]), "web-7k2xq {not json}\n");
}

#[test]
fn a_traceback_is_red_as_a_whole() {
    let colored = TextOptions { colored: true, prefix: false, ..options() };
    assert_eq!(
        shown(colored, &[b"Traceback (most recent call last):", b"KeyError: 'k'"]),
        "ESC[31mTraceback (most recent call last):ESC[0m\nESC[31mKeyError: 'k'ESC[0m\n"
    );
}

#[test]
fn a_colour_ends_with_its_line_wherever_it_goes() {
    let piped = TextOptions { colored: true, prefix: false, ..options() };
    assert_eq!(shown(piped, &[b"\x1b[31mred"]), "ESC[31mredESC[0m\n");
    assert_eq!(shown(TextOptions { prefix: false, ..options() }, &[b"\x1b[31mred"]), "ESC[31mred\n");
}

#[test]
fn what_a_record_says_makes_no_line_of_its_own() {
    let line = br#"{"logger": "a\nweb-1 fake", "message": "m\nn", "k": "v\nw", "x\ny": 1}"#;
    assert_eq!(
        shown(options(), &[line]),
        "web-7k2xq -     16:02:47.730 \"a\\nweb-1 fake\" m k=\"v\\nw\" \"x\\ny\"=1\nweb-7k2xq n\n"
    );
}

#[test]
fn a_terminal_gets_colours_and_nothing_else_it_obeys() {
    let terminal = TextOptions { terminal: true, colored: true, prefix: false, ..options() };
    assert_eq!(
        shown(terminal.clone(), &[b"\x1b[32mok\x1b]0;\rt\x07\r"]),
        "ESC[32mok\u{241b}]0;\u{240d}t\u{2407}ESC[0m\n"
    );
    let line = br#"{"level": "INFO", "message": "\u001b[2Ja\u0007", "k": "\u009b", "\u001b]0;": "x y"}"#;
    let shown_line = shown(terminal, &[line]).replace("ESC[0m", "").replace("ESC[2m", "").replace("ESC[32m", "");
    assert_eq!(shown_line, "INFO  16:02:47.730 \u{241b}[2Ja\u{2407} k=\u{fffd} \"\\u001b]0;\"=\"x y\"\n");
    let plain = TextOptions { terminal: true, prefix: false, ..options() };
    assert_eq!(shown(plain, &[b"\x1b[32mok\x1b[0m"]), "ok\n");
}

#[test]
fn matches_are_marked() {
    let marked =
        TextOptions { colored: true, prefix: false, highlight: vec![Regex::new("st.ck").unwrap()], ..options() };
    assert!(shown(marked.clone(), &[SHOP]).contains("low ESC[7mstockESC[27m"));
    assert_eq!(shown(marked, &[b"no stock"]), "no ESC[7mstockESC[27m\n");
}

#[test]
fn on_a_narrow_screen_names_are_short() {
    let narrow = TextOptions { width: Some(20), ..options() };
    assert_eq!(shown(narrow, &[b"x"]), "…b-7k2xq x\n");
}

#[test]
fn a_huge_line_is_cut_and_says_so() {
    let text = shown(options(), &[&vec![b'x'; 10 * 1024 * 1024]]);
    assert!(text.len() < LONGEST_LINE + 100);
    assert!(text.ends_with("x...[+9437184 bytes]\n"));
    let text = shown(options(), &[("xx".to_owned() + &"\u{20ac}".repeat(LONGEST_LINE)).as_bytes()]);
    assert!(text.contains("\u{20ac}...[+") && !text.contains('\u{fffd}'), "{}", &text[text.len() - 40..]);
}

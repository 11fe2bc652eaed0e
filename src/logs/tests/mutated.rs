//! Lines that nobody would write: what programs do write, changed at random. `KDJ_MUTATIONS` says how often.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;

/// How often, when nothing is said.
const MUTATIONS: usize = 5_000;

const LINES: [&[u8]; 22] = [
    br#"{"time": "2026-11-21 16:02:47,730", "level": "INFO", "logger": "orders.tasks", "message": "paid", "n": 2}"#,
    br#"{"levelname":"ERROR","message":"m","exc_info":"Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 1"}"#,
    br#"{"level": {"name": "INFO"}, "r": [NaN, -Infinity], "error": {"stack_trace": ["a\n", "b"]}, "data": {"id": "\ud83d\ude00"}}"#,
    br#"{"exception":[{"exc_type":"Boom","exc_value":"x","frames":[{"filename":"/app/a.py","lineno":3,"name":"f"}]}]}"#,
    br#"10.0.0.1 - anna [21/Nov/2026:16:00:11 +0000] "POST /pay HTTP/1.1" 503 - "https://x/" "Mozilla/5.0 (X11)""#,
    b"[2026-11-21 16:00:17,976: ERROR/ForkPoolWorker-1] Task o.t.pay[3273046d-47c4-4d9b] raised unexpected: V('x')",
    b"[2026-11-21 16:00:11 +0000] [007] [INFO] Booting worker with pid: 7",
    br#"[21/Nov/2026 16:00:11] "GET /orders/ HTTP/1.1" 500 145"#,
    b"\x1b[2m2026-11-21T16:00:11Z\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] \x1b[1mpaid\x1b[0m",
    b"2026-11-21 16:00:11.123 | DEBUG    | shop.orders:pay:12 - paid",
    b"INFO 2026-11-21 16:00:11,123 views 12 140213: paid",
    br#"time="2026-11-21T16:00:11Z" level=warning msg="slow" n=1"#,
    b"Internal Server Error: /orders/7/",
    b"/app/shop/urls.py:12: DeprecationWarning: use x",
    b"Traceback (most recent call last):",
    b"  File \"/app/a.py\", line 7, in f",
    b"> File \"/app/a.py\", line 7, in f",
    b"shop.errors.Boom: order 17 failed",
    b"During handling of the above exception, another exception occurred:",
    b"  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: many\n  +-+------ 1 ------\n    | E: x\n    +------",
    b"Stack (most recent call last):",
    "\u{9b}2J\u{202e}caf\u{e9} \u{1f469}\u{200d}\u{1f680}".as_bytes(),
];
const PIECES: [&[u8]; 20] = [
    b"\x1b[",
    b"\x1b]52;c;eA\x07",
    b"\x1b[38;5;208m",
    b"m",
    b"\0",
    b"\r",
    b"\xff",
    b"\xe2\x80",
    b"\n",
    b"{\"",
    b"\"}",
    b"\\",
    b"\\u",
    b"NaN",
    b"]",
    b"[",
    b": ",
    b"\" ",
    b"99999999999999999999",
    b" ERROR ",
];

/// Some lines, changed.
fn mutated(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=dice.below(4) {
        bytes.extend_from_slice(dice.one_of(&LINES));
        bytes.push(b'\n');
    }
    bytes.pop();
    for _ in 0..dice.below(6) {
        let at = dice.below(bytes.len() + 1);
        let to = (at + dice.below(24)).min(bytes.len());
        match dice.below(5) {
            0 => drop(bytes.splice(at..at, dice.one_of(&PIECES).iter().copied())),
            1 => drop(bytes.drain(at..to)),
            2 => bytes.extend_from_within(at..to),
            3 => bytes.truncate(at.max(1)),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
        }
    }
    bytes
}

/// What comes of the lines.
fn shown(options: Options, bytes: &[u8]) -> Vec<u8> {
    let (source, now) = (source("a"), Instant::now());
    let (mut pipeline, mut out) = (Pipeline::new(options), Out::default());
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        pipeline.event(entry(&source, number as i64, line), now, &mut out);
    }
    pipeline.finish(now, &mut out);
    written(&mut out)
}

/// Nothing but text, lines and the colours of `text`.
fn is_harmless(shown: &[u8], colored: bool) -> bool {
    let Ok(mut rest) = std::str::from_utf8(shown) else { return false };
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\n' && c != '\t') {
        let Some(parameters) = rest[at..].strip_prefix("\x1b[").filter(|_| colored) else { return false };
        let behind = parameters.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';' || c == ':');
        let Some(behind) = behind.strip_prefix('m') else { return false };
        rest = behind;
    }
    true
}

#[test]
fn whatever_comes_is_kept_and_harmless() {
    let mutations = std::env::var("KDJ_MUTATIONS").map_or(MUTATIONS, |number| number.parse().unwrap());
    let regexes = [regex("-H", "o.*?r|x*").unwrap()];
    let text = |colored| {
        let highlight = regexes.to_vec();
        let (terminal, prefix, timestamps) = (true, true, false);
        Format::Text(TextOptions { terminal, colored, prefix, timestamps, width: None, fields: None, highlight })
    };
    let json = || Json { fields: None, request_fields: vec!["data.id".into()], task_fields: vec!["task_id".into()] };
    let mut dice = Dice(20_261_121);
    for number in 0..mutations {
        let bytes = mutated(&mut dice);
        let follow = dice.below(2) == 0;
        let context = || format!("mutation {number}: {:?}", String::from_utf8_lossy(&bytes));
        let mut whole = bytes.clone();
        whole.push(b'\n');
        assert_eq!(shown(options(follow, Format::Raw), &bytes), whole, "{}", context());
        let stdin = Options { stdin: true, ..options(true, Format::Raw) };
        assert_eq!(shown(stdin, &bytes), whole, "{}", context());

        let colored = dice.below(2) == 0;
        let group = dice.below(8) == 0;
        let seen = shown(Options { group, ..options(follow, text(colored)) }, &bytes);
        assert!(is_harmless(&seen, colored), "{}\n{:?}", context(), String::from_utf8_lossy(&seen));

        let mut kept = Vec::new();
        for object in shown(options(follow, Format::Json(json())), &bytes).split(|byte| *byte == b'\n') {
            if object.is_empty() {
                continue;
            }
            let object: serde_json::Value = serde_json::from_slice(object).unwrap_or_else(|_| panic!("{}", context()));
            match object["line"].as_str() {
                Some(line) => kept.extend_from_slice(line.as_bytes()),
                None => kept.extend(STANDARD.decode(object["line_base64"].as_str().unwrap()).unwrap()),
            }
            kept.push(b'\n');
        }
        assert_eq!(kept, whole, "{}", context());
    }
}

//! Units as JSON, one object per line, for programs. `docs/logs.md` describes the shape.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use memchr::memmem;
use serde_json::json;

use super::super::{entry::Source, filter, record::Value, view::View};

/// The version of the shape; it grows when a field changes its meaning.
pub const SHAPE: u32 = 1;

/// Shows units as JSON.
#[derive(Clone, Debug, Default)]
pub struct Json {
    /// The fields to show; all, where nothing is said.
    pub fields: Option<Vec<String>>,
    /// Where the id of a request stands.
    pub request_fields: Vec<String>,
    /// Where the id of a task stands.
    pub task_fields: Vec<String>,
}

impl Json {
    /// Writes a unit.
    pub fn unit(&self, view: &View<'_>, out: &mut Vec<u8>) {
        let unit = view.unit;
        begin(if view.is_exception() { "exception" } else { "line" }, &unit.source, out);
        member("time", Some(&rfc3339(unit.first.time)), out);
        member("level", view.level().map(|level| level.name()), out);
        if let Some(record) = view.record() {
            member("app_time", record.time.as_deref(), out);
            member("logger", record.logger.as_deref(), out);
            member("message", Some(&record.message), out);
            member("request", filter::id_of(record, &self.request_fields).as_deref(), out);
            let task = super::super::known::task(&record.message).map(|task| task.id.to_owned());
            let task = task.or_else(|| filter::id_of(record, &self.task_fields).map(|id| id.into_owned()));
            member("task", task.as_deref(), out);
            out.extend_from_slice(b",\"fields\":{");
            let mut first = true;
            let mut field = |name: &str, value: &Value<'_>, out: &mut Vec<u8>| {
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                string(name, out);
                out.push(b':');
                match value {
                    Value::Text(text) => string(text, out),
                    Value::Json(json) if is_readable(json) => out.extend_from_slice(json.as_bytes()),
                    Value::Json(json) => string(json, out),
                }
            };
            match &self.fields {
                None => record.fields.iter().for_each(|(name, value)| field(name, value, out)),
                Some(paths) => {
                    for path in paths {
                        if let Some(value) = record.field(path) {
                            field(path, &value, out);
                        }
                    }
                }
            }
            out.push(b'}');
        }
        member("exception", view.exception().as_deref(), out);
        let text = view.written();
        match std::str::from_utf8(&text) {
            Ok(text) => member("line", Some(text), out),
            Err(_) => member("line_base64", Some(&STANDARD.encode(&text)), out),
        }
        if unit.rest.last().unwrap_or(&unit.first).partial {
            out.extend_from_slice(b",\"partial\":true");
        }
        if unit.continues {
            out.extend_from_slice(b",\"continues\":true");
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Writes that lines are lost.
pub fn gap(source: &Source, from: Option<Timestamp>, to: Option<Timestamp>, why: &str, out: &mut Vec<u8>) {
    begin("gap", source, out);
    member("from", from.map(rfc3339).as_deref(), out);
    member("to", to.map(rfc3339).as_deref(), out);
    member("why", Some(why), out);
    out.extend_from_slice(b"}\n");
}

/// What every object begins with.
fn begin(kind: &str, source: &Source, out: &mut Vec<u8>) {
    let Source { environment, role, pod, container, instance, .. } = source;
    let _ = write!(out, "{{\"version\":{SHAPE},\"kind\":\"{kind}\"");
    for (name, value) in [("environment", environment), ("role", role), ("pod", pod), ("container", container)] {
        member(name, Some(value), out);
    }
    let _ = write!(out, ",\"instance\":{}", json!(instance));
}

fn member(name: &str, value: Option<&str>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        string(value, out);
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// Whether every program can read it: half a surrogate pair (`"\\ud83d"`), which Python writes, is no character.
fn is_readable(json: &str) -> bool {
    memmem::find(json.as_bytes(), b"\\u").is_none() || serde_json::from_str::<serde_json::Value>(json).is_ok()
}

/// UTC, to the nanosecond.
fn rfc3339(time: Timestamp) -> String {
    format!("{time:.9}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::logs::unit::{Line, Unit};

    fn source() -> Source {
        Source {
            environment: "qa".into(),
            role: "web".into(),
            pod: "web-7c9d-7k2xq".into(),
            container: "django".into(),
            instance: 2,
            short: "web-7k2xq".into(),
        }
    }

    fn shown(json: &Json, lines: &[&[u8]]) -> serde_json::Value {
        let line = |text: &&[u8]| Line {
            time: "2026-11-21T16:02:47.7Z".parse().unwrap(),
            text: Bytes::copy_from_slice(text),
            ..Line::default()
        };
        let rest: Vec<Line> = lines[1..].iter().map(line).collect();
        let traceback = lines.iter().position(|line| line.starts_with(b"Traceback"));
        let unit = Unit { source: Arc::new(source()), first: line(&lines[0]), rest, traceback, continues: false };
        let mut out = Vec::new();
        json.unit(&View::new(&unit), &mut out);
        assert_eq!(out.last(), Some(&b'\n'));
        assert_eq!(memchr::memchr_iter(b'\n', &out).count(), 1);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn everything_that_is_known_stands_there() {
        let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let json = Json { fields: None, request_fields: fields(&["request_id"]), task_fields: fields(&["data.id"]) };
        let line = br#"{"time": "t", "level": "INFO", "logger": "l", "message": "m", "n": 1.50, "request_id": "r", "data": {"id": "t-1"}}"#;
        assert_eq!(
            shown(&json, &[line]),
            json!({
                "version": 1, "kind": "line", "environment": "qa", "role": "web", "pod": "web-7c9d-7k2xq",
                "container": "django", "instance": 2, "time": "2026-11-21T16:02:47.700000000Z", "level": "info",
                "app_time": "t", "logger": "l", "message": "m", "request": "r", "task": "t-1",
                "fields": {"n": 1.50, "request_id": "r", "data": {"id": "t-1"}},
                "line": std::str::from_utf8(line).unwrap(),
            })
        );
    }

    #[test]
    fn chosen_fields_only() {
        let names = ["data.id", "data.in.n", "data.in", "n", "none", "data.none"];
        let json = Json { fields: Some(names.map(str::to_owned).to_vec()), ..Json::default() };
        let line = br#"{"message": "m", "n": 1, "o": 2, "data": {"id": "t-1", "in": {"n": 1.50}}}"#;
        let fields = json!({"data.id": "t-1", "data.in.n": 1.50, "data.in": {"n": 1.50}, "n": 1});
        assert_eq!(shown(&json, &[line])["fields"], fields);
    }

    #[test]
    fn half_a_character_is_text() {
        let line = br#"{"a": ["\ud83d\ude00"], "b": ["\ude00"]}"#;
        let shown = shown(&Json::default(), &[line]);
        assert_eq!(shown["fields"], json!({"a": ["\u{1f600}"], "b": r#"["\ude00"]"#}));
    }

    #[test]
    fn a_traceback_is_one_object() {
        let shown = shown(&Json::default(), &[b"ERROR: x", b"Traceback (most recent call last):", b"KeyError: 'k'"]);
        assert_eq!(shown["kind"], "exception");
        assert_eq!(shown["message"], "x");
        assert_eq!(shown["exception"], "Traceback (most recent call last):\nKeyError: 'k'");
        assert_eq!(shown["line"], "ERROR: x\nTraceback (most recent call last):\nKeyError: 'k'");
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let odd = b"a\xff\0\r\x1b[2J";
        let bytes = shown(&Json::default(), &[odd])["line_base64"].as_str().map(|text| STANDARD.decode(text).unwrap());
        assert_eq!(bytes.as_deref(), Some(&odd[..]));
        let text = "a\0\r\u{1b}[2J\u{2028}é";
        assert_eq!(shown(&Json::default(), &[text.as_bytes()])["line"], text);
    }

    #[test]
    fn whatever_is_thrown_at_it_is_an_object_with_the_line() {
        let pieces: [&[u8]; 26] = [
            b"{\"",
            b"\"}",
            b"{",
            b"}",
            b"\":",
            b",\"",
            b"level",
            b"message",
            b"exc_info",
            b"\\u00e9",
            b"\\",
            b"\xff",
            b"[",
            b"]",
            b"2026-11-21 16:00:11,123",
            b" ERROR ",
            b"INFO:",
            b"Task a.b[12345678] x",
            b" - - [21/Nov/2026:16:00:11 +0000] \"",
            b"GET / HTTP/1.1\" 200",
            "\u{e9}".as_bytes(),
            b"1e999",
            b"null",
            b"[007]",
            b"{\"a\": NaN",
            b"Traceback (most recent call last):",
        ];
        let mut seed = 11_u64;
        for _ in 0..4_000 {
            let mut line = Vec::new();
            for _ in 0..12 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                line.extend_from_slice(pieces[(seed % 26) as usize]);
            }
            let shown = shown(&Json::default(), &[&line]);
            let kept = match shown.get("line_base64") {
                Some(text) => STANDARD.decode(text.as_str().unwrap()).unwrap(),
                None => shown["line"].as_str().unwrap().as_bytes().to_vec(),
            };
            assert_eq!(kept, line);
        }
    }

    #[test]
    fn a_gap_says_from_when_to_when() {
        let mut out = Vec::new();
        gap(&source(), Some("2026-11-21T16:02:47Z".parse().unwrap()), None, "rotation", &mut out);
        let shown: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&shown["kind"], &shown["from"]), (&json!("gap"), &json!("2026-11-21T16:02:47.000000000Z")));
        assert_eq!((shown.get("to"), &shown["why"]), (None, &json!("rotation")));
    }
}

//! Lines that are JSON objects, as python-json-logger, structlog, jslog4kube and others write them.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    exception,
    record::{Level, Record, Value},
};

/// The object of a line, or nothing when it is no JSON object.
pub fn parse(line: &str) -> Option<Record<'_>> {
    let text = line.trim_ascii();
    if !text.starts_with('{') || !text.ends_with('}') {
        return None;
    }
    let Members(members) = serde_json::from_str(text).ok()?;
    Some(record(members))
}

/// What stands at `path` in a JSON object: `id`, `request.id`. Text of a string, JSON of all else.
pub fn inner(json: &str, path: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    let mut value = &value;
    for name in path.split('.') {
        value = value.get(name)?;
    }
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// What a member is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Level,
    Time,
    Logger,
    Message,
    Exception,
}

/// What a member of this name is for, and how surely: the lowest number wins, the others stay fields.
fn part(name: &str) -> Option<(Part, u8)> {
    Some(match name {
        "level" => (Part::Level, 0),
        "levelname" => (Part::Level, 1),
        "severity" | "log.level" | "log_level" | "loglevel" | "lvl" => (Part::Level, 2),
        "levelno" => (Part::Level, 3),
        "time" => (Part::Time, 0),
        "timestamp" | "@timestamp" | "asctime" => (Part::Time, 1),
        "ts" | "datetime" => (Part::Time, 2),
        "logger" => (Part::Logger, 0),
        "logger_name" | "log.logger" | "loggerName" => (Part::Logger, 1),
        "name" => (Part::Logger, 2),
        "message" => (Part::Message, 0),
        "msg" => (Part::Message, 1),
        "event" => (Part::Message, 2),
        "exc_info" => (Part::Exception, 0),
        "exception" | "exc_text" | "error.stack_trace" => (Part::Exception, 1),
        "traceback" | "stack_trace" | "stacktrace" => (Part::Exception, 2),
        _ => return None,
    })
}

fn record<'a>(members: Vec<(Cow<'a, str>, Value<'a>)>) -> Record<'a> {
    let mut record = Record { json: true, ..Record::default() };
    // The best member for each part, by its place.
    let mut best: [Option<(u8, usize)>; 5] = [None; 5];
    for (place, (name, value)) in members.iter().enumerate() {
        let Some((part, rank)) = part(name) else { continue };
        let fits = match part {
            Part::Level => level(value).is_some(),
            Part::Exception => {
                !matches!(value, Value::Json(json) if !json.starts_with('[')) && !value.text().is_empty()
            }
            Part::Logger => matches!(value, Value::Text(_)),
            Part::Time | Part::Message => *value != Value::Json("null"),
        };
        let slot = &mut best[part as usize];
        if fits && slot.is_none_or(|(other, _)| rank < other) {
            *slot = Some((rank, place));
        }
    }
    for (place, (name, value)) in members.into_iter().enumerate() {
        let chosen = |part: Part| best[part as usize].is_some_and(|(_, chosen)| chosen == place);
        match () {
            () if chosen(Part::Level) => record.level = level(&value),
            () if chosen(Part::Time) => record.time = Some(text(value)),
            () if chosen(Part::Logger) => record.logger = Some(text(value)),
            () if chosen(Part::Message) => record.message = text(value),
            () if chosen(Part::Exception) => match value {
                Value::Text(text) => record.exception = Some(text),
                Value::Json(json) => match exception::of_frames(json) {
                    Some(text) => record.exception = Some(Cow::Owned(text)),
                    None => record.fields.push((name, value)),
                },
            },
            () => record.fields.push((name, value)),
        }
    }
    record
}

fn text<'a>(value: Value<'a>) -> Cow<'a, str> {
    match value {
        Value::Text(text) => text,
        Value::Json(json) => Cow::Borrowed(json),
    }
}

fn level(value: &Value<'_>) -> Option<Level> {
    match value {
        Value::Text(word) => Level::of_word(word),
        Value::Json(number) => Level::of_number(number.parse().ok()?),
    }
}

/// The members of an object in their order, each value as it stands there.
struct Members<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// A name, borrowed where it has no escape.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((Name(name), raw)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, value(raw.get())));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A value of valid JSON. A string that is no text, for half a surrogate pair, stays JSON.
fn value(raw: &str) -> Value<'_> {
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Value::Json(raw);
    };
    if !inner.contains('\\') {
        return Value::Text(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(raw).map_or(Value::Json(raw), |text| Value::Text(Cow::Owned(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_loggers_are_understood() {
        let shop = r#"{"time": "2026-11-21 16:02:47,730", "level": "INFO", "logger": "orders.tasks", "message": "open orders counted", "count": 2}"#;
        let record = parse(shop).unwrap();
        assert_eq!(
            (record.level, record.logger.as_deref(), &*record.message),
            (Some(Level::Info), Some("orders.tasks"), "open orders counted")
        );
        assert_eq!(record.time.as_deref(), Some("2026-11-21 16:02:47,730"));
        assert_eq!(record.fields, [("count".into(), Value::Json("2"))]);

        let structlog =
            r#"{"event": "paid", "level": "warning", "timestamp": "2026-11-21T16:02:47Z", "order": "a\"b"}"#;
        let record = parse(structlog).unwrap();
        assert_eq!((record.level, &*record.message), (Some(Level::Warning), "paid"));
        assert_eq!(record.fields, [("order".into(), Value::Text("a\"b".into()))]);

        let jslog4kube = r#"{"asctime":"x","levelname":"ERROR","name":"django.request","message":"m","exc_info":"Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'k'"}"#;
        let record = parse(jslog4kube).unwrap();
        assert_eq!((record.level, record.logger.as_deref()), (Some(Level::Error), Some("django.request")));
        assert!(record.exception.unwrap().ends_with("KeyError: 'k'"));
        assert!(record.fields.is_empty());
    }

    #[test]
    fn what_stands_beside_is_kept_as_it_is() {
        let line = r#"{"message":"m","event":"e","name":"n","logger":"l","level":"odd","n":1.50e400,"o":{"a": [1, 2]},"exc_info":true,"x":null,"x":2}"#;
        let record = parse(line).unwrap();
        let fields: Vec<_> = record.fields.iter().map(|(name, value)| format!("{name}={}", value.text())).collect();
        assert_eq!(
            fields,
            ["event=e", "name=n", "level=odd", "n=1.50e400", "o={\"a\": [1, 2]}", "exc_info=true", "x=null", "x=2"]
        );
        assert_eq!(record.level, None);
    }

    #[test]
    fn numbers_are_python_s_levels() {
        assert_eq!(parse(r#"{"level":30,"msg":"m"}"#).unwrap().level, Some(Level::Warning));
        assert_eq!(parse(r#"{"level":30.5,"msg":"m"}"#).unwrap().level, None);
    }

    #[test]
    fn what_is_no_object_is_none() {
        for line in ["", "{", "{}x", "[1]", "{'a': 1}", "{\"a\": 1", "null", "{\"a\":\"\u{1}\"}"] {
            assert_eq!(parse(line), None, "{line}");
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parse(&deep).and_then(|record| record.field("a.b").map(Cow::into_owned)), None);
        assert!(parse("{}").is_some());
        assert_eq!(parse(r#"{"message":"\ud800"}"#).unwrap().message, r#""\ud800""#);
    }

    #[test]
    fn fields_are_found_by_their_path() {
        let line = r#"{"data": {"id": "3273046d", "n": {"x": 1}}, "a.b": "c"}"#;
        let record = parse(line).unwrap();
        assert_eq!(record.field("data.id").as_deref(), Some("3273046d"));
        assert_eq!(record.field("data.n.x").as_deref(), Some("1"));
        assert_eq!(record.field("a.b").as_deref(), Some("c"));
        assert_eq!(record.field("data.none"), None);
    }
}

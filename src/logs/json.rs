//! Lines that are JSON objects, as python-json-logger, structlog, jslog4kube and others write them.

#[cfg(test)]
mod tests;

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
    let members = serde_json::from_str(text).map(|Members(members)| members).ok().or_else(|| of_python(text))?;
    Some(record(members))
}

/// The members of an object with Python's `NaN` and `Infinity`, which are no JSON: a value that has them is text.
fn of_python(text: &str) -> Option<Vec<(Cow<'_, str>, Value<'_>)>> {
    let replaced = with_numbers(text)?;
    let Members(members) = serde_json::from_str(&replaced).ok()?;
    // Both are of one length: what stands at a place of the one stands there in the other.
    let original = |part: &str| {
        let at = part.as_ptr() as usize - replaced.as_ptr() as usize;
        text.get(at..at + part.len()).unwrap_or_default()
    };
    let borrowed = |part: Cow<'_, str>| match part {
        Cow::Borrowed(part) => Cow::Borrowed(original(part)),
        Cow::Owned(part) => Cow::Owned(part),
    };
    let value = |value: Value<'_>| match value {
        Value::Text(text) => Value::Text(borrowed(text)),
        Value::Json(json) if json == original(json) => Value::Json(original(json)),
        Value::Json(json) => Value::Text(Cow::Borrowed(original(json))),
    };
    Some(members.into_iter().map(|(name, it)| (borrowed(name), value(it))).collect())
}

/// The text with numbers of the same length in the place of `NaN` and `Infinity`, if there are any.
fn with_numbers(text: &str) -> Option<String> {
    const WORDS: [(&[u8], &[u8]); 2] = [(b"NaN", b"0e0"), (b"Infinity", b"0.000000")];
    let mut bytes = text.as_bytes().to_vec();
    let (mut at, mut is_string, mut found) = (0, false, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if is_string => at += 1,
            b'"' => is_string = !is_string,
            b'N' | b'I' if !is_string => {
                let (word, number) = WORDS.iter().find(|(word, _)| bytes[at..].starts_with(word))?;
                bytes[at..at + word.len()].copy_from_slice(number);
                found = true;
            }
            _ => {}
        }
        at += 1;
    }
    String::from_utf8(bytes).ok().filter(|_| found)
}

/// What stands at `path` among members: `id`, `request.id`, where `request` is an object.
pub fn member<'a>(members: &[(Cow<'a, str>, Value<'a>)], path: &str) -> Option<Value<'a>> {
    if let Some((_, value)) = members.iter().find(|(name, _)| name == path) {
        return Some(value.clone());
    }
    let (outer, inner) = path.split_once('.')?;
    let (_, Value::Json(json)) = members.iter().find(|(name, _)| name == outer)? else { return None };
    let Members(members) = serde_json::from_str(json).ok()?;
    member(&members, inner)
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
    let mut record = Record::default();
    // The best member for each part, by its place.
    let mut best: [Option<(u8, usize)>; 5] = [None; 5];
    for (place, (name, value)) in members.iter().enumerate() {
        let Some((part, rank)) = part(name) else { continue };
        let fits = match part {
            Part::Level => level(value).is_some(),
            Part::Exception => exception(value).is_some(),
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
            () if chosen(Part::Time) => record.time = Some(value.into_text()),
            () if chosen(Part::Logger) => record.logger = Some(value.into_text()),
            () if chosen(Part::Message) => record.message = value.into_text(),
            () if chosen(Part::Exception) => match exception(&value) {
                Some(text) => record.exception = Some(text),
                None => record.fields.push((name, value)),
            },
            () => record.fields.push((name, value)),
        }
    }
    // Elastic's names, as objects; they stay fields.
    record.level = record.level.or_else(|| level(&record.field("log.level")?));
    record.logger = record.logger.or_else(|| Some(member(&record.fields, "log.logger")?.into_text()));
    record.exception = record.exception.or_else(|| exception(&member(&record.fields, "error.stack_trace")?));
    if record.exception.is_none() {
        split_message(&mut record);
    }
    record
}

/// The traceback that a value holds: a text, the lines of one, or frames.
fn exception<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    match value {
        // What `logger.exception` has to say where there is none.
        Value::Text(text) if text.is_empty() || text.starts_with("NoneType: None") => None,
        Value::Text(text) => Some(text.clone()),
        Value::Json(json) => {
            let lines = || serde_json::from_str::<Vec<String>>(json).ok().filter(|lines| !lines.is_empty());
            let text = lines().map(|lines| lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect());
            text.or_else(|| exception::of_frames(json)).map(Cow::Owned)
        }
    }
}

/// Takes a traceback out of the message.
fn split_message(record: &mut Record<'_>) {
    let header = b"\nTraceback (most recent call last):\n";
    // Most messages are of one line.
    let has_lines = memchr::memchr(b'\n', record.message.as_bytes()).is_some();
    let Some(at) = has_lines.then(|| memchr::memmem::find(record.message.as_bytes(), header)).flatten() else { return };
    let (message, exception) = match &record.message {
        Cow::Borrowed(text) => (Cow::Borrowed(&text[..at]), Cow::Borrowed(&text[at + 1..])),
        Cow::Owned(text) => (Cow::Owned(text[..at].to_owned()), Cow::Owned(text[at + 1..].to_owned())),
    };
    (record.message, record.exception) = (message, Some(exception));
}

/// The level that a value means: a name, a number, or an object with a name.
fn level(value: &Value<'_>) -> Option<Level> {
    let of_number = |text: &str| Level::of_number(text.parse().ok()?);
    match value {
        Value::Text(word) => Level::of_word(word).or_else(|| of_number(word)),
        Value::Json(json) if json.starts_with('{') => {
            let Members(members) = serde_json::from_str(json).ok()?;
            Level::of_word(member(&members, "name")?.text())
        }
        Value::Json(number) => of_number(number),
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

//! What Python's formatters and others put before a message: a time, a level, a logger, a process, in any order.

use std::borrow::Cow;

use super::{
    super::record::{Level, Record, Value},
    stamp,
};

/// More parts than this no formatter writes.
const PARTS: usize = 8;

/// What has been read.
#[derive(Default)]
struct Prefix<'a> {
    record: Record<'a>,
    /// Whether something was separated by ` - `, so that the next word is a part, too.
    dashed: bool,
}

/// A line that begins with a level, or with a time.
pub(super) fn parse(line: &str) -> Option<Record<'_>> {
    if let Some(record) = logfmt(line) {
        return Some(record);
    }
    let mut prefix = Prefix::default();
    let mut rest = line;
    for _ in 0..PARTS {
        rest = skip_colour(rest).trim_start_matches(' ');
        match prefix.part(rest) {
            Some(after) => rest = after,
            None => break,
        }
    }
    let mut record = prefix.record;
    // Django's own server: a time, and the message.
    if line.starts_with('[') && record.time.as_ref().is_some_and(|time| time.as_bytes().get(2) == Some(&b'/')) {
        record.level = record.level.or(Some(Level::Info));
    }
    record.level?;
    record.message = Cow::Borrowed(rest);
    Some(record)
}

impl<'a> Prefix<'a> {
    /// Takes one part off the text; nothing when the message begins.
    fn part(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix("- ").or_else(|| text.strip_prefix("| ")) {
            self.dashed = true;
            return Some(rest);
        }
        if let Some(inside) = text.strip_prefix('[') {
            return self.bracket(inside);
        }
        if self.record.time.is_none()
            && let Some(length) = stamp::length(text)
        {
            self.record.time = Some(Cow::Borrowed(&text[..length]));
            return Some(text[length..].trim_start_matches(':'));
        }
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._/-<>".contains(c))).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.word(word, skip_colour(rest))
    }

    /// A word that is a level, a logger or a process; else it begins the message.
    fn word(&mut self, word: &'a str, rest: &'a str) -> Option<&'a str> {
        if word.is_empty() {
            return None;
        }
        if self.record.level.is_none()
            && let Some(level) = level(word)
        {
            self.record.level = Some(level);
            return Some(self.logger_of_basic_config(rest));
        }
        let begun = self.record.level.is_some() || self.record.time.is_some();
        if !begun {
            // `shop.orders: INFO: text` and such are not worth mistaking prose for.
            return None;
        }
        // `module 123 140213: text`, of Django's documentation: module, process, thread.
        let mut numbers = rest.split(' ').skip(1);
        let mut is_number = || {
            let number = numbers.next().map(|word| word.trim_end_matches(':')).unwrap_or_default();
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        };
        let verbose = rest.starts_with(' ') && is_number() && is_number();
        let colon = rest.starts_with(": ") || rest == ":" || rest.starts_with(':') && !rest.starts_with("://");
        let dotted = word.contains('.') && !word.ends_with('.') && !word.contains('/') && rest.starts_with(' ');
        let dash = (self.dashed || rest.starts_with(" - ")) && (rest.starts_with(" - ") || rest.starts_with(" | "));
        // `orders ERROR text`, `27 ERROR text`: what stands between a time and a level.
        let leveled = self.record.level.is_none() && rest.strip_prefix(' ').is_some_and(begins_with_level);
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            // A process or a thread, between other parts.
            return (self.record.logger.is_some() && rest.starts_with(' ') && self.record.fields.len() < 2
                || rest.starts_with(": ")
                || leveled
                || dash)
                .then(|| {
                    let name = if self.record.fields.is_empty() { "process" } else { "thread" };
                    self.record.fields.push((name.into(), Value::number(word)));
                    rest.trim_start_matches(':')
                });
        }
        if self.record.logger.is_none() && is_name(word) && (colon || dotted || dash || verbose || leveled) {
            self.record.logger = Some(Cow::Borrowed(word));
            // Behind a colon the message begins, unless the level is still to come.
            return Some(rest.strip_prefix(':').unwrap_or(rest));
        }
        // Flask: `INFO in views: text`
        if word == "in" && self.record.logger.is_none() {
            let (name, rest) = rest.trim_start().split_once(": ")?;
            return is_name(name).then(|| {
                self.record.logger = Some(Cow::Borrowed(name));
                rest
            });
        }
        None
    }

    /// `WARNING:root:text`, the form of `logging.basicConfig`.
    fn logger_of_basic_config(&mut self, rest: &'a str) -> &'a str {
        let Some(behind) = rest.strip_prefix(':') else { return rest };
        if let Some((name, message)) = behind.split_once(':')
            && self.record.logger.is_none()
            && is_name(name)
        {
            self.record.logger = Some(Cow::Borrowed(name));
            return message;
        }
        behind
    }

    /// What stands in brackets: a level, a time, a process, a logger, or Celery's time and level.
    fn bracket(&mut self, inside: &'a str) -> Option<&'a str> {
        let inside = skip_colour(inside);
        let window = &inside.as_bytes()[..inside.len().min(128)];
        let close = memchr::memchr(b']', window)?;
        let (text, rest) = (&inside[..close], &inside[close + 1..]);
        // A bracket that touches the next word is no part: `[x]y`.
        if !(rest.is_empty() || rest.starts_with([' ', ':', '[', '\x1b'])) {
            return None;
        }
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        if self.record.time.is_none()
            && let Some(length) = stamp::length(text)
        {
            // Celery: `[2026-11-21 16:00:17,976: INFO/MainProcess] text`
            let behind = &text[length..];
            if !behind.is_empty() {
                let (level, process) = behind.strip_prefix(": ")?.split_once('/')?;
                self.record.level = Some(Level::of_word(level)?);
                self.record.fields.push(("process".into(), Value::Text(process.into())));
            }
            self.record.time = Some(Cow::Borrowed(&text[..length]));
            return Some(rest);
        }
        let word = text.split('\x1b').next().unwrap_or(text).trim();
        if self.record.level.is_none() {
            // `[INFO]`, `[info     ]`, `[INFO/MainProcess]`
            let name = word.split_once('/').map_or(word, |(name, _)| name);
            if let Some(level) = Level::of_word(name) {
                self.record.level = Some(level);
                return Some(rest);
            }
        }
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            self.record.fields.push(("process".into(), Value::number(word)));
            return Some(rest);
        }
        let begun = self.record.level.is_some() || self.record.time.is_some();
        (begun && self.record.logger.is_none() && is_name(word)).then(|| {
            self.record.logger = Some(Cow::Borrowed(word));
            rest
        })
    }
}

/// `level=warning logger=shop msg="text"`
fn logfmt(line: &str) -> Option<Record<'_>> {
    // In the middle of prose, such a word is no more than one.
    let (key, _) = line.split_once('=')?;
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte)) {
        return None;
    }
    let value = |name: &str| {
        let at = line.match_indices(name).map(|(at, _)| at).find(|at| *at == 0 || line.as_bytes()[at - 1] == b' ')?;
        let rest = line[at + name.len()..].strip_prefix('=')?;
        match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split(' ').next(),
        }
    };
    Some(Record {
        level: Some(Level::of_word(value("level")?)?),
        logger: value("logger").map(Cow::Borrowed),
        time: value("time").or_else(|| value("ts")).map(Cow::Borrowed),
        message: Cow::Borrowed(line),
        ..Record::default()
    })
}

/// A level outside brackets is written large, lest a word of prose be taken for one.
fn level(word: &str) -> Option<Level> {
    let large = word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    if large { Level::of_word(word) } else { None }
}

fn begins_with_level(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    level(&text[..end]).is_some()
}

fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Leaves out colours in front.
fn skip_colour(mut text: &str) -> &str {
    while let Some(rest) = text.strip_prefix("\x1b[") {
        let Some(end) = rest.find(|c: char| !c.is_ascii_digit() && c != ';') else { return text };
        let Some(behind) = rest[end..].strip_prefix('m') else { return text };
        text = behind;
    }
    text
}

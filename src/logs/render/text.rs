//! Text for people: who, when, how bad, which logger, what; and plain lines as they are.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use regex::bytes::Regex;

use super::{
    super::{
        record::{Level, Record, Value},
        unit::Line,
        view::View,
    },
    Clock, Names, clean, color,
    highlight::highlight,
};

/// A longer line is cut here, in bytes; `-o raw` cuts nothing.
const LONGEST_LINE: usize = 1024 * 1024;

/// How text is shown.
#[derive(Clone, Debug)]
pub struct TextOptions {
    /// Whether it goes to a terminal: then nothing but colours passes that a terminal would obey.
    pub terminal: bool,
    /// Whether it has colours.
    pub colored: bool,
    /// Whether each line begins with the name of its source.
    pub prefix: bool,
    /// Whether each line has its time, with the date.
    pub timestamps: bool,
    /// How many columns there are, where that matters.
    pub width: Option<usize>,
    /// The fields to show of JSON lines; all, where nothing is said.
    pub fields: Option<Vec<String>>,
    /// What is marked.
    pub highlight: Vec<Regex>,
}

/// Shows units as text.
#[derive(Debug)]
pub struct Text {
    options: TextOptions,
    clock: Clock,
    /// A line in the making, and one that is to be marked.
    line: Vec<u8>,
    marked: Vec<u8>,
    /// What lines begin with, by the address of their source, and which state of the names that is of.
    prefixes: HashMap<usize, Arc<[u8]>>,
    names: u64,
}

impl Text {
    /// Shows units like that, with times of this zone.
    pub fn new(options: TextOptions, zone: TimeZone) -> Self {
        let clock = Clock::new(zone);
        Self { options, clock, line: Vec::new(), marked: Vec::new(), prefixes: HashMap::new(), names: 0 }
    }

    /// Writes a unit.
    pub fn unit(&mut self, view: &View<'_>, names: &Names, out: &mut Vec<u8>) {
        let prefix = self.prefix(view, names);
        if view.unit.traceback != Some(0)
            && let Some(record) = view.json()
        {
            self.record(view, record, &prefix, out);
            return;
        }
        let colour = if self.options.colored { view.level().and_then(color::of_level) } else { None };
        for Line { time, text, .. } in view.unit.lines() {
            self.begin(&prefix, *time, out);
            self.body(text, colour, out);
        }
    }

    /// Writes lines of kdj's own, which may hold what programs said.
    pub fn words(&self, text: &str, out: &mut Vec<u8>) {
        for line in text.lines() {
            match self.options.terminal {
                true => drop(clean(line.as_bytes(), false, out)),
                false => out.extend_from_slice(line.as_bytes()),
            }
            out.push(b'\n');
        }
    }

    /// What the lines of a source begin with.
    fn prefix(&mut self, view: &View<'_>, names: &Names) -> Arc<[u8]> {
        if self.names != names.changes() {
            self.names = names.changes();
            self.prefixes.clear();
        }
        let address = Arc::as_ptr(&view.unit.source) as usize;
        if let Some(prefix) = self.prefixes.get(&address) {
            return Arc::clone(prefix);
        }
        let prefix: Arc<[u8]> = self.new_prefix(view, names).into();
        self.prefixes.insert(address, Arc::clone(&prefix));
        prefix
    }

    /// The source's name, padded, with its colour.
    fn new_prefix(&self, view: &View<'_>, names: &Names) -> Vec<u8> {
        let mut prefix = Vec::new();
        if !self.options.prefix {
            return prefix;
        }
        let name = names.get(&view.unit.source);
        // On a narrow screen the names take a third of it at most.
        let most = self.options.width.map_or(usize::MAX, |width| (width / 3).max(8));
        let width = names.width().min(most);
        let length = name.chars().count();
        let shown = match length > width {
            true => "…".chars().chain(name.chars().skip(length + 1 - width)).collect(),
            false => format!("{name:width$}"),
        };
        let colour = self.options.colored.then(|| color::of_pod(&view.unit.source.pod));
        color::paint(colour, shown.as_bytes(), &mut prefix);
        prefix.push(b' ');
        prefix
    }

    fn begin(&mut self, prefix: &[u8], time: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(prefix);
        if self.options.timestamps {
            if self.options.colored {
                color::begin("2", out);
            }
            self.clock.date_time(time, out);
            if self.options.colored {
                color::end(out);
            }
            out.push(b' ');
        }
    }

    /// Writes what stands behind the prefix, and ends the line.
    fn body(&mut self, text: &[u8], colour: Option<&str>, out: &mut Vec<u8>) {
        let (text, more) = text.split_at(longest(text));
        let TextOptions { terminal, colored, .. } = self.options;
        if !terminal && !colored {
            out.extend_from_slice(text);
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.clear();
            let has_colour = match terminal {
                // A carriage return before the line feed does no more than that.
                true => clean(text.strip_suffix(b"\r").unwrap_or(text), colored, &mut line),
                false => {
                    line.extend_from_slice(text);
                    memchr::memchr(0x1b, text).is_some()
                }
            };
            // A line that has colours of its own keeps them, and they end with it.
            self.marked(&line, colour.filter(|_| !has_colour), out);
            if has_colour {
                color::end(out);
            }
            self.line = line;
        }
        if !more.is_empty() {
            out.extend_from_slice(format!("...[+{} bytes]", more.len()).as_bytes());
        }
        out.push(b'\n');
    }

    /// Writes text in a colour, with what matches marked.
    fn marked(&mut self, text: &[u8], colour: Option<&str>, out: &mut Vec<u8>) {
        if self.options.highlight.is_empty() || !self.options.colored {
            color::paint(colour, text, out);
        } else {
            self.marked.clear();
            highlight(text, &self.options.highlight, &mut self.marked);
            color::paint(colour, &self.marked, out);
        }
    }

    /// A piece of a record, which may hold anything.
    fn piece(&mut self, text: &str, colour: Option<&str>, out: &mut Vec<u8>) {
        let colour = colour.filter(|_| self.options.colored);
        let plain = |byte: &u8| (0x20..0x7f).contains(byte);
        if self.options.highlight.is_empty() && (!self.options.terminal || text.bytes().all(|byte| plain(&byte))) {
            color::paint(colour, text.as_bytes(), out);
            return;
        }
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        match self.options.terminal {
            true => drop(clean(text.as_bytes(), false, &mut line)),
            false => line.extend_from_slice(text.as_bytes()),
        }
        self.marked(&line, colour, out);
        self.line = line;
    }

    /// The same, quoted where it would not be one word.
    fn word(&mut self, text: &str, quoted: bool, colour: Option<&str>, out: &mut Vec<u8>) {
        match quoted {
            true => self.piece(&serde_json::Value::from(text).to_string(), colour, out),
            false => self.piece(text, colour, out),
        }
    }

    /// `INFO  16:02:47.730 orders.tasks open orders counted count=2`
    fn record(&mut self, view: &View<'_>, record: &Record<'_>, prefix: &[u8], out: &mut Vec<u8>) {
        let time = view.unit.first.time;
        self.begin(prefix, time, out);
        let level = view.level();
        let colour = level.and_then(color::of_level);
        self.piece(level.map_or("-    ", Level::column), colour.or(level.map(|_| "32")), out);
        out.push(b' ');
        if !self.options.timestamps {
            if self.options.colored {
                color::begin("2", out);
            }
            self.clock.time(time, out);
            if self.options.colored {
                color::end(out);
            }
            out.push(b' ');
        }
        if let Some(logger) = &record.logger {
            self.word(logger, logger.contains('\n'), Some("36"), out);
            out.push(b' ');
        }
        let bad = colour.filter(|_| level >= Some(Level::Warning));
        let mut lines = record.message.split('\n');
        let first = lines.next().unwrap_or_default();
        self.piece(first.trim_end_matches('\r'), bad, out);
        let mut written = !first.is_empty();
        for index in 0..self.options.fields.as_ref().map_or(record.fields.len(), Vec::len) {
            written |= self.field(record, index, written, out);
        }
        while out.last() == Some(&b' ') {
            out.pop();
        }
        out.push(b'\n');
        let exception = record.exception.iter().flat_map(|text| text.trim_end().split('\n'));
        for line in lines.map(|line| (line, bad)).chain(exception.map(|line| (line, Some("31")))) {
            self.begin(prefix, time, out);
            self.piece(line.0.trim_end_matches('\r'), line.1, out);
            out.push(b'\n');
        }
        // What was written in the same moment behind the object.
        for Line { time, text, .. } in &view.unit.rest {
            self.begin(prefix, *time, out);
            self.body(text, None, out);
        }
    }

    /// ` key=value`; null says nothing.
    fn field(&mut self, record: &Record<'_>, index: usize, spaced: bool, out: &mut Vec<u8>) -> bool {
        let path = self.options.fields.as_ref().map(|fields| fields[index].clone());
        let asked;
        let (name, value): (&str, &Value<'_>) = match &path {
            Some(path) => {
                let Some(value) = record.field(path) else { return false };
                asked = value;
                (path, &asked)
            }
            None => (&record.fields[index].0, &record.fields[index].1),
        };
        let (text, quoted) = match value {
            Value::Json("null") => return false,
            Value::Json(json) => (*json, false),
            Value::Text(text) => (&**text, needs_quotes(text)),
        };
        if spaced {
            out.push(b' ');
        }
        let colour = self.options.colored.then_some("2");
        if let Some(sgr) = colour {
            color::begin(sgr, out);
        }
        self.word(name, needs_quotes(name), None, out);
        out.push(b'=');
        if colour.is_some() {
            color::end(out);
        }
        self.word(text, quoted, None, out);
        true
    }
}

/// How much of a line is shown: no character is cut apart.
fn longest(text: &[u8]) -> usize {
    let is_within = |at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (LONGEST_LINE - 3..=LONGEST_LINE.min(text.len()))
        .rev()
        .find(|at| !is_within(*at))
        .unwrap_or(text.len().min(LONGEST_LINE))
}

/// Whether text is more, or less, than a word.
fn needs_quotes(text: &str) -> bool {
    text.is_empty() || text.bytes().any(|byte| byte <= b' ' || byte == b'"' || byte == b'=' || byte == 0x7f)
}

//! Lines that belong together are one unit: a record and its traceback, a message of several lines.
//!
//! What is shown, left out, coloured and counted are units, and no line of another source comes between their lines.

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::Timestamp;
use regex::bytes::Regex;

use super::{
    entry::{Entry, Source},
    parse,
    traceback::{self, State},
};

/// A unit that waits for more lines waits no longer than this after its last one.
pub const PATIENCE: Duration = Duration::from_millis(100);
/// A longer unit is handed on in parts.
const MOST_LINES: usize = 4000;
/// The same in bytes; a single line may be longer.
const MOST_BYTES: usize = 512 * 1024;
/// Lines that are one `write` of the program reach the node within this, in nanoseconds.
const ONE_WRITE: i64 = 5_000_000;

/// Lines of one source that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Who wrote them.
    pub source: Arc<Source>,
    /// The first line.
    pub first: Line,
    /// The others.
    pub rest: Vec<Line>,
    /// Where the traceback begins: 0 for the first line, 1 for one behind its record.
    pub traceback: Option<usize>,
    /// Whether this goes on with the source's unit before it, which was handed on too early.
    pub continues: bool,
}

/// One line of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, by the node's clock.
    pub time: Timestamp,
    /// As it was written, without its line feed.
    pub text: Bytes,
    /// Whether no line feed followed.
    pub partial: bool,
}

impl Unit {
    /// All lines.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// How much memory it takes, about.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.first.text.len()
            + self.rest.iter().map(|line| line.text.len() + size_of::<Line>()).sum::<usize>()
    }
}

/// Makes units of the lines of one source.
#[derive(Debug, Default)]
pub struct Assembler {
    open: Option<Open>,
    /// The time of the last line handed on, to know what goes on with it.
    last: Option<Timestamp>,
}

/// A unit that may get more lines.
#[derive(Debug)]
struct Open {
    unit: Unit,
    state: Option<State>,
    bytes: usize,
    /// When its last line came.
    since: Instant,
}

impl Assembler {
    /// Takes the next line and hands on the units that are complete.
    ///
    /// A `patient` one keeps every line until it knows the next; else only what looks like the beginning of more.
    pub fn take(&mut self, entry: Entry, now: Instant, patient: bool, mut done: impl FnMut(Unit)) {
        let Entry { source, time, line, partial } = entry;
        let line = Line { time, text: line, partial };
        if let Some(mut open) = self.open.take() {
            match open.belongs(&line) {
                Some(state) if open.has_room(&line) => {
                    open.push(line, state, now);
                    self.open = Some(open);
                    return;
                }
                Some(state) => {
                    let traceback = open.unit.traceback.map(|_| 0);
                    done(open.unit);
                    let bytes = line.text.len();
                    let unit = Unit { source, first: line, rest: Vec::new(), traceback, continues: true };
                    self.open = Some(Open { unit, state, bytes, since: now });
                    return;
                }
                None => {
                    self.last = Some(open.unit.rest.last().unwrap_or(&open.unit.first).time);
                    done(open.unit);
                }
            }
        }
        let begun = traceback::begin(&line.text);
        let continues = begun.is_none() && is_indented(&line.text) && self.last.is_some_and(|last| close(last, time));
        let bytes = line.text.len();
        let unit = Unit { source, first: line, rest: Vec::new(), traceback: begun.is_some().then_some(0), continues };
        if begun.is_some() || patient || announces(&unit.first.text) {
            self.open = Some(Open { unit, state: begun, bytes, since: now });
        } else {
            self.last = Some(time);
            done(unit);
        }
    }

    /// When the open unit is to be handed on as it is.
    pub fn due(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.since + PATIENCE)
    }

    /// Hands on the open unit, complete or not.
    pub fn flush(&mut self) -> Option<Unit> {
        let unit = self.open.take()?.unit;
        self.last = Some(unit.rest.last().unwrap_or(&unit.first).time);
        Some(unit)
    }
}

impl Open {
    /// The state behind this line if it belongs to the unit.
    fn belongs(&self, line: &Line) -> Option<Option<State>> {
        let last = self.unit.rest.last().unwrap_or(&self.unit.first);
        let close = close(last.time, line.time);
        if let Some(state) = self.state {
            // Equal times say nothing: it is not the node's clock then, but one for all lines.
            let same_moment = close && last.time != line.time;
            return state.next(&line.text, same_moment, || parse::is_record(&line.text)).map(Some);
        }
        let plain = || !parse::looks_like_json(&self.unit.first.text);
        match traceback::begin(&line.text) {
            Some(state) => (close && !self.unit.first.text.is_empty() && plain()).then_some(Some(state)),
            None => (close && is_indented(&line.text) && plain()).then_some(None),
        }
    }

    fn has_room(&self, line: &Line) -> bool {
        self.unit.rest.len() + 1 < MOST_LINES && self.bytes + line.text.len() <= MOST_BYTES
    }

    fn push(&mut self, line: Line, state: Option<State>, now: Instant) {
        if state.is_some() && self.unit.traceback.is_none() {
            self.unit.traceback = Some(self.unit.rest.len() + 1);
        }
        self.state = state;
        self.bytes += line.text.len();
        self.since = now;
        self.unit.rest.push(line);
    }
}

/// Whether the later line may be of the same write.
fn close(earlier: Timestamp, later: Timestamp) -> bool {
    let between = later.as_nanosecond() - earlier.as_nanosecond();
    (0..i128::from(ONE_WRITE)).contains(&between)
}

fn is_indented(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty()
}

/// Whether a traceback may follow this line, which is then worth waiting for.
fn announces(line: &[u8]) -> bool {
    // Logged exceptions are errors, but for Celery's retries and what a program's author calls by another name.
    static WORDS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("(?-u)ERROR|CRITICAL|rror|xception|Retry in").ok());
    let beginning = &line[..line.len().min(512)];
    WORDS.as_ref().is_none_or(|words| words.is_match(beginning)) && !parse::looks_like_json(line)
}

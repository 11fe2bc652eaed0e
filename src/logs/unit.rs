//! Lines that belong together are one unit: a record and its traceback, a message of several lines.
//!
//! What is shown, left out, coloured and counted are units, and no line of another source comes between their lines.

#[cfg(test)]
pub mod tests;

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use regex::bytes::Regex;

use super::{
    entry::Source,
    parse,
    record::Level,
    traceback::{self, State},
};

/// A unit that waits for more lines waits no longer than this after its last one.
pub const PATIENCE: Duration = Duration::from_millis(100);
/// The same of lines that were written a while ago: what belongs to them is on its way already.
const PATIENCE_WITH_OLD: Duration = Duration::from_millis(20);
/// The same of a traceback that lacks its exception, or of a group its end, however old: it is sure to come, over a slow
/// way later.
const PATIENCE_WITHIN: Duration = Duration::from_secs(1);
/// How long ago that is.
const OLD: SignedDuration = SignedDuration::from_secs(1);
/// A longer unit is handed on in parts.
const MOST_LINES: usize = 4000;
/// The same in bytes; a single line may be longer.
const MOST_BYTES: usize = 512 * 1024;
/// Lines that are one `write` of the program reach the node within this, in nanoseconds. Some nodes give all lines that
/// they read at once the same time.
const ONE_WRITE: i128 = 5_000_000;
/// The lines of a traceback follow each other within this, in nanoseconds, also in a container that has used up its CPU
/// time.
const ONE_TRACEBACK: i128 = 1_000_000_000;

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// When, by the node's clock.
    pub time: Timestamp,
    /// Whether that is known of this very line; else it is about the time.
    pub is_timed: bool,
    /// A time that stands before the text, and the blank behind it; nothing where the node says the time.
    pub stamp: Bytes,
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

    fn last(&self) -> &Line {
        self.rest.last().unwrap_or(&self.first)
    }
}

/// Makes units of the lines of one source.
#[derive(Debug, Default)]
pub struct Assembler {
    open: Option<Open>,
    /// The end of what was handed on last: there may be more of it.
    end: Option<End>,
}

/// A unit that may get more lines.
#[derive(Debug)]
struct Open {
    unit: Unit,
    /// Where the traceback or the stack begins, and how far it is.
    state: Option<(usize, State)>,
    bytes: usize,
    /// How long it waits for more.
    due: Instant,
}

/// What must be known of a line to tell what goes on with it.
#[derive(Clone, Copy, Debug)]
struct End {
    time: Timestamp,
    is_timed: bool,
    partial: bool,
    /// How far the traceback or the stack is that it belongs to.
    state: Option<State>,
    /// Whether a traceback behind it is its own; asked when it was handed on and might have been waited for.
    leads: bool,
    /// Whether it is complete as it is, as JSON and empty lines are.
    is_whole: bool,
}

/// How a line goes on with what is before it.
enum Belongs {
    /// It is more of the line before.
    Piece,
    /// It is a line more.
    Line,
    /// It is a line more of a traceback or a stack, or its beginning; this is the state behind it.
    Traceback(State),
}

impl Assembler {
    /// Takes the next line of its source and hands on the units that are complete.
    ///
    /// A `patient` one keeps every line until it knows the next; else only what looks like the beginning of more.
    pub fn take(&mut self, source: Arc<Source>, line: Line, now: Instant, patient: bool, mut done: impl FnMut(Unit)) {
        let end = self.end();
        let belongs = end.and_then(|end| self.belongs(&end, &line));
        let mut waits = patient;
        if let Some(mut open) = self.open.take() {
            if belongs.is_some() && open.has_room(&line) {
                open.push(line, belongs, now);
                self.open = Some(open);
                return;
            }
            waits |= belongs.is_some();
            done(open.unit);
        }
        let (state, continues) = match belongs {
            Some(Belongs::Traceback(state)) => (Some(state), true),
            Some(Belongs::Piece) => (end.and_then(|end| end.state), true),
            Some(Belongs::Line) => (None, true),
            None => (traceback::begin(&line.text), false),
        };
        waits = waits || state.is_some() || announces(&line.text);
        let (end, bytes, due) = (End::of(&line, state, false), line.text.len(), now + patience(&line, state));
        let traceback = state.is_some_and(State::is_exception).then_some(0);
        let unit = Unit { source, first: line, rest: Vec::new(), traceback, continues };
        if waits {
            self.open = Some(Open { unit, state: state.map(|state| (0, state)), bytes, due });
        } else {
            self.end = Some(end);
            done(unit);
        }
    }

    /// When the open unit is to be handed on as it is.
    pub fn due(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.due)
    }

    /// Hands on the open unit, complete or not. What still comes of it `continues` it.
    pub fn flush(&mut self) -> Option<Unit> {
        let end = self.end();
        let unit = self.open.take()?.unit;
        self.end = end.map(|end| End { leads: end.state.is_none() && leads(&unit.first.text), ..end });
        Some(unit)
    }

    /// The end of what there was last.
    fn end(&self) -> Option<End> {
        match &self.open {
            Some(open) => Some(End::of(open.unit.last(), open.state.map(|(_, state)| state), false)),
            None => self.end,
        }
    }

    /// Whether a line goes on with what ends like this, and how.
    fn belongs(&self, end: &End, line: &Line) -> Option<Belongs> {
        let between = line.time.as_nanosecond() - end.time.as_nanosecond();
        if end.partial && between == 0 {
            return Some(Belongs::Piece);
        }
        let is_timed = end.is_timed && line.is_timed;
        let is_one_write = (0..ONE_WRITE).contains(&between);
        if let Some(state) = end.state {
            let next = || state.next(&line.text, is_timed && is_one_write, || parse::is_record(&line.text));
            return if is_timed && between >= ONE_TRACEBACK { None } else { next().map(Belongs::Traceback) };
        }
        if end.is_whole || is_timed && !is_one_write {
            return None;
        }
        let leads = || self.open.as_ref().map_or(end.leads, |open| leads(&open.unit.first.text));
        match traceback::begin(&line.text) {
            Some(state) => (!state.is_exception() || leads()).then_some(Belongs::Traceback(state)),
            None => is_indented(&line.text).then_some(Belongs::Line),
        }
    }
}

impl Open {
    fn has_room(&self, line: &Line) -> bool {
        self.unit.rest.len() + 1 < MOST_LINES && self.bytes + line.text.len() <= MOST_BYTES
    }

    fn push(&mut self, line: Line, belongs: Option<Belongs>, now: Instant) {
        if let Some(Belongs::Traceback(state)) = belongs {
            let begin = self.state.map_or(self.unit.rest.len() + 1, |(begin, _)| begin);
            self.state = Some((begin, state));
            self.unit.traceback = self.unit.traceback.or(state.is_exception().then_some(begin));
        }
        self.bytes += line.text.len();
        self.due = now + patience(&line, self.state.map(|(_, state)| state));
        self.unit.rest.push(line);
    }
}

impl End {
    fn of(line: &Line, state: Option<State>, leads: bool) -> Self {
        let is_whole = line.text.is_empty() || parse::looks_like_json(&line.text);
        Self { time: line.time, is_timed: line.is_timed, partial: line.partial, state, leads, is_whole }
    }
}

/// How long a line waits for what belongs to it, in this state of a traceback.
fn patience(line: &Line, state: Option<State>) -> Duration {
    let is_old = || line.is_timed && Timestamp::now().duration_since(line.time) > OLD;
    match state {
        Some(state) if state.wants_more(&line.text) => PATIENCE_WITHIN,
        None if is_old() => PATIENCE_WITH_OLD,
        _ => PATIENCE,
    }
}

fn is_indented(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty()
}

/// Whether a traceback may follow this line, which is then worth waiting for.
fn announces(line: &[u8]) -> bool {
    // Logged exceptions are errors and warnings, but for Celery's retries and what an author calls by another name.
    static WORDS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("(?-u)ERROR|CRITICAL|WARN|rror|arning|xception|Retry in").ok());
    let beginning = &line[..line.len().min(512)];
    let has_word = || WORDS.as_ref().is_none_or(|words| words.is_match(beginning));
    (line.ends_with(b":") || has_word()) && !parse::looks_like_json(line)
}

/// Whether a traceback that follows at once is this line's, and not one that another worker wrote: it would be left out
/// with the line, and have its level.
fn leads(line: &[u8]) -> bool {
    announces(line)
        && parse::parse_plain(line).is_none_or(|record| {
            let answered = record.fields.iter().any(|(name, _)| name == "status");
            record.level >= Some(Level::Warning) && !answered || record.message.contains("Retry in")
        })
}

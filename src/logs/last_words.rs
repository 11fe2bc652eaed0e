//! What a program that failed said last: its last traceback, or its last lines.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    entry::Source,
    exception::Exception,
    unit::{Assembler, Line, Unit},
};

/// How many lines are last words where there is no traceback.
const LAST_LINES: usize = 5;
/// How many lines of a traceback are shown, of the longest its beginning and its end.
const MOST_LINES: usize = 60;

/// What a program said last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWords {
    /// The lines.
    pub lines: Vec<String>,
    /// The exception that came out: `ImproperlyConfigured: The SECRET_KEY setting must not be empty`; `None` when the lines
    /// are no traceback.
    pub exception: Option<String>,
    /// Whether the program said little after them: what it raised is why it ended.
    pub is_last: bool,
}

/// The last words of a log, whose lines have no times.
pub fn last_words(log: &str) -> Option<LastWords> {
    let source = Arc::new(Source {
        environment: String::new(),
        role: String::new(),
        pod: String::new(),
        container: String::new(),
        instance: 0,
        short: String::new(),
    });
    let (mut assembler, now) = (Assembler::default(), Instant::now());
    let mut units: Vec<Unit> = Vec::new();
    for line in log.lines() {
        let text = Bytes::copy_from_slice(line.as_bytes());
        // Without times nothing says that two lines are one write: a plain line behind the message is another one.
        let line = Line { time: Timestamp::UNIX_EPOCH, text, ..Line::default() };
        assembler.take(Arc::clone(&source), line, now, true, |unit| units.push(unit));
    }
    units.extend(assembler.flush());
    let text = |unit: &Unit, from: usize| -> Vec<String> {
        unit.lines().skip(from).map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    };
    if let Some((at, from)) = (0..units.len()).rev().find_map(|at| Some((at, units[at].traceback?))) {
        let lines = text(&units[at], from);
        let joined = lines.join("\n");
        let exception = Exception::parse(&joined).filter(|it| !it.class.is_empty()).map(|it| match it.message {
            "" => it.class.to_owned(),
            message => format!("{}: {message}", it.class),
        });
        let after = units[at + 1..].iter().flat_map(Unit::lines).filter(|line| !line.text.trim_ascii().is_empty());
        let is_last = after.count() <= LAST_LINES;
        return Some(LastWords { lines: cut(lines), exception, is_last });
    }
    let lines: Vec<String> = log.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    let lines = lines[lines.len().saturating_sub(LAST_LINES)..].to_vec();
    (!lines.is_empty()).then_some(LastWords { lines, exception: None, is_last: true })
}

/// A long traceback without its middle.
fn cut(lines: Vec<String>) -> Vec<String> {
    if lines.len() <= MOST_LINES {
        return lines;
    }
    let (begin, end) = (MOST_LINES / 3, MOST_LINES - MOST_LINES / 3);
    let left_out = lines.len() - begin - end;
    let middle = format!("  … {left_out} lines …");
    let tail = lines[lines.len() - end..].to_vec();
    lines.into_iter().take(begin).chain([middle]).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEBACK: &str = "\
Booting worker with pid: 7
Traceback (most recent call last):
  File \"/app/shop/settings.py\", line 12, in <module>
    KEY = os.environ[\"KEY\"]
          ~~~~~~~~~~^^^^^^^
KeyError: 'KEY'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"/app/manage.py\", line 9, in main
    execute()
django.core.exceptions.ImproperlyConfigured: KEY is missing
Worker exiting
";

    #[test]
    fn the_last_traceback_is_found_whole() {
        let words = last_words(TRACEBACK).unwrap();
        assert_eq!(words.exception.as_deref(), Some("django.core.exceptions.ImproperlyConfigured: KEY is missing"));
        assert_eq!(words.lines.first().map(String::as_str), Some("Traceback (most recent call last):"));
        assert_eq!(words.lines.len(), 12);
    }

    #[test]
    fn a_traceback_that_was_not_the_end_is_told_apart() {
        assert!(last_words(TRACEBACK).unwrap().is_last);
        let served: String = (0..20).map(|number| format!("GET /{number} 200\n")).collect();
        let words = last_words(&format!("{TRACEBACK}{served}")).unwrap();
        assert!(!words.is_last && words.exception.is_some());
    }

    #[test]
    fn without_a_traceback_the_last_lines_are() {
        let log: String = (1..10).map(|number| format!("line {number}\n\n")).collect();
        let words = last_words(&log).unwrap();
        assert_eq!((words.lines.first().map(String::as_str), words.lines.len()), (Some("line 5"), LAST_LINES));
        assert_eq!(words.exception, None);
        assert_eq!(last_words("\n"), None);
    }

    #[test]
    fn a_long_traceback_loses_its_middle() {
        let frames: String = (1..100).map(|line| format!("  File \"a.py\", line {line}, in f\n    f()\n")).collect();
        let log = format!("Traceback (most recent call last):\n{frames}RecursionError: too deep\n");
        let words = last_words(&log).unwrap();
        assert_eq!((words.lines.len(), words.exception.as_deref()), (MOST_LINES + 1, Some("RecursionError: too deep")));
    }
}

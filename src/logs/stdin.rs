//! Lines from stdin. Their time may stand before them, as `kubectl logs --timestamps` and structlog put it there.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    entry::{Entry, Source},
    unit::Line,
};

/// The longest time that stands before a line.
const LONGEST_STAMP: usize = 40;

/// What is known of the lines so far.
#[derive(Debug, Default)]
pub struct Stdin {
    /// The time of the last line that had one.
    time: Option<Timestamp>,
    /// The time of a line that has no end yet: this is more of it.
    open: Option<Timestamp>,
}

impl Stdin {
    /// The next line. Without a time of its own it has that of a line before; where there is none, that at which it was
    /// read.
    pub fn line(&mut self, Entry { source, time, line, partial }: Entry) -> (Arc<Source>, Line) {
        let stamp = if self.open.is_some() { None } else { stamp(&line) };
        self.time = stamp.map(|(time, _)| time).or(self.time);
        let time = self.open.or(self.time).unwrap_or(time);
        self.open = partial.then_some(time);
        let mut text = line;
        let stamp_text = stamp.map_or(Bytes::new(), |(_, end)| text.split_to(end));
        (source, Line { time, is_timed: stamp.is_some(), stamp: stamp_text, text, partial })
    }
}

/// The time that a line begins with, and where the text begins.
fn stamp(line: &[u8]) -> Option<(Timestamp, usize)> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let end = memchr::memchr(b' ', &line[..line.len().min(LONGEST_STAMP)])?;
    let time = std::str::from_utf8(&line[..end]).ok()?.parse().ok()?;
    Some((time, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::unit::tests::source;

    #[test]
    fn lines_have_their_time_or_that_of_the_line_before() {
        let mut stdin = Stdin::default();
        let read = Timestamp::from_second(9).unwrap();
        let mut line = |text: &'static str, partial: bool| {
            let line = Bytes::from_static(text.as_bytes());
            let (_, line) = stdin.line(Entry { source: source(), time: read, line, partial });
            let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
            (line.time.to_string(), line.is_timed, text(&line.stamp), text(&line.text))
        };
        let expected =
            |time: &str, timed: bool, stamp: &str, text: &str| (time.into(), timed, stamp.into(), text.into());
        assert_eq!(line("zero", false), expected("1970-01-01T00:00:09Z", false, "", "zero"));
        let one = ("2026-11-21T12:00:00.5Z", "2026-11-21T12:00:00.5Z ");
        assert_eq!(line("2026-11-21T12:00:00.5Z one", false), expected(one.0, true, one.1, "one"));
        assert_eq!(line("2 o'clock", true), expected(one.0, false, "", "2 o'clock"));
        assert_eq!(line("2027-11-21T12:00:00.5Z more of it", false).3, "2027-11-21T12:00:00.5Z more of it");
        let offset = "2026-11-21T07:00:00-05:00 ";
        assert_eq!(line("2026-11-21T07:00:00-05:00 ", false), expected("2026-11-21T12:00:00Z", true, offset, ""));
    }
}

//! Where in a log one is: the second of the last line and how many of its lines were seen.
//!
//! Runtimes stamp lines in the time of their node, and the kubelet passes the offset on: `2026-11-21T07:00:00.1-05:00`. All
//! that is compared here is UTC.

use k8s_openapi::jiff::Timestamp;

/// The longest stamp there is room for: nine digits of a second and an offset need 35.
const LONGEST_STAMP: usize = 40;

/// What has been read.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// The second of the last line, since 1970; `None` before the first.
    second: Option<i64>,
    /// How many lines of that second were handed over.
    seen: usize,
    /// The first of them, with its timestamp.
    first: Vec<u8>,
    /// The second the stream that goes on begins with.
    resumed: Option<i64>,
    /// How many lines of it are still to be left out.
    skip: usize,
    /// Whether the lines to leave out have begun.
    checked: bool,
    /// How many lines were handed over.
    lines: u64,
}

impl Cursor {
    /// The second to go on from.
    pub(super) fn second(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.second?).ok()
    }

    /// How many lines were handed over so far.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// A new stream begins, at that second.
    pub(super) fn resume(&mut self) {
        self.resumed = self.second;
        self.skip = self.seen;
        self.checked = false;
    }

    /// Takes a line as the server sent it, and adds it to `text` without its timestamp, unless it was seen before.
    pub(super) fn take(&mut self, line: &[u8], text: &mut Vec<u8>) {
        if line.is_empty() {
            return;
        }
        let Some((second, rest)) = split(line) else {
            // The kubelet's own words, or the end of a line that was cut.
            self.pass(text, line);
            return;
        };
        if self.resumed.is_some_and(|resumed| second < resumed) {
            // Not asked for: it was seen before.
            return;
        }
        if self.second.is_some_and(|last| second < last) {
            // Written by another thread a moment earlier; it stands after the line it was later than.
            self.pass(text, rest);
            return;
        }
        if self.second != Some(second) {
            self.second = Some(second);
            self.begin(line);
            (self.seen, self.skip, self.checked) = (1, 0, true);
            self.pass(text, rest);
            return;
        }
        if !self.checked {
            self.checked = true;
            // Not the lines that were seen: the file was rotated in between, and those are gone.
            if line != self.first.as_slice() {
                (self.skip, self.seen) = (0, 0);
                self.begin(line);
            }
        }
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.seen += 1;
        self.pass(text, rest);
    }

    fn begin(&mut self, line: &[u8]) {
        self.first.clear();
        self.first.extend_from_slice(line);
    }

    fn pass(&mut self, text: &mut Vec<u8>, line: &[u8]) {
        self.lines += 1;
        text.extend_from_slice(line);
    }
}

/// Whether a line begins with its time.
pub(super) fn is_stamped(line: &[u8]) -> bool {
    split(line).is_some()
}

/// The second, and what stands behind the timestamp: `2026-11-21T12:00:00.123456789Z text`.
fn split(line: &[u8]) -> Option<(i64, &[u8])> {
    let end = line.iter().take(LONGEST_STAMP).position(|byte| *byte == b' ')?;
    Some((second_of(&line[..end])?, &line[end + 1..]))
}

/// The second of a stamp, since 1970. By hand: every line of a log comes through here.
fn second_of(stamp: &[u8]) -> Option<i64> {
    let number = |from: usize, to: usize| {
        let digits = stamp.get(from..to)?;
        digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
    };
    let sign = |at: usize, sign: u8| (stamp.get(at) == Some(&sign)).then_some(());
    sign(4, b'-').and(sign(7, b'-')).and(sign(10, b'T')).and(sign(13, b':')).and(sign(16, b':'))?;
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let local = days * 86_400 + number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    let fraction = match stamp.get(19) {
        Some(b'.') => stamp[20..].iter().take_while(|byte| byte.is_ascii_digit()).count() + 1,
        _ => 0,
    };
    let zone = 19 + fraction;
    let offset = || {
        sign(zone + 3, b':')?;
        (stamp.len() == zone + 6).then_some(number(zone + 1, zone + 3)? * 3_600 + number(zone + 4, zone + 6)? * 60)
    };
    match stamp.get(zone)? {
        b'Z' if stamp.len() == zone + 1 => Some(local),
        b'+' => Some(local - offset()?),
        b'-' => Some(local + offset()?),
        _ => None,
    }
}

/// The days from 1970-01-01 to this one, of years that begin in March: so the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(cursor: &mut Cursor, lines: &[&str]) -> String {
        let mut text = Vec::new();
        for line in lines {
            cursor.take(line.as_bytes(), &mut text);
        }
        String::from_utf8(text).unwrap()
    }

    /// What the kubelet sends of a log, asked for what came since then.
    fn since<'a>(log: &[&'a str], cursor: &Cursor) -> Vec<&'a str> {
        let time = |line: &str| line.split(' ').next().unwrap().parse::<Timestamp>().unwrap();
        log.iter().copied().filter(|line| cursor.second().is_none_or(|second| time(line) >= second)).collect()
    }

    const LOG: [&str; 5] = [
        "2026-11-21T12:00:00.1Z a\n",
        "2026-11-21T12:00:01.1Z b\n",
        "2026-11-21T12:00:01.1Z b\n",
        "2026-11-21T12:00:01.9Z c\n",
        "2026-11-21T12:00:02Z d\n",
    ];

    #[test]
    fn each_line_is_taken_once_wherever_the_stream_is_cut() {
        for cut in 0..=LOG.len() {
            let mut cursor = Cursor::default();
            let mut text = take(&mut cursor, &LOG[..cut]);
            let rest = since(&LOG, &cursor);
            cursor.resume();
            text.push_str(&take(&mut cursor, &rest));
            assert_eq!(text, "a\nb\nb\nc\nd\n", "cut after {cut}");
        }
    }

    #[test]
    fn lines_after_a_rotation_are_not_taken_for_those_seen() {
        let mut cursor = Cursor::default();
        take(&mut cursor, &LOG[..4]);
        cursor.resume();
        assert_eq!(take(&mut cursor, &["2026-11-21T12:00:01.95Z new\n"]), "new\n");
    }

    #[test]
    fn what_has_no_timestamp_is_handed_on() {
        let mut cursor = Cursor::default();
        assert_eq!(take(&mut cursor, &["failed to watch\n", "\n", "no newline"]), "failed to watch\n\nno newline");
    }

    #[test]
    fn stamps_of_any_zone_are_seconds_of_utc() {
        for stamp in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T23:59:59.9Z",
            "2024-12-31T23:59:59.999999999Z",
            "2026-03-01T00:00:00.1+05:45",
            "2026-11-21T07:00:00.100000000-05:00",
            "2026-11-21T00:30:00.5+13:00",
            "2100-03-01T00:00:00-09:30",
        ] {
            let expected = stamp.parse::<Timestamp>().unwrap().as_nanosecond().div_euclid(1_000_000_000);
            assert_eq!(second_of(stamp.as_bytes()).map(i128::from), Some(expected), "{stamp}");
        }
        for word in [
            "",
            "failed",
            "2026-11-21T12:00:00",
            "2026-11-21T12:00:00.1",
            "2026-11-21T12:00:00.1Zx",
            "2026-11-21T12:00:00.1+05",
            "2026-11-21T12:00:00.1+0500",
            "2026-11-21 12:00:00Z",
            "2O26-11-21T12:00:00Z",
        ] {
            assert_eq!(second_of(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn a_node_s_own_time_makes_no_difference() {
        for zone in ["-05:00", "+05:30", "+13:00"] {
            let log: Vec<String> = LOG.iter().map(|line| line.replace('Z', zone)).collect();
            let log: Vec<&str> = log.iter().map(String::as_str).collect();
            for cut in 0..=log.len() {
                let mut cursor = Cursor::default();
                let mut text = take(&mut cursor, &log[..cut]);
                let rest = since(&log, &cursor);
                cursor.resume();
                text.push_str(&take(&mut cursor, &rest));
                assert_eq!(text, "a\nb\nb\nc\nd\n", "cut after {cut}, {zone}");
            }
        }
    }

    #[test]
    fn the_end_of_summer_time_is_no_step_back() {
        let log = [
            "2026-11-01T01:59:59.1-04:00 a\n",
            "2026-11-01T01:59:59.5-04:00 b\n",
            "2026-11-01T01:00:00.1-05:00 c\n",
            "2026-11-01T01:00:00.2-05:00 d\n",
        ];
        for cut in 0..=log.len() {
            let mut cursor = Cursor::default();
            let mut text = take(&mut cursor, &log[..cut]);
            let rest = since(&log, &cursor);
            cursor.resume();
            text.push_str(&take(&mut cursor, &rest));
            assert_eq!(text, "a\nb\nc\nd\n", "cut after {cut}");
        }
    }

    #[test]
    fn a_server_that_sends_all_of_it_again_doubles_nothing() {
        for cut in 0..=LOG.len() {
            let mut cursor = Cursor::default();
            let mut text = take(&mut cursor, &LOG[..cut]);
            cursor.resume();
            text.push_str(&take(&mut cursor, &LOG));
            assert_eq!(text, "a\nb\nb\nc\nd\n", "cut after {cut}");
        }
    }
}

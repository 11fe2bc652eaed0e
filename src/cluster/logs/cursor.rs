//! Where in a log one is, so that another stream can go on there: no line lost, none twice.
//!
//! The API takes the time to go on from in whole seconds only. A stream is therefore taken up at the second of the last
//! line, and the lines of it that were seen are left out, each by its time and its text. Threads that write stdout and
//! stderr stamp their lines before they stand in the file, so a line may be a moment older than the one before it: what
//! is taken up is a little more than the last second where it has only just begun.

use k8s_openapi::jiff::Timestamp;

use super::stamp::{self, SECOND};

/// How much older than the line before it a line may be.
const DISORDER: i64 = 100_000_000;
/// An odd number whose multiples are well mixed: 2^64 divided by the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// A line as it is remembered: its time and what its text comes to.
type Mark = (i64, u64);

/// What has been read.
#[derive(Debug, Default)]
pub(in crate::cluster) struct Cursor {
    /// The time of the newest line.
    last: Option<i64>,
    /// The lines from the second on that a stream is taken up at, as they came.
    seen: Vec<Mark>,
    /// The first line that was taken of this log, where what was asked for may begin in the middle of it.
    first: Option<Mark>,
    begins_within: bool,
    /// The time the stream that goes on begins at.
    from: Option<i64>,
    /// The lines to leave out of it; how many of them have come or will not come any more.
    skip: Vec<Mark>,
    skipped: usize,
    /// Whether the stream has shown that it goes on where the last one ended.
    joined: bool,
    /// How many lines were new.
    lines: u64,
}

impl Cursor {
    /// The time of the newest line.
    pub(super) fn last(&self) -> Option<i64> {
        self.last
    }

    /// The second to go on from.
    pub(super) fn second(&self) -> Option<Timestamp> {
        Some(stamp::timestamp(begin(self.last?)))
    }

    /// Whether a line of the last second was read.
    pub(super) fn has_seen(&self, time: i64, text: &[u8]) -> bool {
        self.seen.contains(&(time, digest(text)))
    }

    /// How many lines were new so far.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// What is asked for may begin in the middle of the log, or it is all of it.
    pub(super) fn begins_within(&mut self, begins_within: bool) {
        self.begins_within = begins_within;
    }

    /// A new stream begins, at that second. It goes on with a log that was read from (`is_begun`), or begins another one.
    pub(super) fn resume(&mut self, is_begun: bool) {
        if !is_begun {
            // What was seen is of another run.
            self.first = None;
            self.seen.clear();
        }
        self.from = self.last.map(begin);
        self.skip.clone_from(&self.seen);
        self.skipped = 0;
        self.joined = !is_begun;
    }

    /// Whether it is known that the stream goes on where the last one ended, or that it does not.
    pub(super) fn is_joined(&self) -> bool {
        self.joined
    }

    /// Whether a stream that has this line, and before it none that says so, goes on where the last one ended: it does when
    /// it has a line that was seen. `None` when this line does not tell. Says it once.
    pub(super) fn joins(&mut self, time: i64, text: &[u8]) -> Option<bool> {
        let mark = (time, digest(text));
        let joins = self.is_before(time) || self.skip.contains(&mark);
        if !joins && self.is_unasked(time) {
            return None;
        }
        self.joined = true;
        Some(joins)
    }

    /// Whether a line is new. One that is will not be so again.
    pub(super) fn take(&mut self, time: i64, text: &[u8]) -> bool {
        let mark = (time, digest(text));
        if self.is_before(time) || self.is_to_skip(mark) {
            return false;
        }
        if self.begins_within {
            self.first.get_or_insert(mark);
        }
        if self.last.is_none_or(|last| time > last) {
            let begin = begin(time);
            if self.last.is_some_and(|last| self::begin(last) != begin) {
                self.seen.retain(|(seen, _)| *seen >= begin);
            }
            self.last = Some(time);
        }
        self.seen.push(mark);
        self.lines += 1;
        true
    }

    /// Whether a line is older than what was asked for: it was seen before.
    fn is_before(&self, time: i64) -> bool {
        self.from.is_some_and(|from| time < from)
    }

    /// Whether a line nobody has seen may be one from before those that were asked for: the second a stream is taken up at
    /// may have begun before them.
    fn is_unasked(&self, time: i64) -> bool {
        let waits_for_first = self.skipped == 0 && self.first.is_some() && self.skip.first() == self.first.as_ref();
        waits_for_first && self.first.is_some_and(|(first, _)| time <= first + DISORDER)
    }

    fn is_to_skip(&mut self, mark: Mark) -> bool {
        let rest = &self.skip[self.skipped..];
        // They come in the same order again; where the file was rotated in between, the first of them are missing.
        let found = rest.iter().position(|skip| *skip == mark);
        match found {
            Some(at) => self.skipped += at + 1,
            None if self.is_unasked(mark.0) => return true,
            // Behind a new line there are only new ones.
            None => self.skip.truncate(self.skipped),
        }
        found.is_some()
    }
}

/// The second a stream is taken up at after a line of this time.
fn begin(last: i64) -> i64 {
    (last - DISORDER).div_euclid(SECOND) * SECOND
}

/// What a text comes to: not for secrets, only to tell lines of one nanosecond apart.
fn digest(text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mixed = |sum: u64, word: [u8; 8]| (sum.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(MIX);
    words.iter().copied().chain([last]).fold(text.len() as u64, mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log as the kubelet has it: times and texts.
    type Log = Vec<(i64, String)>;

    /// Numbers without chance: the same for the same seed.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % end
        }
    }

    /// What the kubelet sends: the lines not older than the second asked for.
    fn since(log: &[(i64, String)], cursor: &Cursor) -> Log {
        let second = cursor.second().map_or(i64::MIN, stamp::nanoseconds);
        log.iter().filter(|(time, _)| *time >= second).cloned().collect()
    }

    fn take(cursor: &mut Cursor, lines: &[(i64, String)]) -> Log {
        lines.iter().filter(|(time, text)| cursor.take(*time, text.as_bytes())).cloned().collect()
    }

    fn log(times: &[(i64, &str)]) -> Log {
        times.iter().map(|(time, text)| (time * SECOND / 10, (*text).to_owned())).collect()
    }

    #[test]
    fn each_line_is_taken_once_wherever_the_stream_is_cut() {
        let log = log(&[(1, "a"), (11, "b"), (11, "b"), (19, "c"), (20, "d"), (20, "d"), (20, ""), (20, "")]);
        for cut in 0..=log.len() {
            for all in [false, true] {
                let mut cursor = Cursor::default();
                let mut taken = take(&mut cursor, &log[..cut]);
                // A server may send all of it again.
                let rest = if all { log.clone() } else { since(&log, &cursor) };
                cursor.resume(true);
                taken.extend(take(&mut cursor, &rest));
                assert_eq!(taken, log, "cut after {cut}");
            }
        }
    }

    #[test]
    fn a_log_cut_anywhere_and_often_is_whole() {
        for seed in 0..300 {
            let mut numbers = Numbers(seed);
            let mut time = 1_000 * SECOND;
            let log: Log = (0..200)
                .map(|number| {
                    // Bursts of one nanosecond, lines in disorder, pauses.
                    time += [0, 1, 1_000, 80_000_000, 700_000_000, 3 * SECOND][numbers.below(6) as usize];
                    let stamp = time - [0, 0, 0, 90_000_000][numbers.below(4) as usize];
                    (stamp, format!("line {}", number / (1 + numbers.below(3))))
                })
                .collect();
            let mut cursor = Cursor::default();
            cursor.begins_within(true);
            let mut taken = Log::new();
            // Only the last lines may be asked for.
            let wanted = &log[numbers.below(100) as usize..];
            loop {
                cursor.resume(!taken.is_empty());
                let rest = if taken.is_empty() { wanted.to_vec() } else { since(&log, &cursor) };
                let length = (1 + numbers.below(40) as usize).min(rest.len());
                for (time, text) in &rest[..length] {
                    let joins = cursor.is_joined() || cursor.joins(*time, text.as_bytes()).unwrap_or(true);
                    assert!(joins, "seed {seed}: nothing was lost");
                }
                taken.extend(take(&mut cursor, &rest[..length]));
                if length == rest.len() {
                    break;
                }
            }
            assert_eq!(taken, wanted, "seed {seed}");
        }
    }

    #[test]
    fn lines_after_a_rotation_are_not_taken_for_those_seen() {
        let before = log(&[(11, "a"), (12, "b"), (13, "c")]);
        for (after, joins) in [
            (log(&[(19, "new")]), false),
            (log(&[(13, "c"), (19, "new")]), true),
            (log(&[(13, "C"), (19, "new")]), false),
        ] {
            let mut cursor = Cursor::default();
            take(&mut cursor, &before);
            cursor.resume(true);
            assert_eq!(cursor.joins(after[0].0, after[0].1.as_bytes()), Some(joins));
            let new: Vec<String> = take(&mut cursor, &after).into_iter().map(|(_, text)| text).collect();
            assert_eq!(new.last().map(String::as_str), Some("new"));
            assert_eq!(new.len(), after.len() - usize::from(joins));
        }
    }

    #[test]
    fn what_was_not_asked_for_does_not_come_with_a_stream_that_goes_on() {
        let all = log(&[(11, "1"), (12, "2"), (13, "3"), (14, "4"), (14, "5")]);
        let mut cursor = Cursor::default();
        cursor.begins_within(true);
        cursor.resume(false);
        assert_eq!(take(&mut cursor, &all[3..4]), all[3..4]);
        cursor.resume(true);
        let said: Vec<Option<bool>> =
            all[..4].iter().map(|(time, text)| cursor.joins(*time, text.as_bytes())).collect();
        assert_eq!(said, [None, None, None, Some(true)]);
        assert_eq!(take(&mut cursor, &all), all[4..]);
    }

    #[test]
    fn the_first_stream_of_a_log_misses_nothing() {
        let mut cursor = Cursor::default();
        cursor.resume(false);
        assert!(cursor.is_joined());
        assert_eq!(cursor.second(), None);
    }

    #[test]
    fn what_is_remembered_is_little() {
        let mut cursor = Cursor::default();
        for number in 0..100_000 {
            cursor.take(number * SECOND / 100, b"line");
        }
        assert!(cursor.seen.len() <= 211, "{}", cursor.seen.len());
    }
}

//! Where in a log one is: the second of the last line and how many of its lines were seen.

/// The length of `2026-11-21T12:00:00`.
const SECOND: usize = 19;

/// What has been read.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// The second of the last line, empty before the first.
    second: Vec<u8>,
    /// How many lines of that second were handed over.
    seen: usize,
    /// The first of them, with its timestamp.
    first: Vec<u8>,
    /// How many of them are still to be left out, in the stream that goes on.
    skip: usize,
    /// Whether the lines to leave out have begun.
    checked: bool,
    /// How many lines were handed over.
    lines: u64,
}

impl Cursor {
    /// The second to go on from: `2026-11-21T12:00:00Z`.
    pub(super) fn second(&self) -> Option<String> {
        let second = std::str::from_utf8(&self.second).ok().filter(|second| !second.is_empty())?;
        Some(format!("{second}Z"))
    }

    /// How many lines were handed over so far.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// A new stream begins, at that second.
    pub(super) fn resume(&mut self) {
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
        if second != self.second {
            if second < self.second.as_slice() {
                // Written by another thread a moment earlier; it stands after the line it was later than.
                self.pass(text, rest);
                return;
            }
            self.second = second.to_vec();
            self.first = line.to_vec();
            (self.seen, self.skip, self.checked) = (1, 0, true);
            self.pass(text, rest);
            return;
        }
        if !self.checked {
            self.checked = true;
            // Not the lines that were seen: the file was rotated in between, and those are gone.
            if line != self.first.as_slice() {
                (self.skip, self.seen) = (0, 0);
                self.first = line.to_vec();
            }
        }
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.seen += 1;
        self.pass(text, rest);
    }
}

impl Cursor {
    fn pass(&mut self, text: &mut Vec<u8>, line: &[u8]) {
        self.lines += 1;
        text.extend_from_slice(line);
    }
}

/// Whether a line begins with its time.
pub(super) fn is_stamped(line: &[u8]) -> bool {
    split(line).is_some()
}

/// The second and what stands behind the timestamp: `2026-11-21T12:00:00.123456789Z text`.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().take(40).position(|byte| *byte == b' ')?;
    let stamp = &line[..end];
    let is_stamp = stamp.len() > SECOND && stamp[4] == b'-' && stamp[10] == b'T' && stamp[13] == b':';
    is_stamp.then(|| (&line[..SECOND], &line[end + 1..]))
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
            let from = cursor.second();
            cursor.resume();
            let rest: Vec<&str> =
                LOG.iter().copied().filter(|line| from.as_ref().is_none_or(|from| line[..19] >= from[..19])).collect();
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
}

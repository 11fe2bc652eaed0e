//! Which lines belong to a Python traceback.
//!
//! The grammar is CPython's `traceback` module: a header; frames, indented; a line `Type: message`, whose message and notes
//! may go on for lines that look like nothing; then perhaps an empty line, a sentence about the other exception, and all of
//! it again. Exception groups are drawn with `|` and `+` at the left.

/// How many lines of a message and its notes are taken that only their time connects.
const LONGEST_MESSAGE: u16 = 50;

const HEADER: &[u8] = b"Traceback (most recent call last):";
/// How the header of a mere stack ends: of `stack_info=True`, of faulthandler.
const STACK: [&[u8]; 2] = [b"Stack (most recent call last):", b" (most recent call first):"];
const GROUP: &[u8] = b"+ Exception Group Traceback (most recent call last):";
const ANOTHER: [&[u8]; 2] = [
    b"During handling of the above exception, another exception occurred:",
    b"The above exception was the direct cause of the following exception:",
];
/// What PostgreSQL's messages go on with.
const DETAILS: [&[u8]; 6] = [b"DETAIL:", b"HINT:", b"LINE ", b"CONTEXT:", b"QUERY:", b"WHERE:"];

/// How far a traceback is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Behind the header, this far indented.
    Frames(usize),
    /// Within frames that have no such header: a stack without an exception, unless one follows.
    Stack,
    /// Behind the exception's type; with the lines of its message.
    Message(usize, u16),
    /// Behind the sentence about the other exception.
    Another,
    /// Within an exception group.
    Group,
}

/// The state behind a line that begins a traceback.
pub fn begin(line: &[u8]) -> Option<State> {
    let line = line.trim_ascii_end();
    match line.last()? {
        b':' if line.ends_with(GROUP) => Some(State::Group),
        b':' if line.ends_with(HEADER) => {
            let before = &line[..line.len() - HEADER.len()];
            Some(State::Frames(if before.trim_ascii().is_empty() { before.len() } else { 0 }))
        }
        b':' if STACK.iter().any(|header| line.ends_with(header)) => Some(State::Stack),
        // A syntax error of the program itself has no header; nor has what follows an interruption.
        _ if line.starts_with(b"  File \"") && memchr::memmem::find(line, b"\", line ").is_some() => Some(State::Stack),
        _ => None,
    }
}

impl State {
    /// Whether there is an exception, for sure.
    pub fn is_exception(self) -> bool {
        self != Self::Stack
    }

    /// Whether more is sure to follow behind this last line, as far as that can be seen.
    pub fn wants_more(self, last: &[u8]) -> bool {
        match self {
            Self::Frames(_) | Self::Another => true,
            // A group ends with a line that has no number; one within another does, too, and then more may follow.
            Self::Group => !last.trim_ascii().strip_prefix(b"+-").is_some_and(|line| line.iter().all(|it| *it == b'-')),
            Self::Message(..) | Self::Stack => false,
        }
    }

    /// The state behind the next line, or nothing when that line belongs no more.
    ///
    /// `close` says whether it was written at the same moment as the line before; `is_record` whether it looks like a
    /// line of its own.
    pub fn next(self, line: &[u8], close: bool, is_record: impl FnOnce() -> bool) -> Option<Self> {
        let line = line.trim_ascii_end();
        let text = line.trim_ascii_start();
        let indent = line.len() - text.len();
        match self {
            Self::Frames(_) if text.is_empty() => Some(self),
            // Loguru marks the frame that caught the exception.
            Self::Frames(header) if indent > header || text.starts_with(b"> File \"") => Some(self),
            Self::Frames(header) => (!is_record()).then_some(Self::Message(header, 0)),
            Self::Stack if indent > 0 && !text.is_empty() => Some(self),
            Self::Stack => (close && is_exception(line) && !is_record()).then_some(Self::Message(0, 0)),
            Self::Message(header, lines) => {
                if ANOTHER.contains(&text) {
                    return Some(Self::Another);
                }
                // A header that comes unannounced is another traceback's; a frame that does is part of the message.
                if text.ends_with(HEADER) {
                    return None;
                }
                let connected = text.is_empty() || indent > header || DETAILS.iter().any(|word| text.starts_with(word));
                let next = Self::Message(header, lines.saturating_add(1));
                (connected && lines < LONGEST_MESSAGE * 4 || close && lines < LONGEST_MESSAGE && !is_record())
                    .then_some(next)
            }
            Self::Another if text.is_empty() => Some(self),
            Self::Another => begin(line).or_else(|| (!is_record()).then_some(Self::Message(indent, 0))),
            // One group right after another; those within a group have `|` before their header.
            Self::Group if text.starts_with(GROUP) => None,
            Self::Group if text.starts_with(b"|") || text.starts_with(b"+") => Some(self),
            Self::Group if text.is_empty() => Some(Self::Message(0, LONGEST_MESSAGE)),
            Self::Group if ANOTHER.contains(&text) => Some(Self::Another),
            Self::Group => None,
        }
    }
}

/// Whether a line may be what a traceback ends with: `shop.errors.Boom: text`, `KeyError`.
fn is_exception(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
    let (class, rest) = line.split_at(end);
    let is_name = class.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(byte));
    let name = class.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    is_name && name.first().is_some_and(u8::is_ascii_uppercase) && (rest.len() < 2 || rest.starts_with(b": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the lines belong to the traceback that begins with the first.
    fn length(lines: &[&str]) -> usize {
        let mut state = begin(lines[0].as_bytes()).unwrap();
        for (number, line) in lines.iter().enumerate().skip(1) {
            let is_record = || line.starts_with("INFO") || line.starts_with('{');
            match state.next(line.as_bytes(), true, is_record) {
                Some(next) => state = next,
                None => return number,
            }
        }
        lines.len()
    }

    /// A text, with a line behind it that is not part of it.
    fn whole(text: &str) {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.push("INFO next");
        assert_eq!(length(&lines), lines.len() - 1, "{text}");
    }

    const SIMPLE: &str = "Traceback (most recent call last):\n  File \"t.py\", line 7, in <module>\n    try: f(0)\n         ^^^^\nZeroDivisionError: division by zero";

    #[test]
    fn a_traceback_ends_with_its_message() {
        whole(SIMPLE);
        whole(
            "Traceback (most recent call last):\n  File \"t.py\", line 7, in f\n  [Previous line repeated 996 more times]\nRecursionError: maximum recursion depth exceeded",
        );
        whole("ERROR shop Traceback (most recent call last):\n  File \"t.py\", line 7, in f\nA.L");
        whole("    Traceback (most recent call last):\n      File \"t.py\", line 7, in f\n    KeyError: 'k'");
        whole("  File \"x.py\", line 1\n    a b\n      ^\nSyntaxError: invalid syntax");
        whole("Traceback (most recent call last):\r\n  File \"t.py\", line 7, in f\r\nKeyError: 'k'\r");
    }

    #[test]
    fn chains_are_one() {
        for sentence in ANOTHER {
            let sentence = std::str::from_utf8(sentence).unwrap();
            whole(&format!("{SIMPLE}\n\n{sentence}\n\n{SIMPLE}\n\n{sentence}\n\nBoom: never raised"));
        }
        let lines: Vec<&str> = SIMPLE.lines().chain(SIMPLE.lines()).collect();
        assert_eq!(length(&lines), 5, "two tracebacks one after the other are two");
    }

    #[test]
    fn messages_and_notes_go_on() {
        whole(
            "Traceback (most recent call last):\n  File \"t.py\", line 24, in f\nValueError: x\n  y\nz\nNote 1\nmore\n\nlines",
        );
        let far = |state: State, line: &[u8]| state.next(line, false, || false);
        assert_eq!(far(State::Message(0, 0), b"DETAIL:  Key (id)=(1) already exists."), Some(State::Message(0, 1)));
        assert_eq!(far(State::Message(0, 0), b"        ^"), Some(State::Message(0, 1)));
        assert_eq!(far(State::Message(0, 0), b"text of another moment"), None);
        assert_eq!(State::Message(0, LONGEST_MESSAGE).next(b"x", true, || false), None);
    }

    #[test]
    fn groups_are_one() {
        let group = "  + Exception Group Traceback (most recent call last):\n  |   File \"t.py\", line 20, in <module>\n  | ExceptionGroup: many (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | ValueError: a\n    | b\n    +---------------- 2 ----------------\n    | ExceptionGroup: inner (1 sub-exception)\n    +-+---------------- 1 ----------------\n      | Traceback (most recent call last):\n      |   File \"t.py\", line 18, in f\n      | KeyError: 1\n      +------------------------------------";
        whole(group);
        let sentence = std::str::from_utf8(ANOTHER[0]).unwrap();
        whole(&format!("{SIMPLE}\n\n{sentence}\n\n{group}\n\n{sentence}\n\n{SIMPLE}"));
        let lines: Vec<&str> = group.lines().chain(group.lines()).collect();
        assert_eq!(length(&lines), lines.len() / 2, "two groups one after the other are two");
        assert_eq!(length(&["  + Exception Group Traceback (most recent call last):", "  | x", "plain"]), 2);
    }

    #[test]
    fn what_is_open_wants_more() {
        let group = [
            ("  + Exception Group Traceback (most recent call last):", true),
            ("  |   File \"t.py\", line 20, in <module>", true),
            ("  | ExceptionGroup: many (2 sub-exceptions)", true),
            ("  +-+---------------- 1 ----------------", true),
            ("    | ValueError: a", true),
            ("    +---------------- 2 ----------------", true),
            ("    | ExceptionGroup: inner (1 sub-exception)", true),
            ("    +-+---------------- 1 ----------------", true),
            ("      | KeyError: 1", true),
            ("      +------------------------------------", false),
            ("    +---------------- ... ----------------", true),
            ("    | and 5 more exceptions", true),
            ("    +------------------------------------", false),
            ("", false),
        ];
        let chain = SIMPLE.lines().map(|line| (line, !line.starts_with("ZeroDivisionError")));
        let chain = chain.chain([("", false), (std::str::from_utf8(ANOTHER[0]).unwrap(), true), ("", true)]);
        for lines in [group.to_vec(), chain.collect()] {
            let mut state = begin(lines[0].0.as_bytes()).unwrap();
            for (number, (line, wants_more)) in lines.into_iter().enumerate() {
                if number > 0 {
                    state = state.next(line.as_bytes(), true, || false).unwrap();
                }
                assert_eq!(state.wants_more(line.as_bytes()), wants_more, "{line}");
            }
        }
        assert!(!State::Stack.wants_more(b"    g()"));
    }

    #[test]
    fn a_stack_is_no_exception() {
        for header in ["Stack (most recent call last):", "Current thread 0x00007f12 (most recent call first):"] {
            let lines = [header, "  File \"t.py\", line 7, in f", "    g()", "text of its own"];
            assert_eq!(length(&lines), 3, "{header}");
            assert!(!begin(header.as_bytes()).unwrap().is_exception());
        }
        let lines = ["  File \"t.py\", line 7, in f", "    g()", "shop.errors.Boom: text"];
        assert_eq!(length(&lines), 3, "an exception whose frames were interrupted");
        let at = |line: &[u8], close| State::Stack.next(line, close, || false);
        assert_eq!(at(b"KeyError: 'k'", true), Some(State::Message(0, 0)));
        assert_eq!(at(b"KeyError: 'k'", false), None);
        for line in ["done", "done: 5", "Ten minutes later", "Boom:", "", "a/B: x"] {
            assert_eq!(at(line.as_bytes(), true), (line == "Boom:").then_some(State::Message(0, 0)), "{line}");
        }
    }

    #[test]
    fn loguru_s_tracebacks_are_whole() {
        whole(
            "Traceback (most recent call last):\n\n  File \"a.py\", line 9, in <module>\n    f()\n    \u{2514} <function f>\n> File \"a.py\", line 1, in f\n    g()\nValueError: x",
        );
    }

    #[test]
    fn a_line_of_its_own_interrupts_the_frames() {
        assert_eq!(length(&["Traceback (most recent call last):", "  File \"t.py\", line 7, in f", "{\"a\":1}"]), 2);
    }

    #[test]
    fn other_lines_begin_nothing() {
        for line in [
            "",
            ":",
            "Traceback",
            "{\"exc_info\":\"Traceback (most recent call last):\\n\"}",
            "  File \"x\"",
            "KeyError: 'k'",
        ] {
            assert_eq!(begin(line.as_bytes()), None, "{line}");
        }
    }
}

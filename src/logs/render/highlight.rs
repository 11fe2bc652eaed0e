//! Marks what regular expressions match, whatever colours there are: reverse is switched on and off again, alone.

use regex::bytes::Regex;

use super::clean::colour_length;

/// Writes a line that is fit for a terminal, with the matches marked. What matches is looked for between colours.
pub fn highlight(line: &[u8], regexes: &[Regex], out: &mut Vec<u8>) {
    let mut rest = line;
    while !rest.is_empty() {
        let end = memchr::memchr(0x1b, rest).unwrap_or(rest.len());
        mark(&rest[..end], regexes, out);
        let length = colour_length(&rest[end..]).unwrap_or(rest.len() - end);
        out.extend_from_slice(&rest[end..end + length]);
        rest = &rest[end + length..];
    }
}

fn mark(text: &[u8], regexes: &[Regex], out: &mut Vec<u8>) {
    // One of nothing marks nothing. Each expression goes through the text once, however many matches the others have.
    let matches = |regex| Regex::find_iter(regex, text).filter(|found| !found.is_empty()).peekable();
    let mut all: Vec<_> = regexes.iter().map(matches).collect();
    let mut from = 0;
    loop {
        // Of the nearest matches the longest.
        let next = all.iter_mut().filter_map(|matches| {
            while matches.next_if(|found| found.start() < from).is_some() {}
            matches.peek().copied()
        });
        let Some(found) = next.min_by_key(|found| (found.start(), usize::MAX - found.end())) else { break };
        out.extend_from_slice(&text[from..found.start()]);
        out.extend_from_slice(b"\x1b[7m");
        out.extend_from_slice(found.as_bytes());
        out.extend_from_slice(b"\x1b[27m");
        from = found.end();
    }
    out.extend_from_slice(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(line: &str, patterns: &[&str]) -> String {
        let regexes: Vec<Regex> = patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
        let mut out = Vec::new();
        highlight(line.as_bytes(), &regexes, &mut out);
        String::from_utf8(out).unwrap().replace("\x1b[7m", "<").replace("\x1b[27m", ">").replace('\x1b', "ESC")
    }

    #[test]
    fn all_matches_are_marked() {
        assert_eq!(marked("a1b22", &[r"\d+", "b"]), "a<1><b><22>");
        assert_eq!(marked("order 17", &["order", "order 17"]), "<order 17>");
        assert_eq!(marked("x", &["y*"]), "x");
        assert_eq!(marked("xyyx", &["y*"]), "x<yy>x");
        assert_eq!(marked("abcd bcd", &["ab", "bcd"]), "<ab>cd <bcd>");
    }

    #[test]
    fn a_rare_match_is_looked_for_once() {
        let begin = std::time::Instant::now();
        let marked = marked(&"x".repeat(100_000), &["x", r"[a-w]\d+q"]);
        assert_eq!(marked.len(), 300_000);
        // It was minutes when each match of the one began a search for the other.
        assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
    }

    #[test]
    fn numbers_of_colours_are_not_taken_for_text() {
        assert_eq!(marked("\x1b[31m31\x1b[0m", &["31"]), "ESC[31m<31>ESC[0m");
    }
}

//! A line's text understood: JSON first, then the known forms.

use super::{json, known, record::Record};

/// What a line says that is no JSON object, or nothing when its form is not known.
pub fn parse_plain(line: &[u8]) -> Option<Record<'_>> {
    known::recognise(text(line))
}

/// What a line says that is a JSON object.
pub fn parse_json(line: &[u8]) -> Option<Record<'_>> {
    if looks_like_json(line) { json::parse(std::str::from_utf8(line).ok()?) } else { None }
}

/// Whether a line is one of its own, and no part of a message.
pub fn is_record(line: &[u8]) -> bool {
    looks_like_json(line) || known::recognise(text(line)).is_some()
}

/// Whether a line is likely to be a JSON object; told by its ends.
pub fn looks_like_json(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{") && line.trim_ascii_end().ends_with(b"}")
}

/// What of a line is text: all, up to the first byte that is not UTF-8.
fn text(line: &[u8]) -> &str {
    match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&line[..error.valid_up_to()]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_is_json() {
        assert!(parse_json(br#" {"message": "m"} "#).is_some());
        for line in [&b"INFO: {}"[..], b"{not json}", b"{\"message\": \"\xff\"}"] {
            assert_eq!(parse_json(line), None);
        }
    }

    #[test]
    fn bytes_that_are_no_text_end_what_is_understood() {
        let record = parse_plain(b"ERROR shop.orders: bad \xff\xfe name").unwrap();
        assert_eq!((record.logger.as_deref(), &*record.message), (Some("shop.orders"), "bad"));
        assert_eq!(parse_plain(b"\xffERROR: x"), None);
    }
}

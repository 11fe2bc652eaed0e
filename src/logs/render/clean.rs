//! What of a line a terminal may see: text and colours, and nothing it would obey.

/// Writes a line without what a terminal would obey. Other than colours (SGR sequences, kept where `colored`), control
/// characters become pictures of themselves; bytes that are no text become `\xNN`. Returns whether a colour was written.
pub fn clean(line: &[u8], colored: bool, out: &mut Vec<u8>) -> bool {
    let mut colour = false;
    let mut rest = line;
    while !rest.is_empty() {
        // Most lines are one such run.
        let plain = rest.iter().position(|byte| !(0x20..0x7f).contains(byte) && *byte != b'\t').unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        match rest.first() {
            None => break,
            Some(0x1b) => {
                let length = colour_length(rest);
                match length {
                    Some(length) if colored => {
                        out.extend_from_slice(&rest[..length]);
                        colour = true;
                    }
                    Some(_) => {}
                    None => picture(0x1b, out),
                }
                rest = &rest[length.unwrap_or(1)..];
            }
            Some(byte @ (0..0x20 | 0x7f)) => {
                picture(*byte, out);
                rest = &rest[1..];
            }
            Some(_) => rest = beyond_ascii(rest, out),
        }
    }
    colour
}

/// Writes text up to the next ASCII byte, and returns what follows.
fn beyond_ascii<'a>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let end = bytes.iter().position(u8::is_ascii).unwrap_or(bytes.len());
    for chunk in bytes[..end].utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                // C1 controls; line and paragraph separators; what turns the direction of text, is not seen, or is a tag.
                '\u{80}'..='\u{9f}'
                | '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}' => {
                    out.extend_from_slice("\u{fffd}".as_bytes());
                }
                character => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
    &bytes[end..]
}

/// The picture of a control character: `␍`.
fn picture(byte: u8, out: &mut Vec<u8>) {
    let point = if byte == 0x7f { 0x2421 } else { 0x2400 + u32::from(byte) };
    let picture = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(picture.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The length of the SGR sequence that bytes begin with.
pub(super) fn colour_length(bytes: &[u8]) -> Option<usize> {
    let parameters = bytes.strip_prefix(b"\x1b[")?;
    let end = parameters.iter().take(64).position(|byte| !byte.is_ascii_digit() && !b";:".contains(byte))?;
    (parameters[end] == b'm').then_some(end + b"\x1b[m".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &[u8], colored: bool) -> (String, bool) {
        let mut out = Vec::new();
        let colour = clean(line, colored, &mut out);
        (String::from_utf8(out).unwrap(), colour)
    }

    #[test]
    fn only_colours_pass() {
        assert_eq!(shown(b"a\x1b[1;31mb\x1b[0mc", true), ("a\x1b[1;31mb\x1b[0mc".into(), true));
        assert_eq!(shown(b"a\x1b[1;31mb\x1b[0mc", false), ("abc".into(), false));
        assert_eq!(shown(b"\x1b]52;c;eA\x07", true).0, "\u{241b}]52;c;eA\u{2407}");
        assert_eq!(shown(b"\x1b[2J\x1b[31", true).0, "\u{241b}[2J\u{241b}[31");
        assert_eq!(shown("\u{9b}2Jé\u{2028}\u{202e}x".as_bytes(), true).0, "\u{fffd}2Jé\u{fffd}\u{fffd}x");
        for unseen in "\u{61c}\u{200b}\u{200e}\u{200f}\u{2060}\u{2066}\u{feff}\u{e0041}".chars() {
            assert_eq!(shown(format!("a{unseen}b").as_bytes(), true).0, "a\u{fffd}b");
        }
        assert_eq!(shown("👩\u{200d}🚀".as_bytes(), true).0, "👩\u{200d}🚀", "joins what is one picture");
        assert_eq!(shown(b"a\rb\0c\x7f\td", true).0, "a\u{240d}b\u{2400}c\u{2421}\td");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        assert_eq!(shown(b"\xff caf\xc3\xa9 \xc3", true).0, "\\xff café \\xc3");
        assert_eq!(shown(b"\x9b2J", true).0, "\\x9b2J");
    }

    #[test]
    fn nothing_thrown_at_it_gets_through() {
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let line: Vec<u8> = (0..24)
                .map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    b"\x1b\x1b[[;;m0139JH]\x07\r\n\x9b\xc2\xe2\x80\xa8x\0\xff"[(seed % 25) as usize]
                })
                .collect();
            let (text, _) = shown(&line, true);
            let mut rest = text.as_str();
            while let Some(at) = rest.find(|c: char| c.is_control()) {
                let length = colour_length(&rest.as_bytes()[at..]).expect("only colours are left");
                rest = &rest[at + length..];
            }
            assert!(!text.contains(['\u{2028}', '\u{9b}']));
            assert!(!shown(&line, false).0.contains(char::is_control));
        }
    }
}

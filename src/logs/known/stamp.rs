//! Times at the beginning of a line, in the forms programs write them.

/// The length of the time a text begins with.
pub(super) fn length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if !bytes.first()?.is_ascii_digit() {
        return None;
    }
    // 2026-11-21, 2026/11/21
    if matches(bytes, b"dddd-dd-dd") || matches(bytes, b"dddd/dd/dd") {
        let time = match bytes.get(10) {
            Some(b'T' | b' ') => clock(&bytes[11..]),
            _ => None,
        };
        return Some(time.map_or(10, |time| 11 + time));
    }
    // 21/Nov/2026:16:00:11, 21/Nov/2026 16:00:11
    if matches(bytes, b"dd/aaa/dddd") && matches!(bytes.get(11), Some(b':' | b' ')) {
        return Some(12 + clock(&bytes[12..])?);
    }
    clock(bytes)
}

/// `16:00:11`, with a fraction and a zone.
fn clock(bytes: &[u8]) -> Option<usize> {
    if !matches(bytes, b"dd:dd:dd") {
        return None;
    }
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = 8;
    if matches!(bytes.get(8), Some(b'.' | b',')) && digits(9) > 0 {
        end = 9 + digits(9);
    }
    let rest = &bytes[end..];
    let zone = match rest {
        [b'Z', ..] => 1,
        _ if rest.starts_with(b" UTC") => 4,
        _ => {
            let space = usize::from(rest.first() == Some(&b' '));
            let rest = &rest[space..];
            let signed = matches!(rest.first(), Some(b'+' | b'-'));
            match signed {
                true if matches(&rest[1..], b"dd:dd") => space + 6,
                true if matches(&rest[1..], b"dddd") => space + 5,
                _ => 0,
            }
        }
    };
    Some(end + zone)
}

/// Whether bytes begin like a pattern: `d` is a digit, `a` a letter, all else itself.
fn matches(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.len() >= pattern.len()
        && bytes.iter().zip(pattern).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            wanted => byte == wanted,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_many_forms() {
        for time in [
            "2026-11-21 16:02:47,730",
            "2026-11-21T16:02:47.730123Z",
            "2026-11-21T16:02:47+01:00",
            "2026-11-21 16:00:11 +0000",
            "2026-11-21 16:00:11.123 UTC",
            "2026/11/21 16:00:11",
            "21/Nov/2026:16:00:11 +0000",
            "21/Nov/2026 16:00:11",
            "16:00:11.5",
            "2026-11-21",
        ] {
            assert_eq!(length(&format!("{time} INFO")), Some(time.len()), "{time}");
            assert_eq!(length(time), Some(time.len()), "{time}");
        }
        for other in ["", "2026", "26-11-21", "21/11/2026", "1:2:3", "x2026-11-21", "２０２６-11-21"] {
            assert_eq!(length(other), None, "{other}");
        }
    }
}

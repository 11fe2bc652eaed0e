//! Times as they are typed, in arguments and in files.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// A time as it is typed: `90s`, `15m`, `12h`, `7d`, `1h30m`, and `0`.
///
/// # Errors
/// When it is none, or negative.
pub fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = |why: String| format!("{why}; a time is typed like 90s, 15m, 12h, 7d");
    if text.trim() == "0" {
        return Ok(SignedDuration::ZERO);
    }
    let span: Span = text.trim().parse().map_err(|_| wrong("this is no time".to_owned()))?;
    let days_of_24_hours = SpanRelativeTo::days_are_24_hours();
    let time = span.to_duration(days_of_24_hours).map_err(|_| wrong("months and years differ in length".to_owned()))?;
    if time.is_negative() { Err(wrong("it must not be negative".to_owned())) } else { Ok(time) }
}

/// A limit in time, which cannot be nothing.
///
/// # Errors
/// When it is no time, or zero.
pub fn time_limit(text: &str) -> Result<Duration, String> {
    match duration(text)?.unsigned_abs() {
        Duration::ZERO => Err("it must be longer than that".to_owned()),
        limit => Ok(limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_typed_as_kubectl_has_them() {
        let seconds = |text: &str| duration(text).map(|time| time.as_secs());
        for (text, expected) in [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("1h30m", 5400)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        assert_eq!([seconds("0"), seconds("0s")], [Ok(0), Ok(0)]);
        for text in ["", "yesterday", "-5m", "7", "1mo", "1e9h", "5 light years"] {
            assert!(seconds(text).is_err(), "{text}: {:?}", seconds(text));
        }
    }
}

//! The time that stands before each line of a log.
//!
//! Runtimes stamp lines in the time of their node, and the kubelet passes the offset on: `2026-11-21T07:00:00.1-05:00`. All
//! that is compared here is UTC, in nanoseconds since 1970.

use k8s_openapi::jiff::Timestamp;

/// The longest stamp there is room for: nine digits of a second and an offset need 35.
const LONGEST: usize = 40;
/// A second in nanoseconds.
pub(super) const SECOND: i64 = 1_000_000_000;

/// The time, and what stands behind it: `2026-11-21T12:00:00.123456789Z text`; `None` where there is no time.
pub(super) fn split(line: &[u8]) -> Option<(i64, usize)> {
    let end = line.iter().take(LONGEST).position(|byte| *byte == b' ')?;
    Some((read(&line[..end])?, end + 1))
}

/// A time as a timestamp.
pub(super) fn timestamp(time: i64) -> Timestamp {
    Timestamp::from_nanosecond(time.into()).unwrap_or_default()
}

/// A timestamp as a time.
pub(super) fn nanoseconds(timestamp: Timestamp) -> i64 {
    let time = timestamp.as_nanosecond();
    i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX })
}

/// Reads a stamp. By hand: every line of a log comes through here.
fn read(stamp: &[u8]) -> Option<i64> {
    let number = |from: usize, to: usize| {
        let digits = stamp.get(from..to)?;
        digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
    };
    let sign = |at: usize, sign: u8| (stamp.get(at) == Some(&sign)).then_some(());
    sign(4, b'-').and(sign(7, b'-')).and(sign(10, b'T')).and(sign(13, b':')).and(sign(16, b':'))?;
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let local = days * 86_400 + number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    let (mut fraction, mut digit, mut zone) = (0, SECOND / 10, 19);
    if stamp.get(19) == Some(&b'.') {
        zone = 20;
        while let Some(byte) = stamp.get(zone).filter(|byte| byte.is_ascii_digit()) {
            fraction += i64::from(byte - b'0') * digit;
            digit /= 10;
            zone += 1;
        }
    }
    let offset = || {
        sign(zone + 3, b':')?;
        (stamp.len() == zone + 6).then_some(number(zone + 1, zone + 3)? * 3_600 + number(zone + 4, zone + 6)? * 60)
    };
    let second = match stamp.get(zone)? {
        b'Z' if stamp.len() == zone + 1 => local,
        b'+' => local - offset()?,
        b'-' => local + offset()?,
        _ => return None,
    };
    second.checked_mul(SECOND)?.checked_add(fraction)
}

/// The days from 1970-01-01 to this one, of years that begin in March: so the leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_any_zone_are_nanoseconds_of_utc() {
        for stamp in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T23:59:59.9Z",
            "2024-12-31T23:59:59.999999999Z",
            "2026-03-01T00:00:00.1+05:45",
            "2026-11-21T07:00:00.100000000-05:00",
            "2026-11-21T00:30:00.000000005+13:00",
            "2100-03-01T00:00:00-09:30",
        ] {
            let expected = stamp.parse::<Timestamp>().unwrap();
            assert_eq!(read(stamp.as_bytes()), Some(nanoseconds(expected)), "{stamp}");
            assert_eq!(timestamp(nanoseconds(expected)), expected);
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
            "9999-11-21T12:00:00Z",
        ] {
            assert_eq!(read(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn the_text_is_behind_the_first_blank() {
        let line = b"2026-11-21T12:00:00.1Z  text";
        let (_, text) = split(line).unwrap();
        assert_eq!(&line[text..], b" text");
        assert_eq!(split(b"failed to create fsnotify watcher: too many open files"), None);
        assert_eq!(split(b""), None);
    }
}

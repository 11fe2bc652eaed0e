//! Times for people: of the user's own zone, or UTC.

use jiff::{Timestamp, tz::TimeZone};

/// Writes times. Of lines within one second all but the milliseconds is the same, and is made once.
#[derive(Debug)]
pub struct Clock {
    zone: TimeZone,
    second: Option<i64>,
    /// `2026-11-21T16:02:47`
    date_time: String,
    /// `Z`, `+01:00`
    offset: String,
}

impl Clock {
    /// A clock of a zone.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, second: None, date_time: String::new(), offset: String::new() }
    }

    /// `16:02:47.730`
    pub fn time(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        self.set(time);
        out.extend_from_slice(self.date_time.as_bytes().get(11..).unwrap_or_default());
        millis(time, out);
    }

    /// `2026-11-21T16:02:47.730+01:00`
    pub fn date_time(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        self.set(time);
        out.extend_from_slice(self.date_time.as_bytes());
        millis(time, out);
        out.extend_from_slice(self.offset.as_bytes());
    }

    /// `2026-11-21`, `16:02:47`
    pub fn date_and_second(&mut self, time: Timestamp) -> (String, String) {
        self.set(time);
        let (date, second) = self.date_time.split_once('T').unwrap_or_default();
        (date.to_owned(), second.to_owned())
    }

    fn set(&mut self, time: Timestamp) {
        let second = time.as_nanosecond().div_euclid(1_000_000_000) as i64;
        if self.second == Some(second) {
            return;
        }
        self.second = Some(second);
        let whole = Timestamp::from_second(second).unwrap_or(time);
        self.date_time = whole.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let offset = whole.to_zoned(self.zone.clone()).strftime("%:z").to_string();
        self.offset = if self.zone == TimeZone::UTC { "Z".to_owned() } else { offset };
    }
}

fn millis(time: Timestamp, out: &mut Vec<u8>) {
    let millis = time.as_nanosecond().rem_euclid(1_000_000_000) / 1_000_000;
    let digit = |divisor: i128| b'0' + (millis / divisor % 10) as u8;
    out.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(zone: TimeZone, time: &str) -> (String, String) {
        let mut clock = Clock::new(zone);
        let (mut short, mut long) = (Vec::new(), Vec::new());
        clock.date_time("2020-01-01T00:00:00Z".parse().unwrap(), &mut Vec::new());
        clock.time(time.parse().unwrap(), &mut short);
        clock.date_time(time.parse().unwrap(), &mut long);
        (String::from_utf8(short).unwrap(), String::from_utf8(long).unwrap())
    }

    #[test]
    fn times_are_of_the_zone() {
        let expected = ("16:02:47.730".to_owned(), "2026-11-21T16:02:47.730Z".to_owned());
        assert_eq!(shown(TimeZone::UTC, "2026-11-21T16:02:47.730999999Z"), expected);
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        let expected = ("19:59:59.005".to_owned(), "1969-12-31T19:59:59.005-05:00".to_owned());
        assert_eq!(shown(zone.clone(), "1970-01-01T00:59:59.005Z"), expected);
        let expected = ("18:59:59.900".to_owned(), "1969-12-31T18:59:59.900-05:00".to_owned());
        assert_eq!(shown(zone, "1969-12-31T23:59:59.9Z"), expected);
    }
}

//! Times as they are typed: ago, or a point in time.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

use crate::typed_time::duration;

/// A time ago, or a point in time; without a zone it is local.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    moment(text, Timestamp::now(), TimeZone::system())
}

fn moment(text: &str, now: Timestamp, zone: TimeZone) -> Result<Timestamp, String> {
    let wrong = || {
        "a time ago is expected (15m, 2h, 3d), or a point in time (10:42, \"2026-11-21 10:42\", 2026-11-21T10:42:00Z)"
            .to_owned()
    };
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(ago) = duration(text) {
        return now.checked_sub(ago).map_err(|_| wrong());
    }
    let local = now.to_zoned(zone.clone());
    let local_time =
        |date: civil::DateTime| date.to_zoned(zone.clone()).map(|time| time.timestamp()).map_err(|_| wrong());
    if let Ok(point) = text.parse::<civil::DateTime>() {
        return local_time(point);
    }
    let time = text.parse::<civil::Time>().map_err(|_| wrong())?;
    let today = local_time(local.date().to_datetime(time))?;
    // 23:50, asked for at five past midnight, was yesterday.
    match today > now + SignedDuration::from_mins(1) {
        true => local_time(local.date().yesterday().map_err(|_| wrong())?.to_datetime(time)),
        false => Ok(today),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ago_or_a_point_in_time() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let zone = || TimeZone::fixed(jiff::tz::offset(1));
        for (text, expected) in [
            ("15m", "2026-11-21T11:45:00Z"),
            ("0", "2026-11-21T12:00:00Z"),
            ("10:42", "2026-11-21T09:42:00Z"),
            ("23:50", "2026-11-20T22:50:00Z"),
            ("2026-11-20 10:42", "2026-11-20T09:42:00Z"),
            ("2026-11-20T10:42:01", "2026-11-20T09:42:01Z"),
            ("2026-11-20T10:42:01.5Z", "2026-11-20T10:42:01.5Z"),
            ("2026-11-20T10:42:01+05:00", "2026-11-20T05:42:01Z"),
        ] {
            assert_eq!(moment(text, now, zone()), Ok(expected.parse().unwrap()), "{text}");
        }
        // The night in which the clocks go forward: yesterday is 23 hours ago.
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let (night, expected) = ("2026-03-29T21:00:00Z", "2026-03-28T22:50:00Z");
        assert_eq!(moment("23:50", night.parse().unwrap(), berlin), Ok(expected.parse().unwrap()));
        for text in ["", "yesterday", "-5m", "25:00", "2026-13-01"] {
            assert!(moment(text, now, zone()).is_err(), "{text}");
        }
    }
}

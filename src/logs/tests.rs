//! What holds for all lines, whoever wrote them.

mod mutated;
mod tracebacks;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use jiff::{Timestamp, tz::TimeZone};

use super::*;

/// Numbers that look like chance, the same each time.
struct Dice(u64);

impl Dice {
    /// One of so many.
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }
}

fn source(pod: &str) -> Arc<Source> {
    Arc::new(Source {
        environment: "qa".into(),
        role: "web".into(),
        pod: pod.into(),
        container: "django".into(),
        instance: 0,
        short: pod.into(),
    })
}

fn options(follow: bool, format: Format) -> Options {
    let zone = TimeZone::UTC;
    Options { follow, stdin: false, by_time: true, filter: Filter::default(), group: false, format, zone }
}

/// A line at so many microseconds.
fn entry(source: &Arc<Source>, micros: i64, line: &[u8]) -> Event {
    let time = Timestamp::from_microsecond(1_800_000_000_000_000 + micros).unwrap();
    Event::Entry(Entry { source: Arc::clone(source), time, line: Bytes::copy_from_slice(line), partial: false })
}

/// All that goes to stdout.
fn written(out: &mut Out) -> Vec<u8> {
    let data = |piece| if let Piece::Data(data) = piece { data } else { Vec::new() };
    out.take().into_iter().flat_map(data).collect()
}

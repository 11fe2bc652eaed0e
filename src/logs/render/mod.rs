//! Units as bytes: text for people, the bytes as they are, JSON for programs.

mod clean;
mod clock;
mod color;
mod highlight;
mod json;
mod names;
mod text;

use std::sync::Arc;

use jiff::Timestamp;

pub use self::{
    clean::clean,
    clock::Clock,
    json::{Json, SHAPE as JSON_SHAPE, gap},
    names::Names,
    text::{Text, TextOptions},
};
use super::{entry::Source, unit::Unit};

/// Writes a unit as it was read, byte for byte.
///
/// `open` is the line that was written last and had no line feed, by its source and its time. The next one begins with it,
/// unless it is more of the same line, so that a log which ends without one is not given one.
pub fn raw(unit: &Unit, open: &mut Option<(Arc<Source>, Timestamp)>, out: &mut Vec<u8>) {
    for line in unit.lines() {
        if let Some((source, time)) = open.take()
            && !(Arc::ptr_eq(&source, &unit.source) && time == line.time)
        {
            out.push(b'\n');
        }
        out.extend_from_slice(&line.stamp);
        out.extend_from_slice(&line.text);
        match line.partial {
            true => *open = Some((Arc::clone(&unit.source), line.time)),
            false => out.push(b'\n'),
        }
    }
}

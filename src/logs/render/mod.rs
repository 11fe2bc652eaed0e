//! Units as bytes: text for people, the bytes as they are, JSON for programs.

mod clean;
mod clock;
mod color;
mod highlight;
mod json;
mod names;
mod text;

pub use self::{
    clean::clean,
    clock::Clock,
    json::{Json, SHAPE as JSON_SHAPE, gap},
    names::Names,
    text::{Text, TextOptions},
};
use super::unit::Unit;

/// Writes a unit as it was read, byte for byte.
///
/// `owed` is whether the last line written had no line feed: the next one begins with it, so that a log which ends
/// without one is not given one.
pub fn raw(unit: &Unit, owed: &mut bool, out: &mut Vec<u8>) {
    for line in unit.lines() {
        if std::mem::replace(owed, line.partial) {
            out.push(b'\n');
        }
        out.extend_from_slice(&line.text);
        if !line.partial {
            out.push(b'\n');
        }
    }
}

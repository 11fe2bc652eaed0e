//! What is done with lines.

use jiff::tz::TimeZone;

use super::super::{
    filter::Filter,
    render::{Json, TextOptions},
};

/// What is done with lines.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether more lines may come for ever: then nothing waits long.
    pub follow: bool,
    /// Whether lines are those of a file or of another program, and begin with their time or have none.
    pub stdin: bool,
    /// Whether lines are put into the order of time, and not shown as they arrive.
    pub by_time: bool,
    /// Which units are shown.
    pub filter: Filter,
    /// Whether exceptions are counted instead of shown one by one.
    pub group: bool,
    /// How units are shown.
    pub format: Format,
    /// The zone of times.
    pub zone: TimeZone,
}

/// How units are shown.
#[derive(Clone, Debug)]
pub enum Format {
    /// For people.
    Text(TextOptions),
    /// Byte for byte.
    Raw,
    /// For programs.
    Json(Json),
}

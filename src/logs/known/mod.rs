//! Plain lines of known forms: Python's loggers, gunicorn, uvicorn, Celery, Django, PostgreSQL, logfmt.

mod access;
mod celery;
mod django;
mod prefix;
mod stamp;
#[cfg(test)]
mod tests;

use super::record::Record;

pub(super) use celery::task;

/// What a plain line says, or nothing when its form is not known.
pub fn recognise(line: &str) -> Option<Record<'_>> {
    // A line says who it is at its beginning; what is longer is no line somebody formatted.
    let line = line.trim_end();
    let first = *line.as_bytes().first()?;
    if first == b' ' || first == b'\t' {
        return None;
    }
    let mut record = access::parse(line).or_else(|| prefix::parse(line)).or_else(|| django::parse(line))?;
    access::in_message(&mut record);
    celery::in_message(&mut record);
    Some(record)
}

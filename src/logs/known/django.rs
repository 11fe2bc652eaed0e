//! What Django says without a formatter: `django.request` through Python's last resort, and Python's warnings.

use std::borrow::Cow;

use super::super::record::{Level, Record};

/// How a line of `django.request` begins, behind which stands `: /path`.
const REQUESTS: [(&str, Level); 8] = [
    ("Internal Server Error", Level::Error),
    ("Service Unavailable", Level::Error),
    ("Not Found", Level::Warning),
    ("Bad Request", Level::Warning),
    ("Forbidden", Level::Warning),
    ("Method Not Allowed", Level::Warning),
    ("Unauthorized", Level::Warning),
    ("Gone", Level::Warning),
];

pub(super) fn parse(line: &str) -> Option<Record<'_>> {
    let (level, logger) = of_request(line).map(|level| (level, "django.request")).or_else(|| {
        let is_warning = of_warning(line);
        is_warning.then_some((Level::Warning, "py.warnings"))
    })?;
    Some(Record {
        level: Some(level),
        logger: Some(Cow::Borrowed(logger)),
        message: Cow::Borrowed(line),
        ..Record::default()
    })
}

/// `Internal Server Error: /orders/`, `Method Not Allowed (GET): /pay/`
fn of_request(line: &str) -> Option<Level> {
    let (_, level) = REQUESTS.iter().find(|(words, _)| {
        line.strip_prefix(words).is_some_and(|rest| {
            let rest = match rest.strip_prefix(" (") {
                Some(why) => why.split_once(')').map_or("", |(_, rest)| rest),
                None => rest,
            };
            rest.starts_with(": /")
        })
    })?;
    Some(*level)
}

/// `/app/shop/urls.py:12: DeprecationWarning: text`
fn of_warning(line: &str) -> bool {
    let Some((_, rest)) = line.split_once(".py:") else { return false };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some((class, _)) = rest.strip_prefix(": ").and_then(|rest| rest.split_once(':')) else { return false };
    class.ends_with("Warning") && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
}

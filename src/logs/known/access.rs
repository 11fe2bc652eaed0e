//! Answered requests: gunicorn's access log (which is Apache's), Django's own server, uvicorn.

use std::borrow::Cow;

use super::{
    super::record::{Level, Record, Value},
    stamp,
};

/// `10.0.0.1 - - [21/Nov/2026:16:00:11 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8"`
pub(super) fn parse(line: &str) -> Option<Record<'_>> {
    // The time stands within the first words, behind the address, the identity and the user.
    let bytes = line.as_bytes();
    if bytes.first() == Some(&b'[') || bytes.first() == Some(&b'{') {
        return None;
    }
    let window = &bytes[..bytes.len().min(128)];
    let open = window.windows(2).position(|pair| pair == b" [")?;
    let head = &line[..open];
    let rest = &line[open + 2..];
    let time = stamp::length(rest)?;
    let request = rest[time..].strip_prefix("] \"")?;
    if head.split(' ').count() != 3 {
        return None;
    }
    let mut record = Record { time: Some(Cow::Borrowed(&rest[..time])), ..Record::default() };
    record.message = Cow::Borrowed(&rest[time + 2..]);
    let remote = head.split(' ').next().unwrap_or_default();
    if !remote.is_empty() && remote != "-" {
        record.fields.push(("remote".into(), Value::Text(remote.into())));
    }
    let after = answered(request, &mut record)?;
    let mut rest = after.trim_start().split('"');
    let bytes = rest.next().unwrap_or_default().trim();
    if !bytes.is_empty() && bytes != "-" {
        record.fields.push(("bytes".into(), Value::Text(bytes.split(' ').next().unwrap_or(bytes).into())));
    }
    let referer = rest.next().filter(|text| *text != "-");
    let agent = rest.nth(1).filter(|text| *text != "-");
    for (name, value) in [("referer", referer), ("agent", agent)] {
        if let Some(value) = value {
            record.fields.push((name.into(), Value::Text(value.into())));
        }
    }
    Some(record)
}

/// Finds `"GET / HTTP/1.1" 200` in what another form left as the message: Django's own server, uvicorn.
pub(super) fn in_message(record: &mut Record<'_>) {
    let Cow::Borrowed(message) = record.message else { return };
    let window = &message.as_bytes()[..message.len().min(64)];
    let Some(quote) = memchr::memchr(b'"', window) else { return };
    if record.fields.iter().any(|(name, _)| name == "status") {
        return;
    }
    let remote = message[..quote].strip_suffix(" - ").filter(|remote| !remote.contains(' '));
    if answered(&message[quote + 1..], record).is_some()
        && let Some(remote) = remote
    {
        record.fields.push(("remote".into(), Value::Text(remote.into())));
    }
}

/// Reads `GET /path HTTP/1.1" 200`, what stands behind the first quote; returns the rest.
fn answered<'a>(request: &'a str, record: &mut Record<'a>) -> Option<&'a str> {
    let end = request.find("\" ")?;
    let (request, rest) = (&request[..end], &request[end + 2..]);
    let digits = rest.get(..3)?;
    let status: u16 = digits.parse().ok().filter(|status| (100..1000).contains(status))?;
    if !rest[3..].is_empty() && !rest[3..].starts_with(' ') {
        return None;
    }
    let mut words = request.split(' ');
    if let (Some(method), Some(path)) = (words.next(), words.next()) {
        record.fields.push(("method".into(), Value::Text(method.into())));
        record.fields.push(("path".into(), Value::Text(path.into())));
    }
    record.fields.push(("status".into(), Value::Json(digits)));
    // What the line says itself goes before that, unless it says that all is well.
    if record.level.is_none_or(|level| level == Level::Info) {
        record.level = Some(Level::of_status(status));
    }
    Some(&rest[3..])
}

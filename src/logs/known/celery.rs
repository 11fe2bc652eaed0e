//! Celery's tasks, in what its worker says of them.

use std::borrow::Cow;

use super::super::record::{Record, Value};

/// A task that a message is about: its name and its id.
#[derive(Debug, PartialEq, Eq)]
pub struct Task<'a> {
    /// Its name: `orders.tasks.pay`.
    pub name: &'a str,
    /// Its id.
    pub id: &'a str,
}

/// `Task orders.tasks.pay[3273046d-47c4-4d9b-a498-790544c3a7be] received`, and `orders.tasks.pay[3273046d-…]: text` of a
/// task's own logger.
pub fn task(message: &str) -> Option<Task<'_>> {
    let text = message.strip_prefix("Task ").unwrap_or(message);
    let window = &text.as_bytes()[..text.len().min(256)];
    let open = memchr::memchr(b'[', window)?;
    let name = &text[..open];
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return None;
    }
    let rest = &text[open + 1..];
    let close = rest.find(']')?;
    let id = &rest[..close];
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (id.len() >= 8 && id.bytes().all(sound)).then_some(Task { name, id })
}

/// Adds the fields `task` and `task_id` where the message names a task.
pub(super) fn in_message(record: &mut Record<'_>) {
    let Cow::Borrowed(message) = record.message else { return };
    if let Some(Task { name, id }) = task(message) {
        record.fields.push(("task".into(), Value::Text(name.into())));
        record.fields.push(("task_id".into(), Value::Text(id.into())));
    }
}

//! Exceptions that are the same, counted: `--group`.
//!
//! The same are those of one class, raised at one place of the app, that say the same but for numbers and ids. How many
//! groups there are has a bound, and so has what each keeps.

mod report;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::Timestamp;

pub use self::report::{changed, json, objects, table};
use super::{exception::Exception, view::View};

/// Exceptions of more kinds than these are counted together.
const MOST_GROUPS: usize = 1000;
/// So much of an example is kept, in bytes.
const LONGEST_EXAMPLE: usize = 32 * 1024;
/// So much of a class, of a place, and of what makes messages the same.
const LONGEST_NAME: usize = 512;
/// So much of a message.
const LONGEST_MESSAGE: usize = 1024;
/// So many pods are named.
const MOST_PODS: usize = 20;

/// Exceptions by what they have in common.
#[derive(Debug, Default)]
pub struct Groups {
    groups: HashMap<Key, Group>,
    /// How many belong to no group, for there were too many.
    others: u64,
}

/// What exceptions of one group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The exception's class.
    pub class: String,
    /// Where in the app it was raised: `/app/orders/views.py:31 in post`.
    pub place: String,
    /// What it says, numbers and ids replaced.
    pub message: String,
}

/// Exceptions that are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub key: Key,
    /// How many there were.
    pub count: u64,
    /// The time of the first.
    pub first: Timestamp,
    /// The time of the last.
    pub last: Timestamp,
    /// What the first one said.
    pub message: String,
    /// The pods they came from, by their short names.
    pub pods: Vec<String>,
    /// The first one's lines.
    pub example: String,
    /// How many there were when it was last shown.
    shown: u64,
}

impl Groups {
    /// Counts an exception. Says whether it is the first of its group.
    pub fn add(&mut self, view: &View<'_>) -> bool {
        let Some(text) = view.exception() else { return false };
        let exception = Exception::parse(&text).unwrap_or_else(|| {
            // No traceback: what an application wrote in the place of one.
            Exception { message: text.trim_end().lines().next_back().unwrap_or_default(), ..Exception::default() }
        });
        let place = exception.frame.as_ref().map_or(String::new(), |frame| {
            let function = if frame.function.is_empty() { String::new() } else { format!(" in {}", frame.function) };
            format!("{}:{}{function}", frame.file, frame.line)
        });
        let key = Key {
            class: cut(exception.class, LONGEST_NAME).to_owned(),
            place: cut(&place, LONGEST_NAME).to_owned(),
            message: normalized(exception.message),
        };
        let (time, pod) = (view.unit.first.time, &view.unit.source.short);
        if let Some(group) = self.groups.get_mut(&key) {
            group.count += 1;
            group.first = group.first.min(time);
            group.last = group.last.max(time);
            if group.pods.len() < MOST_PODS && !group.pods.contains(pod) {
                group.pods.push(pod.clone());
            }
            return false;
        }
        if self.groups.len() >= MOST_GROUPS {
            self.others += 1;
            return false;
        }
        let group = Group {
            key: key.clone(),
            count: 1,
            first: time,
            last: time,
            message: cut(exception.message, LONGEST_MESSAGE).to_owned(),
            pods: vec![pod.clone()],
            example: cut(&text, LONGEST_EXAMPLE).to_owned(),
            shown: 1,
        };
        self.groups.insert(key, group);
        true
    }

    /// All groups, the largest first.
    pub fn all(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then(a.first.cmp(&b.first)).then(a.key.cmp(&b.key)));
        groups
    }

    /// How many exceptions were of more kinds than are kept apart.
    pub fn others(&self) -> u64 {
        self.others
    }

    /// The groups that have grown since they were asked for, in the order of their last exception.
    pub fn take_changed(&mut self) -> Vec<Group> {
        let mut changed: Vec<Group> = Vec::new();
        for group in self.groups.values_mut().filter(|group| group.count > group.shown) {
            group.shown = group.count;
            changed.push(group.clone());
        }
        changed.sort_by_key(|group| (group.last, group.key.clone()));
        changed
    }
}

/// A message with its numbers and ids replaced, so that it is the same each time: `order <n>`, `task <id>`.
pub fn normalized(message: &str) -> String {
    let mut out = String::new();
    // What is replaced is mostly longer than what stands for it.
    let mut rest = cut(message, 4 * LONGEST_NAME);
    while !rest.is_empty() {
        let within = |c: char| c.is_ascii_alphanumeric();
        let end = rest.find(|c| !within(c)).unwrap_or(rest.len());
        if end == 0 {
            let next = rest.find(within).unwrap_or(rest.len());
            out.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        if let Some(length) = uuid(rest) {
            out.push_str("<id>");
            rest = &rest[length..];
            continue;
        }
        replace(&rest[..end], &mut out);
        rest = &rest[end..];
    }
    cut(&out, LONGEST_NAME).to_owned()
}

/// Writes a word, or what stands for it and for the numbers within.
fn replace(word: &str, out: &mut String) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let hex = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id = word.strip_prefix("0x").is_some_and(hex)
        || word.len() >= 8 && digits < word.len() && (hex(word) || digits * 4 >= word.len());
    if digits > 0 && is_id {
        return out.push_str("<id>");
    }
    let mut rest = word;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        out.push_str("<n>");
        rest = rest[at..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
}

/// The length of the UUID that text begins with.
fn uuid(text: &str) -> Option<usize> {
    const FORM: &[u8] = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
    let bytes = text.as_bytes().get(..FORM.len())?;
    let matches = bytes.iter().zip(FORM).all(|(byte, form)| match form {
        b'h' => byte.is_ascii_hexdigit(),
        form => byte == form,
    });
    matches.then_some(FORM.len())
}

/// The beginning of text, no longer than so many bytes.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

//! A unit with what it says, which is found out when somebody asks and not before.

use std::{borrow::Cow, cell::OnceCell};

use super::{
    parse,
    record::{Level, Record},
    unit::Unit,
};

/// A unit that is looked at.
pub struct View<'a> {
    /// The unit.
    pub unit: &'a Unit,
    json: OnceCell<Option<Record<'a>>>,
    record: OnceCell<Option<Record<'a>>>,
}

impl<'a> View<'a> {
    /// Nothing is read yet.
    pub fn new(unit: &'a Unit) -> Self {
        Self { unit, json: OnceCell::new(), record: OnceCell::new() }
    }

    /// What the first line says as a JSON object.
    pub fn json(&self) -> Option<&Record<'a>> {
        self.json.get_or_init(|| parse::parse_json(&self.unit.first.text)).as_ref()
    }

    /// What the first line says, in whatever form.
    pub fn record(&self) -> Option<&Record<'a>> {
        self.json().or_else(|| self.record.get_or_init(|| parse::parse_plain(&self.unit.first.text)).as_ref())
    }

    /// Whether it holds a traceback or an exception.
    pub fn is_exception(&self) -> bool {
        self.unit.traceback.is_some() || self.json().is_some_and(|record| record.exception.is_some())
    }

    /// How bad it is; an exception that does not say is an error.
    pub fn level(&self) -> Option<Level> {
        let said = self.record().and_then(|record| record.level);
        said.or_else(|| self.is_exception().then_some(Level::Error))
    }

    /// The traceback, of the lines or of the JSON.
    pub fn exception(&self) -> Option<Cow<'_, str>> {
        if let Some(first) = self.unit.traceback {
            let lines: Vec<_> = self.unit.lines().skip(first).map(|line| String::from_utf8_lossy(&line.text)).collect();
            return Some(Cow::Owned(lines.join("\n")));
        }
        self.json()?.exception.as_deref().map(Cow::Borrowed)
    }

    /// All lines, with line feeds between them.
    pub fn text(&self) -> Cow<'a, [u8]> {
        if self.unit.rest.is_empty() {
            return Cow::Borrowed(&self.unit.first.text);
        }
        let lines: Vec<&[u8]> = self.unit.lines().map(|line| &*line.text).collect();
        Cow::Owned(lines.join(&b'\n'))
    }

    /// The same, each with the time that stands before it.
    pub fn written(&self) -> Cow<'a, [u8]> {
        if self.unit.lines().all(|line| line.stamp.is_empty()) {
            return self.text();
        }
        let lines: Vec<Vec<u8>> = self.unit.lines().map(|line| [&line.stamp[..], &line.text].concat()).collect();
        Cow::Owned(lines.join(&b'\n'))
    }
}

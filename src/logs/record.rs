//! What a line says, once it has been understood: a level, a logger, a message, fields.

use std::borrow::Cow;

use super::json;

/// How bad it is, in Python's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For who looks for a fault.
    Debug,
    /// As it should be.
    Info,
    /// Something to look at.
    Warning,
    /// Something failed.
    Error,
    /// The program cannot go on.
    Critical,
}

impl Level {
    /// What can be typed.
    pub const NAMES: [&str; 5] = ["debug", "info", "warning", "error", "critical"];

    /// The level a word means, in any case: Python's names and those of other loggers.
    pub fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Level); 19] = [
            ("info", Level::Info),
            ("debug", Level::Debug),
            ("warning", Level::Warning),
            ("error", Level::Error),
            ("critical", Level::Critical),
            ("warn", Level::Warning),
            ("fatal", Level::Critical),
            ("trace", Level::Debug),
            ("notice", Level::Info),
            ("success", Level::Info),
            ("exception", Level::Error),
            ("err", Level::Error),
            ("log", Level::Info),
            ("panic", Level::Critical),
            ("crit", Level::Critical),
            ("emergency", Level::Critical),
            ("alert", Level::Critical),
            ("informational", Level::Info),
            ("notset", Level::Debug),
        ];
        WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
    }

    /// The level of one of Python's numbers: 10, 20, 30, 40, 50, and those between.
    pub fn of_number(number: i64) -> Option<Self> {
        match number {
            1..=19 => Some(Level::Debug),
            20..=29 => Some(Level::Info),
            30..=39 => Some(Level::Warning),
            40..=49 => Some(Level::Error),
            50.. => Some(Level::Critical),
            _ => None,
        }
    }

    /// The level of an answered request, as Django's own server has it.
    pub fn of_status(status: u16) -> Self {
        match status {
            500.. => Level::Error,
            400..500 => Level::Warning,
            _ => Level::Info,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Its name in five columns.
    pub fn column(self) -> &'static str {
        ["DEBUG", "INFO ", "WARN ", "ERROR", "CRIT "][self as usize]
    }
}

/// A line, understood. What it borrows is the line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record<'a> {
    /// How bad it is, where the line says so.
    pub level: Option<Level>,
    /// The program's own time, as it wrote it.
    pub time: Option<Cow<'a, str>>,
    /// Which logger.
    pub logger: Option<Cow<'a, str>>,
    /// What it says, without what stands in the other fields.
    pub message: Cow<'a, str>,
    /// All else, in the line's order.
    pub fields: Vec<(Cow<'a, str>, Value<'a>)>,
    /// A traceback within the line.
    pub exception: Option<Cow<'a, str>>,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A number, an array, an object, a truth value or null: as it stands in the JSON.
    Json(&'a str),
}

impl<'a> Value<'a> {
    /// A number as somebody wrote it: JSON has none like `007`.
    pub fn number(digits: &'a str) -> Self {
        match digits.starts_with('0') && digits.len() > 1 {
            true => Value::Text(Cow::Borrowed(digits)),
            false => Value::Json(digits),
        }
    }

    /// As text: what a string says, and JSON for all else.
    pub fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            Value::Json(json) => json,
        }
    }

    /// The same, kept.
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Value::Text(text) => text,
            Value::Json(json) => Cow::Borrowed(json),
        }
    }
}

impl<'a> Record<'a> {
    /// The value of a field, also of one within others: `data.id`.
    pub fn field(&self, path: &str) -> Option<Value<'a>> {
        json::member(&self.fields, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_many_names() {
        assert_eq!(Level::of_word("WARN"), Some(Level::Warning));
        assert_eq!(Level::of_word("Fatal"), Some(Level::Critical));
        assert_eq!(Level::of_word("Listening"), None);
        assert_eq!(Level::of_number(25), Some(Level::Info));
        assert_eq!(Level::of_number(60), Some(Level::Critical));
        assert_eq!(Level::of_status(503), Level::Error);
        for (index, name) in Level::NAMES.iter().enumerate() {
            let level = Level::of_word(name).unwrap();
            assert_eq!((level as usize, level.name()), (index, *name));
            assert_eq!(level.column().len(), 5);
        }
    }
}

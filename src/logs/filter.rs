//! Which units are shown. A unit is shown or left out as a whole.

use std::borrow::Cow;

use jiff::Timestamp;
use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};

use super::{
    known,
    record::{Level, Record, Value},
    view::View,
};
use crate::error::{Error, Result};

/// Where an application writes the id of a request, when the configuration says nothing.
pub const REQUEST_FIELDS: [&str; 7] =
    ["request_id", "correlation_id", "requestId", "x_request_id", "req_id", "request.id", "trace_id"];
/// Where it writes the id of a task; `data.id` is Celery's own.
pub const TASK_FIELDS: [&str; 6] = ["task_id", "celery_task_id", "taskId", "root_id", "parent_task_id", "data.id"];

/// What a unit must be to be shown; all of it.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One of these matches, where there are any.
    pub include: Vec<Regex>,
    /// None of these matches.
    pub exclude: Vec<Regex>,
    /// At least as bad as this; what does not say counts as information.
    pub level: Option<Level>,
    /// Holds an exception.
    pub exceptions: bool,
    /// Is about one of these requests or tasks, where there are any.
    pub ids: Vec<Id>,
    /// Not written before this.
    pub since: Option<Timestamp>,
    /// Written before this.
    pub until: Option<Timestamp>,
}

/// The id of a request or of a task.
#[derive(Clone, Debug)]
pub struct Id {
    /// The id itself.
    pub value: String,
    /// The fields it may stand in.
    pub fields: Vec<String>,
}

/// A regular expression that somebody typed; `^` and `$` are the ends of lines.
///
/// # Errors
/// When it is none; `flag` is where it was typed.
pub fn regex(flag: &str, pattern: &str) -> Result<Regex> {
    RegexBuilder::new(pattern).multi_line(true).build().map_err(|error| {
        Error::usage(format!("what `{flag}` says is no regular expression")).caused_by(error.to_string().trim())
    })
}

impl Filter {
    /// Whether a unit is shown.
    pub fn passes(&self, view: &View<'_>) -> bool {
        let time = view.unit.first.time;
        if self.since.is_some_and(|since| time < since) || self.until.is_some_and(|until| time >= until) {
            return false;
        }
        if self.exceptions && !view.is_exception() {
            return false;
        }
        if !self.ids.is_empty() && !self.ids.iter().any(|id| id.is_in(view)) {
            return false;
        }
        if self.level.is_some_and(|level| view.level().unwrap_or(Level::Info) < level) {
            return false;
        }
        if self.include.is_empty() && self.exclude.is_empty() {
            return true;
        }
        let text = view.text();
        let matches = |regexes: &[Regex]| regexes.iter().any(|regex| regex.is_match(&text) || is_decoded(regex, view));
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }
}

/// Whether it matches what JSON hides behind escapes: `"caf\u00e9"`.
fn is_decoded(regex: &Regex, view: &View<'_>) -> bool {
    if memchr::memchr(b'\\', &view.unit.first.text).is_none() {
        return false;
    }
    let Some(record) = view.json() else { return false };
    let mut texts = record.fields.iter().map(|(_, value)| value.text());
    regex.is_match(record.message.as_bytes())
        || record.exception.as_ref().is_some_and(|text| regex.is_match(text.as_bytes()))
        || texts.any(|text| regex.is_match(text.as_bytes()))
}

impl Id {
    fn is_in(&self, view: &View<'_>) -> bool {
        let text = view.text();
        let mut found = memmem::find_iter(&text, self.value.as_bytes()).peekable();
        if self.value.is_empty() || found.peek().is_none() {
            return false;
        }
        match view.json() {
            Some(record) => self.is_said_by(record),
            // In plain lines it stands wherever the formatter puts it.
            None => found.any(|at| self.is_whole(&text, at)),
        }
    }

    fn is_said_by(&self, record: &Record<'_>) -> bool {
        let in_a_field =
            self.fields.iter().any(|field| record.field(field).is_some_and(|value| value.text() == self.value));
        in_a_field
            || known::task(&record.message).is_some_and(|task| task.id == self.value)
            || memmem::find_iter(record.message.as_bytes(), self.value.as_bytes())
                .any(|at| self.is_whole(record.message.as_bytes(), at))
    }

    /// Whether what was found there is not a part of something longer.
    fn is_whole(&self, text: &[u8], at: usize) -> bool {
        let part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        !part(at.checked_sub(1).and_then(|before| text.get(before))) && !part(text.get(at + self.value.len()))
    }
}

/// The id of the task or request a record is about.
pub fn id_of<'a>(record: &Record<'a>, fields: &[String]) -> Option<Cow<'a, str>> {
    let null = |value: &str| value.is_empty() || value == "null" || value == "-";
    fields.iter().find_map(|field| record.field(field).map(Value::into_text).filter(|value| !null(value)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::logs::{
        entry::Source,
        unit::{Line, Unit},
    };

    fn unit(text: &str) -> Unit {
        let name = String::new;
        let source =
            Source { environment: name(), role: name(), pod: name(), container: name(), instance: 0, short: name() };
        let mut lines = text.split('\n').map(|text| Line {
            time: Timestamp::from_second(1_000).unwrap(),
            text: Bytes::copy_from_slice(text.as_bytes()),
            ..Line::default()
        });
        let first = lines.next().unwrap();
        let rest: Vec<Line> = lines.collect();
        let traceback = text.find("Traceback").map(|at| text[..at].matches('\n').count());
        Unit { source: Arc::new(source), first, rest, traceback, continues: false }
    }

    fn passes(filter: &Filter, text: &str) -> bool {
        filter.passes(&View::new(&unit(text)))
    }

    const TRACEBACK: &str =
        "Internal Server Error: /x\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'k'";

    #[test]
    fn any_line_of_a_unit_speaks_for_the_whole() {
        let one = |pattern| vec![regex("-i", pattern).unwrap()];
        let include = Filter { include: one("^KeyError"), ..Filter::default() };
        assert!(passes(&include, TRACEBACK));
        assert!(!passes(&include, "a KeyError"));
        let exclude = Filter { exclude: one(r"^Internal Server Error: /\w$"), ..Filter::default() };
        assert!(!passes(&exclude, TRACEBACK));
        assert!(passes(&exclude, "else"));
    }

    #[test]
    fn what_json_escapes_is_matched_as_it_is_meant() {
        let filter = Filter { include: vec![regex("-i", "café \"x\"").unwrap()], ..Filter::default() };
        assert!(passes(&filter, r#"{"message": "caf\u00e9 \"x\""}"#));
        assert!(!passes(&filter, r#"{"message": "cafe"}"#));
    }

    #[test]
    fn levels_are_found_in_every_form() {
        let filter = Filter { level: Some(Level::Warning), ..Filter::default() };
        for line in [
            r#"{"level": "WARNING"}"#,
            "[2026-11-21 16:00:11 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)",
            "[2026-11-21 16:00:17,976: ERROR/ForkPoolWorker-1] x",
            r#"10.0.0.1 - - [21/Nov/2026:16:00:11 +0000] "GET / HTTP/1.1" 404 12"#,
            "WARNING:root:x",
            TRACEBACK,
            "Traceback (most recent call last):\nKeyError",
            r#"{"message": "m", "exc_info": "Traceback"}"#,
        ] {
            assert!(passes(&filter, line), "{line}");
        }
        for line in [r#"{"level": "INFO"}"#, r#"{"a": 1}"#, "hello", "INFO: x"] {
            assert!(!passes(&filter, line), "{line}");
        }
    }

    #[test]
    fn exceptions_only() {
        let filter = Filter { exceptions: true, ..Filter::default() };
        assert!(passes(&filter, TRACEBACK));
        assert!(passes(&filter, r#"{"message": "m", "exc_info": "Traceback"}"#));
        assert!(!passes(&filter, r#"{"message": "m", "level": "error", "exc_info": null}"#));
        assert!(!passes(&filter, "ERROR: x"));
    }

    #[test]
    fn one_id_is_followed_through_web_and_workers() {
        let id = "3273046d-47c4-4d9b-a498-790544c3a7be";
        let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let filter = |fields| Filter { ids: vec![Id { value: id.to_owned(), fields }], ..Filter::default() };
        let task = filter(fields(&TASK_FIELDS));
        let request = filter(fields(&REQUEST_FIELDS));
        assert!(passes(&task, &format!(r#"{{"data": {{"id": "{id}"}}}}"#)));
        assert!(passes(&task, &format!(r#"{{"message": "Task o.t.pay[{id}] received"}}"#)));
        assert!(passes(&task, &format!("[2026-11-21 16:00:17,976: INFO/MainProcess] Task o.t.pay[{id}] received")));
        assert!(passes(&request, &format!(r#"{{"request_id": "{id}"}}"#)));
        assert!(passes(&request, &format!("INFO [{id}] paid")));
        assert!(!passes(&request, &format!(r#"{{"other": "{id}"}}"#)));
        assert!(!passes(&request, &format!("INFO [{id}1] paid")));
        assert!(!passes(&request, "INFO paid"));
    }

    #[test]
    fn of_several_ids_one_is_enough() {
        let id = |value: &str| Id { value: value.to_owned(), fields: vec!["request_id".to_owned()] };
        let filter = Filter { ids: vec![id("aaaa"), id("bbbb")], ..Filter::default() };
        for (line, passes_) in [("INFO [aaaa] x", true), (r#"{"request_id": "bbbb"}"#, true), ("INFO [cccc] x", false)]
        {
            assert_eq!(passes(&filter, line), passes_, "{line}");
        }
    }

    #[test]
    fn times_are_bounds() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        assert!(passes(&Filter { since: at(1_000), until: at(1_001), ..Filter::default() }, "x"));
        assert!(!passes(&Filter { since: at(1_001), ..Filter::default() }, "x"));
        assert!(!passes(&Filter { until: at(1_000), ..Filter::default() }, "x"));
    }

    #[test]
    fn a_wrong_pattern_is_said() {
        let error = regex("--include", "(").unwrap_err();
        assert_eq!(error.message(), "what `--include` says is no regular expression");
        assert!(error.causes()[0].contains("unclosed group"));
    }

    #[test]
    fn ids_are_found_in_records() {
        let unit = unit(r#"{"request_id": null, "trace_id": "t"}"#);
        let view = View::new(&unit);
        let fields: Vec<String> = REQUEST_FIELDS.iter().map(|field| (*field).to_owned()).collect();
        assert_eq!(id_of(view.record().unwrap(), &fields).as_deref(), Some("t"));
    }
}

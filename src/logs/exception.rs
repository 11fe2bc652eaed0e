//! A traceback's text, taken apart: the exception that came out, and where the app raised it.

use std::fmt::Write;

use serde::Deserialize;

/// The exception a traceback ends with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception<'a> {
    /// Its class, with its module: `django.db.utils.OperationalError`.
    pub class: &'a str,
    /// What it says, in its first line.
    pub message: &'a str,
    /// The innermost frame of the app's own code, or of any where there is none.
    pub frame: Option<Frame<'a>>,
}

/// A frame of a traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The file, as Python names it.
    pub file: &'a str,
    /// The line's number.
    pub line: &'a str,
    /// The function; empty at a syntax error.
    pub function: &'a str,
}

impl Frame<'_> {
    /// Whether it is code of the app, and not of Python, of a package, or made at run time.
    fn is_of_the_app(&self) -> bool {
        let elsewhere = ["/site-packages/", "/dist-packages/", "/lib/python", "/lib64/python"];
        !self.file.starts_with('<') && !elsewhere.iter().any(|place| self.file.contains(place))
    }
}

impl<'a> Exception<'a> {
    /// The last exception of a text: the one that was not caught.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut found = Exception::default();
        let mut frames = false;
        for line in text.lines() {
            // The exception of a group is its headline; those within it are details.
            let line = line.strip_prefix("  | ").or_else(|| line.strip_prefix("  + ")).unwrap_or(line);
            if line.trim_start().starts_with(['|', '+']) {
                continue;
            }
            if line.ends_with("Traceback (most recent call last):") {
                (found, frames) = (Exception::default(), true);
            } else if let Some(frame) = frame(line) {
                frames = true;
                let keeps = found.frame.as_ref().is_some_and(Frame::is_of_the_app) && !frame.is_of_the_app();
                if found.class.is_empty() && !keeps {
                    found.frame = Some(frame);
                }
            } else if frames && found.class.is_empty() && !line.starts_with([' ', '\t']) && !line.trim().is_empty() {
                let line = line.trim_end();
                (found.class, found.message) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
                frames = false;
            }
        }
        (!found.class.is_empty() || found.frame.is_some()).then_some(found)
    }
}

/// `  File "a.py", line 12, in f`
fn frame(line: &str) -> Option<Frame<'_>> {
    // Loguru marks the frame that caught it.
    let rest = line.strip_prefix("> ").unwrap_or(line).trim_start().strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some(Frame { file, line: number.trim_end(), function: function.trim_end() })
}

/// structlog's `dict_tracebacks`: a list of exceptions, the one that came out first.
#[derive(Deserialize)]
struct Framed {
    exc_type: String,
    #[serde(default)]
    exc_value: String,
    #[serde(default)]
    is_cause: bool,
    #[serde(default)]
    frames: Vec<FramedFrame>,
}

#[derive(Deserialize)]
struct FramedFrame {
    filename: String,
    lineno: u64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    line: String,
}

/// A traceback given as JSON, written as Python writes it.
pub fn of_frames(json: &str) -> Option<String> {
    let exceptions: Vec<Framed> = serde_json::from_str(json).ok()?;
    let mut text = String::new();
    for (place, exception) in exceptions.iter().enumerate().rev() {
        text.push_str("Traceback (most recent call last):\n");
        for FramedFrame { filename, lineno, name, line } in &exception.frames {
            let _ = writeln!(text, "  File \"{filename}\", line {lineno}, in {name}");
            if !line.is_empty() {
                let _ = writeln!(text, "    {line}");
            }
        }
        let _ = write!(text, "{}: {}", exception.exc_type, exception.exc_value);
        if place > 0 {
            text.push_str(match exception.is_cause {
                true => "\n\nThe above exception was the direct cause of the following exception:\n\n",
                false => "\n\nDuring handling of the above exception, another exception occurred:\n\n",
            });
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: &str = r#"Traceback (most recent call last):
  File "/app/orders/tasks.py", line 7, in pay
    try: f(0)
ZeroDivisionError: division by zero

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/python3.11/threading.py", line 8, in run
  File "/app/orders/views.py", line 31, in post
    pay(order)
    ~~~^^^^^^^
  File "/venv/lib/python3.11/site-packages/django/db/utils.py", line 91, in __exit__
    raise dj_exc_value
shop.errors.Boom: order 17 failed
DETAIL: more
"#;

    #[test]
    fn the_last_exception_of_a_chain_and_the_app_s_innermost_frame() {
        let exception = Exception::parse(CHAIN).unwrap();
        assert_eq!((exception.class, exception.message), ("shop.errors.Boom", "order 17 failed"));
        assert_eq!(exception.frame, Some(Frame { file: "/app/orders/views.py", line: "31", function: "post" }));
    }

    #[test]
    fn loguru_s_mark_is_no_exception() {
        let text = "Traceback (most recent call last):\n\n> File \"a.py\", line 1, in f\n    g()\n    \u{2514} <g>\n\nValueError: x";
        let exception = Exception::parse(text).unwrap();
        assert_eq!((exception.class, exception.frame.unwrap().file), ("ValueError", "a.py"));
    }

    #[test]
    fn a_group_is_its_headline() {
        let group = "  + Exception Group Traceback (most recent call last):\n  |   File \"/app/t.py\", line 20, in <module>\n  |     raise g\n  | ExceptionGroup: many (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File \"/app/u.py\", line 3, in f\n    | ValueError: a\n    +------------------------------------";
        let exception = Exception::parse(group).unwrap();
        assert_eq!((exception.class, exception.message), ("ExceptionGroup", "many (2 sub-exceptions)"));
        assert_eq!(exception.frame.unwrap().file, "/app/t.py");
    }

    #[test]
    fn exceptions_without_a_message_and_syntax_errors() {
        let bare = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nA.L";
        assert_eq!(Exception::parse(bare).unwrap().class, "A.L");
        let syntax = "  File \"x.py\", line 1\n    a b\n      ^\nSyntaxError: invalid syntax";
        let exception = Exception::parse(syntax).unwrap();
        assert_eq!((exception.class, exception.frame.unwrap().line), ("SyntaxError", "1"));
        assert_eq!(Exception::parse("all is well"), None);
    }

    #[test]
    fn structlog_s_frames_are_written_as_python_does() {
        let json = r#"[{"exc_type":"Boom","exc_value":"x","is_cause":false,"frames":[{"filename":"/app/a.py","lineno":3,"name":"f"}]},{"exc_type":"KeyError","exc_value":"'k'","is_cause":true,"frames":[]}]"#;
        let text = of_frames(json).unwrap();
        insta::assert_snapshot!(text, @r#"
        Traceback (most recent call last):
        KeyError: 'k'

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "/app/a.py", line 3, in f
        Boom: x
        "#);
        assert_eq!(Exception::parse(&text).unwrap().class, "Boom");
        assert_eq!(of_frames("[1]"), None);
    }
}

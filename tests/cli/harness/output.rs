//! What a run of kdj came to, shown in one picture.

use std::fmt;

/// Output and exit code.
#[derive(Clone, Debug)]
#[must_use = "snapshot the output, or look at its code"]
pub struct CommandOutput {
    /// What came on stdout, byte for byte.
    pub stdout: Vec<u8>,
    /// How many bytes came on stdout; more than are kept when it was compared with a flood.
    pub stdout_length: u64,
    /// What came on stderr.
    pub stderr: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Replaced when shown, in this order: ports and paths of this run.
    pub(super) filters: Vec<(String, String)>,
}

impl CommandOutput {
    /// stdout as text.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Checks the exit code.
    ///
    /// # Panics
    /// With all of the output when it is another one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code\n{self}");
        self
    }

    /// Checks that stderr says each of these, whatever the case of the letters.
    ///
    /// # Panics
    /// With all of the output when it does not.
    #[track_caller]
    pub fn says(self, phrases: &[&str]) -> Self {
        let stderr = self.stderr.to_lowercase();
        for phrase in phrases {
            assert!(stderr.contains(&phrase.to_lowercase()), "stderr lacks `{phrase}`\n{self}");
        }
        self
    }

    /// Checks that neither stream says any of these.
    ///
    /// # Panics
    /// With all of the output when one does.
    #[track_caller]
    pub fn never_says(self, phrases: &[&str]) -> Self {
        let all = format!("{}{}", self.stdout_text(), self.stderr);
        for phrase in phrases {
            assert!(!all.contains(phrase), "the output has `{phrase}`\n{self}");
        }
        self
    }

    /// Checks stdout.
    ///
    /// # Panics
    /// With all of the output when it is another one.
    #[track_caller]
    pub fn prints(self, stdout: &str) -> Self {
        assert_eq!(self.stdout_text(), stdout, "stdout\n{self}");
        self
    }

    fn filtered(&self, text: &str) -> String {
        self.filters.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

/// stdout, `------- stderr -------`, stderr, `[exit status: N]` unless it is 0.
impl fmt::Display for CommandOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stdout, stderr) = (self.filtered(&self.stdout_text()), self.filtered(&self.stderr));
        block(f, &stdout)?;
        if !stderr.is_empty() {
            writeln!(f, "------- stderr -------")?;
            block(f, &stderr)?;
        }
        match (self.code, self.signal) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => writeln!(f, "[exit status: {code}]"),
            (None, signal) => writeln!(f, "[signal: {}]", signal.unwrap_or_default()),
        }
    }
}

/// Text that ends in a newline, or says that it does not.
fn block(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    match text {
        "" => Ok(()),
        text if text.ends_with('\n') => f.write_str(text),
        text => writeln!(f, "{text}[no newline]"),
    }
}

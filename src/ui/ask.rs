//! Questions: asked on stderr, answered on stdin, and only where both are terminals.

use std::io::{self, IsTerminal, Write};

use super::{Ui, style, terminal::line::read_line};
use crate::error::{Error, Result};

impl Ui {
    /// Whether somebody is there to answer.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks for a line; `None` when the input ends, or nobody is there to answer. The answer has no white space around
    /// it, and nothing in it that a terminal would obey.
    ///
    /// Ctrl-C ends kdj, as long as nobody has taken the signals; who has, selects between this and
    /// [`interrupted`](super::terminal::interrupted).
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub async fn ask(&self, question: &str) -> Result<Option<String>> {
        if !self.can_ask() {
            return Ok(None);
        }
        self.prompt(&format!("{question} "));
        let answer = read_line().await.map_err(|error| Error::failed("cannot read the answer").caused_by(error))?;
        if answer.is_none() {
            // The cursor still stands behind the question.
            self.prompt("\n");
        }
        Ok(answer.map(|answer| style::sanitize(&answer).trim().to_owned()))
    }

    /// Asks an ordinary question, whose answer is no unless somebody types yes; `yes` is the flag `--yes`. Never for a
    /// change of a protected environment: [`permit`](crate::protection::permit) asks for its name.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub async fn ask_yes_no(&self, question: &str, yes: bool) -> Result<bool> {
        if yes {
            return Ok(true);
        }
        let answer = self.ask(&format!("{question} [y/N]")).await?.unwrap_or_default().to_lowercase();
        Ok(matches!(answer.as_str(), "y" | "yes"))
    }

    /// Writes a question without the end of its line. It is shown even under `--quiet`.
    fn prompt(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(style::sanitize_painted(text).as_bytes()).and_then(|()| stderr.flush());
    }

    /// Shows what a question is about; also under `--quiet`.
    pub fn before_question(&self, text: &str) {
        self.line(text);
    }
}

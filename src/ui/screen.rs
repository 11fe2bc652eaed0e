//! A screen that is drawn again and again, while the terminal's own is kept and comes back at the end.

use std::io::{self, IsTerminal, Write};

use rustix::{
    process::getpgrp,
    stdio,
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

use super::Ui;

/// Leaves the terminal's own screen, hides the cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the first place; what follows is written over what was there.
const HOME: &str = "\x1b[H";
const CLEAR_REST_OF_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";
/// What is written between these is shown at once.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// What stands for no key.
const NO_KEY: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// The screen; the terminal's own comes back when it is dropped, whatever ends kdj but SIGKILL.
pub struct Screen {
    /// What the terminal did with keys before.
    before: Option<Termios>,
}

impl Ui {
    /// A screen to draw on, where stdout is a terminal that can move its cursor.
    pub fn screen(&self) -> Option<Screen> {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        (io::stdout().is_terminal() && !is_dumb).then(|| {
            write(ENTER);
            Screen { before: silence() }
        })
    }
}

impl Screen {
    /// How many lines fit.
    pub fn rows(&self) -> usize {
        size().1
    }

    /// Draws a text: as much of it as fits. It may hold colours and no other sequences. What else was written to the
    /// terminal meanwhile is gone then.
    pub fn draw(&mut self, text: &str) {
        let (columns, rows) = size();
        let lines: Vec<&str> = text.lines().collect();
        let mut frame = format!("{BEGIN}{HOME}");
        let room = if lines.len() > rows { rows.saturating_sub(1) } else { lines.len() };
        for (number, line) in lines[..room].iter().enumerate() {
            let line_feed = if number == 0 { "" } else { "\r\n" };
            frame.push_str(&format!("{line_feed}{}{CLEAR_REST_OF_LINE}", cut(line, columns)));
        }
        if lines.len() > room {
            let more = format!("… {} more lines", lines.len() - room);
            frame.push_str(&format!("\r\n{}{CLEAR_REST_OF_LINE}", cut(&more, columns)));
        }
        frame.push_str(&format!("{CLEAR_BELOW}{END}"));
        write(&frame);
    }

    /// Gives the terminal back.
    pub fn close(self) {}
}

impl Drop for Screen {
    fn drop(&mut self) {
        write(LEAVE);
        if let Some(before) = self.before.take() {
            // What was typed meanwhile was meant for nobody.
            let _ = tcsetattr(stdio::stdout(), OptionalActions::Flush, &before);
        }
    }
}

/// Keys that are pressed do not show, and Ctrl-Z and Ctrl-\ do nothing: they would leave the screen as it is. Returns what
/// was before; nothing where the terminal is not kdj's to change.
fn silence() -> Option<Termios> {
    let terminal = stdio::stdout();
    // In the background tcsetattr would stop the process (SIGTTOU).
    tcgetpgrp(terminal).ok().filter(|group| *group == getpgrp())?;
    let before = tcgetattr(terminal).ok()?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    for key in [SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT] {
        silent.special_codes[key] = NO_KEY;
    }
    tcsetattr(terminal, OptionalActions::Now, &silent).ok()?;
    Some(before)
}

/// A terminal that is gone needs nothing.
fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(rustix::stdio::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// The beginning of a line, as wide as the terminal; its colours stay whole.
fn cut(line: &str, columns: usize) -> String {
    let (visible, _) = line.chars().fold((0, false), |(width, is_sequence), c| match c {
        '\x1b' => (width, true),
        'm' if is_sequence => (width, false),
        _ if is_sequence => (width, true),
        _ => (width + 1, false),
    });
    let is_too_long = visible > columns;
    let (mut text, mut width, mut is_sequence) = (String::new(), 0, false);
    for c in line.chars() {
        if c == '\x1b' || is_sequence {
            is_sequence = c != 'm';
            text.push(c);
        } else {
            width += 1;
            match width {
                _ if !is_too_long || width < columns => text.push(c),
                _ if width == columns => text.push('…'),
                _ => {}
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_terminal_and_keeps_its_colours() {
        for (line, expected) in [
            ("short", "short"),
            ("just fits!", "just fits!"),
            ("too long for it", "too long …"),
            ("\x1b[1;31mBROKEN\x1b[0m: web", "\x1b[1;31mBROKEN\x1b[0m: w…"),
            ("\x1b[1mok\x1b[0m: é", "\x1b[1mok\x1b[0m: é"),
        ] {
            assert_eq!(cut(line, 10), expected);
        }
    }
}

//! The way out of a dead session, as ssh has it: Enter, `~`, `.`. Pure.

/// Finds `Enter ~ .` in what is typed, across reads of any size.
#[derive(Debug)]
pub struct Escape {
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    Tilde,
    Elsewhere,
}

/// What a piece of typing means.
#[derive(Debug, PartialEq, Eq)]
pub struct Typed {
    /// What the remote side gets.
    pub data: Vec<u8>,
    /// Whether the user leaves; what followed is dropped.
    pub leave: bool,
}

impl Default for Escape {
    fn default() -> Self {
        Self { state: State::LineStart }
    }
}

impl Escape {
    /// Reads the next bytes. A `~` at the start of a line is held back until the next key; `~~` sends one.
    pub fn read(&mut self, bytes: &[u8]) -> Typed {
        let mut data = Vec::with_capacity(bytes.len() + 1);
        for &byte in bytes {
            let held = self.state == State::Tilde;
            match (self.state, byte) {
                (State::LineStart, b'~') => {
                    self.state = State::Tilde;
                    continue;
                }
                (State::Tilde, b'.') => return Typed { data, leave: true },
                (State::Tilde, b'~') => {}
                _ if held => data.push(b'~'),
                _ => {}
            }
            data.push(byte);
            self.state = if matches!(byte, b'\r' | b'\n') { State::LineStart } else { State::Elsewhere };
        }
        Typed { data, leave: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pieces: &[&str]) -> (String, bool) {
        let mut escape = Escape::default();
        let mut sent = String::new();
        for piece in pieces {
            let typed = escape.read(piece.as_bytes());
            sent.push_str(std::str::from_utf8(&typed.data).unwrap());
            if typed.leave {
                return (sent, true);
            }
        }
        (sent, false)
    }

    #[test]
    fn enter_tilde_dot_leaves_however_it_is_cut() {
        assert_eq!(typed(&["ls\r~."]), ("ls\r".into(), true));
        assert_eq!(typed(&["ls\r", "~", "."]), ("ls\r".into(), true));
        assert_eq!(typed(&["~."]), (String::new(), true));
    }

    #[test]
    fn everything_else_is_sent_unchanged() {
        for text in ["cd ~/x\r", "a~.b\r", "\r~/bin/x\r", "~a", "\r\n"] {
            assert_eq!(typed(&[text]), (text.to_owned(), false));
        }
    }

    #[test]
    fn a_doubled_tilde_sends_one() {
        assert_eq!(typed(&["\r~~."]), ("\r~.".into(), false));
    }
}

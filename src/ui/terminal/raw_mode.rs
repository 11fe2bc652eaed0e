//! The local terminal's raw mode, as a guard: what was before is restored on every way out, a panic included.

use std::{
    io,
    os::fd::BorrowedFd,
    panic,
    sync::{Mutex, MutexGuard, Once},
};

use rustix::{
    process::getpgrp,
    stdio,
    termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

use crate::streams::Size;

/// What the terminal was like before raw mode; `None` while it is not raw. Global, since a panic hook and a stop signal
/// must find it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// While this lives, the terminal is raw: every key is a byte for the remote side, Ctrl-C included.
#[derive(Debug)]
#[must_use = "the terminal is restored when this is dropped"]
pub struct RawMode(());

impl RawMode {
    /// Makes the terminal of stdin raw.
    ///
    /// # Errors
    /// When stdin is no terminal, or its attributes cannot be set.
    pub fn enter() -> io::Result<Self> {
        // A panic would otherwise print its message into a raw terminal and leave it so.
        HOOK.call_once(|| {
            let default = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                restore();
                default(info);
            }));
        });
        let before = tcgetattr(terminal())?;
        *saved() = Some(before);
        apply()?;
        Ok(Self(()))
    }

    /// Makes the terminal raw again after [`RawMode::pause`], if kdj is in the foreground.
    pub fn resume(&self) -> io::Result<()> {
        // In the background tcsetattr would stop the process again (SIGTTOU).
        if tcgetpgrp(terminal()).is_ok_and(|group| group == getpgrp()) { apply() } else { Ok(()) }
    }

    /// Gives the terminal back for a while, as before a stop signal.
    pub fn pause(&self) {
        if let Some(before) = &*saved() {
            let _ = tcsetattr(terminal(), OptionalActions::Now, before);
        }
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// The size of the terminal of stdin, in character cells; `None` when there is none or it does not know.
pub fn size() -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(terminal()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some(Size { columns: size.ws_col, rows: size.ws_row })
}

fn apply() -> io::Result<()> {
    if let Some(before) = &*saved() {
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(terminal(), OptionalActions::Now, &raw)?;
    }
    Ok(())
}

/// Restores once; what cannot be restored is a terminal that is gone.
fn restore() {
    if let Some(before) = saved().take() {
        let _ = tcsetattr(terminal(), OptionalActions::Now, &before);
    }
}

fn terminal() -> BorrowedFd<'static> {
    stdio::stdin()
}

fn saved() -> MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

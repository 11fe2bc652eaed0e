//! A pseudo-terminal with kdj, or a shell that starts kdj, on it.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, OutputModes, Termios, Winsize, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetwinsize},
};
use tempfile::TempDir;

use super::{
    kdj::Kdj,
    wait::{DEADLINE, Watched, poll_until},
};

/// A terminal of 100 columns and 30 rows and the process on it, which leads a session of its own. The process is
/// killed with this value.
pub struct Pty {
    controller: File,
    /// Keeps the terminal alive, and its modes readable, after the process's end.
    terminal: OwnedFd,
    child: Child,
    screen: Arc<Watched<Vec<u8>>>,
    /// The terminal's modes before the process started.
    before: Modes,
    /// How far the text was looked at.
    seen: usize,
    _directory: Arc<TempDir>,
}

impl Pty {
    /// Runs kdj on a terminal.
    pub fn run<const N: usize>(kdj: &Kdj, arguments: [&str; N]) -> Self {
        Self::start(kdj.command(arguments), kdj)
    }

    /// Runs an interactive `sh`, with kdj in its PATH: for what needs job control. Its prompt is `sh> `.
    pub fn shell(kdj: &Kdj) -> Self {
        let link = kdj.bin().join("kdj");
        if !link.exists() {
            std::os::unix::fs::symlink(Kdj::binary(), link).expect("kdj in PATH");
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-i"]);
        kdj.prepare(&mut command);
        command.env("PS1", "sh> ");
        let mut pty = Self::start(command, kdj);
        pty.wait_for("sh> ");
        pty
    }

    /// Starts any command on a terminal.
    pub fn start(mut command: Command, kdj: &Kdj) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("access to the terminal");
        let name = ptsname(&controller, Vec::new()).expect("the terminal's name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(name, flags, Mode::empty()).expect("the terminal opens");
        tcsetwinsize(&terminal, size(100, 30)).expect("the terminal has a size");
        let before = Modes(tcgetattr(&terminal).expect("the terminal has modes"));
        let stream = || Stdio::from(terminal.try_clone().expect("the terminal, again"));
        command.env("TERM", "xterm-256color").stdin(stream()).stdout(stream()).stderr(stream());
        let lead = || -> io::Result<()> {
            rustix::process::setsid()?;
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
            Ok(())
        };
        // SAFETY: between fork and exec it makes system calls only.
        unsafe { command.pre_exec(lead) };
        let child = command.spawn().expect("the command starts");
        let controller = File::from(controller);
        let screen = Arc::new(Watched::default());
        thread::spawn({
            let (screen, controller) = (Arc::clone(&screen), controller.try_clone().expect("the terminal, again"));
            move || read(controller, &screen)
        });
        Self { controller, terminal, child, screen, before, seen: 0, _directory: kdj.hold() }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.controller.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until this text shows, after what was waited for before; returns all up to its end.
    ///
    /// # Panics
    /// After [`DEADLINE`], with what shows.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        let seen = self.seen;
        // What was looked through once is not looked through again: in a flood that would hold up the reading.
        let mut from = seen;
        let find = |screen: &mut Vec<u8>| {
            let at = screen[from..].windows(text.len()).position(|window| window == text.as_bytes());
            let end = at.map(|at| from + at + text.len());
            from = from.max((screen.len() + 1).saturating_sub(text.len()));
            end
        };
        let Some(end) = self.screen.wait(DEADLINE, find) else {
            panic!("waited {DEADLINE:?} in vain for `{text}` on the terminal; it shows:\n{}", self.text());
        };
        self.seen = end;
        self.screen.with(|screen| String::from_utf8_lossy(&screen[seen..end]).into_owned())
    }

    /// How many bytes showed so far.
    pub fn length(&self) -> usize {
        self.screen.with(|screen| screen.len())
    }

    /// All that showed so far.
    pub fn text(&self) -> String {
        self.screen.with(|screen| String::from_utf8_lossy(screen).into_owned())
    }

    /// Changes the terminal's size; the kernel sends SIGWINCH.
    pub fn resize(&self, columns: u16, rows: u16) {
        tcsetwinsize(&self.terminal, size(columns, rows)).expect("the terminal has a size");
    }

    /// The terminal's size, columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let size = tcgetwinsize(&self.terminal).expect("the terminal has a size");
        (size.ws_col, size.ws_row)
    }

    /// The terminal's modes.
    pub fn modes(&self) -> Modes {
        Modes(tcgetattr(self.terminal.as_fd()).expect("the terminal has modes"))
    }

    /// Checks that the terminal is as it was before the process started.
    ///
    /// # Panics
    /// With its modes when it is not.
    #[track_caller]
    pub fn expect_restored(&self) {
        assert!(self.modes() == self.before, "the terminal is not as it was: {:?}", self.modes());
    }

    /// Waits until the terminal is raw, or until it is not.
    #[track_caller]
    pub fn wait_for_raw(&self, raw: bool) {
        let what = format!("the terminal to be raw: {raw}; it shows\n{}", self.text());
        poll_until(&what, DEADLINE, || (self.modes().is_raw() == raw).then_some(()));
    }

    /// The process on the terminal.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The foreground process group: kdj, when a shell started it.
    pub fn foreground(&self) -> Pid {
        tcgetpgrp(&self.controller).expect("a foreground process group")
    }

    /// Sends a signal to a process.
    pub fn signal(&self, pid: Pid, signal: Signal) {
        kill_process(pid, signal).expect("the process still runs");
    }

    /// Waits for the process's end.
    ///
    /// # Panics
    /// After [`DEADLINE`], with what shows.
    #[track_caller]
    pub fn finish(&mut self) -> ExitStatus {
        let end = std::time::Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the process can be waited for") {
                self.read_to_end();
                return status;
            }
            assert!(
                std::time::Instant::now() < end,
                "not over after {DEADLINE:?}; the terminal shows:\n{}",
                self.text()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// What the process wrote last may still be on its way through the terminal: something written behind it tells.
    fn read_to_end(&self) {
        const MARK: &[u8] = b"\0the end\0";
        // A terminal that is stopped takes nothing, and shows nothing either.
        let _ = rustix::fs::fcntl_setfl(&self.terminal, OFlags::RDWR | OFlags::NONBLOCK);
        if rustix::io::write(&self.terminal, MARK) == Ok(MARK.len()) {
            let _ = self.screen.wait(DEADLINE, |screen: &mut Vec<u8>| {
                let at = screen.windows(MARK.len()).position(|window| window == MARK)?;
                screen.drain(at..at + MARK.len());
                Some(())
            });
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A terminal's modes, to be compared.
#[derive(Clone, Debug)]
pub struct Modes(Termios);

impl Modes {
    /// Whether keys pass as they are.
    pub fn is_raw(&self) -> bool {
        let modes = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        !self.0.local_modes.intersects(modes) && !self.0.output_modes.contains(OutputModes::OPOST)
    }
}

impl PartialEq for Modes {
    fn eq(&self, other: &Self) -> bool {
        let modes = |modes: &Self| {
            let Termios { input_modes, output_modes, control_modes, local_modes, .. } = &modes.0;
            (*input_modes, *output_modes, *control_modes, *local_modes)
        };
        modes(self) == modes(other)
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }
}

fn read(mut controller: File, screen: &Watched<Vec<u8>>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = controller.read(&mut buffer) {
        screen.with(|screen| screen.extend_from_slice(&buffer[..length]));
    }
}

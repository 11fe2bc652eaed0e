//! Runs the real binary in an environment of its own: nothing of the developer's machine gets in. The tests of the
//! cluster run it by this file, too.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;

use super::{
    CommandOutput,
    process::{Running, StdoutReader},
    wait::DEADLINE,
};

/// A kdj about to be run. Its directories go when this value and all that it started have gone.
pub struct Kdj {
    directory: Arc<TempDir>,
    variables: Vec<(OsString, Option<OsString>)>,
    deadline: Duration,
    filters: Vec<(String, String)>,
    stdin: Stdin,
    stdout: Stdout,
}

/// What kdj gets on stdin.
#[derive(Clone, Debug)]
pub enum Stdin {
    /// `/dev/null`
    Null,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// A pipe that stays open: see [`Running::write_stdin`].
    Open,
    /// No file descriptor 0 at all.
    Closed,
}

/// What becomes of kdj's stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stdout {
    Kept,
    Held,
    ClosedAfter(usize),
    Closed,
    Flood,
    HeldFlood,
}

impl Kdj {
    /// With neither kubeconfig nor configuration.
    pub fn bare() -> Self {
        let directory = tempfile::Builder::new().prefix("kdj-test-").tempdir().expect("a temporary directory");
        let directory = Arc::new(directory);
        for name in ["home", "project", "bin", "config", "state", "cache", "tmp"] {
            fs::create_dir(directory.path().join(name)).expect("a directory for kdj");
        }
        let root = fs::canonicalize(directory.path()).expect("the directory's own path");
        let filters = vec![(root.display().to_string(), "$TEMP".to_owned())];
        let (stdin, stdout) = (Stdin::Null, Stdout::Kept);
        Self { directory, variables: Vec::new(), deadline: DEADLINE, filters, stdin, stdout }
    }

    /// Shows one text as another in the output.
    pub fn filter(mut self, from: &str, to: &str) -> Self {
        self.filters.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Writes the project's `kdj.toml`.
    pub fn config(self, text: &str) -> Self {
        self.file("project/kdj.toml", text)
    }

    /// Writes any file, its path relative to [`Self::directory`].
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.directory().join(path);
        fs::create_dir_all(path.parent().expect("a path within the directory")).expect("a directory for a file");
        fs::write(path, text).expect("a file is written");
        self
    }

    /// Sets a variable.
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), Some(value.as_ref().to_owned())));
        self
    }

    /// Unsets a variable.
    pub fn without(mut self, name: &str) -> Self {
        self.variables.push((name.into(), None));
        self
    }

    /// What comes on stdin.
    pub fn stdin(mut self, stdin: impl Into<Stdin>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Does not read stdout until [`Running::release_stdout`]: `| less`.
    pub fn hold_stdout(mut self) -> Self {
        self.stdout = Stdout::Held;
        self
    }

    /// Reads so many bytes of stdout and closes it: `| head`.
    pub fn close_stdout_after(mut self, bytes: usize) -> Self {
        self.stdout = Stdout::ClosedAfter(bytes);
        self
    }

    /// Starts kdj without file descriptor 1.
    pub fn without_stdout(mut self) -> Self {
        self.stdout = Stdout::Closed;
        self
    }

    /// Checks stdout against [`Flood`](super::Flood) instead of keeping it; the output then has its length alone.
    pub fn check_flood(mut self) -> Self {
        self.stdout = Stdout::Flood;
        self
    }

    /// Checks stdout against [`Flood`](super::Flood), but not before [`Running::release_stdout`].
    pub fn hold_flood(mut self) -> Self {
        self.stdout = Stdout::HeldFlood;
        self
    }

    /// How long it may run.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The directory that holds `home`, `project` (where kdj runs), `bin` (first in PATH), `config`, `state`, `cache`.
    pub fn directory(&self) -> PathBuf {
        fs::canonicalize(self.directory.path()).expect("the directory's own path")
    }

    /// Keeps the directories as long as it is kept.
    pub fn hold(&self) -> Arc<TempDir> {
        Arc::clone(&self.directory)
    }

    /// Where plugins go.
    pub fn bin(&self) -> PathBuf {
        self.directory().join("bin")
    }

    /// Runs kdj to its end.
    ///
    /// # Panics
    /// When it is not over at the deadline; kdj is killed then.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> CommandOutput {
        self.start(arguments).finish()
    }

    /// Starts kdj.
    #[track_caller]
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Running {
        let mut command = self.command(arguments);
        command.stdin(match self.stdin {
            Stdin::Null | Stdin::Closed => Stdio::null(),
            Stdin::Bytes(_) | Stdin::Open => Stdio::piped(),
        });
        command.stdout(if self.stdout == Stdout::Closed { Stdio::null() } else { Stdio::piped() });
        command.stderr(Stdio::piped());
        let closed = [(matches!(self.stdin, Stdin::Closed), 0), (self.stdout == Stdout::Closed, 1)];
        close_in_child(&mut command, closed.into_iter().filter_map(|(closed, fd)| closed.then_some(fd)).collect());
        let mut child = command.spawn().expect("kdj starts");
        let pipes = Pipes::of(&mut child);
        let reader = match self.stdout {
            Stdout::Kept | Stdout::Closed | Stdout::Held => StdoutReader::Keep,
            Stdout::ClosedAfter(bytes) => StdoutReader::CloseAfter(bytes),
            Stdout::Flood | Stdout::HeldFlood => StdoutReader::CheckFlood,
        };
        let held = matches!(self.stdout, Stdout::Held | Stdout::HeldFlood);
        let input = match &self.stdin {
            Stdin::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        };
        Running::new(
            child,
            (pipes.stdin, pipes.stdout, pipes.stderr),
            (reader, !held, input),
            self.deadline,
            self.filters.clone(),
            self.hold(),
        )
    }

    /// The command in its environment, without streams: for a pseudo-terminal.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(Self::binary());
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// The binary under test.
    pub fn binary() -> &'static Path {
        Path::new(env!("CARGO_BIN_EXE_kdj"))
    }

    /// Gives any command kdj's environment.
    pub fn prepare(&self, command: &mut Command) {
        let root = self.directory();
        command.current_dir(root.join("project")).env_clear();
        let path = [root.join("bin"), "/usr/bin".into(), "/bin".into()];
        command.env("PATH", std::env::join_paths(path).expect("a PATH"));
        for (name, directory) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("TMPDIR", "tmp"),
            ("KUBECONFIG", "home/.kube/config"),
        ] {
            command.env(name, root.join(directory));
        }
        for (name, value) in
            [("COLUMNS", "100"), ("NO_COLOR", "1"), ("TZ", "UTC"), ("LANG", "C.UTF-8"), ("USER", "dev")]
        {
            command.env(name, value);
        }
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }
}

impl From<&str> for Stdin {
    fn from(text: &str) -> Self {
        Stdin::Bytes(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for Stdin {
    fn from(bytes: Vec<u8>) -> Self {
        Stdin::Bytes(bytes)
    }
}

/// A child's ends of the pipes.
struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Pipes {
    fn of(child: &mut Child) -> Self {
        Self { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() }
    }
}

/// Closes file descriptors in the child, before kdj starts.
fn close_in_child(command: &mut Command, descriptors: Vec<i32>) {
    use std::os::unix::process::CommandExt;
    if descriptors.is_empty() {
        return;
    }
    let close = move || -> io::Result<()> {
        for &descriptor in &descriptors {
            // SAFETY: the child owns its descriptors, and nothing in it uses this one before exec.
            unsafe { rustix::io::close(descriptor) };
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes system calls only.
    unsafe { command.pre_exec(close) };
}

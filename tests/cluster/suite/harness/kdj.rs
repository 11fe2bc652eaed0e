//! Runs the real binary in an environment of its own: nothing of the developer's machine gets in but the cluster.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;

use super::{
    CommandOutput,
    process::{Running, StdoutReader},
    wait::DEADLINE,
};

/// A kdj about to be run. Its directories, and the pods it remembers, go when this value does.
pub struct Kdj {
    directory: Arc<TempDir>,
    variables: Vec<(OsString, OsString)>,
    deadline: Duration,
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
#[derive(Clone, Copy, Debug)]
enum Stdout {
    Kept,
    Held,
    ClosedAfter(usize),
}

impl Kdj {
    /// With this kubeconfig and no configuration.
    pub fn new(kubeconfig: &Path) -> Self {
        let directory = tempfile::Builder::new().prefix("kdj-test-").tempdir().expect("a temporary directory");
        for name in ["home", "project", "bin", "config", "state", "cache", "tmp"] {
            fs::create_dir(directory.path().join(name)).expect("a directory for kdj");
        }
        let (stdin, stdout) = (Stdin::Null, Stdout::Kept);
        Self { directory: Arc::new(directory), variables: Vec::new(), deadline: DEADLINE, stdin, stdout }
            .variable("KUBECONFIG", kubeconfig)
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

    /// Puts a program into its PATH.
    pub fn link(self, program: &Path, name: &str) -> Self {
        if program.is_absolute() {
            symlink(program, self.bin().join(name)).expect("a link in PATH");
        }
        self
    }

    /// Sets a variable.
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), value.as_ref().to_owned()));
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

    /// How long it may run.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The directory that holds `home`, `project` (where kdj runs), `bin` (first in PATH), `config`, `state`, `cache`.
    pub fn directory(&self) -> PathBuf {
        fs::canonicalize(self.directory.path()).expect("the directory's own path")
    }

    /// Keeps the directories for as long as what it gives.
    pub fn hold(&self) -> Arc<TempDir> {
        Arc::clone(&self.directory)
    }

    /// What comes first in PATH.
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
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if matches!(self.stdin, Stdin::Closed) {
            let close = || -> io::Result<()> {
                // SAFETY: the child owns its descriptors, and nothing in it uses this one before exec.
                unsafe { rustix::io::close(0) };
                Ok(())
            };
            // SAFETY: between fork and exec it makes a system call only.
            unsafe { command.pre_exec(close) };
        }
        let mut child = command.spawn().expect("kdj starts");
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let reader = match self.stdout {
            Stdout::Kept | Stdout::Held => StdoutReader::Keep,
            Stdout::ClosedAfter(bytes) => StdoutReader::CloseAfter(bytes),
        };
        let held = matches!(self.stdout, Stdout::Held);
        let input = if let Stdin::Bytes(bytes) = &self.stdin { Some(bytes.clone()) } else { None };
        Running::new(child, pipes, (reader, !held, input), self.deadline, Vec::new(), self.hold())
    }

    /// The command in its environment, without streams.
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
        let path = [root.join("bin"), "/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()];
        command.env("PATH", std::env::join_paths(path).expect("a PATH"));
        for (name, directory) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("TMPDIR", "tmp"),
        ] {
            command.env(name, root.join(directory));
        }
        for (name, value) in [("NO_COLOR", "1"), ("TZ", "UTC"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
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

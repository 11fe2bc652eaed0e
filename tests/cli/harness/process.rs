//! A kdj that runs on pipes.

use std::{
    io::{ErrorKind, Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{
    CommandOutput, Flood,
    wait::{Watched, poll_until},
};

/// What becomes of stdout.
pub enum StdoutReader {
    /// It is kept.
    Keep,
    /// It is closed after so many bytes.
    CloseAfter(usize),
    /// It is compared with a flood.
    CheckFlood,
}

/// What came so far.
#[derive(Default)]
struct Streams {
    stdout: Vec<u8>,
    stdout_length: u64,
    stderr: Vec<u8>,
    wrong_at: Option<u64>,
    released: bool,
    open: usize,
}

/// A running kdj; it is killed with this value.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    streams: Arc<Watched<Streams>>,
    writer: Option<JoinHandle<()>>,
    deadline: Duration,
    filters: Vec<(String, String)>,
    _directory: Arc<TempDir>,
}

impl Running {
    /// Starts to read and write its pipes.
    pub(super) fn new(
        child: Child,
        (stdin, stdout, stderr): (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>),
        (reader, released, input): (StdoutReader, bool, Option<Vec<u8>>),
        deadline: Duration,
        filters: Vec<(String, String)>,
        directory: Arc<TempDir>,
    ) -> Self {
        let open = usize::from(stdout.is_some()) + usize::from(stderr.is_some());
        let streams = Arc::new(Watched::new(Streams { open, released, ..Streams::default() }));
        if let Some(stdout) = stdout {
            let streams = Arc::clone(&streams);
            thread::spawn(move || read_stdout(stdout, &reader, &streams));
        }
        if let Some(mut stderr) = stderr {
            let streams = Arc::clone(&streams);
            thread::spawn(move || {
                read(&mut stderr, |bytes| streams.with(|streams| streams.stderr.extend_from_slice(bytes)));
                streams.with(|streams| streams.open -= 1);
            });
        }
        let mut running = Self { child, stdin, streams, writer: None, deadline, filters, _directory: directory };
        if let Some(input) = input
            && let Some(mut stdin) = running.stdin.take()
        {
            // kdj may well end without having read it all.
            running.writer = Some(thread::spawn(move || drop(stdin.write_all(&input))));
        }
        running
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("kdj still runs");
    }

    /// Writes to its stdin, which is left open.
    pub fn write_stdin(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is `Stdin::Open`");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("kdj's stdin takes bytes");
    }

    /// Ends its stdin.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Reads stdout from now on.
    pub fn release_stdout(&self) {
        self.streams.with(|streams| streams.released = true);
    }

    /// How many bytes came on stdout so far.
    pub fn stdout_length(&self) -> u64 {
        self.streams.with(|streams| streams.stdout_length)
    }

    /// What came on stdout so far.
    pub fn stdout_so_far(&self) -> String {
        self.streams.with(|streams| String::from_utf8_lossy(&streams.stdout).into_owned())
    }

    /// What came on stderr so far.
    pub fn stderr_so_far(&self) -> String {
        self.streams.with(|streams| String::from_utf8_lossy(&streams.stderr).into_owned())
    }

    /// Waits until stdout has this text.
    #[track_caller]
    pub fn wait_for_stdout(&self, text: &str) {
        self.wait_for(text, |streams| &streams.stdout);
    }

    /// Waits until stderr has this text.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str) {
        self.wait_for(text, |streams| &streams.stderr);
    }

    #[track_caller]
    fn wait_for(&self, text: &str, stream: impl Fn(&Streams) -> &Vec<u8>) {
        // What was looked through once is not looked through again: in a flood that would hold up the reading.
        let mut from = 0;
        let has = |streams: &mut Streams| {
            let written = stream(streams);
            let found = memchr::memmem::find(&written[from..], text.as_bytes()).is_some();
            from = from.max((written.len() + 1).saturating_sub(text.len()));
            found.then_some(())
        };
        if self.streams.wait(self.deadline, has).is_none() {
            panic!("waited {:?} in vain for `{text}`\n{}", self.deadline, self.picture(None));
        }
    }

    /// Its peak memory in KiB, where the system tells (Linux), without the pages of the program itself: those of one with what
    /// a debugger needs are many.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        Some(of("VmHWM:")?.saturating_sub(of("RssFile:")?))
    }

    /// Waits until it is over, with its stdin left open.
    #[track_caller]
    pub fn wait_for_end(&mut self) {
        poll_until("kdj to end", self.deadline, || self.child.try_wait().expect("kdj can be waited for"));
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// At the deadline, with what it printed; it is killed then.
    #[track_caller]
    pub fn finish(mut self) -> CommandOutput {
        self.stdin = None;
        let asked = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("kdj can be waited for") {
                Some(status) => break status,
                None if asked.elapsed() > self.deadline => {
                    let _ = self.child.kill();
                    panic!("kdj did not end within {:?}\n{}", self.deadline, self.picture(None));
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        // A process that kdj left behind may hold the pipes open: that is a fault of its own.
        let closed = self.streams.wait(Duration::from_secs(5), |streams| (streams.open == 0).then_some(()));
        assert!(closed.is_some(), "kdj ended and left its output open\n{}", self.picture(Some(status)));
        if let Some(writer) = self.writer.take() {
            poll_until("stdin to be let go", Duration::from_secs(5), || writer.is_finished().then_some(()));
        }
        if let Some(at) = self.streams.with(|streams| streams.wrong_at) {
            panic!("stdout differs from the flood at byte {at}\n{}", self.picture(Some(status)));
        }
        self.picture(Some(status))
    }

    fn picture(&self, status: Option<ExitStatus>) -> CommandOutput {
        self.streams.with(|streams| CommandOutput {
            stdout: streams.stdout.clone(),
            stdout_length: streams.stdout_length,
            stderr: String::from_utf8_lossy(&streams.stderr).into_owned(),
            code: status.and_then(|status| status.code()),
            signal: status.and_then(|status| status.signal()),
            filters: self.filters.clone(),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.streams.with(|streams| streams.released = true);
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn read_stdout(mut stdout: ChildStdout, reader: &StdoutReader, streams: &Watched<Streams>) {
    let flood = Flood::new();
    // A held stdout is let go with the test at the latest.
    while streams.wait(Duration::from_secs(600), |streams| streams.released.then_some(())).is_none() {}
    let most = if let StdoutReader::CloseAfter(most) = reader { *most } else { usize::MAX };
    let limited = Read::by_ref(&mut stdout).take(most as u64);
    read(limited, |bytes| {
        streams.with(|streams| {
            if matches!(reader, StdoutReader::CheckFlood) {
                streams.wrong_at = streams.wrong_at.or_else(|| flood.first_difference(streams.stdout_length, bytes));
            } else {
                streams.stdout.extend_from_slice(bytes);
            }
            streams.stdout_length += bytes.len() as u64;
        });
    });
    drop(stdout);
    streams.with(|streams| streams.open -= 1);
}

fn read(mut stream: impl Read, mut take: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => take(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

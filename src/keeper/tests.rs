//! The scripts as they run in a container, run here.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

/// A session's container: its holder. What runs in it has no place for files, and sees no Python but this machine's.
struct Container {
    id: String,
    holder: Child,
}

impl Container {
    fn new(program: &[&[&str]]) -> Self {
        Self::changed(program, |code| code)
    }

    /// With a holder that was changed.
    fn changed(program: &[&[&str]], change: impl Fn(String) -> String) -> Self {
        Self::of_user(program, change, rustix::process::geteuid().as_raw())
    }

    /// With a holder that is another user's, as after an entrypoint that gave root up.
    fn of_user(program: &[&[&str]], change: impl Fn(String) -> String, uid: u32) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let program: Vec<Vec<String>> =
            program.iter().map(|words| words.iter().map(ToString::to_string).collect()).collect();
        let mut words = holder(&id, Some("vt220"), &program);
        words[4] = change(words[4].clone());
        let mut command = command(&words);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if uid != rustix::process::geteuid().as_raw() {
            command.uid(uid);
        }
        let holder = command.spawn().unwrap();
        Self { id, holder }
    }

    fn sh(script: &str) -> Self {
        Self::new(&[&["sh", "-c", script]])
    }

    fn attach(&self) -> Attached {
        Attached::start(&attach(&self.id)[0])
    }

    /// Waits for the holder's own end.
    #[track_caller]
    fn code(&mut self) -> Option<i32> {
        code_of(&mut self.holder)
    }

    /// Sends the holder SIGTERM and waits for its end.
    fn delete(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.holder), Signal::TERM).unwrap();
        self.holder.wait().unwrap().code()
    }

    /// The seconds of processor time that the holder has used.
    fn burnt(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.holder.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    }

    /// The holder's memory in MB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.holder.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .env("TMPDIR", "/nowhere")
        .env_remove("HOME")
        .env_remove("VIRTUAL_ENV")
        .env("TERM", "dumb")
        // What a test leaves behind is not to hold the test's own output open.
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A terminal with an attach on it.
struct Attached {
    keys: File,
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    /// Whether nobody reads the terminal.
    blocked: Arc<AtomicBool>,
    seen: usize,
}

impl Attached {
    fn start(words: &[String]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&controller).and_then(|()| unlockpt(&controller)).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(ptsname(&controller, Vec::new()).unwrap(), flags, Mode::empty()).unwrap();
        tcsetwinsize(&controller, size(30, 100)).unwrap();
        let stream = || Stdio::from(terminal.try_clone().unwrap());
        let mut command = command(words);
        command.stdin(stream()).stdout(stream()).stderr(stream());
        let lead = || -> io::Result<()> {
            rustix::process::setsid()?;
            Ok(rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?)
        };
        // SAFETY: between fork and exec it makes system calls only.
        unsafe { command.pre_exec(lead) };
        let child = command.spawn().unwrap();
        let (keys, blocked) = (File::from(controller), Arc::new(AtomicBool::new(false)));
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        thread::spawn({
            let (mut screen, shown, blocked) = (keys.try_clone().unwrap(), Arc::clone(&shown), Arc::clone(&blocked));
            move || {
                let mut data = [0; 65536];
                loop {
                    while blocked.load(Ordering::Relaxed) {
                        thread::sleep(Duration::from_millis(5));
                    }
                    let Ok(count @ 1..) = screen.read(&mut data) else { return };
                    shown.lock().unwrap().extend_from_slice(&data[..count]);
                }
            }
        });
        Self { keys, child, shown, blocked, seen: 0 }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn resize(&self, rows: u16, columns: u16) {
        tcsetwinsize(&self.keys, size(rows, columns)).unwrap();
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits for a text after the one waited for before.
    #[track_caller]
    fn sees(&mut self, text: &str) -> &mut Self {
        let until = Instant::now() + DEADLINE;
        loop {
            let shown = self.shown.lock().unwrap();
            let at = shown[self.seen..].windows(text.len()).position(|window| window == text.as_bytes());
            drop(shown);
            if let Some(at) = at {
                self.seen += at + text.len();
                return self;
            }
            assert!(Instant::now() < until, "no `{text}` in: {}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end and returns its code.
    #[track_caller]
    fn code(&mut self) -> Option<i32> {
        code_of(&mut self.child)
    }

    /// The connection is gone, and with it what served it.
    fn cut(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.blocked.store(false, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn code_of(child: &mut Child) -> Option<i32> {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(Instant::now() < until, "it goes on");
        thread::sleep(Duration::from_millis(10));
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

#[test]
fn the_same_program_is_taken_up_again() {
    let container = Container::sh("echo $TERM $KDJ_SESSION; stty size; while read x; do y=$y$x; echo [$y]; done");
    let mut first = container.attach();
    first.sees(&format!("vt220 {}\r\n30 100\r\n", container.id)).press("a\r");
    first.sees("[a]").press("b\r");
    first.sees("[ab]");
    first.cut();
    let mut second = container.attach();
    // What was seen before, once more.
    second.sees("vt220").sees("[ab]").press("c\r");
    second.sees("[abc]");
}

#[test]
fn it_ends_as_the_program_ends() {
    for (script, code) in [("exit 0", 0), ("echo last; exit 3", 3), ("kill -10 $$", 138)] {
        let container = Container::sh(script);
        let mut attached = container.attach();
        assert_eq!(attached.code(), Some(code), "{script}");
        assert_eq!(attached.text().contains("last"), script.contains("last"));
        // Who comes later sees it too.
        let mut late = container.attach();
        assert_eq!(late.code(), Some(code), "{script}");
        assert_eq!(late.text().contains("last"), script.contains("last"));
    }
}

#[test]
fn all_output_arrives_before_the_end() {
    let container = Container::sh("stty -opost; seq 1 200000");
    let mut attached = container.attach();
    assert_eq!(attached.code(), Some(0));
    attached.sees("199999\n200000\n");
    let expected: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(attached.text() == expected, "{} bytes of {}", attached.text().len(), expected.len());
}

#[test]
fn the_end_is_kept_for_who_was_away() {
    let container = Container::sh("echo begun; read x; echo got; sleep 0.3; echo done; exit 4");
    let mut first = container.attach();
    first.sees("begun").press("\r");
    first.sees("got");
    first.cut();
    thread::sleep(Duration::from_millis(700));
    let mut late = container.attach();
    assert_eq!(late.code(), Some(4));
    late.sees("begun").sees("done");
}

#[test]
fn the_size_follows_and_a_screen_is_drawn_anew() {
    let container = Container::sh("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done");
    let mut attached = container.attach();
    attached.sees("ready");
    attached.resize(40, 120);
    attached.sees("40 120");
    attached.cut();
    // Two changes, so that a program that compares sizes draws too.
    let mut attached = container.attach();
    attached.sees("ready").sees("29 100").sees("30 100");
}

#[test]
fn another_attach_takes_over() {
    let container = Container::sh("while read x; do echo [$x]; done; exit 5");
    let mut first = container.attach();
    first.press("1\r");
    first.sees("[1]");
    let mut second = container.attach();
    first.sees("[kdj] taken over by another attach");
    assert_eq!(first.code(), Some(i32::from(MAY_GO_ON)));
    second.sees("[1]").press("2\r");
    second.sees("[2]").press("\x04");
    assert_eq!(second.code(), Some(5));
    assert!(!first.text().contains("[2]"));
}

#[test]
fn keys_pressed_at_once_end_nothing_but_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let python = directory.path().join("python3");
    std::fs::write(
        &python,
        "#!/bin/sh\necho slow\nsleep 0.3\nexec /usr/bin/env PATH=/usr/local/bin:/usr/bin:/bin python3 \"$@\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let container = Container::sh("echo begun; while read x; do echo [$x]; done; exit 5");
    let words = [
        vec!["/usr/bin/env".to_owned(), format!("PATH={}:/usr/bin:/bin", directory.path().display())],
        attach(&container.id)[0].clone(),
    ];
    for _ in 0..2 {
        let mut attached = Attached::start(&words.concat());
        attached.sees("slow").press("\x03\x1c");
        attached.sees("begun").press("a\r");
        attached.sees("[a]");
        attached.cut();
    }
    // Nor are they ignored in a program that the exec starts.
    let path = format!("PATH={}", directory.path().display());
    std::fs::write(&python, "#!/bin/sh\nexit 1\n").unwrap();
    let plain = ["/bin/sh", "-c", "kill -INT $$"].map(str::to_owned);
    std::os::unix::fs::symlink("/bin/sh", directory.path().join("sh")).unwrap();
    let words = [vec!["/usr/bin/env".to_owned(), path], start("id", &plain)[0].clone()].concat();
    assert_eq!(Attached::start(&words).code(), None);
}

#[test]
fn an_attach_that_fails_is_not_the_programs_end() {
    let container = Container::sh("read x; exit 5");
    let words = &attach(&container.id)[0];
    let output = command(words).stdin(Stdio::null()).stdout(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(MAY_GO_ON)), "{output:?}");
    let mut attached = container.attach();
    attached.press("\r");
    assert_eq!(attached.code(), Some(5));
}

#[test]
fn a_silent_program_is_taken_up_again() {
    let container = Container::sh("read x; echo got; exit 4");
    let first = container.attach();
    thread::sleep(Duration::from_millis(500));
    first.cut();
    let mut second = container.attach();
    thread::sleep(Duration::from_millis(300));
    second.press("\r");
    second.sees("got");
    assert_eq!(second.code(), Some(4));
}

/// A holder that waits for nobody for long, and takes `proc` for its container's processes.
fn impatient(program: &[&[&str]], proc: &std::path::Path) -> Container {
    Container::changed(program, |code| {
        assert!(code.contains("IDLE = 600 ") && code.contains("\"/proc\""));
        code.replace("IDLE = 600 ", "IDLE = 1 ").replace("\"/proc\"", &format!("\"{}\"", proc.display()))
    })
}

#[test]
fn the_holder_ends_when_nobody_comes_any_more() {
    let proc = tempfile::tempdir().unwrap();
    // Its program has ended, and nobody saw it.
    let mut container = impatient(&[&["sh", "-c", "echo begun; sleep 2; exit 7"]], proc.path());
    container.attach().sees("begun");
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(container.holder.try_wait().unwrap(), None);
    assert_eq!(container.code(), Some(7));
    // Nobody ever had it started.
    let mut container = impatient(&[&["true"]], proc.path());
    assert_eq!(container.code(), Some(0));
    // Nothing is executed any more.
    let program = proc.path().join("99999999");
    std::fs::create_dir(&program).unwrap();
    let mut container = impatient(&[], proc.path());
    thread::sleep(Duration::from_millis(1600));
    assert_eq!(container.holder.try_wait().unwrap(), None);
    std::fs::remove_dir(&program).unwrap();
    assert_eq!(container.code(), Some(0));
}

#[test]
fn a_code_that_says_nothing_by_itself_is_the_holders_too() {
    for (script, code) in [("exit 255", 255), ("kill -9 $$", 137), ("kill -INT $$", 130)] {
        let mut container = Container::sh(&format!("echo last; {script}"));
        let mut attached = container.attach();
        assert_eq!(attached.code(), Some(code), "{script}");
        attached.sees("last");
        assert_eq!(container.code(), Some(code), "{script}");
    }
}

#[test]
fn without_python_a_pod_ends_when_nothing_runs_in_it() {
    let proc = tempfile::tempdir().unwrap();
    for (process, parent) in [("5", "1"), ("77", "0")] {
        std::fs::create_dir(proc.path().join(process)).unwrap();
        std::fs::write(proc.path().join(process).join("stat"), format!("{process} (a b) S {parent} 1 1\n")).unwrap();
    }
    let script = terse(IDLE).replace("/proc/", &format!("{}/", proc.path().display())).replace("sleep 60", "sleep 0.1");
    let mut idle = Command::new("sh").args(["-c", &script]).spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    assert_eq!(idle.try_wait().unwrap(), None);
    std::fs::remove_dir_all(proc.path().join("77")).unwrap();
    assert_eq!(code_of(&mut idle), Some(0));
}

#[test]
fn a_flood_that_nobody_sees_costs_little() {
    let container = Container::sh("while :; do echo 0123456789012345678901234567890123456789; done");
    let mut attached = container.attach();
    attached.sees("012");
    let (memory, burnt) = (container.memory(), container.burnt());
    attached.cut();
    thread::sleep(Duration::from_secs(2));
    assert!(container.memory() < memory + 5, "{} MB after {memory} MB", container.memory());
    assert!(container.burnt() - burnt < 0.6, "{} s", container.burnt() - burnt);
    // Ctrl-C is heard in it.
    let mut attached = container.attach();
    attached.sees("0123");
    assert!(container.memory() < memory + 5, "{} MB after {memory} MB", container.memory());
    attached.press("\x03");
    assert_eq!(attached.code(), Some(130));
}

#[test]
fn who_reads_slowly_holds_the_program_back_and_loses_nothing() {
    let container = Container::sh("stty -opost; echo begin; seq 1 100000; echo end >&2; sleep 1000");
    let mut attached = container.attach();
    attached.blocked.store(true, Ordering::Relaxed);
    thread::sleep(Duration::from_secs(2));
    assert!(attached.text().len() < 100_000, "{} bytes", attached.text().len());
    assert!(container.burnt() < 1.0, "{} s", container.burnt());
    attached.blocked.store(false, Ordering::Relaxed);
    attached.sees("end\n");
    let numbers: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
    assert!(attached.text().contains(&format!("begin\n{numbers}end\n")));
}

#[test]
fn a_connection_that_died_silently_holds_nothing_back_for_long() {
    let script = "stty -opost; seq 1 100000; echo all; read x; exit 6";
    let stall = |code: String| {
        assert!(code.contains("STALL = 60 "));
        code.replace("STALL = 60 ", "STALL = 1 ")
    };
    let container = Container::changed(&[&["sh", "-c", script]], stall);
    let mut dead = container.attach();
    dead.blocked.store(true, Ordering::Relaxed);
    thread::sleep(Duration::from_secs(3));
    // It comes back to life and sees the end.
    dead.blocked.store(false, Ordering::Relaxed);
    dead.sees("[kdj] skipped").sees("99999\n100000\nall\n").press("\r");
    assert_eq!(dead.code(), Some(6));
    // It stays dead, to the program's end and beyond.
    let container = Container::changed(&[&["sh", "-c", "seq 1 100000; exit 6"]], stall);
    let dead = container.attach();
    dead.blocked.store(true, Ordering::Relaxed);
    thread::sleep(Duration::from_secs(4));
    let burnt = container.burnt();
    thread::sleep(Duration::from_secs(1));
    assert!(container.burnt() - burnt < 0.1);
    let mut late = container.attach();
    assert_eq!(late.code(), Some(6));
    late.sees("99999\r\n100000\r\n");
}

#[test]
fn what_is_repeated_begins_whole_and_asks_nothing() {
    let printed = r"\033[?1049h\033[?25l\033[?1h";
    let script = format!("stty -opost -echo; printf '{printed}'; seq 1 50000; printf 'a\\033[6nb\\033[cd\\n'; read x");
    let container = Container::sh(&script);
    let mut first = container.attach();
    first.sees("a\x1b[6nb\x1b[cd\n");
    first.cut();
    let mut second = container.attach();
    second.sees("abd\n");
    let text = second.text();
    assert!(text.starts_with("\x1b[?1049h\x1b[?25l\x1b[?1h"), "{:?}", &text[..40]);
    let first: u32 = text.trim_start_matches("\x1b[?1049h\x1b[?25l\x1b[?1h").lines().next().unwrap().parse().unwrap();
    assert!(text.contains(&format!("{first}\n{}\n", first + 1)) && (10_000..50_000).contains(&first), "{first}");
    assert!((60_000..140_000).contains(&text.len()), "{}", text.len());
}

#[test]
fn a_large_paste_arrives_and_keys_are_not_changed() {
    let container = Container::sh("stty raw -echo; echo ready; head -c 300000 | sha256sum; head -c 3 | od -An -tx1");
    let mut attached = container.attach();
    attached.sees("ready");
    let paste: String = (0..300_000).map(|number| char::from(b"abcdefg\n\r\x03\x04"[number % 11])).collect();
    attached.press(&paste);
    let mut sum = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    sum.stdin.take().unwrap().write_all(paste.as_bytes()).unwrap();
    let output = sum.wait_with_output().unwrap();
    attached.sees(std::str::from_utf8(&output.stdout[..64]).unwrap()).press("\r\x03\x1c");
    attached.sees("0d 03 1c");
    assert_eq!(attached.code(), Some(0));
}

#[test]
fn what_cannot_be_executed_is_told() {
    let container = Container::new(&[&["/nowhere/a", "x"], &["nowhere-b"]]);
    let mut attached = container.attach();
    assert_eq!(attached.code(), Some(127));
    attached.sees("error: cannot execute `/nowhere/a`: No such file or directory");
    let container = Container::new(&[&["/"]]);
    assert_eq!(container.attach().code(), Some(126));
    let container =
        Container::new(&[&["nowhere"], &["sh", "-c", "echo other: $1 zürich '$(HOME)'", "sh", "$$ $(TERM)"]]);
    let mut attached = container.attach();
    attached.sees("other: $$ $(TERM) zürich $(HOME)");
    let container = Container::new(&[]);
    let mut attached = container.attach();
    attached.sees("nothing is kept here");
    assert_eq!(attached.code(), Some(i32::from(MAY_GO_ON)));
}

#[test]
fn deletion_is_heard_at_once_and_hangs_up() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hung-up");
    let script = format!("trap 'echo >{}; exit' HUP; echo ready; while :; do sleep 0.05; done", file.display());
    assert!(is_quick(|| {
        let mut container = Container::sh(&script);
        let mut attached = container.attach();
        attached.sees("ready");
        let begin = Instant::now();
        assert_eq!(container.delete(), Some(0));
        let took = begin.elapsed();
        std::fs::remove_file(&file).unwrap();
        attached.sees("[kdj] the session's pod ends");
        assert_eq!(attached.code(), Some(i32::from(MAY_GO_ON)));
        took
    }));
    // One that does not listen costs a second, one that never was nothing.
    let mut container = Container::sh("trap '' HUP; echo ready; for i in $(seq 100); do sleep 0.05; done");
    container.attach().sees("ready");
    assert_eq!(container.delete(), Some(0));
    assert!(is_quick(|| {
        let begin = Instant::now();
        let mut container = Container::new(&[]);
        container.attach().sees("nothing");
        assert_eq!(container.delete(), Some(0));
        begin.elapsed()
    }));
}

/// Whether it ever takes less than the second that a program is given; a busy machine may be slow now and then.
fn is_quick(mut deed: impl FnMut() -> Duration) -> bool {
    (0..8).any(|_| deed() < Duration::from_millis(900))
}

#[test]
fn without_python_the_program_runs_as_ever() {
    let directory = tempfile::tempdir().unwrap();
    for program in ["sh", "sleep", "true"] {
        std::os::unix::fs::symlink(format!("/bin/{program}"), directory.path().join(program)).unwrap();
    }
    // An old Python is none.
    std::fs::write(directory.path().join("python3"), "#!/bin/sh\nexit 1\n").unwrap();
    let without = |words: Vec<String>| {
        let path = format!("PATH={}", directory.path().display());
        [vec!["/usr/bin/env".to_owned(), path], words].concat()
    };
    let plain = ["sh", "-c", "echo plain \"$1\"; exit 3", "sh", "a b"].map(str::to_owned);
    let mut attached = Attached::start(&without(start("id", &plain)[0].clone()));
    assert_eq!(attached.code(), Some(3));
    attached.sees("plain a b");
    let mut attached = Attached::start(&without(attach("id")[0].clone()));
    assert_eq!(attached.code(), Some(i32::from(MAY_GO_ON)));
    attached.sees("cannot be taken up again: no Python");
    let mut holder = command(&without(holder("id", None, &[]))).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(holder.try_wait().unwrap(), None);
    kill_process(Pid::from_child(&holder), Signal::TERM).unwrap();
    assert_eq!(holder.wait().unwrap().code(), Some(0));
}

#[test]
fn every_python_since_3_6_will_do() {
    let versions = std::path::PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".pyenv/versions");
    for version in std::fs::read_dir(versions).into_iter().flatten() {
        let python = version.unwrap().path().join("bin");
        let path = format!("PATH={}:/usr/sbin:/sbin:/bin", python.display());
        let id = format!("python-{}-{}", std::process::id(), python.parent().unwrap().file_name().unwrap().display());
        let with = |words: Vec<String>| [vec!["/usr/bin/env".to_owned(), path.clone()], words].concat();
        let mut holder = command(&with(holder(&id, None, &[vec!["cat".to_owned()]]))).spawn().unwrap();
        for _ in 0..2 {
            let mut attached = Attached::start(&with(attach(&id)[0].clone()));
            attached.press("hello\r");
            attached.sees("hello\r\nhello\r\n");
            attached.cut();
        }
        kill_process(Pid::from_child(&holder), Signal::TERM).unwrap();
        assert_eq!(holder.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn the_words_stay_within_what_carries_them() {
    let long = vec![vec!["sh".to_owned(), "-c".to_owned(), "$(A) $$ x".repeat(10)]];
    let holder = holder("id", Some("xterm"), &long);
    for word in &holder {
        assert!(!word.contains("$(") && !word.contains("$$"), "Kubernetes would expand {word}");
    }
    assert!(holder.iter().map(String::len).sum::<usize>() < 16_000);
    let encoded: usize = attach("id")[0]
        .iter()
        .flat_map(|word| word.bytes())
        .map(|byte| if byte.is_ascii_alphanumeric() || b" -._*".contains(&byte) { 1 } else { 3 })
        .sum();
    assert!(encoded < 4500, "{encoded} bytes");
}

#[test]
fn root_and_another_user_meet_within_one_container_only() {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let program: &[&[&str]] = &[&["sh", "-c", "echo up; read x; exit 6"]];
    let container = Container::of_user(program, |code| code, NOBODY);
    let mut attached = container.attach();
    attached.sees("up").press("\r");
    assert_eq!(attached.code(), Some(6));

    // A sidecar has other control groups, in a pod whose containers share their processes.
    let elsewhere = |code: String| {
        let (groups, others) = ("\"/proc/%d/cgroup\" % pid", "\"/proc/%d/cgroup\" % (pid == os.getpid() and pid)");
        assert!(code.contains(groups));
        code.replace(groups, others)
    };
    let container = Container::of_user(program, elsewhere, NOBODY);
    let mut attached = container.attach();
    assert_eq!(attached.code(), Some(i32::from(MAY_GO_ON)));
    assert!(!attached.text().contains("up"), "{}", attached.text());

    let container = Container::of_user(program, |code| code, NOBODY);
    let mut words = attach(&container.id).remove(0);
    words[4] = elsewhere(words[4].clone());
    let mut attached = Attached::start(&words);
    assert_eq!(attached.code(), Some(i32::from(MAY_GO_ON)));
}

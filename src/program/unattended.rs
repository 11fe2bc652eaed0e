//! Runs a program that nobody attends to: it can ask nothing, and its time is limited.

use std::{
    io,
    pin::pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

/// As much of what it writes is kept: the end.
const MOST_KEPT: usize = 1 << 20;
/// How long what it started may hold its output open after its end.
const GRACE: Duration = Duration::from_millis(500);

/// A program that was run.
#[derive(Debug)]
pub struct Ran {
    /// How it ended; `None` when its time was over, and it was killed.
    pub status: Option<ExitStatus>,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
}

/// Runs a program to its end, or until `limit` is over. It has no stdin, and a session of its own: what asks at `/dev/tty`
/// is refused at once, and whatever of it is left when the time is over, or nobody waits any more, is killed. What it leaves
/// behind when it ends by itself is left alone.
///
/// # Errors
/// When it cannot be started, or not be waited for.
pub async fn run_unattended(command: Command, limit: Duration) -> io::Result<Ran> {
    run(command, limit, true).await
}

/// The same, but what the program has started goes on when its own time is over: it may be a browser.
///
/// # Errors
/// As for [`run_unattended`].
pub async fn run_unattended_alone(command: Command, limit: Duration) -> io::Result<Ran> {
    run(command, limit, false).await
}

async fn run(mut command: Command, limit: Duration, with_all_it_started: bool) -> io::Result<Ran> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    session::begin(&mut command);
    let mut child = command.spawn()?;
    #[cfg(unix)]
    let mut session = session::Session::of(&child);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ended = {
        let mut reading = pin!(async { futures::join!(read(out, &mut stdout), read(err, &mut stderr)) });
        let mut waiting = pin!(child.wait());
        let both = async {
            tokio::select! {
                ended = &mut waiting => {
                    let _ = timeout(GRACE, reading).await;
                    ended
                }
                _ = &mut reading => waiting.await,
            }
        };
        timeout(limit, both).await
    };
    let status = ended.ok().transpose()?;
    #[cfg(unix)]
    if status.is_some() || !with_all_it_started {
        session.leave();
    }
    Ok(Ran { status, stdout, stderr })
}

/// Keeps the end of what comes.
async fn read(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut some = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut some).await {
        kept.extend(some.iter().take(count));
        if kept.len() > 2 * MOST_KEPT {
            kept.drain(..kept.len() - MOST_KEPT);
        }
    }
}

#[cfg(unix)]
mod session {
    use rustix::process::{Pid, Signal, kill_process_group, setsid};
    use tokio::process::{Child, Command};

    /// Lets the program lead a session, without a terminal.
    #[allow(unsafe_code)]
    pub(super) fn begin(command: &mut Command) {
        let lead = || {
            setsid()?;
            // Ctrl-C reaches it no more: it goes when kdj does.
            #[cfg(target_os = "linux")]
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            Ok(())
        };
        // SAFETY: between fork and exec it makes system calls only, which allocate nothing and take no lock.
        unsafe { command.pre_exec(lead) };
    }

    /// What a program started, and itself: killed when this is dropped. The program must not have been waited for by then.
    pub(super) struct Session(Option<Pid>);

    impl Session {
        pub(super) fn of(child: &Child) -> Self {
            Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
        }

        /// Leaves alone what there is.
        pub(super) fn leave(&mut self) {
            self.0 = None;
        }
    }

    impl Drop for Session {
        fn drop(&mut self) {
            if let Some(group) = self.0 {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn sh(script: &str, limit: Duration) -> Ran {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run_unattended(command, limit).await.unwrap()
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn it_has_neither_stdin_nor_a_terminal() {
        let ran = sh("cat; (: < /dev/tty) 2>/dev/null && echo asked; ps -o sid= -p $$; echo $$", LONG).await;
        let text = String::from_utf8(ran.stdout).unwrap();
        let mut words = text.split_whitespace();
        let (session, own) = (words.next(), words.next());
        assert!(session.is_some() && session == own, "{text}");
    }

    #[tokio::test]
    async fn what_holds_its_output_does_not_keep_it() {
        let start = Instant::now();
        let ran = sh("echo done; sleep 20 & exit 3", LONG).await;
        assert_eq!(ran.status.and_then(|status| status.code()), Some(3));
        assert_eq!(ran.stdout, b"done\n");
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn at_the_end_of_its_time_all_of_it_is_killed_and_what_it_said_is_kept() {
        let ran = sh("echo enter the code >&2; sh -c 'sleep 20; :' & echo $!; wait", Duration::from_secs(2)).await;
        assert!(ran.status.is_none());
        assert_eq!(ran.stderr, b"enter the code\n");
        let id: i32 = String::from_utf8(ran.stdout).unwrap().trim().parse().unwrap();
        let process = rustix::process::Pid::from_raw(id).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        // Nobody may wait for it but the system's first process: it is gone, or a zombie.
        let lives = || {
            let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            rustix::process::test_kill_process(process).is_ok() && !state.contains(") Z ")
        };
        while lives() {
            assert!(Instant::now() < deadline, "{id} lives on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn of_a_flood_the_end_is_kept() {
        let ran = sh("yes 0123456789 | head -c 5000000; echo the end", LONG).await;
        assert!(ran.stdout.len() <= 2 * MOST_KEPT && ran.stdout.ends_with(b"the end\n"));
    }
}

//! Runs a check's command: in the folder of its file, without stdin, for a limited time, and with the end of what it says.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

use crate::{doctor::Outcome, protection::redact};

/// How long a command may take.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// How much of what it writes is read; what comes later is thrown away.
const MOST_READ: u64 = 64 * 1024;
/// How many lines of it are shown, and how much of each.
const LINES: usize = 8;
const LINE_LENGTH: usize = 300;

/// Runs `words` in `directory`. It passes when the command ends with 0. In KDJ_ENVIRONMENTS stand the environments that
/// are asked for and that it is about.
pub(super) async fn run(words: &[String], directory: &Path, environments: &[String]) -> Outcome {
    let Some((program, arguments)) = words.split_first() else { return Outcome::skip("it has no command") };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).env("KDJ_ENVIRONMENTS", environments.join(" "));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own: what it started ends with it, and Ctrl-C is not its business.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Outcome::fail(format!("cannot start `{program}`")).caused_by(error.to_string()),
    };
    let group = child.id();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let all = async {
        let (ended, out, err) = futures::join!(child.wait(), text(out), text(err));
        (ended, out, err)
    };
    let answer = timeout(LIMIT, all).await;
    let Ok((ended, out, err)) = answer else {
        end(group);
        return Outcome::fail(format!("`{program}` did not end within {} s", LIMIT.as_secs()));
    };
    let said = [err.as_str(), out.as_str()].into_iter().find_map(last_lines);
    match ended {
        Ok(status) if status.success() => {
            Outcome::pass(last_lines(&out).filter(|said| !said.contains('\n')).unwrap_or_default())
        }
        Ok(status) => {
            let how = match status.code() {
                Some(code) => format!("`{program}` ended with {code}"),
                None => format!("a signal ended `{program}`"),
            };
            said.into_iter().fold(Outcome::fail(how), Outcome::caused_by)
        }
        Err(error) => Outcome::fail(format!("cannot tell how `{program}` ended")).caused_by(error.to_string()),
    }
}

/// Ends the command and what it started.
fn end(group: Option<u32>) {
    #[cfg(unix)]
    if let Some(group) = group.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    #[cfg(not(unix))]
    let _ = group;
}

/// What comes, up to a limit; the rest is read and thrown away, so that the command does not wait.
async fn text(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut bytes = Vec::new();
    let _ = (&mut stream).take(MOST_READ).read_to_end(&mut bytes).await;
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The end of it, without what looks secret.
fn last_lines(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let clean = |line: &&str| redact::text(&line.chars().take(LINE_LENGTH).collect::<String>());
    (!last.is_empty()).then(|| last.iter().map(clean).collect::<Vec<_>>().join("\n"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::doctor::Status;

    async fn sh(script: &str) -> Outcome {
        let words = ["sh", "-c", script].map(str::to_owned);
        run(&words, Path::new("/"), &["qa".to_owned(), "prod".to_owned()]).await
    }

    #[tokio::test]
    async fn its_end_is_the_outcome() {
        assert_eq!(sh("exit 0").await.status, Status::Pass);
        let said = sh("echo \"$KDJ_ENVIRONMENTS in $PWD\"").await;
        assert_eq!((said.status, said.text.as_str()), (Status::Pass, "qa prod in /"));
        let failed = sh("echo to stdout; echo DB_PASSWORD=hunter2 >&2; exit 3").await;
        assert_eq!((failed.status, failed.text.as_str()), (Status::Fail, "`sh` ended with 3"));
        assert_eq!(failed.causes, ["DB_PASSWORD=<redacted>"]);
        assert_eq!(sh("kill -9 $$").await.text, "a signal ended `sh`");
    }

    #[tokio::test]
    async fn what_is_not_there_fails() {
        let outcome = run(&["kdj-no-such-program".to_owned()], Path::new("/"), &[]).await;
        assert_eq!((outcome.status, outcome.text.as_str()), (Status::Fail, "cannot start `kdj-no-such-program`"));
    }

    #[tokio::test]
    async fn a_flood_is_cut_and_does_not_stop_it() {
        let outcome = sh("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; exit 1").await;
        assert_eq!(outcome.status, Status::Fail);
        assert!(outcome.causes[0].lines().count() <= LINES);
    }
}

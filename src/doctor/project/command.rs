//! Runs a check's command: in the folder of its file, without stdin, for a limited time, and with the end of what it says.

use std::{path::Path, time::Duration};

use tokio::process::Command;

use crate::{doctor::Outcome, program::run_unattended, protection::redact::last_lines};

/// How long a command may take.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Runs `words` in `directory`. It passes when the command ends with 0. In KDJ_ENVIRONMENTS stand the environments that
/// are asked for and that it is about.
pub(super) async fn run(words: &[String], directory: &Path, environments: &[String]) -> Outcome {
    let Some((program, arguments)) = words.split_first() else { return Outcome::skip("it has no command") };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).env("KDJ_ENVIRONMENTS", environments.join(" "));
    let ran = match run_unattended(command, LIMIT).await {
        Ok(ran) => ran,
        Err(error) => return Outcome::fail(format!("cannot start `{program}`")).caused_by(error.to_string()),
    };
    let said = || [&ran.stderr, &ran.stdout].into_iter().find_map(|written| last_lines(written));
    let how = match ran.status {
        Some(status) if status.success() => {
            return Outcome::pass(last_lines(&ran.stdout).filter(|said| !said.contains('\n')).unwrap_or_default());
        }
        Some(status) => match status.code() {
            Some(code) => format!("`{program}` ended with {code}"),
            None => format!("a signal ended `{program}`"),
        },
        None => format!("`{program}` did not end within {} s", LIMIT.as_secs()),
    };
    said().into_iter().fold(Outcome::fail(how), Outcome::caused_by)
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
    async fn what_it_leaves_behind_does_not_hold_it_up() {
        let begin = std::time::Instant::now();
        assert_eq!(sh("sleep 20 & exit 0").await.status, Status::Pass);
        assert!(begin.elapsed() < LIMIT, "{:?}", begin.elapsed());
    }

    #[tokio::test]
    async fn a_flood_is_cut_and_does_not_stop_it() {
        let outcome = sh("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; exit 1").await;
        assert_eq!(outcome.status, Status::Fail);
        assert!(outcome.causes[0].lines().count() <= 12);
    }
}

//! How a session ended, read from the Status the server sends last.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The remote process ended with this code.
    Exited(u8),
    /// The command was not found in the container.
    NotFound(String),
    /// The command was found and cannot be executed.
    CannotExec(String),
    /// The container was not running when the command was to start: the command did not run. The server's own words.
    Gone(String),
    /// The server could not start the command, or lost it: its own words.
    Refused(String),
    /// The connection ended without a Status: the process may still be running.
    Lost(String),
    /// The user left with `Enter ~ .`: the process may still be running.
    Left,
    /// Nobody reads stdout any more (`| head`).
    OutputClosed,
    /// A signal asked kdj to end; the number is the signal's.
    Signal(u8),
}

/// Reads the Status frame of the channel protocol.
///
/// A failure with the reason `NonZeroExitCode` carries the code in a cause `ExitCode`
/// (`k8s.io/apimachinery/pkg/util/remotecommand`); anything else is a message of the kubelet or the runtime.
pub(super) fn read(frame: &[u8]) -> Ending {
    let Ok(status) = serde_json::from_slice::<Status>(frame) else {
        return Ending::Lost("the server's final status cannot be read".to_owned());
    };
    if status.status.as_deref() == Some("Success") {
        return Ending::Exited(0);
    }
    let message = status.message.unwrap_or_else(|| "the server gave no reason".to_owned());
    if status.reason.as_deref() == Some("NonZeroExitCode") {
        let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
        let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
        return match code.and_then(|cause| cause.message.as_deref()?.parse::<i64>().ok()) {
            // Exit codes are eight bits wide; a runtime that reports -1 does not know.
            Some(code) => match u8::try_from(code) {
                Ok(code) => Ending::Exited(code),
                Err(_) => Ending::Lost(format!("the runtime reported the exit code {code}")),
            },
            None => Ending::Lost(message),
        };
    }
    start_failure(message)
}

/// Sorts the runtime's message into the shell's 127 and 126, and a container that is not there.
///
/// runc: `exec failed: unable to start container process: exec: "X": executable file not found in $PATH`, and `stat X: no
/// such file or directory` for a path. crun: ``executable file `X` not found in $PATH``, `open executable: Permission
/// denied: OCI permission denied`. The kubelet: `container not found ("app")`, `container is in CONTAINER_EXITED state`.
pub(in crate::cluster) fn start_failure(message: String) -> Ending {
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let about_exec =
        has(&["exec: \"", "exec format error", "executable file", "open executable", "oci permission denied"]);
    if about_exec && has(&["not found", "no such file or directory"]) {
        Ending::NotFound(message)
    } else if about_exec {
        Ending::CannotExec(message)
    } else if has(&["container not found", "not running", "no running task", "container_exited", "stopped container"]) {
        Ending::Gone(message)
    } else {
        Ending::Refused(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(reason: &str, message: &str, code: &str) -> Vec<u8> {
        serde_json::json!({
            "metadata": {}, "status": "Failure", "reason": reason, "message": message,
            "details": { "causes": [{ "reason": "ExitCode", "message": code }] },
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn exit_codes_are_passed_on() {
        assert_eq!(read(br#"{"metadata":{},"status":"Success"}"#), Ending::Exited(0));
        for code in [1u8, 42, 137, 143, 255] {
            let frame = failure("NonZeroExitCode", "command terminated", &code.to_string());
            assert_eq!(read(&frame), Ending::Exited(code));
        }
    }

    #[test]
    fn what_is_no_exit_code_is_never_success() {
        for frame in
            [&b"rubbish"[..], b"{}", &failure("NonZeroExitCode", "m", "-1"), &failure("NonZeroExitCode", "m", "x")]
        {
            assert!(!matches!(read(frame), Ending::Exited(_)), "{}", String::from_utf8_lossy(frame));
        }
    }

    #[test]
    fn the_runtimes_words_tell_not_found_from_not_executable() {
        let message = |text: &str| read(&failure("InternalError", text, ""));
        let not_found = r#"exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown"#;
        assert!(matches!(message(not_found), Ending::NotFound(_)));
        let path = r#"exec failed: unable to start container process: exec: "/no/such": stat /no/such: no such file or directory"#;
        assert!(matches!(message(path), Ending::NotFound(_)));
        let denied =
            r#"exec failed: unable to start container process: exec: "/etc/passwd": permission denied: unknown"#;
        assert!(matches!(message(denied), Ending::CannotExec(_)));
    }

    #[test]
    fn crun_words_it_otherwise() {
        let message = |text: &str| start_failure(format!("OCI runtime exec failed: exec failed: crun: {text}"));
        for text in [
            "executable file `sh` not found in $PATH: No such file or directory",
            "open executable: No such file or directory",
        ] {
            assert!(matches!(message(text), Ending::NotFound(_)), "{text}");
        }
        for text in
            ["open executable: Permission denied: OCI permission denied", "executable file `/etc`: permission denied"]
        {
            assert!(matches!(message(text), Ending::CannotExec(_)), "{text}");
        }
    }

    #[test]
    fn a_container_that_is_not_there_is_told_from_a_command_that_cannot_start() {
        for text in [
            "container not found (\"django\")",
            "error executing command: container is not running",
            "failed to exec in container: container is in CONTAINER_EXITED state",
            "cannot exec in a stopped container",
        ] {
            assert!(matches!(read(&failure("InternalError", text, "")), Ending::Gone(_)), "{text}");
        }
        for text in ["error dialing backend: connection refused", "chdir to cwd (\"/app\") failed: permission denied"] {
            assert!(matches!(read(&failure("InternalError", text, "")), Ending::Refused(_)), "{text}");
        }
    }
}

//! Runs a credential plugin as client-go does, but with a time limit and errors a person can act on. Source: the
//! `client.authentication.k8s.io` API, <https://kubernetes.io/docs/reference/access-authn-authz/authentication/>.

use std::{
    env,
    io::{self, IsTerminal, stdin},
    pin::pin,
    process::{Output, Stdio},
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use kube::config::{ExecConfig, ExecInteractiveMode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::{process::Command, time::timeout};

use super::{command_line, process_tree};
use crate::{
    completion::LEARN_VARIABLE,
    error::{Error, Result},
    program::{Ran, run_unattended, run_unattended_alone},
    protection::redact,
};

/// How long a plugin may take: it may ask.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How long one may take that cannot ask: what takes longer waits for somebody.
const UNATTENDED_LIMIT: Duration = Duration::from_secs(15);
/// Says otherwise, in seconds.
const TIME_LIMIT_VARIABLE: &str = "KDJ_PLUGIN_TIMEOUT";
/// Versions of the API whose answers have the shape read here; `v1alpha1` is gone since Kubernetes 1.24.
pub(super) const API_VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// What a plugin gives: a token or a client certificate with its key (PEM, base64 as in a kubeconfig), or both.
#[derive(Clone)]
pub(super) struct Credential {
    pub(super) token: Option<SecretString>,
    pub(super) expires: Option<SystemTime>,
    pub(super) certificate: Option<(String, SecretString)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    kind: Option<String>,
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<SecretString>,
    expiration_timestamp: Option<k8s_openapi::jiff::Timestamp>,
    client_certificate_data: Option<String>,
    client_key_data: Option<SecretString>,
}

/// How a plugin is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// For who needs its credential: it may ask at the terminal, and its stderr is the user's.
    Attended,
    /// For who looks whether it works: it may not ask, unless it asks always, and its stderr stands in the error.
    Unattended,
    /// For who looks around in places that nobody has named: it may not ask, and has this long.
    Silent(Duration),
    /// As `Silent`, and only when its `interactiveMode` promises that it never asks: others open a browser as they like.
    NeverAsking(Duration),
}

/// Runs the plugin once. Its stdout is never shown, since it holds the secret.
pub(super) async fn run(exec: &ExecConfig, manner: Manner) -> Result<Credential> {
    let Some(name) = exec.command.as_deref().filter(|name| !name.is_empty()) else {
        return Err(Error::usage("the kubeconfig's user has an `exec` section without a command"));
    };
    let is_users = manner == Manner::Attended || may_ask(exec, manner);
    let limit = match manner {
        Manner::Attended | Manner::Unattended => {
            given_limit()?.unwrap_or(if is_users { TIME_LIMIT } else { UNATTENDED_LIMIT })
        }
        Manner::Silent(limit) => limit,
        Manner::NeverAsking(limit) if exec.interactive_mode == Some(ExecInteractiveMode::Never) => limit,
        Manner::NeverAsking(_) => {
            let message = format!("the credential plugin `{name}` is not run, as it may ask");
            return Err(Error::failed(message).caused_by("its `interactiveMode` is not `Never`"));
        }
    };
    let command = command(name, exec, manner)?;
    let ran = if is_users {
        attend(command, limit, may_ask(exec, manner)).await
    } else if exec.interactive_mode == Some(ExecInteractiveMode::Never) || !matches!(manner, Manner::Silent(_)) {
        run_unattended(command, limit).await
    } else {
        run_unattended_alone(command, limit).await
    };
    let ran = ran.map_err(|error| not_started(name, exec, &error))?;
    let words = command_line::shown(name, exec);
    // Nothing when its stderr was the user's.
    let said = redact::last_lines(&ran.stderr).map(|said| format!("it said: {said}"));
    let Some(status) = ran.status else {
        let message = format!("the credential plugin `{name}` did not answer within {} s", limit.as_secs());
        let error = said.into_iter().fold(Error::failed(message), Error::caused_by);
        let error = error.hint(format!("run `{words}` yourself to see what it waits for"));
        let longer = format!("`export {TIME_LIMIT_VARIABLE}=60`, if it only takes its time");
        return Err(if is_users { error } else { error.hint(longer) });
    };
    if !status.success() {
        let cause = match status.code() {
            Some(code) if manner == Manner::Attended => {
                format!("it ended with exit code {code}; what it said stands above")
            }
            Some(code) if !is_users => format!("it ended with exit code {code}, without a terminal to ask at"),
            Some(code) => format!("it ended with exit code {code}"),
            None => "a signal killed it".to_owned(),
        };
        let error = Error::failed(format!("the credential plugin `{name}` failed")).caused_by(cause);
        let error = said.into_iter().fold(error, Error::caused_by);
        return Err(error.hint(format!("log in again, or run `{words}` to see the failure alone")));
    }
    read(name, &ran.stdout)
}

/// Runs it for a user who sees what it says, and whom it `asks`, if it may.
async fn attend(mut command: Command, limit: Duration, asks: bool) -> io::Result<Ran> {
    // Piped input belongs to the remote process: the plugin must not eat it.
    command.stdin(if asks { Stdio::inherit() } else { Stdio::null() });
    let child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let id = child.id();
    let mut output = pin!(child.wait_with_output());
    if let Ok(output) = timeout(limit, &mut output).await {
        let Output { status, stdout, stderr } = output?;
        return Ok(Ran { status: Some(status), stdout, stderr });
    }
    // One that may ask dies alone: what it started may be the browser the user logs in with.
    if let Some(id) = id.filter(|_| !asks) {
        process_tree::kill_children(id).await;
    }
    Ok(Ran { status: None, stdout: Vec::new(), stderr: Vec::new() })
}

fn command(name: &str, exec: &ExecConfig, manner: Manner) -> Result<Command> {
    let interactive = may_ask(exec, manner);
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) && !interactive {
        if matches!(manner, Manner::Silent(_)) {
            return Err(Error::failed(format!("the credential plugin `{name}` is not run, as it always asks")));
        }
        let message = format!("the credential plugin `{name}` wants to ask at a terminal, and stdin is none");
        return Err(Error::failed(message).hint("log in from a terminal first"));
    }
    let mut spec = json!({ "interactive": interactive });
    if exec.provide_cluster_info {
        spec["cluster"] = serde_json::to_value(&exec.cluster).unwrap_or_default();
    }
    let info = json!({ "kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec });
    let mut command = Command::new(name);
    command.args(exec.args.iter().flatten()).env("KUBERNETES_EXEC_INFO", info.to_string());
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    // One that calls kdj is not to learn for a Tab.
    command.env_remove(LEARN_VARIABLE);
    for name in exec.drop_env.iter().flatten() {
        command.env_remove(name);
    }
    Ok(command)
}

/// Whether the plugin may ask at the terminal.
pub(super) fn may_ask(exec: &ExecConfig, manner: Manner) -> bool {
    let wants = match manner {
        Manner::Attended => exec.interactive_mode != Some(ExecInteractiveMode::Never),
        Manner::Unattended => exec.interactive_mode == Some(ExecInteractiveMode::Always),
        Manner::Silent(_) | Manner::NeverAsking(_) => false,
    };
    wants && stdin().is_terminal()
}

fn read(name: &str, stdout: &[u8]) -> Result<Credential> {
    let wrong = |got: &str| {
        let message = format!("the credential plugin `{name}` printed {got} instead of an ExecCredential");
        Error::failed(message).hint("its output is not shown, since it may hold secrets")
    };
    if stdout.trim_ascii().is_empty() {
        return Err(wrong("nothing"));
    }
    let credential: ExecCredential = serde_json::from_slice(stdout)
        .ok()
        .or_else(|| serde_saphyr::from_slice(stdout).ok())
        .ok_or_else(|| wrong("something else"))?;
    if credential.kind.as_deref() != Some("ExecCredential") {
        return Err(wrong("an object of another kind"));
    }
    if !credential.api_version.as_deref().is_some_and(|version| API_VERSIONS.contains(&version)) {
        return Err(wrong("an object of another API version than v1 or v1beta1"));
    }
    let Some(status) = credential.status else { return Err(wrong("an ExecCredential without a status")) };
    let certificate = match (status.client_certificate_data, status.client_key_data) {
        (Some(certificate), Some(key)) => Some(as_kubeconfig_data(certificate, &key)),
        (None, None) => None,
        _ => return Err(wrong("half of a client certificate and its key")),
    };
    let token = status.token.filter(|token| !token.expose_secret().is_empty());
    if token.is_none() && certificate.is_none() {
        return Err(wrong("neither a token nor a certificate"));
    }
    Ok(Credential { token, expires: status.expiration_timestamp.map(SystemTime::from), certificate })
}

/// A plugin gives plain PEM; a kubeconfig holds it in base64, and that is what kube reads.
fn as_kubeconfig_data(certificate: String, key: &SecretString) -> (String, SecretString) {
    let key = BASE64.encode(key.expose_secret());
    (BASE64.encode(certificate), key.into())
}

fn not_started(name: &str, exec: &ExecConfig, error: &std::io::Error) -> Error {
    let message = format!("cannot start the credential plugin `{name}`");
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    let cause = if missing { "it is not on your PATH".to_owned() } else { error.to_string() };
    let hint = exec.install_hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty());
    let error = Error::failed(message).caused_by(cause);
    match hint {
        Some(hint) => error.hint(hint),
        None => error.hint(format!("install `{name}`, or fix the user's `exec` section in the kubeconfig")),
    }
}

/// How long a plugin may take at most.
pub(super) fn time_limit() -> Result<Duration> {
    Ok(given_limit()?.unwrap_or(TIME_LIMIT))
}

/// How long one may take, if the user says so.
fn given_limit() -> Result<Option<Duration>> {
    let Some(value) = env::var_os(TIME_LIMIT_VARIABLE).filter(|value| !value.is_empty()) else { return Ok(None) };
    let seconds = value.to_str().and_then(|text| text.trim().parse().ok()).filter(|&seconds| seconds > 0);
    seconds.map(|seconds| Some(Duration::from_secs(seconds))).ok_or_else(|| {
        let message = format!("{TIME_LIMIT_VARIABLE} is {value:?}; it wants a number of seconds, such as 120");
        Error::usage(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_yaml_are_read() {
        let json = br#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t","expirationTimestamp":"2030-01-01T00:00:00Z"}}"#;
        let credential = read("p", json).unwrap();
        assert!(credential.token.is_some() && credential.expires.is_some());
        let yaml = b"kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1beta1\nstatus:\n  token: t\n";
        assert!(read("p", yaml).unwrap().token.is_some());
    }

    #[test]
    fn rubbish_is_refused_without_being_shown() {
        let cases: [&[u8]; 5] = [
            b"",
            b"hunter2",
            br#"{"kind":"Pod","apiVersion":"v1"}"#,
            br#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}"#,
            br#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"clientKeyData":"hunter2"}}"#,
        ];
        for case in cases {
            let Err(error) = read("p", case) else { panic!("{} was accepted", String::from_utf8_lossy(case)) };
            assert!(!format!("{error} {:?}", error.hints()).contains("hunter2"), "{error}");
        }
    }
}

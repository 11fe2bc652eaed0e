//! Opens an exec session: one request, the WebSocket upgrade.

use std::cell::Cell;

use k8s_openapi::api::core::v1::Pod;
use kube::{Resource, api::AttachParams, client::UpgradeConnectionError, core::Request};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::{
    super::{
        Cluster,
        request::{self, error, upgrade},
    },
    Ending, Session, channel, start_failure,
};
use crate::error::{Error, Result};

/// What to execute, and where.
#[derive(Clone, Copy, Debug)]
pub struct Exec<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod.
    pub pod: &'a str,
    /// The container.
    pub container: &'a str,
    /// The words, as the process gets them. They travel in the URL and the audit log: never a secret, never code.
    pub argv: &'a [String],
    /// Whether the remote process gets a terminal.
    pub tty: bool,
    /// What it gets for stdin.
    pub stdin: ExecStdin,
    /// Whether what runs there is left alone when the local side leaves: it is to be taken up again.
    pub kept: bool,
}

/// What a process that is executed gets for stdin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecStdin {
    /// None.
    Absent,
    /// One of which all that comes is read at once, or fits into the pipe, and whose end it does not wait for.
    AtOnce,
    /// One that it reads when it likes, and whose end it is told of.
    Streamed,
}

impl ExecStdin {
    /// The protocols to ask for, the best one first.
    ///
    /// In v4 the node's runtime writes output and Status one after the other into one connection, which the API server
    /// and the kubelet copy as it is: a Status that arrives says that all output has. Not so in v5, which the API server
    /// translates to SPDY: what it has not yet passed on when the process is over may be dropped, exit code included,
    /// for a Status that says `Success` (kubernetes/kubernetes#124571; seen with 1.34, whenever the output is read for
    /// longer than the 5 s between two of its pings). But only v5 can tell the end of stdin, and with v4 what is not read
    /// holds up the pings behind it.
    fn protocols(self) -> &'static [&'static str] {
        match self {
            Self::Absent | Self::AtOnce => &[channel::V4],
            Self::Streamed => &[channel::V5, channel::V4],
        }
    }
}

/// Why a session did not open.
#[derive(Debug)]
pub enum NotOpened {
    /// The pod or its container is gone or not running: another pod may do.
    Gone(Error),
    /// Anything else.
    Failed(Error),
}

impl From<NotOpened> for Error {
    fn from(reason: NotOpened) -> Self {
        match reason {
            NotOpened::Gone(error) | NotOpened::Failed(error) => error,
        }
    }
}

impl Cluster {
    /// Starts a process in a container.
    ///
    /// # Errors
    /// [`NotOpened::Gone`] when the pod is not there any more, [`NotOpened::Failed`] otherwise.
    pub async fn exec(&self, exec: Exec<'_>) -> Result<Session, NotOpened> {
        let parameters = AttachParams {
            container: Some(exec.container.to_owned()),
            stdin: exec.stdin != ExecStdin::Absent,
            stdout: true,
            // A terminal has one output; the API refuses both.
            stderr: !exec.tty,
            tty: exec.tty,
            ..AttachParams::default()
        };
        let request = Request::new(Pod::url_path(&(), Some(exec.namespace)))
            .exec(exec.pod, exec.argv, &parameters)
            .map(|request| request.map(drop))
            .map_err(|error| {
                let error = error::explain(kube::Error::BuildRequest(error), "exec", &self.place);
                NotOpened::Failed(error)
            })?;
        let what = format!("exec in pod {}", exec.pod);
        // Whether a request went out and nothing definite came back.
        let unanswered = Cell::new(false);
        let attempt = || async {
            unanswered.set(true);
            let protocols = exec.stdin.protocols();
            let answer = upgrade(&self.client, request.clone(), protocols, WebSocketConfig::default()).await;
            unanswered.set(answer.as_ref().is_err_and(is_unanswered));
            answer
        };
        let answer = request::unrepeatable(&what, &self.place, &self.observer, attempt).await;
        let failed = |error: Error| {
            NotOpened::Failed(if unanswered.get() {
                error.outcome_unknown("whether the command was started, and still runs, nobody knows")
            } else {
                error
            })
        };
        match answer.map_err(failed)? {
            Ok((socket, protocol)) => Ok(Session::new(socket, protocol == channel::V5, exec.tty, exec.kept)),
            Err(error) if is_gone(&error) => Err(NotOpened::Gone(error::explain(
                error,
                &format!("open a session in pod `{}`", exec.pod),
                &self.place,
            ))),
            Err(error) => Err(failed(error::explain(error, "exec", &self.place))),
        }
    }
}

/// Whether the connection broke after the request went out: the server may have acted on it.
fn is_unanswered(error: &kube::Error) -> bool {
    match error {
        kube::Error::Service(error) => request::is_broken_connection(error.as_ref()),
        kube::Error::HyperError(_) => true,
        kube::Error::UpgradeConnection(UpgradeConnectionError::GetPendingUpgrade(_)) => true,
        _ => false,
    }
}

/// 404 from the API server, or the kubelet's and the API server's words for a pod or container that is not running.
pub(in crate::cluster) fn is_gone(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let message = &status.message;
    status.code == 404
        || message.contains("container not found")
        || message.contains("cannot exec into a container in a completed pod")
        || message.contains("does not have a host assigned")
        || matches!(start_failure(message.clone()), Ending::Gone(_))
}

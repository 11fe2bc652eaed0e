//! What is asked of a log besides the log itself, in one short answer.

use std::{pin::pin, time::Duration};

use futures::AsyncReadExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Error as KubeError, api::LogParams};
use tokio::time::timeout;

use super::{
    container::ContainerLog,
    cursor::Cursor,
    run::{self, Runs},
    stamp,
};

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How much of the log of the run before is looked at.
const LOOK_BYTES: i64 = 1 << 20;

/// What a pod says at this moment.
pub(super) enum Now {
    /// How far its container is.
    Runs(Runs),
    /// It is not there, or another one has its name.
    Gone,
    /// It does not answer.
    Unknown,
}

impl ContainerLog<'_> {
    /// A piece of the log; `None` when there is none, or the node does not answer.
    pub(super) async fn ask(&self, parameters: LogParams) -> Option<Vec<u8>> {
        let container = Some(self.container.to_owned());
        let parameters = LogParams { container, timestamps: true, ..parameters };
        let api = Api::<Pod>::namespaced(self.cluster.client.clone(), self.namespace);
        let answer = async {
            let mut stream = pin!(api.log_stream(self.pod, &parameters).await.ok()?);
            let mut text = Vec::new();
            stream.read_to_end(&mut text).await.ok()?;
            Some(text)
        };
        timeout(ANSWER_LIMIT, answer).await.ok().flatten()
    }

    /// Asks the pod how far the container is.
    pub(super) async fn runs_now(&self) -> Now {
        let api = Api::<Pod>::namespaced(self.cluster.client.clone(), self.namespace);
        match timeout(ANSWER_LIMIT, api.get(self.pod)).await {
            Ok(Ok(pod)) if self.uid.is_none_or(|uid| uid == run::uid(&pod)) => {
                Now::Runs(Runs::of(&pod, self.container))
            }
            Ok(Ok(_)) => Now::Gone,
            Ok(Err(KubeError::Api(status))) if status.code == 404 => Now::Gone,
            Ok(Err(_)) | Err(_) => Now::Unknown,
        }
    }

    /// Whether the log of the run before has lines that were read.
    pub(super) async fn previous_has(&self, cursor: &Cursor) -> bool {
        let limit_bytes = Some(LOOK_BYTES);
        let parameters = LogParams { previous: true, since_time: cursor.second(), limit_bytes, ..LogParams::default() };
        let Some(log) = self.ask(parameters).await else { return false };
        let mut lines = log.split(|byte| *byte == b'\n');
        lines.any(|line| stamp::split(line).is_some_and(|(time, text)| cursor.has_seen(time, &line[text..])))
    }
}

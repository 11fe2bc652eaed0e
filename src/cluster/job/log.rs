//! The log of one container, from its first line to its last, each line once, whatever cuts the stream.
//!
//! Lines are asked for with their timestamps, which are taken off again. A stream that ends before the container does is
//! taken up at the second of the last line (the API knows whole seconds only), and the lines of that second that have
//! been seen are left out.

mod cursor;

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures::{AsyncBufRead, AsyncBufReadExt};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Error as KubeError, api::LogParams, core::Status};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use self::cursor::Cursor;
use super::{
    super::{
        Cluster,
        request::{error, unrepeatable},
    },
    follow::News,
    pod_watch::AWAY_LIMIT,
};
use crate::{
    error::{Error, Result},
    streams::Pieces,
};

/// The pause before a stream that ended too early is opened again. It grows.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long after the end of the log the end of the container is waited for before the log is asked for again.
const PATIENCE: Duration = Duration::from_millis(800);
/// How long a stream may say nothing once the container has ended: that of a node that is lost never ends.
const SILENCE: Duration = Duration::from_secs(3);
/// How long the last stream may say nothing.
const LAST_SILENCE: Duration = Duration::from_secs(30);
/// How many failures one after the other are worth a word.
const WORTH_A_WORD: u32 = 4;
/// How long the log of a container that has ended may be refused before that is an error; that of a running one as long
/// as its pod may be.
const LAST_LIMIT: Duration = Duration::from_secs(20);

/// How the log of a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogEnd {
    /// All of it was handed over.
    Complete,
    /// Nobody reads any more.
    OutputClosed,
    /// There is no log any more; what was not read before is lost. Why.
    Gone(String),
}

/// A container whose log is read.
pub(super) struct ContainerLog<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: &'a str,
    pub(super) pod: &'a str,
    pub(super) container: &'a str,
}

/// How one stream ended.
enum StreamEnd {
    Over,
    /// The kubelet's own words end it, where the log is not to be read.
    Refused(String),
    Broken,
    OutputClosed,
}

impl ContainerLog<'_> {
    /// Hands the log over to `out` until the container has `ended` and all of it was read. What there is to say
    /// meanwhile goes to `tell`.
    ///
    /// # Errors
    /// When the log may not be read, or could not be for too long.
    pub(super) async fn copy(
        &self,
        out: &mpsc::Sender<Pieces>,
        mut ended: watch::Receiver<bool>,
        tell: &dyn Fn(News),
    ) -> Result<LogEnd> {
        let Cluster { place, observer, .. } = self.cluster;
        let api = Api::<Pod>::namespaced(self.cluster.client.clone(), self.namespace);
        let mut cursor = Cursor::default();
        let mut failures = 0;
        let mut away: Option<Instant> = None;
        let mut was_last = false;
        loop {
            // What a container that has ended wrote is all in the log.
            let last = *ended.borrow();
            if last && !was_last {
                (was_last, failures, away) = (true, 0, None);
            }
            let parameters = LogParams {
                container: Some(self.container.to_owned()),
                follow: !last,
                timestamps: true,
                since_time: cursor.second(),
                ..LogParams::default()
            };
            let opening = unrepeatable("read the log", place, observer, || api.log_stream(self.pod, &parameters));
            let opened = tokio::select! {
                opened = opening => opened,
                () = silence(&mut ended, last), if !last => continue,
            };
            let failure = match opened {
                Ok(Ok(stream)) => {
                    let (before, begun) = (cursor.lines(), Instant::now());
                    cursor.resume();
                    let end = pass(stream, &mut cursor, out, &mut ended, last).await;
                    // A stream that goes on for a while is a log that can be read, even if it says nothing.
                    if cursor.lines() > before || (!last && begun.elapsed() > LONGEST_PAUSE) {
                        (failures, away) = (0, None);
                    }
                    match end {
                        StreamEnd::OutputClosed => return Ok(LogEnd::OutputClosed),
                        StreamEnd::Over if last => return Ok(LogEnd::Complete),
                        StreamEnd::Refused(why) if last => return Ok(LogEnd::Gone(why)),
                        StreamEnd::Over | StreamEnd::Refused(_) => {
                            (failures, away) = (0, None);
                            let _ = timeout(PATIENCE, ended.wait_for(|ended| *ended)).await;
                            continue;
                        }
                        StreamEnd::Broken => Error::failed("cannot read the log").caused_by("its connection breaks"),
                    }
                }
                Ok(Err(KubeError::Api(status))) if is_gone(&status) || (last && status.code == 404) => {
                    return Ok(LogEnd::Gone("its pod is gone".to_owned()));
                }
                Ok(Err(failure)) => {
                    let final_words = matches!(&failure, KubeError::Api(status)
                        if status.code < 500 && !matches!(status.code, 401 | 404 | 429) && (last || !is_new(status)));
                    let error = error::explain(failure, "read the log", place);
                    if final_words {
                        return Err(error);
                    }
                    error
                }
                Err(failure) => failure,
            };
            failures += 1;
            let limit = if last { LAST_LIMIT } else { AWAY_LIMIT };
            if away.get_or_insert_with(Instant::now).elapsed() > limit {
                return Err(failure);
            }
            if failures == WORTH_A_WORD {
                tell(News::Away(failure.to_string()));
            }
            sleep((PAUSE * failures).min(LONGEST_PAUSE)).await;
        }
    }
}

/// Whether there is no such pod. A kubelet that has just begun does not know its pods either, and says so in other words.
fn is_gone(status: &Status) -> bool {
    status.code == 404 && status.message.starts_with("pods ")
}

/// Whether the container has just been made.
fn is_new(status: &Status) -> bool {
    status.code == 400 && status.message.contains("waiting to start")
}

/// Lasts until nothing more is to be expected of a stream that says nothing: a while after the container has ended.
async fn silence(ended: &mut watch::Receiver<bool>, last: bool) {
    if last {
        return sleep(LAST_SILENCE).await;
    }
    let _ = ended.wait_for(|ended| *ended).await;
    sleep(SILENCE).await;
}

/// Copies one stream's lines. Unless it is the `last` stream, a line without an end is left to the next one.
async fn pass(
    stream: impl AsyncBufRead,
    cursor: &mut Cursor,
    out: &mpsc::Sender<Pieces>,
    ended: &mut watch::Receiver<bool>,
    last: bool,
) -> StreamEnd {
    let mut stream = pin!(stream);
    let mut part = Vec::new();
    loop {
        let chunk = tokio::select! {
            biased;
            chunk = stream.fill_buf() => chunk,
            () = silence(ended, last) => return if last { StreamEnd::Broken } else { StreamEnd::Over },
        };
        let chunk = match chunk {
            Ok([]) => break,
            Ok(chunk) => chunk,
            Err(_) => return StreamEnd::Broken,
        };
        let read = chunk.len();
        let mut text = Vec::with_capacity(part.len() + read);
        let end = chunk.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if end > 0 {
            let mut lines = std::mem::take(&mut part);
            lines.extend_from_slice(&chunk[..end]);
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                cursor.take(line, &mut text);
            }
        }
        part.extend_from_slice(&chunk[end..]);
        stream.as_mut().consume(read);
        if !text.is_empty() && out.send(vec![Bytes::from(text)]).await.is_err() {
            return StreamEnd::OutputClosed;
        }
    }
    // Every line of the log begins with its time; the kubelet adds what it has to say itself to the end, as it is.
    if !part.is_empty() && !cursor::is_stamped(&part) {
        return StreamEnd::Refused(String::from_utf8_lossy(&part).into_owned());
    }
    let mut text = Vec::new();
    if last {
        cursor.take(&part, &mut text);
    }
    if !text.is_empty() && out.send(vec![Bytes::from(text)]).await.is_err() {
        return StreamEnd::OutputClosed;
    }
    StreamEnd::Over
}

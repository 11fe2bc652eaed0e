//! The log of one run of a container, from where it is wanted to its last line, each line once, whatever cuts the stream.
//!
//! A stream that ends before the container does is taken up again; [`Cursor`] says where and what of it is new. One that
//! ends is over only when the pod says that the container has ended, too; the log is then read once more, to its end.

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::{Api, Error as KubeError, api::LogParams, core::Status};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

use super::{
    super::{
        Cluster,
        request::{error, unrepeatable},
        watch::AWAY_LIMIT,
    },
    cursor::Cursor,
    run::{Phase, Run},
    sink::Sink,
    stream::{Stream, StreamEnd},
};
use crate::error::{Error, Result};

/// The pause before a stream that ended too early is opened again. It grows.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long after the end of the log the end of the container is waited for before the log is asked for again.
const PATIENCE: Duration = Duration::from_millis(800);
/// How many failures one after the other are worth a word.
const WORTH_A_WORD: u32 = 4;
/// How long the log of a container that has ended may be refused before that is an error; that of a running one as long
/// as its pod may be.
const LAST_LIMIT: Duration = Duration::from_secs(20);
/// How many streams are opened at once.
const OPENED_AT_ONCE: usize = 20;

/// How the log of a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster) enum LogEnd {
    /// All of it was handed over.
    Complete,
    /// Nobody reads any more.
    OutputClosed,
    /// There is no log any more.
    Gone {
        /// Why.
        why: String,
        /// Whether the last stream came to an end of its own: nothing of the log is missing then.
        is_whole: bool,
    },
}

/// What of a log is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cluster) struct Part {
    /// Lines from this time on.
    pub(super) since: Option<Timestamp>,
    /// The last lines, so many.
    pub(super) tail: Option<i64>,
}

/// A container whose log is read.
pub(in crate::cluster) struct ContainerLog<'a> {
    pub(in crate::cluster) cluster: &'a Cluster,
    pub(in crate::cluster) namespace: &'a str,
    pub(in crate::cluster) pod: &'a str,
    pub(in crate::cluster) container: &'a str,
    /// How many more streams may be opened at this moment.
    pub(in crate::cluster) ramp: &'a Semaphore,
}

/// A limit to how many streams are opened at once.
pub(in crate::cluster) fn ramp() -> Semaphore {
    Semaphore::new(OPENED_AT_ONCE)
}

impl ContainerLog<'_> {
    /// Hands the log over to `sink` until the run has ended and all of it was read. What there is to say meanwhile goes to
    /// `away`.
    ///
    /// # Errors
    /// When the log may not be read, or could not be for too long.
    pub(in crate::cluster) async fn copy(
        &self,
        part: Part,
        cursor: &mut Cursor,
        sink: &mut impl Sink,
        mut run: Run,
        away: &dyn Fn(String),
    ) -> Result<LogEnd> {
        let before = cursor.lines();
        let mut failures = 0;
        let mut since_when: Option<Instant> = None;
        let (mut was_last, mut is_whole, mut is_first) = (false, false, true);
        loop {
            let phase = run.phase();
            if phase == Phase::Lost {
                let why = if run.is_gone() { "its pod is gone" } else { "the container was restarted again" };
                return Ok(LogEnd::Gone { why: why.to_owned(), is_whole });
            }
            // What a container that has ended wrote is all in the log.
            let last = phase != Phase::Running;
            if last && !was_last {
                (was_last, failures, since_when) = (true, 0, None);
            }
            let lines = cursor.lines();
            let begun = Instant::now();
            let opened = self.open(part, cursor, phase, &mut run, lines > before).await;
            let failure = match opened {
                None => continue,
                Some(Ok(Ok(input))) => {
                    let mut stream =
                        Stream { log: self, cursor: &mut *cursor, sink: &mut *sink, run: &mut run, phase, is_first };
                    let end = stream.copy(input).await;
                    is_first = false;
                    // A stream that goes on for a while is a log that can be read, even if it says nothing.
                    if cursor.lines() > lines || (!last && begun.elapsed() > LONGEST_PAUSE) {
                        (failures, since_when) = (0, None);
                    }
                    // A log that is not there any more says nothing of the stream before.
                    if !matches!(end, StreamEnd::Refused(_)) {
                        is_whole = matches!(end, StreamEnd::Over);
                    }
                    match end {
                        StreamEnd::OutputClosed => return Ok(LogEnd::OutputClosed),
                        StreamEnd::Over if last => return Ok(LogEnd::Complete),
                        StreamEnd::Refused(why) if last => return Ok(LogEnd::Gone { why, is_whole }),
                        StreamEnd::Replaced | StreamEnd::Stalled => continue,
                        StreamEnd::Over | StreamEnd::Refused(_) => {
                            (failures, since_when) = (0, None);
                            let _ = timeout(PATIENCE, run.ended()).await;
                            continue;
                        }
                        StreamEnd::Broken => Error::failed("cannot read the log").caused_by("its connection breaks"),
                    }
                }
                Some(Ok(Err(KubeError::Api(status)))) if is_gone(&status, phase) => {
                    return Ok(LogEnd::Gone { why: "its pod is gone".to_owned(), is_whole });
                }
                Some(Ok(Err(KubeError::Api(status)))) if phase == Phase::Replaced && status.code == 400 => {
                    return Ok(LogEnd::Gone { why: "the node has removed it".to_owned(), is_whole });
                }
                Some(Ok(Err(failure))) => {
                    let final_words = matches!(&failure, KubeError::Api(status)
                        if status.code < 500 && !matches!(status.code, 401 | 404 | 429) && (last || !is_new(status)));
                    let error = error::explain(failure, "read the log", &self.cluster.place);
                    if final_words {
                        return Err(error);
                    }
                    error
                }
                Some(Err(failure)) => failure,
            };
            failures += 1;
            let limit = if last { LAST_LIMIT } else { AWAY_LIMIT };
            if since_when.get_or_insert_with(Instant::now).elapsed() > limit {
                return Err(failure);
            }
            if failures == WORTH_A_WORD {
                away(failure.to_string());
            }
            sleep((PAUSE * failures).min(LONGEST_PAUSE)).await;
        }
    }

    /// Opens a stream; `None` when the run has ended meanwhile, and the server says nothing. Of a log that was read from
    /// (`is_begun`) what comes after it is wanted.
    async fn open(
        &self,
        part: Part,
        cursor: &mut Cursor,
        phase: Phase,
        run: &mut Run,
        is_begun: bool,
    ) -> Option<Result<Result<impl futures::AsyncBufRead + use<>, KubeError>>> {
        let parameters = LogParams {
            container: Some(self.container.to_owned()),
            follow: phase == Phase::Running,
            previous: phase == Phase::Replaced,
            timestamps: true,
            since_time: cursor.second().or(part.since),
            tail_lines: part.tail.filter(|_| !is_begun),
            ..LogParams::default()
        };
        cursor.resume(is_begun);
        let api = Api::<Pod>::namespaced(self.cluster.client.clone(), self.namespace);
        let Cluster { place, observer, .. } = self.cluster;
        let opening = async {
            let _one_of_few = self.ramp.acquire().await;
            unrepeatable("read the log", place, observer, || api.log_stream(self.pod, &parameters)).await
        };
        tokio::select! {
            opened = opening => Some(opened),
            () = super::stream::silence(run, phase) => None,
        }
    }
}

/// Whether there is no such pod. A kubelet that has just begun does not know its pods either, and says so in other words.
fn is_gone(status: &Status, phase: Phase) -> bool {
    status.code == 404 && (phase != Phase::Running || status.message.starts_with("pods "))
}

/// Whether the container has just been made.
fn is_new(status: &Status) -> bool {
    status.code == 400 && status.message.contains("waiting to start")
}

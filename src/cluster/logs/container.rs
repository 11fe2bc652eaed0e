//! The log of one run of a container, from where it is wanted to its last line, each line once, whatever cuts the stream.
//!
//! A stream that ends before the container does is taken up again; [`Cursor`] says where and what of it is new. One that
//! ends is over only when the pod says that the container has ended, too; the log is then read once more, to its end.

use std::{future::pending, time::Duration};

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::{Api, Error as KubeError, api::LogParams, core::Status};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout},
};

use super::{
    super::{
        Cluster,
        request::{error, unrepeatable},
    },
    cursor::Cursor,
    run::{Phase, Run},
    sink::Sink,
    stamp,
    stream::{QUIET, Stream, StreamEnd},
};
use crate::error::{Error, Result};

/// The pause before a stream that ended too early is opened again. It grows.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long after the end of the log the end of the container is waited for before the log is asked for again.
const PATIENCE: Duration = Duration::from_millis(800);
/// How many failures one after the other are worth a word.
const WORTH_A_WORD: u32 = 4;
/// How long the log of a container that has ended may be refused before that is an error. That of a running one is asked
/// for as long as it runs.
const LAST_LIMIT: Duration = Duration::from_secs(20);
/// How long a node may take to answer before that is worth a word.
const WORTH_WAITING: Duration = Duration::from_secs(5);
/// A log that has said nothing for so long was empty when it was opened.
const EMPTY: Duration = Duration::from_secs(2);
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
    /// The pod's uid, where another pod may come to have its name.
    pub(in crate::cluster) uid: Option<&'a str>,
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
        cursor.begins_within(part.since.is_some() || part.tail.is_some());
        let mut failures = 0;
        let mut since_when: Option<Instant> = None;
        let mut quiet = QUIET;
        let (mut was_last, mut is_whole, mut is_first, mut was_empty) = (false, false, true, false);
        let gone = |why: &str, is_whole| Ok(LogEnd::Gone { why: why.to_owned(), is_whole });
        if part.tail == Some(0) {
            was_empty = self.skip_to_end(cursor, run.phase()).await;
        }
        loop {
            let phase = run.phase();
            if phase == Phase::Lost {
                let why = if run.is_gone() { "its pod is gone" } else { "the container was restarted again" };
                return gone(why, is_whole);
            }
            // What a container that has ended wrote is all in the log.
            let last = phase != Phase::Running;
            if last && !was_last {
                (was_last, failures, since_when) = (true, 0, None);
            }
            let lines = cursor.lines();
            cursor.resume(lines > before);
            let parameters = part.parameters(cursor, lines > before || was_empty);
            let permit = self.ramp.acquire().await.ok();
            let begun = Instant::now();
            let opened = self.open(parameters, phase, &mut run, permit, away).await;
            let opened_at = Instant::now();
            let failure = match opened {
                None if !last => continue,
                None => Error::failed("cannot read the log").caused_by("its node does not answer"),
                Some(Ok(Ok(input))) => {
                    let mut stream = Stream {
                        log: self,
                        cursor: &mut *cursor,
                        sink: &mut *sink,
                        run: &mut run,
                        phase,
                        is_first,
                        since: part.since.map(stamp::nanoseconds),
                        quiet: &mut quiet,
                    };
                    let end = stream.copy(input).await;
                    is_first = false;
                    let has_ended = matches!(end, StreamEnd::Over | StreamEnd::Broken | StreamEnd::Silent);
                    was_empty |= has_ended && cursor.lines() == before && opened_at.elapsed() > EMPTY;
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
                        StreamEnd::Gone => return gone("its pod is gone", false),
                        StreamEnd::Replaced | StreamEnd::Stalled => continue,
                        StreamEnd::Over | StreamEnd::Silent => {
                            let has_ended = timeout(PATIENCE, run.ended()).await.is_ok();
                            if has_ended || cursor.lines() > lines {
                                continue;
                            }
                            Error::failed("cannot read the log").caused_by("its node ends it")
                        }
                        StreamEnd::Refused(why) => Error::failed("cannot read the log").caused_by(why),
                        StreamEnd::Broken => Error::failed("cannot read the log").caused_by("its connection breaks"),
                    }
                }
                Some(Ok(Err(KubeError::Api(status)))) if is_gone(&status, phase) => {
                    return gone("its pod is gone", is_whole);
                }
                Some(Ok(Err(KubeError::Api(status)))) if phase == Phase::Replaced && status.code == 400 => {
                    return gone("the node has removed it", is_whole);
                }
                Some(Ok(Err(failure))) => {
                    // What could be read will be so again.
                    let may_change = |status: &Status| !last && (cursor.lines() > 0 || is_new(status));
                    let final_words = matches!(&failure, KubeError::Api(status)
                        if status.code < 500 && !matches!(status.code, 401 | 404 | 429) && !may_change(status));
                    let error = error::explain(failure, "read the log", &self.cluster.place);
                    if final_words {
                        return Err(error);
                    }
                    error
                }
                Some(Err(failure)) => failure,
            };
            failures += 1;
            // A stream that had lines was no failure as long as it had.
            let failed = if cursor.lines() > lines { Instant::now() } else { begun };
            if last && since_when.get_or_insert(failed).elapsed() > LAST_LIMIT {
                return Err(failure);
            }
            if failures == WORTH_A_WORD {
                away(failure.to_string());
            }
            sleep((PAUSE * failures).min(LONGEST_PAUSE)).await;
        }
    }

    /// Goes behind the last line there is; whether there is none.
    async fn skip_to_end(&self, cursor: &mut Cursor, phase: Phase) -> bool {
        let parameters = LogParams { tail_lines: Some(1), previous: phase == Phase::Replaced, ..LogParams::default() };
        for pause in 1..=WORTH_A_WORD {
            let Some(line) = self.ask(parameters.clone()).await else {
                sleep(PAUSE * pause).await;
                continue;
            };
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            if let Some((time, text)) = stamp::split(line) {
                cursor.take(time, &line[text..]);
            }
            return line.is_empty();
        }
        false
    }

    /// Opens a stream; `None` when the server says nothing, and the run has ended.
    async fn open(
        &self,
        parameters: LogParams,
        phase: Phase,
        run: &mut Run,
        permit: Option<SemaphorePermit<'_>>,
        away: &dyn Fn(String),
    ) -> Option<Result<Result<impl futures::AsyncBufRead + use<>, KubeError>>> {
        let parameters = LogParams {
            container: Some(self.container.to_owned()),
            follow: phase == Phase::Running,
            previous: phase == Phase::Replaced,
            timestamps: true,
            ..parameters
        };
        let api = Api::<Pod>::namespaced(self.cluster.client.clone(), self.namespace);
        let Cluster { place, observer, .. } = self.cluster;
        let opening = unrepeatable("read the log", place, observer, || api.log_stream(self.pod, &parameters));
        let waiting = async {
            sleep(WORTH_WAITING).await;
            // Others need not wait for it, too.
            drop(permit);
            away(format!("the node has not answered yet: the log of pod `{}` is waited for", self.pod));
            pending().await
        };
        tokio::select! {
            opened = opening => Some(opened),
            () = super::stream::silence(run, phase) => None,
            () = waiting => None,
        }
    }
}

impl Part {
    /// What to ask for: that, or of a log that was read what comes behind it (`is_begun`).
    fn parameters(self, cursor: &Cursor, is_begun: bool) -> LogParams {
        let whole_second = |since: Timestamp| Timestamp::from_second(since.as_second()).unwrap_or(since);
        LogParams {
            since_time: cursor.second().or(self.since.map(whole_second)),
            tail_lines: self.tail.filter(|_| !is_begun),
            ..LogParams::default()
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

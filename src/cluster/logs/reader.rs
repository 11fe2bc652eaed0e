//! One container from run to run: each run's log to its end before the next one's first line.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::AsyncReadExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use super::{
    container::{ContainerLog, LogEnd, Part},
    cursor::Cursor,
    outlet::Outlet,
    run::{Run, Runs},
    stamp::{self, SECOND},
    wanted::LogsWanted,
};
use crate::{
    error::{Error, Result},
    logs::{Event, Source},
};

/// How much later than asked for a log may begin before it is looked at why.
const LATE: i64 = 2 * SECOND;
/// How long the answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Enough for a stamp.
const STAMP_BYTES: i64 = 64;

/// What reads one container.
pub(super) struct Reader<'a> {
    pub(super) log: ContainerLog<'a>,
    pub(super) wanted: &'a LogsWanted,
    pub(super) source: Source,
    pub(super) runs: watch::Receiver<Runs>,
    pub(super) out: mpsc::Sender<Vec<Event>>,
    /// Whether the pod came while logs were followed already: all of its log is wanted.
    pub(super) is_new: bool,
    /// What there is to say of the server.
    pub(super) say: &'a dyn Fn(String),
}

impl Reader<'_> {
    /// Reads until no more lines can come, or nobody reads them.
    ///
    /// # Errors
    /// When the log may not be read, or could not be for too long.
    pub(super) async fn read(mut self) -> Result<()> {
        let Some((mut number, mut part)) = self.first_run().await else { return Ok(()) };
        let mut cursor = Cursor::default();
        loop {
            let source = Arc::new(Source { instance: number, ..self.source.clone() });
            if !self.tell(Event::Joined(Arc::clone(&source))).await {
                return Ok(());
            }
            let read = self.read_run(&source, number, part, &mut cursor).await;
            let why = match &read {
                Ok(LogEnd::OutputClosed) => "its time is over".to_owned(),
                Ok(LogEnd::Complete) => {
                    self.runs.borrow().ending_of(number).unwrap_or_else(|| "this was all so far".to_owned())
                }
                Ok(LogEnd::Gone { why, is_whole: true }) => {
                    self.runs.borrow().ending_of(number).unwrap_or_else(|| why.clone())
                }
                Ok(LogEnd::Gone { why, is_whole: false }) => {
                    let from = cursor.last().map(stamp::timestamp);
                    let gap = Event::Gap { source: Arc::clone(&source), from, to: None, why: why.clone() };
                    if !self.tell(gap).await {
                        return Ok(());
                    }
                    why.clone()
                }
                Err(error) => error.to_string(),
            };
            let goes_on = self.tell(Event::Left(source, why)).await;
            if !goes_on || matches!(read, Ok(LogEnd::OutputClosed)) {
                return Ok(());
            }
            read?;
            if self.wanted.previous {
                return Ok(());
            }
            let Some(next) = self.next_run(number, &cursor).await else { return Ok(()) };
            (number, part) = (next, Part::default());
        }
    }

    /// The run to begin with, and what of it is wanted; `None` when there is none.
    async fn first_run(&mut self) -> Option<(u32, Part)> {
        let LogsWanted { since, tail, previous, .. } = *self.wanted;
        let part = Part { since, tail };
        let had_run = self.runs.borrow().newest.is_some();
        let has_run = |runs: &Runs| runs.newest.is_some() || runs.is_last || runs.is_gone;
        let runs = self.runs.wait_for(has_run).await.ok()?.clone();
        if previous && runs.previous.is_none() {
            (self.say)(format!("{} has not been restarted: there is no log from before", self.source.short));
        }
        if previous {
            return Some((runs.previous?, part));
        }
        let newest = runs.newest?;
        if self.is_new || !had_run {
            return Some((newest.saturating_sub(1), Part::default()));
        }
        // The run before belongs to the time asked for, too.
        let reaches_back = since.is_some_and(|since| runs.last_finished.is_some_and(|end| end >= since));
        let begins_before = reaches_back && tail.is_none() && runs.previous.is_some_and(|previous| previous < newest);
        Some((if begins_before { newest - 1 } else { newest }, part))
    }

    /// The run after `number`, when there is one; those in between that nobody can read any more are told of.
    async fn next_run(&mut self, number: u32, cursor: &Cursor) -> Option<u32> {
        let is_known = |runs: &Runs| runs.newest.is_some_and(|newest| newest > number) || runs.is_last || runs.is_gone;
        let newest = self.runs.wait_for(is_known).await.ok()?.newest.filter(|newest| *newest > number)?;
        let next = (number + 1).max(newest - 1);
        if next > number + 1 {
            let source = Arc::new(Source { instance: number + 1, ..self.source.clone() });
            let times = next - number - 1;
            let why = format!("it was restarted {times} times more, and the node keeps the log of the last run only");
            self.tell(Event::Gap { source, from: cursor.last().map(stamp::timestamp), to: None, why }).await;
        }
        Some(next)
    }

    async fn read_run(
        &self,
        source: &Arc<Source>,
        number: u32,
        part: Part,
        cursor: &mut Cursor,
    ) -> Result<LogEnd, Error> {
        let (first, began) = oneshot::channel();
        let mut outlet = Outlet {
            source: Arc::clone(source),
            since: part.since.map_or(i64::MIN, stamp::nanoseconds),
            until: self.wanted.until.map_or(i64::MAX, stamp::nanoseconds),
            out: self.out.clone(),
            batch: Vec::new(),
            first: Some(first),
            is_past: false,
        };
        let run = Run::new(self.runs.clone(), number);
        let copy = async {
            let end = self.log.copy(part, cursor, &mut outlet, run, self.say).await;
            outlet.first = None;
            end
        };
        let check = async {
            if let (Ok(first), Some(since), None) = (began.await, part.since, part.tail) {
                self.check_beginning(number, since, first).await;
            }
        };
        tokio::join!(copy, check).0
    }

    /// Says so when what was asked for is no longer there.
    async fn check_beginning(&self, number: u32, since: Timestamp, first: i64) {
        let runs = self.runs.borrow().clone();
        let began_before = runs.newest == Some(number) && runs.started.is_some_and(|started| started < since);
        if !began_before || first <= stamp::nanoseconds(since) + LATE {
            return;
        }
        let Some(oldest) = timeout(ANSWER_LIMIT, self.oldest()).await.ok().flatten() else { return };
        if oldest > stamp::nanoseconds(since) + LATE {
            let note = format!(
                "{}: the node has no lines before {:.0}; {since:.0} was asked for, what was older has been rotated away",
                self.source.short,
                stamp::timestamp(oldest),
            );
            self.tell(Event::Note(note)).await;
        }
    }

    /// The time of the oldest line the node has of the log.
    async fn oldest(&self) -> Option<i64> {
        let parameters = LogParams {
            container: Some(self.log.container.to_owned()),
            limit_bytes: Some(STAMP_BYTES),
            timestamps: true,
            ..LogParams::default()
        };
        let api = Api::<Pod>::namespaced(self.log.cluster.client.clone(), self.log.namespace);
        let mut stream = pin!(api.log_stream(self.log.pod, &parameters).await.ok()?);
        let mut beginning = Vec::new();
        stream.read_to_end(&mut beginning).await.ok()?;
        stamp::split(&beginning).map(|(time, _)| time)
    }

    async fn tell(&self, event: Event) -> bool {
        self.out.send(vec![event]).await.is_ok()
    }
}

//! One container from run to run: each run's log to its end before the next one's first line.

use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;
use kube::api::LogParams;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    container::{ContainerLog, LogEnd, Part},
    cursor::Cursor,
    outlet::{Last, Outlet},
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
        let mut source = self.source_of(number);
        if !self.tell(Event::Joined(Arc::clone(&source))).await {
            return Ok(());
        }
        loop {
            let read = self.read_run(&source, number, part, &mut cursor).await;
            let lost = match &read {
                Ok(LogEnd::Gone { why, is_whole: false }) => Some(why.clone()),
                // What was never read is an error, and no gap.
                Err(error) if cursor.lines() > 0 => Some(error.to_string()),
                _ => None,
            };
            if let Some(why) = lost {
                self.tell_gap(&source, &cursor, why).await;
            }
            let why = match &read {
                Ok(LogEnd::OutputClosed) => None,
                Ok(LogEnd::Complete) => self.runs.borrow().ending_of(number),
                Ok(LogEnd::Gone { why, is_whole: true }) => {
                    self.runs.borrow().ending_of(number).or_else(|| Some(why.clone()))
                }
                Ok(LogEnd::Gone { why, is_whole: false }) => Some(why.clone()),
                Err(error) => Some(error.to_string()),
            };
            if let Err(error) = &read {
                (self.say)(format!("the log of {} cannot be read on: {error}", self.source.short));
            }
            let left = Event::Left(Arc::clone(&source), why);
            // Where all there is was asked for, the next run takes its place before it leaves: so the order stays exact.
            let is_over = read.is_err() || matches!(read, Ok(LogEnd::OutputClosed)) || self.wanted.previous;
            if is_over || self.wanted.follow {
                let goes_on = self.tell(left.clone()).await;
                if is_over || !goes_on {
                    return read.map(|_| ());
                }
            }
            let Some(next) = self.next_run(number).await else {
                self.tell(left).await;
                return Ok(());
            };
            let next_source = self.source_of(next);
            self.tell(Event::Joined(Arc::clone(&next_source))).await;
            if next > number + 1 {
                let times = next - number - 1;
                let why =
                    format!("it was restarted {times} times more, and the node keeps the log of the last run only");
                self.tell_gap(&next_source, &cursor, why).await;
            }
            if !self.wanted.follow && !self.tell(left).await {
                return Ok(());
            }
            (number, part, source) = (next, Part::default(), next_source);
        }
    }

    fn source_of(&self, run: u32) -> Arc<Source> {
        Arc::new(Source { instance: run, ..self.source.clone() })
    }

    async fn tell_gap(&self, source: &Arc<Source>, cursor: &Cursor, why: String) {
        let from = cursor.last().map(stamp::timestamp);
        self.tell(Event::Gap { source: Arc::clone(source), from, to: None, why }).await;
    }

    /// The run to begin with, and what of it is wanted; `None` when there is none.
    async fn first_run(&mut self) -> Option<(u32, Part)> {
        let LogsWanted { since, tail, until, previous, .. } = *self.wanted;
        // The last lines before a time are not the log's last.
        let part = Part { since, tail: tail.filter(|_| until.is_none()) };
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
            return Some((runs.previous.map_or(newest, |previous| previous.min(newest)), Part::default()));
        }
        // The run before belongs to the time asked for, too.
        let reaches_back = since.is_some_and(|since| runs.last_finished.is_some_and(|end| end >= since));
        let begins_before = reaches_back && tail.is_none() && runs.previous.is_some_and(|previous| previous < newest);
        let first = if begins_before { newest - 1 } else { newest };
        let began = if begins_before { runs.last_started } else { runs.started };
        if let (true, None, Some(since), Some(began)) = (first > 0, tail, since, began)
            && began > since
        {
            (self.say)(format!(
                "{}: the node has no lines of the {first} runs before {began:.0}; {since:.0} was asked for",
                self.source.short
            ));
        }
        Some((first, part))
    }

    /// The run after `number` that can be read, when there is one.
    async fn next_run(&mut self, number: u32) -> Option<u32> {
        let is_known = |runs: &Runs| runs.newest.is_some_and(|newest| newest > number) || runs.is_last || runs.is_gone;
        let runs = self.runs.wait_for(is_known).await.ok()?;
        let newest = runs.newest.filter(|newest| *newest > number)?;
        Some(runs.previous.filter(|previous| (number + 1..newest).contains(previous)).unwrap_or(newest))
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
            last: self.wanted.until.and(self.wanted.tail).map(|tail| Last::of(usize::try_from(tail).unwrap_or(0))),
            words: HashSet::new(),
            is_past: false,
        };
        let run = Run::new(self.runs.clone(), number);
        let copy = async {
            let end = self.log.copy(part, cursor, &mut outlet, run, self.say).await;
            outlet.finish().await;
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
        let Some(oldest) = self.oldest().await else { return };
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
        let beginning = self.log.ask(LogParams { limit_bytes: Some(STAMP_BYTES), ..LogParams::default() }).await?;
        stamp::split(&beginning).map(|(time, _)| time)
    }

    async fn tell(&self, event: Event) -> bool {
        self.out.send(vec![event]).await.is_ok()
    }
}

//! A log's lines on their way to who shows them.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{sink::Sink, stamp};
use crate::logs::{Entry, Event, Source};

/// Hands lines over as events, those within the time asked for.
pub(super) struct Outlet {
    pub(super) source: Arc<Source>,
    /// Lines from this time on, and up to that one, in nanoseconds since 1970.
    pub(super) since: i64,
    pub(super) until: i64,
    /// Where the events go.
    pub(super) out: mpsc::Sender<Vec<Event>>,
    pub(super) batch: Vec<Event>,
    /// Told the time of the first line.
    pub(super) first: Option<oneshot::Sender<i64>>,
    /// Where only the last lines are wanted, those so far.
    pub(super) last: Option<Last>,
    /// What the node has said itself: once is enough.
    pub(super) words: HashSet<String>,
    /// Whether a line came that is later than what is wanted.
    pub(super) is_past: bool,
}

/// The last lines of a log.
pub(super) struct Last {
    count: usize,
    lines: VecDeque<Event>,
}

impl Last {
    /// So many.
    pub(super) fn of(count: usize) -> Self {
        Self { count, lines: VecDeque::new() }
    }

    fn push(&mut self, line: Event) {
        self.lines.push_back(line);
        if self.lines.len() > self.count {
            self.lines.pop_front();
        }
    }
}

impl Outlet {
    /// The log has ended: what is still held goes out.
    pub(super) async fn finish(&mut self) {
        self.first = None;
        if let Some(last) = self.last.take() {
            self.batch.extend(last.lines);
        }
        self.flush().await;
    }
}

impl Sink for Outlet {
    fn line(&mut self, time: i64, line: Bytes, is_partial: bool) {
        if let Some(first) = self.first.take() {
            let _ = first.send(time);
        }
        self.is_past |= time > self.until;
        if (self.since..=self.until).contains(&time) {
            let time = stamp::timestamp(time);
            let entry = Event::Entry(Entry { source: Arc::clone(&self.source), time, line, partial: is_partial });
            match &mut self.last {
                Some(last) => last.push(entry),
                None => self.batch.push(entry),
            }
        }
    }

    fn words(&mut self, words: &[u8]) {
        let words = String::from_utf8_lossy(words).into_owned();
        if self.words.insert(words.clone()) {
            self.batch.push(Event::Note(format!("{}: the node says: {words}", self.source.short)));
        }
    }

    fn gap(&mut self, from: Option<i64>, to: i64) {
        self.batch.push(Event::Gap {
            source: Arc::clone(&self.source),
            from: from.map(stamp::timestamp),
            to: Some(stamp::timestamp(to)),
            why: "the node rotated the log while nobody read it".to_owned(),
        });
    }

    async fn flush(&mut self) -> bool {
        if self.batch.is_empty() {
            return !self.is_past && !self.out.is_closed();
        }
        let batch = std::mem::take(&mut self.batch);
        self.out.send(batch).await.is_ok() && !self.is_past
    }
}

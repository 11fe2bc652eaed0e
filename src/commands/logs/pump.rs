//! From the streams of all containers to stdout: no stream is read ahead of the others, and nothing waits that could be
//! seen.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{sync::mpsc, time::sleep_until};

use super::Writer;
use crate::{
    cluster::{Announcement, LogStream},
    logs::{Counts, Event, Out, Pipeline, Source},
    rest,
};

/// How much is written at once.
const BATCH: usize = 64 * 1024;

/// A stream that has so many events at once is read as fast as can be.
const BACKLOG: usize = 100;
/// So many batches within so long are a flow: then it is worth to rest between them.
const FLOW: u32 = 10;
const FLOW_TIME: Duration = Duration::from_millis(100);

type Waiting = Pin<Box<dyn Future<Output = (usize, LogStream, Option<Vec<Event>>)>>>;

/// Moves events to stdout and stderr.
pub(super) struct Pump<'a> {
    pipeline: Pipeline,
    out: Out,
    streams: mpsc::UnboundedReceiver<Announcement>,
    writer: Writer<'a>,
    /// Streams of which more is wanted.
    waiting: FuturesUnordered<Waiting>,
    /// Streams that are ahead of the others.
    parked: Vec<(usize, LogStream)>,
    /// Whose lines a stream has at the moment.
    sources: HashMap<usize, Arc<Source>>,
    count: usize,
    /// Whether streams may say little, and nobody minds a rest.
    follows: bool,
    /// How many small batches came since when.
    flow: (u32, Instant),
}

impl<'a> Pump<'a> {
    pub(super) fn new(pipeline: Pipeline, streams: mpsc::UnboundedReceiver<Announcement>, writer: Writer<'a>) -> Self {
        let (waiting, parked, sources) = (FuturesUnordered::new(), Vec::new(), HashMap::new());
        Self {
            pipeline,
            out: Out::default(),
            streams,
            writer,
            waiting,
            parked,
            sources,
            count: 0,
            follows: false,
            flow: (0, Instant::now()),
        }
    }

    /// Goes on until all streams have ended, or nobody reads stdout any more. Where an order is to be exact, so many
    /// `environments` say what streams they have before the first line is shown.
    pub(super) async fn run(&mut self, environments: Option<usize>) {
        let mut may_come = true;
        self.follows = environments.is_none();
        self.first(environments.unwrap_or_default()).await;
        loop {
            if !may_come && self.waiting.is_empty() && self.parked.is_empty() {
                return;
            }
            let due = self.pipeline.due();
            tokio::select! {
                stream = self.streams.recv(), if may_come => match stream {
                    Some(Announcement::Stream(stream)) => self.begin(stream),
                    Some(Announcement::All) => {}
                    None => may_come = false,
                },
                Some(came) = self.waiting.next(), if !self.waiting.is_empty() => self.take(came),
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {}
                () = self.writer.closed() => return self.leave(),
            }
            // What is there already goes out with it.
            while self.out.len() < BATCH
                && let Some(Some(came)) = self.waiting.next().now_or_never()
            {
                self.take(came);
            }
            // Whatever it belongs to has it by now: what has waited long enough goes, too.
            if due.is_some_and(|due| due <= Instant::now()) {
                self.pipeline.tick(Instant::now(), &mut self.out);
            }
            self.ask_for_more();
            if !self.writer.write(&mut self.out).await {
                return self.leave();
            }
        }
    }

    /// What is still held goes out.
    pub(super) async fn finish(&mut self) {
        self.pipeline.finish(Instant::now(), &mut self.out);
        self.writer.write(&mut self.out).await;
    }

    /// What was seen so far.
    pub(super) fn counts(&self) -> Counts {
        self.pipeline.counts()
    }

    /// Waits until all streams are known, and for the first that each has to say.
    async fn first(&mut self, environments: usize) {
        let mut unknown = environments;
        while unknown > 0 {
            match self.streams.recv().await {
                Some(Announcement::Stream(stream)) => self.begin(stream),
                Some(Announcement::All) => unknown -= 1,
                None => return,
            }
        }
        if environments > 0 {
            let first: Vec<_> = self.waiting.by_ref().collect().await;
            first.into_iter().for_each(|came| self.take(came));
            self.ask_for_more();
        }
    }

    fn begin(&mut self, stream: LogStream) {
        self.count += 1;
        self.ask(self.count, stream);
    }

    fn take(&mut self, (number, stream, events): (usize, LogStream, Option<Vec<Event>>)) {
        let Some(events) = events else {
            self.sources.remove(&number);
            return;
        };
        let now = Instant::now();
        if self.follows && events.len() < BACKLOG && self.flows(now) {
            rest::ask();
        }
        for event in events {
            if let Event::Joined(source) = &event {
                self.sources.insert(number, Arc::clone(source));
            }
            self.pipeline.event(event, now, &mut self.out);
        }
        self.parked.push((number, stream));
    }

    /// Whether small batches come one after the other.
    fn flows(&mut self, now: Instant) -> bool {
        let (count, begun) = &mut self.flow;
        if now.duration_since(*begun) > FLOW_TIME {
            (*count, *begun) = (0, now);
        }
        *count += 1;
        *count > FLOW
    }

    fn ask_for_more(&mut self) {
        for (number, stream) in std::mem::take(&mut self.parked) {
            match self.sources.get(&number) {
                Some(source) if !self.pipeline.wants(source) => self.parked.push((number, stream)),
                _ => self.ask(number, stream),
            }
        }
    }

    fn ask(&mut self, number: usize, mut stream: LogStream) {
        self.waiting.push(Box::pin(async move {
            let events = stream.recv().await;
            (number, stream, events)
        }));
    }

    /// Nobody reads any more: whoever sends is to notice.
    fn leave(&mut self) {
        self.streams.close();
        while self.streams.try_recv().is_ok() {}
        self.waiting.clear();
        self.parked.clear();
    }
}

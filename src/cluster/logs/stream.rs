//! One stream of a log: bytes to lines, and how it ends.

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use bytes::Bytes;
use futures::{AsyncBufRead, AsyncBufReadExt, FutureExt};
use kube::api::LogParams;
use tokio::{
    task::yield_now,
    time::{sleep, timeout},
};

use super::{
    ask::Now,
    container::ContainerLog,
    cursor::Cursor,
    lines::{LONGEST, Lines},
    run::{Phase, Run},
    sink::Sink,
    stamp,
};

/// How long a stream may say nothing once the container has ended: that of a node that is lost never ends.
const SILENCE: Duration = Duration::from_secs(3);
/// How long the last stream may say nothing, and that of a pod that is gone: its container may have last words.
const LAST_SILENCE: Duration = Duration::from_secs(30);
/// How long a stream may say nothing before the node is asked whether there is nothing to say. It grows while there is
/// nothing.
pub(super) const QUIET: Duration = Duration::from_secs(20);
const LONGEST_QUIET: Duration = Duration::from_secs(300);
/// How long a line may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(2);
/// How long the pod may take to tell that its container was restarted: the kubelet knows it first.
const NEWS_LIMIT: Duration = Duration::from_secs(3);

/// So much is taken before it is handed on, in bytes.
const BATCH: usize = 64 * 1024;

/// How one stream ended.
pub(super) enum StreamEnd {
    /// By itself.
    Over,
    /// It says nothing more, and nothing more is to be expected of it.
    Silent,
    /// The kubelet's own words end it, where the log is not to be read.
    Refused(String),
    Broken,
    /// It says nothing any more, and there would be something to say.
    Stalled,
    /// It is not the log of this run, but of one that came after it.
    Replaced,
    /// It is the log of another pod of the same name.
    Gone,
    OutputClosed,
}

/// A stream, and where its lines go.
pub(super) struct Stream<'a, 'l, S> {
    pub(super) log: &'a ContainerLog<'l>,
    pub(super) cursor: &'a mut Cursor,
    pub(super) sink: &'a mut S,
    pub(super) run: &'a mut Run,
    /// How the run was when the stream was opened.
    pub(super) phase: Phase,
    /// Whether it is the run's first one.
    pub(super) is_first: bool,
    /// Lines from this time on are wanted.
    pub(super) since: Option<i64>,
    /// How long it may say nothing before the node is asked.
    pub(super) quiet: &'a mut Duration,
}

/// Lasts until nothing more is to be expected of a stream that says nothing: a while after the container has ended.
pub(super) async fn silence(run: &mut Run, phase: Phase) {
    if phase != Phase::Running {
        return sleep(LAST_SILENCE).await;
    }
    run.ended().await;
    sleep(if run.is_gone() { LAST_SILENCE } else { SILENCE }).await;
}

impl<S: Sink> Stream<'_, '_, S> {
    /// Copies the stream's lines. Unless it is the last one, a line without an end is left to the next one.
    pub(super) async fn copy(&mut self, input: impl AsyncBufRead) -> StreamEnd {
        let mut input = pin!(input);
        let last = self.phase != Phase::Running;
        let mut lines = Lines::default();
        let before = self.cursor.lines();
        loop {
            tokio::select! {
                biased;
                chunk = input.fill_buf() => if chunk.is_err() {
                    return StreamEnd::Broken;
                },
                () = silence(self.run, self.phase) => return if last { StreamEnd::Broken } else { StreamEnd::Silent },
                stalled = stalls(self.log, self.cursor.last().or(self.since), *self.quiet), if !last => {
                    *self.quiet = (*self.quiet * 2).min(LONGEST_QUIET);
                    if stalled {
                        return StreamEnd::Stalled;
                    }
                    continue;
                }
            }
            let end = self.take_ready(input.as_mut(), &mut lines).await;
            if !self.sink.flush().await {
                return StreamEnd::OutputClosed;
            }
            match end {
                None => {}
                Some(StreamEnd::Over) => break,
                Some(end) => return end,
            }
            if self.cursor.lines() > before {
                *self.quiet = QUIET;
            }
        }
        let rest = lines.rest();
        // Every line of the log begins with its time; the kubelet adds what it has to say itself to the end, as it is.
        if !rest.is_empty() && stamp::split(&rest).is_none() && lines.continues.is_none() {
            return StreamEnd::Refused(String::from_utf8_lossy(&rest).into_owned());
        }
        if last && !rest.is_empty() {
            self.line(&mut lines.continues, rest, true);
            if !self.sink.flush().await {
                return StreamEnd::OutputClosed;
            }
        }
        StreamEnd::Over
    }

    /// Takes what is there, as each line may be a chunk of its own; the stream's end when it has come.
    async fn take_ready(&mut self, mut input: Pin<&mut impl AsyncBufRead>, lines: &mut Lines) -> Option<StreamEnd> {
        let mut taken = 0;
        while taken < BATCH {
            match input.fill_buf().now_or_never() {
                Some(Err(_)) => return Some(StreamEnd::Broken),
                Some(Ok(_)) => {}
                // Who reads the connection hands over one chunk a turn.
                None => yield_now().await,
            }
            let chunk = match input.fill_buf().now_or_never()? {
                Ok([]) => return Some(StreamEnd::Over),
                Ok(chunk) => chunk,
                Err(_) => return Some(StreamEnd::Broken),
            };
            let read = chunk.len();
            let whole = lines.add(chunk);
            input.as_mut().consume(read);
            taken += read;
            if let Some(whole) = whole
                && let Some(end) = self.take(lines, whole).await
            {
                return Some(end);
            }
        }
        None
    }

    /// Takes whole lines; the stream's end when it is not the log that is read.
    async fn take(&mut self, lines: &mut Lines, whole: Bytes) -> Option<StreamEnd> {
        if let Some(end) = self.joins(lines, &whole).await {
            return Some(end);
        }
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &whole) {
            self.line(&mut lines.continues, whole.slice(start..end), false);
            start = end + 1;
        }
        if start < whole.len() {
            self.line(&mut lines.continues, whole.slice(start..), true);
        }
        None
    }

    /// Makes sure that the stream goes on where the last one ended, or tells of the gap; the stream's end when it is not of
    /// this run.
    async fn joins(&mut self, lines: &Lines, whole: &[u8]) -> Option<StreamEnd> {
        let is_unsure = |it: &Self| !it.is_first && it.cursor.last().is_none();
        if lines.continues.is_some() || self.cursor.is_joined() && !is_unsure(self) {
            return None;
        }
        for line in whole.split(|byte| *byte == b'\n') {
            let Some((time, text)) = stamp::split(line) else { continue };
            let Some(joins) = self.cursor.joins(time, &line[text..]) else { continue };
            if (!joins || is_unsure(self))
                && let Some(end) = self.is_of_another().await
            {
                return Some(end);
            }
            if !joins && self.cursor.last().is_some() {
                self.sink.gap(self.cursor.last(), time);
            }
            return None;
        }
        None
    }

    /// Whether what came is the log of a later run, or of another pod of the same name. The pod is asked, and the node,
    /// which knows it first: what was read is then in the log of the run before.
    async fn is_of_another(&mut self) -> Option<StreamEnd> {
        if self.phase == Phase::Replaced {
            return None;
        }
        match self.log.runs_now().await {
            Now::Gone => return Some(StreamEnd::Gone),
            Now::Runs(runs) if self.run.learn(&runs) => return Some(StreamEnd::Replaced),
            Now::Runs(_) | Now::Unknown => {}
        }
        let is_later = match self.cursor.last() {
            Some(_) => self.log.previous_has(self.cursor).await,
            None => timeout(NEWS_LIMIT, self.run.replaced()).await.unwrap_or_default(),
        };
        if is_later {
            self.run.is_found_replaced();
        }
        is_later.then_some(StreamEnd::Replaced)
    }

    /// Takes one line, in pieces where it is too long; `continues` is the time of a line whose first piece was taken.
    fn line(&mut self, continues: &mut Option<i64>, line: Bytes, is_partial: bool) {
        let (time, text) = match (*continues, stamp::split(&line)) {
            (Some(time), _) => (time, 0),
            (None, Some(found)) => found,
            (None, None) => return self.sink.words(&line),
        };
        let mut text = line.slice(text..);
        while text.len() > LONGEST {
            let piece = text.split_to(LONGEST);
            self.hand_over(time, piece, true);
        }
        self.hand_over(time, text, is_partial);
        *continues = is_partial.then_some(time);
    }

    fn hand_over(&mut self, time: i64, text: Bytes, is_partial: bool) {
        if self.cursor.take(time, &text) {
            self.sink.line(time, text, is_partial);
        }
    }
}

/// Whether, after so long, the node has a line that the stream has not: one stamped later than `last`.
async fn stalls(log: &ContainerLog<'_>, last: Option<i64>, quiet: Duration) -> bool {
    sleep(quiet).await;
    let parameters = LogParams { tail_lines: Some(1), ..LogParams::default() };
    let line = timeout(quiet, log.ask(parameters)).await.ok().flatten();
    let newest = line.and_then(|line| stamp::split(&line)).map(|(time, _)| time);
    let is_newer = newest.is_some_and(|newest| last.is_none_or(|last| newest > last));
    if is_newer {
        sleep(ON_ITS_WAY).await;
    }
    is_newer
}

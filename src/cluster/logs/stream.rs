//! One stream of a log: bytes to lines, and how it ends.

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use bytes::Bytes;
use futures::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, FutureExt};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use tokio::{
    task::yield_now,
    time::{sleep, timeout},
};

use super::{
    container::ContainerLog,
    cursor::Cursor,
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
const QUIET: Duration = Duration::from_secs(20);
const LONGEST_QUIET: Duration = Duration::from_secs(300);
/// How long a line may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(2);
/// How long the pod may take to tell that its container was restarted: the kubelet knows it first.
const NEWS_LIMIT: Duration = Duration::from_secs(3);
/// A longer line comes in pieces.
const LONGEST_LINE: usize = 16 << 20;

/// So much is taken before it is handed on, in bytes.
const BATCH: usize = 64 * 1024;

/// How one stream ended.
pub(super) enum StreamEnd {
    /// By itself.
    Over,
    /// The kubelet's own words end it, where the log is not to be read.
    Refused(String),
    Broken,
    /// It says nothing any more, and there would be something to say.
    Stalled,
    /// It is not the log of this run, but of one that came after it.
    Replaced,
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
        let mut quiet = QUIET;
        loop {
            tokio::select! {
                biased;
                chunk = input.fill_buf() => if chunk.is_err() {
                    return StreamEnd::Broken;
                },
                () = silence(self.run, self.phase) => return if last { StreamEnd::Broken } else { StreamEnd::Over },
                stalled = stalls(self.log, self.cursor.last(), quiet), if !last => {
                    if stalled {
                        return StreamEnd::Stalled;
                    }
                    quiet = (quiet * 2).min(LONGEST_QUIET);
                    continue;
                }
            }
            quiet = QUIET;
            let end = self.take_ready(input.as_mut(), &mut lines).await;
            if !self.sink.flush().await {
                return StreamEnd::OutputClosed;
            }
            match end {
                None => {}
                Some(StreamEnd::Over) => break,
                Some(end) => return end,
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
        let first = memchr::memchr(b'\n', &whole).unwrap_or(whole.len());
        if lines.continues.is_none()
            && let Some((time, text)) = stamp::split(&whole[..first])
        {
            let joins = self.cursor.joins(time, &whole[text..first]);
            let is_sure = joins && (self.is_first || self.cursor.last().is_some());
            if !is_sure && self.is_replaced().await {
                return Some(StreamEnd::Replaced);
            }
            if !joins {
                self.sink.gap(self.cursor.last(), time);
            }
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

    /// Whether what came is the log of a later run, which the pod may be about to tell.
    async fn is_replaced(&mut self) -> bool {
        let may_be = self.phase != Phase::Replaced && !self.run.is_last();
        may_be && timeout(NEWS_LIMIT, self.run.replaced()).await.unwrap_or_default()
    }

    /// Takes one line, in pieces where it is too long; `continues` is the time of a line whose first piece was taken.
    fn line(&mut self, continues: &mut Option<i64>, line: Bytes, is_partial: bool) {
        let (time, text) = match (*continues, stamp::split(&line)) {
            (Some(time), _) => (time, 0),
            (None, Some(found)) => found,
            (None, None) => return self.sink.words(&line),
        };
        let mut text = line.slice(text..);
        while text.len() > LONGEST_LINE {
            let piece = text.split_to(LONGEST_LINE);
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
    let parameters = LogParams {
        container: Some(log.container.to_owned()),
        tail_lines: Some(1),
        timestamps: true,
        ..LogParams::default()
    };
    let api = Api::<Pod>::namespaced(log.cluster.client.clone(), log.namespace);
    let asking = async {
        let mut stream = pin!(api.log_stream(log.pod, &parameters).await.ok()?);
        let mut line = Vec::new();
        stream.read_to_end(&mut line).await.ok()?;
        stamp::split(&line).map(|(time, _)| time)
    };
    let newest = timeout(quiet, asking).await.ok().flatten();
    let is_newer = newest.is_some_and(|newest| last.is_none_or(|last| newest > last));
    if is_newer {
        sleep(ON_ITS_WAY).await;
    }
    is_newer
}

/// Bytes as they come, cut into whole lines.
#[derive(Default)]
struct Lines {
    /// The beginning of a line.
    part: Vec<u8>,
    /// The time of a line of which pieces were taken already.
    continues: Option<i64>,
}

impl Lines {
    /// Adds what came; gives the lines that are whole now, or the piece of one that is too long.
    fn add(&mut self, chunk: &[u8]) -> Option<Bytes> {
        let end = memchr::memrchr(b'\n', chunk).map_or(0, |at| at + 1);
        let whole = if end == 0 {
            None
        } else if self.part.is_empty() {
            Some(Bytes::copy_from_slice(&chunk[..end]))
        } else {
            self.part.extend_from_slice(&chunk[..end]);
            Some(Bytes::from(std::mem::take(&mut self.part)))
        };
        self.part.extend_from_slice(&chunk[end..]);
        whole.or_else(|| self.piece())
    }

    /// The first piece of a line that is too long.
    fn piece(&mut self) -> Option<Bytes> {
        let text = if self.continues.is_some() { 0 } else { stamp::split(&self.part).map_or(0, |(_, text)| text) };
        if self.part.len() <= text + LONGEST_LINE {
            return None;
        }
        let rest = self.part.split_off(text + LONGEST_LINE);
        Some(Bytes::from(std::mem::replace(&mut self.part, rest)))
    }

    /// What is left: a line without an end.
    fn rest(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.part))
    }
}

//! `kdj logs --stdin`: lines from a file or a pipe, treated as those of a pod.

use std::{sync::Arc, time::Instant};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use super::Writer;
use crate::{
    error::{Error, Result},
    exit::{Exit, Failure},
    logs::{Entry, Event, Out, Pipeline, Source},
    streams::{Control, Input, Streams},
    ui::{
        Ui,
        terminal::{LocalSide, Stdin},
    },
};

/// The longest time that stands before a line: `kubectl logs --timestamps` puts one there.
const LONGEST_STAMP: usize = 40;

/// Shows stdin's lines until it ends.
///
/// # Errors
/// When stdin or stdout cannot be used.
pub(super) async fn run(mut pipeline: Pipeline, ui: &Ui) -> Result<Exit> {
    let attached = LocalSide::attach(false, Stdin::Local);
    let (side, streams) = attached.map_err(|error| Error::failed("cannot use stdin").caused_by(error))?;
    let signal = copy(&mut pipeline, streams, ui).await;
    let written = side.finish(false, signal.is_some()).await;
    let late = written.map_err(|error| Error::failed("cannot write the output").caused_by(error))?;
    match signal.or(late) {
        None => Ok(Exit::Success),
        Some(number) => Ok(Exit::Remote(Failure::Signal(number).code(false))),
    }
}

/// Returns the signal that ended it.
async fn copy(pipeline: &mut Pipeline, streams: Streams, ui: &Ui) -> Option<u8> {
    let Streams { mut input, mut control, stdout, .. } = streams;
    let mut writer = Writer::new(stdout, ui);
    let mut lines = Lines::new();
    let mut out = Out::default();
    let signal = loop {
        let input = tokio::select! {
            input = input.recv() => input,
            signal = control.recv() => match signal {
                Some(Control::Signal(number)) => break Some(number),
                Some(Control::Leave) | None => break None,
            },
            () = writer.closed() => return None,
        };
        let Some(Input::Data(bytes)) = input else { break None };
        lines.add(&bytes, |entry| pipeline.event(Event::Entry(entry), Instant::now(), &mut out));
        if !writer.write(&mut out).await {
            return None;
        }
    };
    if let Some(last) = lines.rest() {
        pipeline.event(Event::Entry(last), Instant::now(), &mut out);
    }
    pipeline.finish(Instant::now(), &mut out);
    writer.write(&mut out).await;
    signal
}

/// Bytes cut into lines.
struct Lines {
    source: Arc<Source>,
    part: BytesMut,
}

impl Lines {
    fn new() -> Self {
        let source = Source {
            environment: String::new(),
            role: String::new(),
            pod: "stdin".to_owned(),
            container: String::new(),
            instance: 0,
            short: "stdin".to_owned(),
        };
        Self { source: Arc::new(source), part: BytesMut::new() }
    }

    fn add(&mut self, bytes: &[u8], mut take: impl FnMut(Entry)) {
        let Some(end) = memchr::memrchr(b'\n', bytes) else { return self.part.extend_from_slice(bytes) };
        self.part.extend_from_slice(&bytes[..=end]);
        let whole = self.part.split().freeze();
        self.part.extend_from_slice(&bytes[end + 1..]);
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &whole) {
            take(self.entry(whole.slice(start..end), false));
            start = end + 1;
        }
    }

    /// What has no line feed at its end.
    fn rest(&mut self) -> Option<Entry> {
        let rest = self.part.split().freeze();
        (!rest.is_empty()).then(|| self.entry(rest, true))
    }

    /// A line, of the time that stands before it, or of now.
    fn entry(&self, line: Bytes, partial: bool) -> Entry {
        let stamp = memchr::memchr(b' ', &line[..line.len().min(LONGEST_STAMP)]);
        let time = stamp.and_then(|end| {
            let time = std::str::from_utf8(&line[..end]).ok()?.parse::<Timestamp>().ok()?;
            Some((time, line.slice(end + 1..)))
        });
        let (time, line) = time.unwrap_or_else(|| (Timestamp::now(), line));
        Entry { source: Arc::clone(&self.source), time, line, partial }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_anywhere_and_their_times_taken_off() {
        let text = b"2026-11-21T12:00:00.5Z one\n\ntwo three\nlast";
        for size in 1..text.len() {
            let mut lines = Lines::new();
            let mut entries = Vec::new();
            text.chunks(size).for_each(|chunk| lines.add(chunk, |entry| entries.push(entry)));
            entries.extend(lines.rest());
            let found: Vec<(&[u8], bool)> = entries.iter().map(|entry| (&*entry.line, entry.partial)).collect();
            assert_eq!(found, [(&b"one"[..], false), (b"", false), (b"two three", false), (b"last", true)]);
            assert_eq!(entries[0].time, "2026-11-21T12:00:00.5Z".parse().unwrap());
        }
    }
}

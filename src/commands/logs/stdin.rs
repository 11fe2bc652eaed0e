//! `kdj logs --stdin`: lines from a file or a pipe, treated as those of a pod.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use tokio::{
    sync::mpsc::Receiver,
    time::{sleep_until, timeout},
};

use super::Writer;
use crate::{
    error::{Error, Result},
    exit::{Exit, Failure},
    logs::{Counts, Entry, Event, Out, Pipeline, Source},
    streams::{Control, Input, Streams},
    ui::{
        Ui,
        terminal::{LocalSide, Stdin},
    },
};

/// A longer line is taken in pieces, in bytes.
const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// How long the last output may take once the user wants to get away.
const LAST_WORDS: Duration = Duration::from_millis(300);

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
    let Counts { lines, shown, .. } = pipeline.counts();
    ui.verbose(&format!("{lines} lines read, {shown} shown"));
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
    let asked = loop {
        let due = pipeline.due();
        tokio::select! {
            input = input.recv() => match input {
                Some(Input::Data(bytes)) => {
                    lines.add(&bytes, |entry| pipeline.event(Event::Entry(entry), Instant::now(), &mut out));
                }
                Some(Input::Eof) | None => break None,
            },
            signal = asked_to_end(&mut control) => break Some(signal),
            () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {
                pipeline.tick(Instant::now(), &mut out);
            }
            () = writer.closed() => return None,
        }
        if let Err(signal) = write(&mut writer, &mut out, &mut control).await {
            return signal;
        }
    };
    if let Some(last) = lines.rest() {
        pipeline.event(Event::Entry(last), Instant::now(), &mut out);
    }
    pipeline.finish(Instant::now(), &mut out);
    match asked {
        Some(signal) => timeout(LAST_WORDS, writer.write(&mut out)).await.map_or(signal, |_| signal),
        None => write(&mut writer, &mut out, &mut control).await.err().flatten(),
    }
}

/// Writes what is ready. Nothing more is to be written when nobody reads it, or when somebody asks for the end meanwhile,
/// perhaps by a signal.
async fn write(writer: &mut Writer<'_>, out: &mut Out, control: &mut Receiver<Control>) -> Result<(), Option<u8>> {
    tokio::select! {
        biased;
        is_read = writer.write(out) => if is_read { Ok(()) } else { Err(None) },
        signal = asked_to_end(control) => Err(signal),
    }
}

/// Lasts until somebody asks for the end; returns the signal, if it is one.
async fn asked_to_end(control: &mut Receiver<Control>) -> Option<u8> {
    match control.recv().await {
        Some(Control::Signal(number)) => Some(number),
        Some(Control::Leave) | None => None,
    }
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
        let read = Timestamp::now();
        let end = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        self.part.extend_from_slice(&bytes[..end]);
        if end > 0 {
            let whole = self.part.split().freeze();
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', &whole) {
                take(self.entry(read, whole.slice(start..end), false));
                start = end + 1;
            }
        }
        self.part.extend_from_slice(&bytes[end..]);
        if self.part.len() > LONGEST_LINE {
            let piece = self.part.split().freeze();
            take(self.entry(read, piece, true));
        }
    }

    /// What has no line feed at its end.
    fn rest(&mut self) -> Option<Entry> {
        let rest = self.part.split().freeze();
        (!rest.is_empty()).then(|| self.entry(Timestamp::now(), rest, true))
    }

    fn entry(&self, time: Timestamp, line: Bytes, partial: bool) -> Entry {
        Entry { source: Arc::clone(&self.source), time, line, partial }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_anywhere() {
        let text = b"2026-11-21T12:00:00.5Z one\n\ntwo three\nlast";
        for size in 1..text.len() {
            let mut lines = Lines::new();
            let mut entries = Vec::new();
            text.chunks(size).for_each(|chunk| lines.add(chunk, |entry| entries.push(entry)));
            entries.extend(lines.rest());
            let found: Vec<(&[u8], bool)> = entries.iter().map(|entry| (&*entry.line, entry.partial)).collect();
            let whole = &b"2026-11-21T12:00:00.5Z one"[..];
            assert_eq!(found, [(whole, false), (b"", false), (b"two three", false), (b"last", true)]);
        }
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let mut lines = Lines::new();
        let (mut bytes, mut partial) = (0, Vec::new());
        for chunk in std::iter::repeat_n(&[b'x'; 1 << 20][..], 40).chain([&b"\n"[..]]) {
            lines.add(chunk, |entry| {
                bytes += entry.line.len();
                partial.push(entry.partial);
            });
        }
        assert_eq!((bytes, partial), (40 << 20, vec![true, true, false]));
    }
}

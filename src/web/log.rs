//! The log of one container, as a stream: its last lines, and what is still to come.
//!
//! * `lines`: `{"lines": […], "skipped": 0}`; of a flood only the newest are sent, and how many are not.
//! * `over`: `{"error": null}`, when no more will come, or why there are none.

use std::{collections::VecDeque, time::Duration};

use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    ReadLog,
    reply::{self, Piece},
};
use crate::{
    cluster::{Announcement, Cluster, Containers, LogsWanted},
    environment::Environment,
    error::Result,
    logs::Event,
};

/// How many lines the page begins with.
const TAIL: i64 = 200;
/// How many are sent at once at most, and how often: nobody reads more.
const MOST_LINES: usize = 500;
const PAUSE: Duration = Duration::from_millis(100);
/// The longest line, in characters.
const LONGEST: usize = 8000;

/// Lines of a log, and what is said of them.
pub type LogBatch = Vec<Event>;

/// Whose log is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogWanted {
    /// The environment's name.
    pub environment: String,
    /// The pod's name.
    pub pod: String,
    /// The container's name.
    pub container: String,
}

/// Reads what is `wanted`; goes on until nobody takes it any more.
///
/// # Errors
/// When the log cannot be read, or the server has been away for too long.
pub async fn read_log(
    cluster: &Cluster,
    environment: &Environment,
    wanted: LogWanted,
    out: mpsc::Sender<LogBatch>,
) -> Result<()> {
    let LogWanted { pod, container, .. } = wanted;
    let wanted = LogsWanted {
        pod: Some(Box::new(move |name| name == pod)),
        containers: Containers::Named(container),
        tail: Some(TAIL),
        follow: true,
        ..LogsWanted::default()
    };
    let (announced, mut streams) = mpsc::unbounded_channel();
    let said = out.clone();
    let say = move |text| drop(said.try_send(vec![Event::Note(text)]));
    let hand_on = async {
        // The container has one stream, which is read to its end.
        while let Some(announcement) = streams.recv().await {
            let Announcement::Stream(mut stream) = announcement else { continue };
            while let Some(batch) = stream.recv().await {
                if out.send(batch).await.is_err() {
                    return;
                }
            }
        }
    };
    tokio::select! {
        outcome = cluster.logs(environment, &wanted, &announced, &say) => outcome,
        () = hand_on => Ok(()),
    }
}

/// Sends what is read, until nobody takes it.
pub(super) async fn send(read: &ReadLog, wanted: LogWanted, out: &mpsc::Sender<Piece>) {
    let (sender, mut batches) = mpsc::channel(2);
    let mut reading = read(wanted, sender);
    let mut outcome = None;
    let mut waiting = Waiting::default();
    let mut due = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = sleep_until(due), if !waiting.is_empty() => {
                if out.send(waiting.event()).await.is_err() {
                    return;
                }
                due = Instant::now() + PAUSE;
            }
            ended = &mut reading, if outcome.is_none() => outcome = Some(ended),
            batch = batches.recv() => match batch {
                Some(batch) => batch.into_iter().filter_map(line).for_each(|line| waiting.take(line)),
                None => break,
            },
        }
    }
    if !waiting.is_empty() && out.send(waiting.event()).await.is_err() {
        return;
    }
    let error = outcome.and_then(Result::err).map(|error| error.to_string());
    let _ = out.send(reply::event("over", &json!({"error": error}).to_string())).await;
}

/// Lines that were not sent yet.
#[derive(Default)]
struct Waiting {
    lines: VecDeque<String>,
    skipped: u64,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn take(&mut self, line: String) {
        self.lines.push_back(line);
        if self.lines.len() > MOST_LINES {
            self.lines.pop_front();
            self.skipped += 1;
        }
    }

    fn event(&mut self) -> Piece {
        let Self { lines, skipped } = std::mem::take(self);
        reply::event("lines", &json!({"lines": lines, "skipped": skipped}).to_string())
    }
}

/// The line to show.
fn line(event: Event) -> Option<String> {
    match event {
        Event::Entry(entry) => Some(plain(&String::from_utf8_lossy(&entry.line))),
        Event::Gap { why, .. } => Some(format!("— lines are missing: {why} —")),
        Event::Note(text) => Some(format!("— {} —", plain(&text))),
        Event::Left(_, why) => why.map(|why| format!("— {} —", plain(&why))),
        Event::Joined(_) => None,
    }
}

/// Text alone: no colours, nothing a terminal would obey.
fn plain(text: &str) -> String {
    let mut clean = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        // `ESC [ 3 1 m`, up to its letter.
        if character == '\x1b' && characters.next_if_eq(&'[').is_some() {
            let _ = characters.find(|character| ('@'..='~').contains(character));
        } else if character == '\t' || !character.is_control() {
            clean.push(character);
        }
    }
    match clean.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &clean[..at]),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_text_alone() {
        assert_eq!(plain("\x1b[31mERROR\x1b[0m\tcannot \x07pay\r"), "ERROR\tcannot pay");
        assert_eq!(plain("\x1b[2J\x1b]0;title\x07<b>é</b>"), "]0;title<b>é</b>");
        assert_eq!(plain("\x1b[31"), "");
        assert_eq!(plain(&"é".repeat(LONGEST + 5)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn of_a_flood_the_newest_lines_are_sent() {
        let mut waiting = Waiting::default();
        (0..MOST_LINES + 7).for_each(|number| waiting.take(number.to_string()));
        let event = String::from_utf8(waiting.event().to_vec()).unwrap();
        assert!(event.starts_with("event: lines\ndata: {\"lines\":[\"7\",\"8\","), "{event:.60}");
        assert!(event.ends_with("\"506\"],\"skipped\":7}\n\n"), "{event}");
        assert!(waiting.is_empty());
    }
}

//! Follows a migration: how far it is on stderr, and at the end its receipt on stdout.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    cluster::{JobHandle, News as JobNews},
    error::Result,
    job::{self, Followed, Place, decide_on_signal},
    migration::{News, Progress},
    streams::Pieces,
    ui::{Live, terminal::interrupted},
};

/// How many of the last lines that the project printed are kept for the case that it fails.
const LAST_LINES: usize = 60;
/// How often the progress line is drawn anew.
const TICK: Duration = Duration::from_millis(500);

/// What was seen of a migration.
#[derive(Debug, Default)]
pub struct Watched {
    /// How far it came.
    pub(super) progress: Progress,
    /// What the project printed last.
    pub(super) said: VecDeque<String>,
    /// The image, as the manifest names it.
    pub(super) image: Option<String>,
    /// The image, as the node has it.
    pub(super) image_id: Option<String>,
}

/// Follows a migration's Job to its end.
///
/// # Errors
/// When it cannot be followed. The Job goes on.
pub async fn follow(place: &Place<'_>, job: &JobHandle, start_limit: Option<Duration>) -> Result<(Followed, Watched)> {
    let live = RefCell::new(place.ui.live("waiting for the job to start"));
    let image = Cell::new([None, None]);
    let mut tell = |news| match news {
        JobNews::Started { image: name, image_id, .. } => {
            image.set([name, image_id].map(|image| Some(image).filter(|image| !image.is_empty())));
            live.borrow_mut().show("starting Django");
        }
        news => job::tell_of(place, job, &live, news),
    };
    let (log, lines) = mpsc::channel(8);
    let following = place.cluster.follow(job, start_limit, log, &mut tell);
    let both = async { futures::join!(following, watch(place, lines, &live)) };
    tokio::pin!(both);
    loop {
        let number = tokio::select! {
            (verdict, mut watched) = &mut both => {
                live.borrow_mut().clear();
                [watched.image, watched.image_id] = image.take();
                return Ok((Followed::Ended(verdict.map_err(|error| job::goes_on(place, job, error))?), watched));
            }
            number = interrupted() => number,
        };
        live.borrow_mut().clear();
        if let Some(left) = decide_on_signal(place, job, number).await? {
            return Ok((left, Watched::default()));
        }
        *live.borrow_mut() = place.ui.live("following on");
    }
}

/// Reads the log to its end, and tells of it.
async fn watch(place: &Place<'_>, mut lines: mpsc::Receiver<Pieces>, live: &RefCell<Live>) -> Watched {
    let mut watched = Watched::default();
    let mut begun = Instant::now();
    let mut part = Vec::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let pieces = tokio::select! {
            pieces = lines.recv() => pieces,
            _ = ticks.tick() => {
                let elapsed = begun.elapsed();
                if let Some((line, rarely)) = watched.progress.line(elapsed).zip(watched.progress.minutes(elapsed)) {
                    live.borrow_mut().show_or_say(&line, &rarely);
                }
                continue;
            }
        };
        let over = pieces.is_none();
        for piece in pieces.into_iter().flatten() {
            part.extend_from_slice(&piece);
        }
        // All of it at the end, else whole lines.
        let end = if over { part.len() } else { part.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) };
        let text: Vec<u8> = part.drain(..end).collect();
        for line in String::from_utf8_lossy(&text).lines() {
            if take(place, &mut watched, line, live) {
                begun = Instant::now();
            }
        }
        if over {
            return watched;
        }
    }
}

/// Takes a line of the log; whether another migration has begun with it.
fn take(place: &Place<'_>, watched: &mut Watched, line: &str, live: &RefCell<Live>) -> bool {
    let line = watched.progress.eat(line);
    if let Some(text) = line.text {
        live.borrow().aside(|| place.ui.verbose(&text));
        if watched.said.len() == LAST_LINES {
            watched.said.pop_front();
        }
        watched.said.push_back(text);
    }
    match line.news {
        Some(News::Applying) => {
            let line = watched.progress.line(Duration::ZERO).unwrap_or_default();
            match watched.progress.position().filter(|_| watched.progress.is_at_first()) {
                Some(first) => live.borrow_mut().show_or_say(&line, &first),
                None => live.borrow_mut().show(&line),
            }
            return true;
        }
        Some(News::Waiting(text) | News::Retry(text) | News::Note(text)) => {
            live.borrow().aside(|| place.ui.status(&text));
        }
        Some(News::Ended) => live.borrow_mut().show("ending"),
        Some(News::Started(_) | News::Applied(_) | News::Free) | None => {}
    }
    false
}

//! How a run goes, from its log, line by line.

use std::time::Duration;

use super::{
    event::{Applied, Broken, Event, MigrationName, Session, Step, duration, find_event},
    plan::Database,
};

/// A run, as far as its log has told. The same log from its first line gives the same, so it can be taken up again.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    pub(super) database: Option<Database>,
    pub(super) steps: Vec<Step>,
    pub(super) applied: Vec<Applied>,
    pub(super) seconds: Option<f64>,
    pub(super) end: Option<End>,
    started: bool,
    finishing: bool,
    current: Option<Step>,
    blockers: Vec<Session>,
}

/// How it ended, by its own account.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Done,
    Busy(Option<Session>),
    Interrupted(Broken),
    Failed(Broken),
}

/// What a line of the log was.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What the project printed, if it did.
    pub text: Option<String>,
    /// What is worth a line to who watches.
    pub news: Option<News>,
}

/// What is worth a line to who watches.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// So many are to be run.
    Started(usize),
    /// One has begun; [`Progress::line`] tells which.
    Applying,
    /// One is done.
    Applied(Applied),
    /// It waits for these, as a sentence.
    Waiting(String),
    /// It waits no longer.
    Free,
    /// It waited too long and tries again, as a sentence.
    Retry(String),
    /// Something to know, as a sentence.
    Note(String),
    /// It is over; [`Progress::receipt`] tells how.
    Ended,
}

impl Progress {
    /// Takes the next line of the log in.
    pub fn eat(&mut self, line: &str) -> Line {
        let line = line.trim_end_matches(['\n', '\r']);
        let Some((before, event)) = find_event(line) else {
            return Line { text: Some(line.to_owned()), news: None };
        };
        Line { text: Some(before.to_owned()).filter(|before| !before.is_empty()), news: self.take(event) }
    }

    fn take(&mut self, event: Event) -> Option<News> {
        match event {
            Event::Started { database, migrations, .. } => {
                (self.started, self.finishing) = (true, false);
                self.database = Some(database);
                // A project's own `migrate` may run several times.
                self.steps.extend(migrations);
                Some(News::Started(self.steps.len()))
            }
            Event::Applying { step, .. } => {
                self.current = Some(step);
                self.blockers.clear();
                Some(News::Applying)
            }
            Event::Waiting { blockers, .. } => {
                self.blockers = blockers;
                if self.blockers.is_empty() { Some(News::Free) } else { self.waits().map(News::Waiting) }
            }
            Event::Retry { step, retry, of, pause, blockers } => {
                self.blockers.clear();
                let who = names(&blockers).map(|who| format!("; held by {who}")).unwrap_or_default();
                let name = step.name;
                let pause = duration(pause);
                Some(News::Retry(format!("{name} did not get its lock{who}; try {retry} of {of} more in {pause}")))
            }
            Event::Applied { applied, .. } => {
                self.current = None;
                self.blockers.clear();
                self.applied.push(applied.clone());
                Some(News::Applied(applied))
            }
            Event::Finishing => {
                self.finishing = true;
                None
            }
            Event::Note { message } => Some(News::Note(message)),
            Event::Busy { holder, .. } => self.over(End::Busy(holder), None, None),
            Event::Done { applied, seconds } => self.over(End::Done, Some(applied), Some(seconds)),
            Event::Failed(broken) => {
                let (applied, seconds) = (broken.applied.clone(), broken.seconds);
                self.over(End::Failed(broken), Some(applied), seconds)
            }
            Event::Interrupted(broken) => {
                let (applied, seconds) = (broken.applied.clone(), broken.seconds);
                self.over(End::Interrupted(broken), Some(applied), seconds)
            }
            Event::Other => None,
        }
    }

    fn over(&mut self, end: End, applied: Option<Vec<Applied>>, seconds: Option<f64>) -> Option<News> {
        self.end = Some(end);
        self.seconds = seconds;
        self.blockers.clear();
        // The last word has them all, whatever was lost of the log before.
        if let Some(applied) = applied.filter(|applied| applied.len() >= self.applied.len()) {
            self.applied = applied;
        }
        Some(News::Ended)
    }

    /// Whether the runner has said how it ended.
    pub fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// The migration that runs.
    pub fn current(&self) -> Option<&MigrationName> {
        self.current.as_ref().filter(|_| !self.has_ended()).map(|step| &step.name)
    }

    /// For a terminal, over and over: `7 of 12 shop.0012_add_index 3 s`. `elapsed` is since the last
    /// [`News::Applying`].
    pub fn line(&self, elapsed: Duration) -> Option<String> {
        if self.has_ended() || !self.started {
            return None;
        }
        let total = self.steps.len();
        let Some(step) = &self.current else {
            return self.finishing.then(|| format!("{total} of {total} applied, what follows them"));
        };
        let back = if step.reversal { "back over " } else { "" };
        let waiting = if self.blockers.is_empty() { "" } else { ", waits for a lock" };
        Some(format!("{} of {total} {back}{} {} s{waiting}", step.index, step.name, elapsed.as_secs()))
    }

    /// For where no line can be rewritten: the same, which changes with the migration and then once a minute.
    pub fn minutes(&self, elapsed: Duration) -> Option<String> {
        let line = if self.current().is_some() { self.position() } else { self.line(elapsed) };
        match elapsed.as_secs() / 60 {
            0 => line,
            minutes => line.map(|line| format!("{line} {minutes} min")),
        }
    }

    /// How far it is, without the time: `7 of 12 shop.0012_add_index`.
    pub fn position(&self) -> Option<String> {
        let total = self.steps.len();
        match self.current.as_ref().filter(|_| !self.has_ended()) {
            Some(step) => Some(format!("{} of {total} {}", step.index, step.name)),
            None => self.started.then(|| format!("{} of {total} done", self.applied.len())),
        }
    }

    /// Who holds the lock it waits for, as a sentence.
    pub fn waits(&self) -> Option<String> {
        let name = self.current()?;
        Some(format!("{name} waits for a lock held by {}", names(&self.blockers)?))
    }
}

/// The sessions as words.
pub(super) fn names(sessions: &[Session]) -> Option<String> {
    let names: Vec<String> = sessions.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

//! Runs the checks: each as soon as those it needs are over, all at once, each with its time limit. A check that panics
//! has failed, and nothing else.

use std::{
    any::Any,
    collections::{BTreeSet, HashMap},
    future::poll_fn,
    ops::Index,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;

use super::{
    check::Check,
    outcome::{Broke, Outcome, Status},
};
use crate::{
    invocation::Invocation,
    ui::{Stall, duration},
};

/// A check that is over.
#[derive(Debug)]
pub struct Done {
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// All checks in their order, and which of them needs which.
pub struct Checks {
    all: Vec<Check>,
    /// For each check the places of those that it needs.
    parents: Vec<Vec<usize>>,
    /// Learns which one holds up all others.
    stall: Stall,
    /// What commands to type next begin with.
    called: Invocation,
}

impl Index<usize> for Checks {
    type Output = Check;

    fn index(&self, place: usize) -> &Check {
        &self.all[place]
    }
}

impl Checks {
    /// Finds out who needs whom.
    pub fn new(all: Vec<Check>, stall: Stall, called: Invocation) -> Self {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, check) in all.iter().enumerate() {
            places.entry(&check.about.id).or_default().push(place);
        }
        let parents = |(place, child): (usize, &Check)| {
            let needed = child.about.needs.iter().filter_map(|id| places.get(id)).flatten().copied();
            let needed = needed.filter(|&other| other != place && all[other].subject.serves(&child.subject));
            let needed: BTreeSet<usize> = needed.collect();
            needed.into_iter().collect()
        };
        let parents = all.iter().enumerate().map(parents).collect();
        Self { all, parents, stall, called }
    }

    /// All of them, in their order.
    pub fn all(&self) -> &[Check] {
        &self.all
    }

    /// The places of those that the check at this place needs.
    pub fn parents(&self, place: usize) -> &[usize] {
        self.parents.get(place).map_or(&[], Vec::as_slice)
    }

    /// These checks and all that they need, and what those need.
    pub fn with_parents(&self, wanted: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        let mut open: Vec<usize> = wanted.into_iter().collect();
        while let Some(place) = open.pop() {
            if all.insert(place) {
                open.extend(self.parents(place));
            }
        }
        all
    }

    /// These checks, and those for which one of them was skipped, as they failed or could not be made: without them nobody
    /// learns why.
    pub fn with_what_failed(&self, shown: &BTreeSet<usize>, done: &[Option<Done>]) -> BTreeSet<usize> {
        let skipped = shown.iter().copied().filter(|&place| status(done, place) == Some(Status::Skip));
        let is_first = |place: usize| match status(done, place) {
            Some(Status::Fail) => true,
            Some(Status::Skip) => self.missing(place, done).is_none(),
            _ => false,
        };
        let above = self.with_parents(skipped).into_iter();
        above.filter(|&place| is_first(place)).chain(shown.iter().copied()).collect()
    }

    /// Runs the checks at these places and writes into `done` what came of them; whatever else stands there counts as
    /// over. `told` is called whenever one is over.
    pub async fn run(
        &self,
        wanted: &BTreeSet<usize>,
        done: &mut [Option<Done>],
        mut told: impl FnMut(&[Option<Done>]),
    ) {
        let mut open: BTreeSet<usize> = wanted.clone();
        let mut running: FuturesUnordered<LocalBoxFuture<'_, (usize, Done)>> = FuturesUnordered::new();
        loop {
            let is_over = |other: &usize| done[*other].is_some() || !wanted.contains(other);
            let ready: Vec<usize> =
                open.iter().copied().filter(|&place| self.parents(place).iter().all(is_over)).collect();
            for &place in &ready {
                open.remove(&place);
                match self.missing(place, done) {
                    Some(outcome) => done[place] = Some(Done { outcome, took: Duration::ZERO }),
                    None => running.push(self.one(place).boxed_local()),
                }
            }
            told(done);
            if let Some((place, over)) = running.next().await {
                done[place] = Some(over);
            } else if ready.is_empty() {
                break;
            }
        }
        // Only a circle leaves any.
        for place in open {
            let outcome = Outcome::fail("it needs a check that needs it").broke(Broke::Panicked);
            done[place] = Some(Done { outcome, took: Duration::ZERO });
        }
        told(done);
    }

    /// The outcome of a check that cannot be run, since one that it needs has taught nothing.
    fn missing(&self, place: usize, done: &[Option<Done>]) -> Option<Outcome> {
        let taught_nothing = |parent: &&usize| matches!(status(done, **parent), Some(Status::Fail | Status::Skip));
        let parent = self.parents(place).iter().find(taught_nothing)?;
        let leaves_open = |done: &Done| done.outcome.status == Status::Fail || done.outcome.open;
        let why = format!("needs {}", self[*parent].about.id);
        Some(if done[*parent].as_ref().is_some_and(leaves_open) { Outcome::open(why) } else { Outcome::skip(why) })
    }

    /// Runs one check, whatever it does.
    async fn one(&self, place: usize) -> (usize, Done) {
        let (check, begin) = (&self[place], Instant::now());
        // Also what stands before the first await may panic.
        let mut work = AssertUnwindSafe(async { check.start().await }).catch_unwind().boxed_local();
        let work = poll_fn(|context| self.stall.within(&check.about.id, || work.poll_unpin(context)));
        let outcome = match timeout(check.limit, work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => panicked(&*panic),
            Err(_) => late(check),
        };
        let outcome = outcome.at_worst(check.worst).with_commands(|text| self.called.in_text(text));
        (place, Done { outcome, took: begin.elapsed() })
    }
}

/// How the check at this place ended, if it is over.
fn status(done: &[Option<Done>], place: usize) -> Option<Status> {
    done[place].as_ref().map(|done| done.outcome.status)
}

/// The outcome of a check that panicked.
fn panicked(panic: &(dyn Any + Send)) -> Outcome {
    Outcome::fail(format!("the check itself broke: {}", words(panic)))
        .fix(
            "this is a fault of kdj's: please report it with the output of `kdj doctor -o json`, in which the names of your \
             servers, contexts, users and databases stand",
        )
        .broke(Broke::Panicked)
}

/// The outcome of a check whose time is over.
fn late(check: &Check) -> Outcome {
    let limit = duration(check.limit);
    let outcome = match &check.server {
        None => Outcome::fail(format!("no result within {limit}")),
        Some(server) => Outcome::fail(format!("no answer from {server} within {limit}"))
            .caused_by("the server, or the way to it, is slow; a command waits longer than this check")
            .fix("is the VPN up? Is a proxy needed, or in the way: HTTPS_PROXY, NO_PROXY?"),
    };
    outcome.broke(Broke::TimedOut)
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}

#[cfg(test)]
mod tests;

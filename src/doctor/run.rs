//! Runs the checks: each as soon as those it needs are over, all at once, each with its time limit. A check that panics
//! has failed, and nothing else.

use std::{
    any::Any,
    collections::BTreeSet,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::time::timeout;

use super::check::{Broke, Check, Outcome, Status};
use crate::ui::duration;

/// A check that is over.
#[derive(Debug)]
pub struct Done {
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// The places, in the list of checks, of those that check `number` needs.
pub fn parents(checks: &[Check], number: usize) -> Vec<usize> {
    let Some(child) = checks.get(number) else { return Vec::new() };
    let is_needed = |other: &Check| child.about.needs.contains(&&*other.about.id);
    let all = checks.iter().enumerate().filter(|(place, other)| *place != number && is_needed(other));
    all.filter(|(_, other)| other.subject.serves(&child.subject)).map(|(place, _)| place).collect()
}

/// These checks and all that they need, and what those need.
pub fn with_parents(checks: &[Check], wanted: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut open: Vec<usize> = wanted.into_iter().collect();
    while let Some(number) = open.pop() {
        if all.insert(number) {
            open.extend(parents(checks, number));
        }
    }
    all
}

/// Runs the checks at these places and writes into `done` what came of them; whatever else stands there counts as over.
/// `told` is called whenever one is over.
pub async fn run(
    checks: &[Check],
    wanted: &BTreeSet<usize>,
    done: &mut [Option<Done>],
    mut told: impl FnMut(&[Option<Done>]),
) {
    let mut open: BTreeSet<usize> = wanted.clone();
    let mut running: FuturesUnordered<LocalBoxFuture<'_, (usize, Done)>> = FuturesUnordered::new();
    loop {
        let ready: Vec<usize> = open.iter().copied().filter(|&number| is_ready(checks, number, wanted, done)).collect();
        for &number in &ready {
            open.remove(&number);
            match missing(checks, number, done) {
                Some(outcome) => done[number] = Some(Done { outcome, took: Duration::ZERO }),
                None => running.push(one(number, &checks[number]).boxed_local()),
            }
        }
        told(done);
        if let Some((number, over)) = running.next().await {
            done[number] = Some(over);
        } else if ready.is_empty() {
            break;
        }
    }
    // Only a circle leaves any.
    for number in open {
        let outcome = Outcome::fail("it needs a check that needs it").broke(Broke::Panicked);
        done[number] = Some(Done { outcome, took: Duration::ZERO });
    }
    told(done);
}

fn is_ready(checks: &[Check], number: usize, wanted: &BTreeSet<usize>, done: &[Option<Done>]) -> bool {
    parents(checks, number).into_iter().all(|parent| done[parent].is_some() || !wanted.contains(&parent))
}

/// The outcome of a check that cannot be run, since one that it needs has taught nothing.
fn missing(checks: &[Check], number: usize, done: &[Option<Done>]) -> Option<Outcome> {
    let has_failed = |parent: &usize| {
        let status = done[*parent].as_ref().map(|done| done.outcome.status);
        matches!(status, Some(Status::Fail | Status::Skip))
    };
    let parent = parents(checks, number).into_iter().find(has_failed)?;
    Some(Outcome::skip(format!("needs {}", checks[parent].about.id)))
}

/// Runs one check, whatever it does.
async fn one(number: usize, check: &Check) -> (usize, Done) {
    let begin = Instant::now();
    // Also what stands before the first await may panic.
    let work = AssertUnwindSafe(async { check.start().await }).catch_unwind();
    let outcome = match timeout(check.limit, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Outcome::fail(format!("the check itself broke: {}", words(&*panic)))
            .fix("this is a fault of kdj's: please report it with the output of `kdj doctor -o json`")
            .broke(Broke::Panicked),
        Err(_) => Outcome::fail(format!("no result within {}", duration(check.limit))).broke(Broke::TimedOut),
    };
    (number, Done { outcome, took: begin.elapsed() })
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}

#[cfg(test)]
mod tests;

//! Brings what several sources say into the order of time, without ever turning two things of one source around.
//!
//! What is known to be next goes out at once: when every source has something waiting, that is the earliest. Following,
//! a source may be silent for hours: there, what has waited for the hold-back goes out, earlier things before it. Without
//! follow nothing but the end of a source tells that it has no more, so the order is exact.

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// What may wait in all queues together, in bytes. Beyond it the earliest goes out, known to be next or not.
const LIMIT: usize = 12 * 1024 * 1024;
/// What one source may always have waiting.
const LEAST_SHARE: usize = 16 * 1024;
/// The same at most.
const LARGEST_SHARE: usize = 1024 * 1024;

/// Which source; a number that is given anew after its end.
pub type Place = usize;

/// Queues, one per source.
#[derive(Debug)]
pub struct Order<T> {
    queues: Vec<Queue<T>>,
    /// The first of each queue that has one, the earliest on top.
    heads: BinaryHeap<Reverse<(Timestamp, u64, Place)>>,
    /// All that waits in the order of its arrival, and some that waits no more.
    arrivals: VecDeque<(Instant, Place, u64)>,
    /// How long anything waits for earlier things; `None`: for as long as there may be some.
    hold: Option<Duration>,
    /// How many sources have nothing waiting, and have not ended.
    silent: usize,
    sources: usize,
    weight: usize,
    next: u64,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<Waiting<T>>,
    /// The time of the last thing, so that none goes before it.
    last: Timestamp,
    weight: usize,
    open: bool,
}

#[derive(Debug)]
struct Waiting<T> {
    time: Timestamp,
    number: u64,
    weight: usize,
    thing: T,
}

impl<T> Order<T> {
    /// An empty one. With a `hold` it follows; without, sources are ended by [`Order::end`].
    pub fn new(hold: Option<Duration>) -> Self {
        Self {
            queues: Vec::new(),
            heads: BinaryHeap::new(),
            arrivals: VecDeque::new(),
            hold,
            silent: 0,
            sources: 0,
            weight: 0,
            next: 0,
        }
    }

    /// Whether a thing of this source would only pass through: nothing waits, and there is nothing to wait for.
    pub fn is_idle(&self) -> bool {
        self.sources <= 1 && self.heads.is_empty()
    }

    /// How many sources there are that have not ended.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// A new source.
    pub fn begin(&mut self) -> Place {
        self.sources += 1;
        self.silent += 1;
        let queue = Queue { waiting: VecDeque::new(), last: Timestamp::MIN, weight: 0, open: true };
        match self.queues.iter().position(|queue| !queue.open && queue.waiting.is_empty()) {
            Some(place) => {
                self.queues[place] = queue;
                place
            }
            None => {
                self.queues.push(queue);
                self.queues.len() - 1
            }
        }
    }

    /// Nothing more comes of this source; what waits still goes out. The place may be given to another.
    pub fn end(&mut self, place: Place) {
        let queue = &mut self.queues[place];
        if queue.open {
            queue.open = false;
            self.sources -= 1;
            self.silent -= usize::from(queue.waiting.is_empty());
        }
    }

    /// Puts something into a source's queue: its time, or none for that of the thing before it.
    pub fn push(&mut self, place: Place, time: Option<Timestamp>, weight: usize, thing: T, now: Instant) {
        let queue = &mut self.queues[place];
        queue.last = time.map_or(queue.last, |time| time.max(queue.last));
        let (time, number) = (queue.last, self.next);
        self.next += 1;
        if queue.waiting.is_empty() {
            self.heads.push(Reverse((time, number, place)));
            self.silent -= usize::from(queue.open);
        }
        queue.waiting.push_back(Waiting { time, number, weight, thing });
        queue.weight += weight;
        self.weight += weight;
        if self.hold.is_some() {
            self.arrivals.push_back((now, place, number));
        }
    }

    /// Whether more of this source can be taken without more than its share waiting. Asked before reading more of it, no
    /// memory is taken beyond the limit, and the order stays exact however unequal the sources are.
    pub fn wants(&self, place: Place) -> bool {
        self.queues[place].weight < (LIMIT / 2 / self.sources.max(1)).clamp(LEAST_SHARE, LARGEST_SHARE)
    }

    /// The next thing that is to go out.
    pub fn pop(&mut self, now: Instant) -> Option<(Place, T)> {
        let certain = self.silent == 0 || self.weight > LIMIT;
        if certain || self.first_arrival().zip(self.hold).is_some_and(|(first, hold)| first + hold <= now) {
            return self.pop_first();
        }
        None
    }

    /// The next thing, whatever may come before it.
    pub fn pop_first(&mut self) -> Option<(Place, T)> {
        let Reverse((_, _, place)) = self.heads.pop()?;
        let queue = &mut self.queues[place];
        let Waiting { weight, thing, .. } = queue.waiting.pop_front()?;
        queue.weight -= weight;
        self.weight -= weight;
        match queue.waiting.front() {
            Some(next) => self.heads.push(Reverse((next.time, next.number, place))),
            None => self.silent += usize::from(queue.open),
        }
        Some((place, thing))
    }

    /// When something is to go out that is not known to be next.
    pub fn due(&mut self) -> Option<Instant> {
        let hold = self.hold?;
        Some(self.first_arrival()? + hold)
    }

    /// How many arrivals are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.arrivals.len()
    }

    /// When the thing that has waited longest came.
    fn first_arrival(&mut self) -> Option<Instant> {
        while let Some((time, place, number)) = self.arrivals.front() {
            // What left its queue has a lower number than the first of what is there.
            if self.queues[*place].waiting.front().is_some_and(|first| first.number <= *number) {
                return Some(*time);
            }
            self.arrivals.pop_front();
        }
        None
    }
}

//! What happens while logs are read goes in, and what is to be written comes out.
//!
//! Lines become units, units the order of time; then they are filtered, counted or shown. The caller has the clock, the
//! network and the terminal: it gives events and calls [`Pipeline::tick`] when [`Pipeline::due`] says so.

mod options;
mod out;
mod show;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::Timestamp;

use self::show::Show;
pub use self::{
    options::{Format, Options},
    out::{Out, Piece},
};
use super::{
    entry::{Entry, Event, Source},
    order::{Order, Place},
    stdin::Stdin,
    unit::{Assembler, Line, Unit},
};

/// How long a line waits, following several sources, for earlier ones of the others.
const HOLD: Duration = Duration::from_millis(300);

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that came in.
    pub lines: u64,
    /// Those of them that were shown, or counted in groups.
    pub shown: u64,
    /// Gaps.
    pub gaps: u64,
}

/// From events to what is written.
#[derive(Debug)]
pub struct Pipeline {
    follow: bool,
    by_time: bool,
    stdin: Option<Stdin>,
    show: Show,
    /// The sources by their addresses, which `states` keeps, and by their places.
    places: HashMap<usize, Place>,
    states: Vec<Option<State>>,
    /// The source of the last entry: mostly it is the next one's.
    last: Option<(usize, Place)>,
    order: Order<Thing>,
    /// When the next assembler is to be looked at, at the earliest.
    patience: Option<Instant>,
}

/// What is kept of a source.
#[derive(Debug)]
struct State {
    source: Arc<Source>,
    assembler: Assembler,
    /// Whether its last unit was shown: what goes on with it is, too.
    shown: bool,
}

/// What goes through the order.
#[derive(Debug)]
enum Thing {
    Unit(Unit),
    Gap { from: Option<Timestamp>, to: Option<Timestamp>, why: String },
    Left(Option<String>),
}

impl Pipeline {
    /// Nothing has happened yet.
    pub fn new(options: Options) -> Self {
        let (follow, by_time) = (options.follow, options.by_time);
        Self {
            follow,
            by_time,
            stdin: options.stdin.then(Stdin::default),
            show: Show::new(options),
            places: HashMap::new(),
            states: Vec::new(),
            last: None,
            order: Order::new((follow && by_time).then_some(HOLD)),
            patience: None,
        }
    }

    /// What was seen so far.
    pub fn counts(&self) -> Counts {
        self.show.counts
    }

    /// Whether more of this source should be read now. Without follow, who reads only what is wanted gets an exact order
    /// in bounded memory, however unequal the sources; following, everything is wanted always.
    pub fn wants(&self, source: &Arc<Source>) -> bool {
        self.follow || self.places.get(&address(source)).is_none_or(|place| self.order.wants(*place))
    }

    /// Something happened.
    pub fn event(&mut self, event: Event, now: Instant, out: &mut Out) {
        match event {
            Event::Entry(entry) => self.entry(entry, now, out),
            Event::Joined(source) => {
                self.join(&source);
                // Who wants what there is has no need to know when it comes.
                if self.follow {
                    out.status(format!("+ {}", self.show.names.get(&source)));
                }
            }
            Event::Left(source, why) => {
                let place = self.place(&source);
                self.flush(place, now);
                self.order.push(place, None, 0, Thing::Left(why), now);
                self.order.end(place);
                self.places.remove(&address(&source));
                self.last = None;
            }
            Event::Gap { source, from, to, why } => {
                let place = self.place(&source);
                self.flush(place, now);
                self.order.push(place, from, 0, Thing::Gap { from, to, why }, now);
            }
            Event::Note(note) => out.warning(note),
        }
        self.drain(now, out);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant, out: &mut Out) {
        if self.patience.is_some_and(|patience| patience <= now) {
            self.patience = None;
            for place in 0..self.states.len() {
                match self.states[place].as_ref().and_then(|state| state.assembler.due()) {
                    Some(due) if due <= now => self.flush(place, now),
                    Some(due) => self.wait_until(due),
                    None => {}
                }
            }
        }
        self.drain(now, out);
        self.show.tick(now, out);
    }

    /// When to call [`Pipeline::tick`], if nothing happens before.
    pub fn due(&mut self) -> Option<Instant> {
        [self.order.due(), self.patience, self.show.report].into_iter().flatten().min()
    }

    /// Nothing more happens: all that waits goes out, and the groups are told.
    pub fn finish(&mut self, now: Instant, out: &mut Out) {
        for place in 0..self.states.len() {
            self.flush(place, now);
        }
        while let Some((place, thing)) = self.order.pop_first() {
            self.thing(place, thing, now, out);
        }
        self.show.finish(out);
    }

    fn entry(&mut self, entry: Entry, now: Instant, out: &mut Out) {
        self.show.counts.lines += 1;
        let place = self.place(&entry.source);
        // A single source needs no order, and an impatient reader wants none.
        let direct = !self.by_time || self.order.is_idle();
        let patient = !self.follow || self.by_time && self.order.sources() > 1;
        let Some(state) = &mut self.states[place] else { return };
        let (source, line) = match &mut self.stdin {
            Some(stdin) => stdin.line(entry),
            None => {
                let Entry { source, time, line: text, partial } = entry;
                (source, Line { time, is_timed: true, stamp: Bytes::new(), text, partial })
            }
        };
        let mut assembler = std::mem::take(&mut state.assembler);
        assembler.take(source, line, now, patient, |unit| match direct {
            true => self.thing(place, Thing::Unit(unit), now, out),
            false => self.push(place, unit, now),
        });
        if let Some(due) = assembler.due() {
            self.wait_until(due);
        }
        if let Some(state) = &mut self.states[place] {
            state.assembler = assembler;
        }
    }

    fn push(&mut self, place: Place, unit: Unit, now: Instant) {
        self.order.push(place, Some(unit.first.time), unit.weight(), Thing::Unit(unit), now);
    }

    /// What waits in a source's assembler goes into the order.
    fn flush(&mut self, place: Place, now: Instant) {
        let unit = self.states[place].as_mut().and_then(|state| state.assembler.flush());
        if let Some(unit) = unit {
            self.push(place, unit, now);
        }
    }

    fn drain(&mut self, now: Instant, out: &mut Out) {
        while let Some((place, thing)) = if self.by_time { self.order.pop(now) } else { self.order.pop_first() } {
            self.thing(place, thing, now, out);
        }
    }

    /// Something's turn has come.
    fn thing(&mut self, place: Place, thing: Thing, now: Instant, out: &mut Out) {
        match thing {
            Thing::Unit(unit) => {
                if let Some(state) = &mut self.states[place] {
                    state.shown = self.show.unit(&unit, state.shown, now, out);
                }
            }
            Thing::Gap { from, to, why } => {
                if let Some(State { source, .. }) = &self.states[place] {
                    self.show.gap(source, (from, to), &why, out);
                }
            }
            Thing::Left(why) => {
                let Some(State { source, .. }) = self.states[place].take() else { return };
                let name = self.show.names.get(&source);
                match why {
                    Some(why) => out.status(format!("- {name}: {why}")),
                    None if self.follow => out.status(format!("- {name}")),
                    None => {}
                }
                self.show.names.remove(&source);
            }
        }
    }

    fn wait_until(&mut self, due: Instant) {
        if self.follow {
            self.patience = Some(self.patience.map_or(due, |other| other.min(due)));
        }
    }

    /// The place of a source; one that nobody announced joins without a word.
    fn place(&mut self, source: &Arc<Source>) -> Place {
        let address = address(source);
        if let Some((last, place)) = self.last
            && last == address
        {
            return place;
        }
        let place = match self.places.get(&address) {
            Some(place) => *place,
            None => self.join(source),
        };
        self.last = Some((address, place));
        place
    }

    fn join(&mut self, source: &Arc<Source>) -> Place {
        if let Some(place) = self.places.get(&address(source)) {
            return *place;
        }
        let place = self.order.begin();
        if self.states.len() <= place {
            self.states.resize_with(place + 1, || None);
        }
        self.states[place] = Some(State { source: Arc::clone(source), assembler: Assembler::default(), shown: true });
        self.places.insert(address(source), place);
        self.show.names.add(source);
        place
    }
}

fn address(source: &Arc<Source>) -> usize {
    Arc::as_ptr(source) as usize
}

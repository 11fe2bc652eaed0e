//! What was changed in an environment: the user's own journal and the cluster's Events, as one list without doubles. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::journal::{Entry, Phase};
use crate::environment::Environment;

#[cfg(test)]
mod tests;

/// What the cluster says of a change. It may be anybody's who can create Events, or Jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The record.
    pub entry: Entry,
    /// When the cluster got it.
    pub written: Timestamp,
    /// Whether the Job itself says so, and not an Event.
    pub by_job: bool,
}

impl Told {
    /// What an Event says. `None` for a record that belongs to another Event. It cannot be of a change that began later.
    pub fn by_event(mut entry: Entry, id: &str, ended: bool, written: Timestamp) -> Option<Self> {
        // The cluster's own time has no fractions of a second.
        let latest = written.checked_add(SignedDuration::from_secs(1)).unwrap_or(written);
        entry.when = if entry.when < latest { entry.when } else { written };
        let its_own = entry.id == id && (entry.phase == Phase::End) == ended;
        its_own.then_some(Self { entry, written, by_job: false })
    }
}

/// One change, and who has a record of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The record; of its phases the last one.
    pub entry: Entry,
    /// Whether it is in the journal of this machine.
    pub local: bool,
    /// Whether it is in the cluster.
    pub cluster: bool,
}

/// The changes of an environment since then, oldest first. An entry is the environment's by its place; the name of a
/// context is each user's own, so it does not count for what the cluster says of its own namespace. Nor does the time
/// that an Event claims: what was written since then is shown.
pub fn merge(
    environment: &Environment,
    since: Option<Timestamp>,
    local: Vec<Entry>,
    mut cluster: Vec<Told>,
) -> Vec<Recorded> {
    let recent = |when: Timestamp| since.is_none_or(|since| when >= since);
    let here = |entry: &Entry| {
        let instance = environment.instance.is_none() || environment.instance == entry.instance;
        entry.namespace == environment.namespace && instance
    };
    let same_cluster = |entry: &Entry| entry.context == environment.context || entry.environment == environment.name;
    let mut changes: BTreeMap<String, Recorded> = BTreeMap::new();
    for entry in local.into_iter().filter(|entry| here(entry) && same_cluster(entry)) {
        match changes.get_mut(&entry.id) {
            Some(known) => add(&mut known.entry, entry),
            None => drop(changes.insert(entry.id.clone(), Recorded { entry, local: true, cluster: false })),
        }
    }
    // What was said first counts: who adds to it later cannot change it.
    cluster.sort_by_key(|told| (told.written, told.entry.phase));
    let mut told_since = BTreeMap::new();
    for told in cluster.into_iter().filter(|told| here(&told.entry)) {
        *told_since.entry(told.entry.id.clone()).or_insert(false) |= recent(told.written);
        match changes.get_mut(&told.entry.id) {
            Some(known) => {
                known.cluster = true;
                // Nobody's Event completes the user's own record.
                if known.entry.object == told.entry.object && (told.by_job || !known.local) {
                    add(&mut known.entry, told.entry);
                }
            }
            None => {
                let id = told.entry.id.clone();
                changes.insert(id, Recorded { entry: told.entry, local: false, cluster: true });
            }
        }
    }
    let shown = |change: &Recorded| match change.local {
        true => recent(change.entry.when),
        false => told_since.get(&change.entry.id).is_some_and(|since| *since),
    };
    let mut changes: Vec<Recorded> = changes.into_values().filter(shown).collect();
    changes.sort_by_key(|change| change.entry.when);
    changes
}

/// Adds what another record of the same change says. What is known stays; an end without a code is not known.
fn add(known: &mut Entry, other: Entry) {
    if other.phase == Phase::End && (known.phase == Phase::Begin || known.exit.is_none() && other.exit.is_some()) {
        known.phase = Phase::End;
        known.exit = other.exit;
        known.milliseconds = other.milliseconds;
    }
    known.who = known.who.take().or(other.who);
}

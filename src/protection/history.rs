//! What was changed in an environment: the user's own journal and the cluster's Events, as one list without doubles. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::journal::{Entry, Phase};
use crate::environment::Environment;

#[cfg(test)]
mod tests;

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
/// context is each user's own, so it does not count for what the cluster says of its own namespace.
pub fn merge(
    environment: &Environment,
    since: Option<Timestamp>,
    local: Vec<Entry>,
    cluster: Vec<Entry>,
) -> Vec<Recorded> {
    let here = |entry: &Entry| {
        let instance = environment.instance.is_none() || environment.instance == entry.instance;
        entry.namespace == environment.namespace && instance && since.is_none_or(|since| entry.when >= since)
    };
    let same_cluster = |entry: &Entry| entry.context == environment.context || entry.environment == environment.name;
    let local = local.into_iter().filter(|entry| here(entry) && same_cluster(entry)).map(|entry| (entry, true));
    let cluster = cluster.into_iter().filter(here).map(|entry| (entry, false));
    let mut changes: BTreeMap<String, Recorded> = BTreeMap::new();
    for (entry, is_local) in local.chain(cluster) {
        match changes.get_mut(&entry.id) {
            Some(known) => {
                known.local |= is_local;
                known.cluster |= !is_local;
                add(&mut known.entry, entry);
            }
            None => {
                let id = entry.id.clone();
                changes.insert(id, Recorded { entry, local: is_local, cluster: !is_local });
            }
        }
    }
    let mut changes: Vec<Recorded> = changes.into_values().collect();
    changes.sort_by_key(|change| change.entry.when);
    changes
}

/// Adds what another record of the same change says. What is known stays: an Event may be anybody's.
fn add(known: &mut Entry, other: Entry) {
    if known.phase == Phase::Begin && other.phase == Phase::End {
        known.phase = Phase::End;
        known.exit = other.exit;
        known.milliseconds = other.milliseconds;
    }
    known.who = known.who.take().or(other.who);
    known.object = known.object.take().or(other.object);
}

//! What the cluster itself says of the app's pods and workloads, as lines among theirs.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event as KubeEvent;
use kube::ResourceExt;
use tokio::sync::mpsc;

use super::{
    super::{
        Cluster,
        watch::{Seen, Selection, Watch},
    },
    wanted::LogsWanted,
};
use crate::{
    environment::Environment,
    error::Result,
    logs::{Entry, Event, Source},
};

/// How many events about objects that are not known are kept, in case they become so.
const EARLY: usize = 256;
/// What the lines are said to be from.
const NAME: &str = "events";

/// The app's objects, as `pod/web-1`: those that are gone, too.
#[derive(Default)]
pub(super) struct Known(RefCell<HashSet<String>>);

impl Known {
    /// This object is the app's.
    pub(super) fn add(&self, object: String) {
        self.0.borrow_mut().insert(object);
    }

    /// What an event is about, if it is the app's.
    fn of(&self, event: &KubeEvent) -> Option<String> {
        let object = &event.involved_object;
        let name = format!("{}/{}", object.kind.as_ref()?.to_lowercase(), object.name.as_ref()?);
        self.0.borrow().contains(&name).then_some(name)
    }
}

/// Hands over what the cluster says, from the time that is asked for on; without one, following, what comes.
///
/// # Errors
/// When events may not be listed, or the server has been away for too long.
pub(super) async fn read(
    cluster: &Cluster,
    environment: &Environment,
    wanted: &LogsWanted,
    known: &Known,
    out: mpsc::Sender<Vec<Event>>,
) -> Result<()> {
    let selection = Selection::of("events", &environment.namespace);
    let mut watch = Watch::<KubeEvent>::new(cluster, selection, None);
    let since = wanted.since.unwrap_or(Timestamp::MIN);
    // Whose clock is right is not known: what is new is what was not in the list.
    let is_old = wanted.follow && wanted.since.is_none();
    let until = wanted.until.unwrap_or(Timestamp::MAX);
    let source = Arc::new(Source {
        environment: environment.name.clone(),
        role: String::new(),
        pod: String::new(),
        container: String::new(),
        instance: 0,
        short: NAME.to_owned(),
    });
    // The same event is told of again and again: one of its times is one line.
    let mut told: HashMap<String, Timestamp> = HashMap::new();
    // What is about a pod that is not known yet, or is nobody's.
    let mut early: VecDeque<KubeEvent> = VecDeque::new();
    let mut lines = |events: Vec<KubeEvent>| {
        early.extend(events);
        let mut batch: Vec<Entry> = std::mem::take(&mut early)
            .into_iter()
            .filter_map(|event| {
                let Some(object) = known.of(&event) else {
                    early.push_back(event);
                    if early.len() > EARLY {
                        early.pop_front();
                    }
                    return None;
                };
                let time = time(&event).filter(|time| (since..=until).contains(time))?;
                let is_new = told.insert(event.uid().unwrap_or_default(), time) != Some(time);
                let line = Bytes::from(line(&object, &event));
                is_new.then(|| Entry { source: Arc::clone(&source), time, line, partial: false })
            })
            .collect();
        batch.sort_by_key(|entry| entry.time);
        batch.into_iter().map(Event::Entry).collect::<Vec<_>>()
    };
    let first = lines(watch.first().await?);
    if !first.is_empty() && !is_old && out.send(first).await.is_err() {
        return Ok(());
    }
    if !wanted.follow {
        let _ = out.send(vec![Event::Left(source, None)]).await;
        return Ok(());
    }
    loop {
        let seen = match watch.next().await? {
            Seen::All(events) => lines(events),
            Seen::One(event) => lines(vec![*event]),
            Seen::Gone(_) | Seen::Away(_) => continue,
        };
        if !seen.is_empty() && out.send(seen).await.is_err() {
            return Ok(());
        }
    }
}

fn time(event: &KubeEvent) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let first = event.event_time.as_ref().map(|time| time.0);
    series.or(last).or(first).or_else(|| event.creation_timestamp().map(|time| time.0))
}

/// `pod/web-1 Warning BackOff: Back-off restarting failed container (3 times)`.
fn line(object: &str, event: &KubeEvent) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let times = event.count.filter(|count| *count > 1).map(|count| format!(" ({count} times)")).unwrap_or_default();
    let message = word(&event.message).replace('\n', " ");
    format!("{object} {} {}: {}{times}", word(&event.type_), word(&event.reason), message.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_of_the_app_is_told() {
        let known = Known::default();
        known.add("pod/web-1".to_owned());
        known.add("deployment/shop-web".to_owned());
        let event = |kind: &str, name: &str| -> KubeEvent {
            serde_json::from_value(json!({
                "metadata": {}, "involvedObject": {"kind": kind, "name": name}, "type": "Warning", "reason": "BackOff",
                "message": "restarting\nit ", "count": 3, "lastTimestamp": "2026-11-21T12:00:00Z",
            }))
            .unwrap()
        };
        assert_eq!(known.of(&event("Pod", "web-1")).as_deref(), Some("pod/web-1"));
        assert_eq!(known.of(&event("Deployment", "shop-web")).as_deref(), Some("deployment/shop-web"));
        assert_eq!(known.of(&event("Pod", "other")), None);
        let event = event("Pod", "web-1");
        assert_eq!(time(&event), Some("2026-11-21T12:00:00Z".parse().unwrap()));
        assert_eq!(line("pod/web-1", &event), "pod/web-1 Warning BackOff: restarting it (3 times)");
    }
}

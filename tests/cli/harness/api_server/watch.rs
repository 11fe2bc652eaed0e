//! A watch: what happens to the objects, event by event.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    State,
    request::Recorded,
    route::{Kind, Target},
    selector, status,
    store::Change,
    stream::{Batch, Feed},
};

/// What a watch asked for, and how far it is.
pub struct Watch {
    request: Recorded,
    kind: &'static Kind,
    namespace: Option<String>,
    /// `None` before the objects that are there were told of.
    revision: Option<u64>,
    bookmarks: Option<usize>,
    end: Option<Instant>,
}

impl Watch {
    /// Begins after `resourceVersion`; without one (or with 0) what is there is told first.
    pub fn new(request: &Recorded, target: &Target<'_>, state: &State) -> Self {
        let revision = request.parameter("resourceVersion").and_then(|text| text.parse().ok());
        let asked = request.parameter("timeoutSeconds").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let timeout = state.watch_timeout.into_iter().chain(asked).min();
        Self {
            request: request.clone(),
            kind: target.kind,
            namespace: target.namespace.map(str::to_owned),
            revision: revision.filter(|&revision| revision > 0 && !asks_for_list(request)),
            bookmarks: (request.parameter("allowWatchBookmarks") == Some("true")).then_some(state.bookmarks),
            end: timeout.map(|timeout| Instant::now() + timeout),
        }
    }

    fn concerns(&self, object: &Value) -> bool {
        self.namespace.as_deref().is_none_or(|name| object["metadata"]["namespace"] == name)
            && selector::selects(&self.request, object)
    }

    /// An object that comes to be selected is added, one that no longer is was deleted.
    fn event(&self, change: &Change) -> Option<Value> {
        let was = change.before.as_ref().filter(|object| self.concerns(object));
        let is = change.after.as_ref().filter(|object| self.concerns(object));
        let (word, object) = match (was, is) {
            (None, Some(object)) => ("ADDED", object),
            (Some(_), Some(object)) => ("MODIFIED", object),
            (Some(_), None) => ("DELETED", change.after.as_ref().or(change.before.as_ref())?),
            (None, None) => return None,
        };
        Some(json!({"type": word, "object": self.kind.typed(object)}))
    }

    fn bookmark(&self, revision: u64, annotations: Value) -> Value {
        let metadata = json!({"resourceVersion": revision.to_string(), "annotations": annotations});
        json!({"type": "BOOKMARK", "object": self.kind.typed(&json!({"metadata": metadata}))})
    }
}

impl Feed for Watch {
    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn end(&self) -> Option<Instant> {
        self.end
    }

    fn next(&mut self, state: &State) -> Batch {
        let store = &state.store;
        let mut events = Vec::new();
        let mut over = false;
        match self.revision {
            None => {
                let there = store.objects().list(self.kind.resource, self.namespace.as_deref());
                let there = there.into_iter().filter(|object| self.concerns(object));
                events.extend(there.map(|object| json!({"type": "ADDED", "object": self.kind.typed(object)})));
                if asks_for_list(&self.request) {
                    events.push(self.bookmark(store.revision(), json!({"k8s.io/initial-events-end": "true"})));
                }
            }
            Some(revision) => match store.since(revision) {
                Some(changes) => {
                    let mine = changes.filter(|change| change.resource == self.kind.resource);
                    events.extend(mine.filter_map(|change| self.event(change)));
                }
                None => {
                    events.push(json!({"type": "ERROR", "object": status::expired(revision, store.revision())}));
                    over = true;
                }
            },
        }
        // A revision that is still to come is waited for.
        self.revision = Some(self.revision.unwrap_or_default().max(store.revision()));
        let timed_out = self.end.is_some_and(|end| Instant::now() >= end);
        if let Some(told) = self.bookmarks
            && (told < state.bookmarks || timed_out)
        {
            self.bookmarks = Some(state.bookmarks);
            events.push(self.bookmark(store.revision(), json!({})));
        }
        let bytes = events.iter().flat_map(|event| format!("{event}\n").into_bytes()).collect();
        Batch { bytes, more: false, over: over || timed_out }
    }
}

fn asks_for_list(request: &Recorded) -> bool {
    request.parameter("sendInitialEvents") == Some("true")
}

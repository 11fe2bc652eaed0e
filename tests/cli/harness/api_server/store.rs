//! The objects and all that happened to them: what a watch tells.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::objects::Objects;

/// The revision of the objects a test began with.
const FIRST: u64 = 4711;

/// An object that came, changed or went.
pub struct Change {
    /// The revision it made.
    pub revision: u64,
    /// Its resource.
    pub resource: String,
    /// What it was; `None` when it came.
    pub before: Option<Value>,
    /// What it is; `None` when it went.
    pub after: Option<Value>,
}

/// The objects, each with a uid and a resourceVersion.
pub struct Store {
    objects: Objects,
    revision: u64,
    forgotten: u64,
    changes: Vec<Change>,
    stirred: watch::Sender<()>,
}

impl Default for Store {
    fn default() -> Self {
        Self::new(Objects::default())
    }
}

impl Store {
    /// Begins with these.
    pub fn new(mut objects: Objects) -> Self {
        objects.iter_mut().for_each(|(_, object)| stamp(object, FIRST));
        let (stirred, _) = watch::channel(());
        Self { objects, revision: FIRST, forgotten: 0, changes: Vec::new(), stirred }
    }

    /// The objects as they are.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The newest revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Changes the objects; whatever is different afterwards is a [`Change`].
    pub fn change<R>(&mut self, change: impl FnOnce(&mut Objects) -> R) -> R {
        let before = self.objects.clone();
        let result = change(&mut self.objects);
        for (resource, old) in before.iter() {
            let stays = |(of, new): (&str, &Value)| of == resource && identity(new) == identity(old);
            if !self.objects.iter().any(stays) {
                self.revision += 1;
                let mut last = old.clone();
                stamp(&mut last, self.revision);
                self.changes.push(Change {
                    revision: self.revision,
                    resource: resource.to_owned(),
                    before: Some(last),
                    after: None,
                });
            }
        }
        for (resource, new) in self.objects.iter_mut() {
            let was = |(of, old): &(&str, &Value)| *of == resource && identity(old) == identity(new);
            let old = before.iter().find(was).map(|(_, old)| old);
            if old == Some(&*new) {
                continue;
            }
            self.revision += 1;
            stamp(new, self.revision);
            self.changes.push(Change {
                revision: self.revision,
                resource: resource.to_owned(),
                before: old.cloned(),
                after: Some(new.clone()),
            });
        }
        self.stir();
        result
    }

    /// What happened after this revision; `None` when that was forgotten.
    pub fn since(&self, revision: u64) -> Option<impl Iterator<Item = &Change>> {
        (revision >= self.forgotten).then(|| self.changes.iter().filter(move |change| change.revision > revision))
    }

    /// Forgets what happened so far.
    pub fn forget(&mut self) {
        self.revision += 1;
        self.forgotten = self.revision;
        self.stir();
    }

    /// Wakes whoever waits for something to happen in the cluster.
    pub fn stir(&self) {
        self.stirred.send_replace(());
    }

    /// Tells when something happened.
    pub fn stirred(&self) -> watch::Receiver<()> {
        self.stirred.subscribe()
    }
}

/// Now, as the API writes times.
pub fn now() -> String {
    format!("{:.0}", Timestamp::now())
}

/// An object of the same name that was made anew is another one.
fn identity(object: &Value) -> (&Value, &Value, &Value) {
    let metadata = &object["metadata"];
    (&metadata["namespace"], &metadata["name"], &metadata["uid"])
}

fn stamp(object: &mut Value, revision: u64) {
    let metadata = &mut object["metadata"];
    metadata["resourceVersion"] = json!(revision.to_string());
    if metadata["uid"].is_null() {
        metadata["uid"] = json!(format!("uid-{revision}-{}", metadata["name"].as_str().unwrap_or_default()));
    }
    if metadata["creationTimestamp"].is_null() {
        metadata["creationTimestamp"] = json!(now());
    }
}

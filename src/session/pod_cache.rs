//! Remembers for a moment which pod was chosen, so that the next command needs one request instead of two.
//!
//! Only for [`LIFETIME`], never for a protected environment, and never for a pod asked for by name: a pod that began to
//! terminate meanwhile may still be taken within that time. That it is gone is noticed, and another one chosen.
//! The file holds names, no secrets; when it cannot be read or written kdj works without it.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    cluster::{Target, Wanted},
    environment::Environment,
};

/// How long a choice is good for.
const LIFETIME: Duration = Duration::from_secs(20);

type Entries = BTreeMap<String, Entry>;

#[derive(Serialize, Deserialize)]
struct Entry {
    chosen: SystemTime,
    target: Target,
}

/// The pod chosen a moment ago for the same question.
pub(super) fn read(environment: &Environment, wanted: &Wanted) -> Option<Target> {
    let key = key(environment, wanted)?;
    let entry = load(&path()?).remove(&key)?;
    fresh(&entry).then_some(entry.target)
}

/// Remembers a choice.
pub(super) fn write(environment: &Environment, wanted: &Wanted, target: &Target) {
    let Some(key) = key(environment, wanted) else { return };
    change(|entries| {
        // What is worth saying about a choice was said when it was made.
        let target = Target { notes: Vec::new(), ..target.clone() };
        entries.insert(key, Entry { chosen: SystemTime::now(), target });
    });
}

/// Forgets a choice that turned out badly.
pub(super) fn forget(environment: &Environment, wanted: &Wanted) {
    if let Some(key) = key(environment, wanted) {
        change(|entries| drop(entries.remove(&key)));
    }
}

/// Everything the choice depends on; `None` when it is not to be remembered.
fn key(environment: &Environment, wanted: &Wanted) -> Option<String> {
    if environment.protected || wanted.pod.is_some() || !wanted.exclude.is_empty() {
        return None;
    }
    let Environment { context, namespace, instance, roles, .. } = environment;
    let kubeconfig = std::env::var_os("KUBECONFIG");
    Some(format!(
        "{kubeconfig:?} {context:?} {namespace:?} {instance:?} {roles:?} {:?} {:?}",
        wanted.role, wanted.container
    ))
}

fn path() -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("kdj").join("pods.json"))
}

fn load(path: &PathBuf) -> Entries {
    fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn fresh(entry: &Entry) -> bool {
    entry.chosen.elapsed().is_ok_and(|age| age < LIFETIME)
}

fn change(change: impl FnOnce(&mut Entries)) {
    let Some(path) = path() else { return };
    let mut entries = load(&path);
    entries.retain(|_, entry| fresh(entry));
    change(&mut entries);
    // Renamed into place, so that a command running beside this one never reads half a file.
    let _ = (|| {
        let folder = path.parent()?;
        fs::create_dir_all(folder).ok()?;
        let temporary = folder.join(format!("pods.{}.json", std::process::id()));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text = serde_json::to_vec(&entries).ok()?;
        let written = options.open(&temporary).and_then(|mut file| file.write_all(&text));
        written.and_then(|()| fs::rename(&temporary, &path)).or_else(|_| fs::remove_file(&temporary)).ok()
    })();
}

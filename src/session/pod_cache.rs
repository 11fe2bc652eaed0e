//! Remembers for a moment which pod was chosen, so that the next command needs one request instead of two.
//!
//! Only for [`LIFETIME`], never for a protected environment, and never for a pod asked for by name: a pod that began to
//! terminate meanwhile may still be taken within that time. That it is gone is noticed, and another one chosen.
//! The file holds names, no secrets; when it cannot be read or written kdj works without it.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    cluster::{Cluster, Target, Wanted},
    environment::Environment,
    own_file,
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
pub(super) fn read(environment: &Environment, wanted: &Wanted, cluster: &Cluster) -> Option<Target> {
    let key = key(environment, wanted, cluster.identity())?;
    let entry = load(&path()?).remove(&key)?;
    fresh(&entry).then_some(entry.target)
}

/// Remembers a choice.
pub(super) fn write(environment: &Environment, wanted: &Wanted, cluster: &Cluster, target: &Target) {
    let Some(key) = key(environment, wanted, cluster.identity()) else { return };
    change(|entries| {
        // What is worth saying about a choice was said when it was made.
        let target = Target { notes: Vec::new(), ..target.clone() };
        entries.insert(key, Entry { chosen: SystemTime::now(), target });
    });
}

/// Forgets a choice that turned out badly.
pub(super) fn forget(environment: &Environment, wanted: &Wanted, cluster: &Cluster) {
    if let Some(key) = key(environment, wanted, cluster.identity()) {
        change(|entries| drop(entries.remove(&key)));
    }
}

/// Everything the choice depends on; `None` when it is not to be remembered.
fn key(environment: &Environment, wanted: &Wanted, identity: &str) -> Option<String> {
    if environment.protected || wanted.pod.is_some() || !wanted.exclude.is_empty() {
        return None;
    }
    let Environment { name, namespace, instance, roles, .. } = environment;
    let Wanted { role, container, .. } = wanted;
    Some(format!("{identity} {name:?} {namespace:?} {instance:?} {roles:?} {role:?} {container:?}"))
}

fn path() -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("kdj").join("pods.json"))
}

/// What the file holds; nothing when it cannot be read, or others may have written it.
fn load(path: &Path) -> Entries {
    own_file::read(path).and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn fresh(entry: &Entry) -> bool {
    entry.chosen.elapsed().is_ok_and(|age| age < LIFETIME)
}

fn change(change: impl FnOnce(&mut Entries)) {
    let Some(path) = path() else { return };
    let mut entries = load(&path);
    entries.retain(|_, entry| fresh(entry));
    change(&mut entries);
    let _ = store(&path, &entries);
}

fn store(path: &Path, entries: &Entries) -> io::Result<()> {
    own_file::write(path, &serde_json::to_vec(entries)?)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_file_and_its_folder_are_the_users_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kdj/pods.json");
        store(&path, &Entries::new()).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn what_is_broken_or_may_be_somebody_elses_is_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pods.json");
        let target = Target {
            namespace: "shop".into(),
            pod: "web-1".into(),
            pod_uid: "1".into(),
            container: "app".into(),
            image: String::new(),
            image_id: String::new(),
            role: "web".into(),
            kind: crate::cluster::Kind::Web,
            workload: "deployment/web".into(),
            revision: None,
            notes: Vec::new(),
            sidecars: Vec::new(),
        };
        store(&path, &Entries::from([("key".into(), Entry { chosen: SystemTime::now(), target })])).unwrap();
        assert_eq!(load(&path).len(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(load(&path).len(), 0);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for rubbish in ["", "{", "[]", r#"{"key": {"chosen": 1}}"#] {
            fs::write(&path, rubbish).unwrap();
            assert_eq!(load(&path).len(), 0, "{rubbish}");
        }
    }
}

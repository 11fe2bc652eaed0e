//! The user's own record: a file of JSON lines, appended to and never rewritten.
//!
//! Each change has two lines of the same shape, joined by its id: one before it, one after it. A change whose second line
//! is missing was cut short, or still goes on.

use std::{
    fs,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(test)]
pub(super) mod tests;

/// Raised when a field changes its meaning or goes away; new fields don't raise it.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The shape's version.
    pub version: u32,
    /// What joins the lines and Events of one change.
    pub id: String,
    /// Which of the two lines it is.
    pub phase: Phase,
    /// When the change began.
    pub when: Timestamp,
    /// The environment, as it was called.
    pub environment: String,
    /// The context of the kubeconfig.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// The instance, where the environment is one of several in a namespace.
    #[serde(default)]
    pub instance: Option<String>,
    /// Who it was, as the cluster sees it; absent when it was not asked or did not say.
    #[serde(default)]
    pub who: Option<String>,
    /// The local user.
    pub user: String,
    /// The local host.
    pub host: String,
    /// The verb: `shell`.
    pub verb: String,
    /// The command, without what looks secret.
    #[serde(default)]
    pub command: Vec<String>,
    /// Why, if somebody said.
    #[serde(default)]
    pub reason: Option<String>,
    /// The pod or Job: `pod/web-1`, `job/run-1`.
    #[serde(default)]
    pub object: Option<String>,
    /// kdj's exit code; absent before the end, and when nobody knows.
    #[serde(default)]
    pub exit: Option<u8>,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub milliseconds: Option<u64>,
}

/// Before the change, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The change is about to be made.
    Begin,
    /// It is over, as far as kdj had to do with it.
    End,
}

/// Where a Job belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPlace {
    /// The environment, as it was called then.
    pub environment: String,
    /// Its context.
    pub context: String,
    /// Its namespace.
    pub namespace: String,
    /// Its instance, where it was one of several in a namespace.
    pub instance: Option<String>,
}

impl JobPlace {
    /// The place as it can be typed, whatever the configuration calls it: `CONTEXT/NAMESPACE[/INSTANCE]`.
    pub fn literal(&self) -> String {
        let instance = self.instance.as_ref().map(|instance| format!("/{instance}")).unwrap_or_default();
        format!("{}/{}{instance}", self.context, self.namespace)
    }
}

/// What the file holds.
#[derive(Debug, Default)]
pub struct Lines {
    /// The lines in the order they were written.
    pub entries: Vec<Entry>,
    /// How many could not be read.
    pub unreadable: usize,
}

/// Where the file is: `kdj/audit.jsonl` in the user's state directory. `None` without a home.
pub fn path() -> Option<PathBuf> {
    Some(dirs::state_dir().or_else(dirs::data_local_dir)?.join("kdj").join("audit.jsonl"))
}

/// The places in which kdj made a Job of this name, from this machine; the last one last.
pub fn places_of_job(name: &str) -> Vec<JobPlace> {
    path().and_then(|path| read(&path).ok()).map(|lines| find_job(lines, name)).unwrap_or_default()
}

fn find_job(lines: Lines, name: &str) -> Vec<JobPlace> {
    let object = format!("job/{name}");
    let mut places: Vec<JobPlace> = Vec::new();
    for entry in lines.entries.into_iter().filter(|entry| entry.object.as_ref() == Some(&object)) {
        let Entry { environment, context, namespace, instance, .. } = entry;
        places.retain(|known| (&known.context, &known.namespace) != (&context, &namespace));
        places.push(JobPlace { environment, context, namespace, instance });
    }
    places
}

/// Reads the file; one that is not there is empty.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read(path: &Path) -> io::Result<Lines> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lines::default()),
        text => text?,
    };
    let mut lines = Lines::default();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        match serde_json::from_slice::<Entry>(line) {
            Ok(entry) => lines.entries.push(entry),
            Err(_) => lines.unreadable += 1,
        }
    }
    Ok(lines)
}

/// Appends a line: in one write, so that commands running side by side do not mix theirs.
///
/// # Errors
/// When it cannot be written, or the file is not the user's own.
pub fn append(path: &Path, entry: &Entry) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    let mut file = open(path)?;
    // A line that was cut short, by a full disk, must not take this one with it.
    if file.seek(SeekFrom::End(-1)).is_ok() {
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            line.insert(0, b'\n');
        }
    }
    file.write_all(&line)?;
    // What follows may take the machine down.
    if entry.phase == Phase::Begin { file.sync_data() } else { Ok(()) }
}

/// Opens the file to append to, and makes it and its folder when they are not there: the user's alone, no link, a file.
fn open(path: &Path) -> io::Result<fs::File> {
    let mut folders = fs::DirBuilder::new();
    let mut options = fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        folders.mode(0o700);
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits() as _);
    }
    let folder = path.parent().unwrap_or(path);
    folders.recursive(true).create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let about = fs::symlink_metadata(folder)?;
        if !about.is_dir() || about.uid() != rustix::process::geteuid().as_raw() || about.mode() & 0o022 != 0 {
            let folder = folder.display();
            return Err(io::Error::other(format!("`{folder}` is no folder that you alone can write to (chmod 700)")));
        }
    }
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let about = file.metadata()?;
        if !about.is_file() || about.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other("it is no file of your own"));
        }
        if about.mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(file)
}

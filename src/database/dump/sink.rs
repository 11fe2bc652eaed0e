//! Where a dump goes: to stdout, or to a file that has its name only when it is whole. Written by a thread of its own: a
//! slow disk must not stop the connection's pings.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    error::{Error, Result},
    exit::Failure,
    names,
    streams::Pieces,
    ui::terminal::RawStdout,
};

/// How many batches wait for a slow disk, of some 128 KiB each: the bound of the memory.
const WAITING: usize = 8;

/// Where a dump goes.
#[derive(Debug)]
pub(super) struct Sink {
    sender: mpsc::Sender<Pieces>,
    written: oneshot::Receiver<io::Result<()>>,
    bytes: Arc<AtomicU64>,
    whole: Arc<AtomicBool>,
    file: Option<Unnamed>,
}

/// A file that does not have its name yet; without one it goes.
#[derive(Debug)]
struct Unnamed {
    part: PathBuf,
    path: PathBuf,
}

impl Sink {
    /// A file, for the user alone. Beside it another one is written, which takes its place at the end.
    ///
    /// # Errors
    /// When it cannot be made there.
    pub(super) fn file(path: &Path) -> Result<Self> {
        let failed = |error| unwritten(&path.display().to_string(), &error);
        if path.is_dir() {
            return Err(Error::usage(format!("`{}` is a directory", names::shown(&path.display().to_string()))));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let part = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&part).map_err(failed)?;
        let unnamed = Unnamed { part, path: path.to_owned() };
        let sink = Self::start(Out::File(file)).map_err(failed)?;
        Ok(Self { file: Some(unnamed), ..sink })
    }

    /// Stdout.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub(super) fn stdout() -> Result<Self> {
        Self::start(Out::Stdout(RawStdout)).map_err(|error| unwritten("stdout", &error))
    }

    fn start(out: Out) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (done, written) = oneshot::channel();
        let (bytes, whole) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, is_whole) = (bytes.clone(), whole.clone());
        thread::Builder::new().name("dump".to_owned()).spawn(move || {
            // The sender learns of a failure by the closed channel, at the next message.
            let _ = done.send(write_all(out, receiver, &counter, &is_whole));
        })?;
        Ok(Self { sender, written, bytes, whole, file: None })
    }

    /// Where the bytes go.
    pub(super) fn sender(&self) -> mpsc::Sender<Pieces> {
        self.sender.clone()
    }

    /// How many have been written.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// All has come: waits until it is written, on the disk too, and gives the file its name. Returns how much it was.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) async fn commit(self) -> Result<u64> {
        let Self { sender, written, bytes, whole, file } = self;
        whole.store(true, Ordering::Release);
        drop(sender);
        let name = file.as_ref().map_or("stdout".to_owned(), |file| file.path.display().to_string());
        let written = written.await.unwrap_or_else(|_| Err(io::Error::other("the thread that writes it is gone")));
        written.and_then(|()| file.map_or(Ok(()), Unnamed::name)).map_err(|error| unwritten(&name, &error))?;
        Ok(bytes.load(Ordering::Relaxed))
    }

    /// Not all has come, or not all could be written: of a file nothing stays. Returns why it could not be written, if
    /// that is it.
    pub(super) async fn give_up(self) -> Option<Error> {
        let Self { sender, written, file, .. } = self;
        drop(sender);
        let name = file.as_ref().map_or("stdout".to_owned(), |file| file.path.display().to_string());
        match written.await {
            Ok(Err(error)) => Some(unwritten(&name, &error)),
            _ => None,
        }
    }
}

impl Unnamed {
    fn name(self) -> io::Result<()> {
        fs::rename(&self.part, &self.path)?;
        // That it is there is on the disk with the folder.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        // Once it has its name there is none of this one.
        let _ = fs::remove_file(&self.part);
    }
}

enum Out {
    File(File),
    Stdout(RawStdout),
}

fn write_all(
    mut out: Out,
    mut receiver: mpsc::Receiver<Pieces>,
    bytes: &AtomicU64,
    whole: &AtomicBool,
) -> io::Result<()> {
    while let Some(pieces) = receiver.blocking_recv() {
        for piece in pieces {
            match &mut out {
                Out::File(file) => file.write_all(&piece)?,
                Out::Stdout(stdout) => stdout.write_all(&piece)?,
            }
            bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    }
    match &out {
        Out::File(file) if whole.load(Ordering::Acquire) => file.sync_all(),
        _ => Ok(()),
    }
}

fn unwritten(name: &str, error: &io::Error) -> Error {
    let message = match error.kind() {
        io::ErrorKind::BrokenPipe => {
            return Error::new(Failure::Failed, "nobody reads the dump any more").caused_by(error);
        }
        _ => format!("cannot write `{}`", names::shown(name)),
    };
    Error::failed(message).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_has_its_name_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.sql");
        fs::write(&path, "old").unwrap();
        let sink = Sink::file(&path).unwrap();
        sink.sender().send(vec!["ne".into(), "w".into()]).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(sink.commit().await.unwrap(), 3);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }

        let sink = Sink::file(&path).unwrap();
        sink.sender().send(vec!["half".into()]).await.unwrap();
        assert!(sink.give_up().await.is_none());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        drop(Sink::file(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        assert!(Sink::file(folder.path()).is_err());
        assert!(Sink::file(&folder.path().join("no/such")).is_err());
    }
}

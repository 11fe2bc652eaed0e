//! Runs a program in a container for what it prints, without the terminal.

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::{
    cluster::{Cluster, Ending, Exec, ExecStdin, Target, Unread},
    error::{Error, Result},
    streams::{Input, Pieces, Streams},
};

/// How much is kept of each output.
const LIMIT: usize = 16 << 20;

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Captured {
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
    /// How it ended.
    pub ending: Ending,
    /// Which of the alternatives it was.
    pub alternative: usize,
}

/// Runs the first of `alternatives` that the image has, with `stdin`, whose end it is not told of.
///
/// # Errors
/// When it cannot be started.
pub async fn capture(
    cluster: &Cluster,
    target: &Target,
    alternatives: &[Vec<String>],
    stdin: &[u8],
) -> Result<Captured> {
    let Target { namespace, pod, container, .. } = target;
    let mut captured = None;
    for (alternative, argv) in alternatives.iter().enumerate() {
        let reads = if stdin.is_empty() { ExecStdin::Absent } else { ExecStdin::AtOnce };
        let exec = Exec { namespace, pod, container, argv, tty: false, stdin: reads, kept: false };
        let session = cluster.exec(exec).await.map_err(Error::from)?;
        let (inputs, input) = mpsc::channel(1);
        if reads != ExecStdin::Absent {
            let first = Input::Data(Bytes::copy_from_slice(stdin));
            inputs.try_send(first).map_err(|error| Error::failed("cannot send the input").caused_by(error))?;
        }
        let (_controls, control) = mpsc::channel(1);
        let (_sizes, size) = watch::channel(None);
        let (stdout, out) = mpsc::channel(4);
        let (stderr, err) = mpsc::channel(4);
        let mut streams = Streams { input, control, size, stdout, stderr };
        let mut unread = Unread::default();
        let run = async {
            let ending = session.run(&mut streams, &mut unread).await;
            drop(streams);
            ending
        };
        let (ending, stdout, stderr) = futures::join!(run, collect(out), collect(err));
        let over = !matches!(ending, Ending::NotFound(_));
        captured = Some(Captured { stdout, stderr, ending, alternative });
        if over {
            break;
        }
    }
    captured.ok_or_else(|| Error::failed("there is nothing to execute"))
}

/// All that comes, as text.
pub async fn collect(mut pieces: mpsc::Receiver<Pieces>) -> String {
    let mut bytes = Vec::new();
    while let Some(pieces) = pieces.recv().await {
        for piece in pieces {
            let room = LIMIT.saturating_sub(bytes.len());
            bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

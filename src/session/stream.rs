//! Runs a program in a container, and hands its stdout on as it comes, without the terminal.

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::collect;
use crate::{
    cluster::{Cluster, Ending, Exec, ExecStdin, Target, Unread},
    error::{Error, Result},
    streams::{Control, Input, Pieces, Streams},
    ui::terminal::interrupted,
};

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Streamed {
    /// Its stderr.
    pub stderr: String,
    /// How it ended.
    pub ending: Ending,
}

/// Runs the first of `alternatives` that the image has. It reads `stdin`, whose end does not come before its own: a
/// program that watches it knows when nobody wants the output any more. A signal ends the session.
///
/// # Errors
/// When it cannot be started.
pub async fn stream(
    cluster: &Cluster,
    target: &Target,
    alternatives: &[Vec<String>],
    stdin: Bytes,
    stdout: mpsc::Sender<Pieces>,
) -> Result<Streamed> {
    let Target { namespace, pod, container, .. } = target;
    let mut streamed = None;
    for argv in alternatives {
        let exec = Exec { namespace, pod, container, argv, tty: false, stdin: ExecStdin::AtOnce, kept: false };
        let session = cluster.exec(exec).await.map_err(Error::from)?;
        let (inputs, input) = mpsc::channel(1);
        let first = Input::Data(stdin.clone());
        inputs.try_send(first).map_err(|error| Error::failed("cannot send the input").caused_by(error))?;
        let (controls, control) = mpsc::channel(1);
        let (_sizes, size) = watch::channel(None);
        let (stderr, err) = mpsc::channel(4);
        let mut streams = Streams { input, control, size, stdout: stdout.clone(), stderr };
        let mut unread = Unread::default();
        let run = async {
            let running = session.run(&mut streams, &mut unread);
            let signal = async {
                let _ = controls.send(Control::Signal(interrupted().await)).await;
                std::future::pending().await
            };
            let ending = tokio::select! {
                ending = running => ending,
                never = signal => match never {},
            };
            drop(streams);
            ending
        };
        let (ending, stderr) = futures::join!(run, collect(err));
        drop(inputs);
        let over = !matches!(ending, Ending::NotFound(_));
        streamed = Some(Streamed { stderr, ending });
        if over {
            break;
        }
    }
    streamed.ok_or_else(|| Error::failed("there is nothing to execute"))
}

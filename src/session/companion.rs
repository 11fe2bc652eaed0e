//! A program without a terminal that runs beside a session, and is talked to: its lines of JSON, and its stdin.

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::{Place, capture::collect};
use crate::{
    cluster::{Ending, ExecStdin, Target, Unread},
    error::{Error, Result},
    streams::{Input, Pieces, Streams},
};

/// What a companion printed and said, and how it ended, when it did not answer.
#[derive(Debug)]
pub struct Silent {
    /// Its stderr.
    pub stderr: String,
    /// How it ended.
    pub ending: Ending,
}

/// The companion's stdin and stdout.
#[derive(Debug)]
pub struct Companion {
    input: mpsc::Sender<Input>,
    stdout: mpsc::Receiver<Pieces>,
    text: Vec<u8>,
}

impl Companion {
    /// The next line that begins with `mark`, without that; `None` when stdout ends before.
    pub async fn line(&mut self, mark: &str) -> Option<String> {
        loop {
            while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.text.drain(..=end).collect();
                if let Some(rest) = String::from_utf8_lossy(&line).strip_prefix(mark) {
                    return Some(rest.trim_end().to_owned());
                }
            }
            for piece in self.stdout.recv().await? {
                self.text.extend_from_slice(&piece);
            }
        }
    }

    /// Sends a byte, and the end of stdin.
    pub async fn finish(&self) {
        for input in [Input::Data(Bytes::from_static(b"\n")), Input::Eof] {
            // Who does not read it any more has ended.
            let _ = self.input.send(input).await;
        }
    }
}

impl Place<'_> {
    /// Runs the first of `alternatives` that the image has, with `stdin` as the beginning of its stdin, and `beside` when
    /// it has printed a line that begins with `mark`; `beside` gets the rest of that line. The program ends with its stdin,
    /// at the latest when `beside` is over. The inner error is for a program that printed no such line.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn accompany<T>(
        &self,
        target: &mut Target,
        alternatives: &[Vec<String>],
        stdin: &[u8],
        mark: &str,
        beside: impl AsyncFnOnce(&Target, String, &mut Companion) -> T,
    ) -> Result<Result<T, Silent>> {
        let mut replaced = false;
        let mut silent = None;
        let mut beside = Some(beside);
        for argv in alternatives {
            let session = self.open(target, argv, false, ExecStdin::Streamed, false, &mut replaced).await?;
            let (inputs, input) = mpsc::channel(3);
            let first = Input::Data(Bytes::copy_from_slice(stdin));
            inputs.try_send(first).map_err(|error| Error::failed("cannot send the input").caused_by(error))?;
            let (_controls, control) = mpsc::channel(1);
            let (_sizes, size) = watch::channel(None);
            let (stdout, out) = mpsc::channel(4);
            let (stderr, err) = mpsc::channel(4);
            let mut streams = Streams { input, control, size, stdout, stderr };
            let mut unread = Unread::default();
            let running = async {
                let ending = session.run(&mut streams, &mut unread).await;
                drop(streams);
                ending
            };
            let talking = async {
                let mut companion = Companion { input: inputs, stdout: out, text: Vec::new() };
                let line = companion.line(mark).await?;
                let done = beside.take()?(target, line, &mut companion).await;
                companion.finish().await;
                while companion.stdout.recv().await.is_some() {}
                Some(done)
            };
            let (ending, stderr, done) = futures::join!(running, collect(err), talking);
            if let Some(done) = done {
                return Ok(Ok(done));
            }
            let again = matches!(ending, Ending::NotFound(_));
            silent = Some(Silent { stderr, ending });
            if !again {
                break;
            }
        }
        silent.map(Err).ok_or_else(|| Error::failed("there is nothing to execute"))
    }
}

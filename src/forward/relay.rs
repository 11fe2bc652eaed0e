//! What the app reaches is reached through it: a few lines of Python in one of its containers connect there. They listen
//! on the pod's loopback, so that kdj comes by the same tunnel as to any port, and let nobody in without a secret.

use std::{future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, watch},
    time::{interval, timeout},
};

use super::Place;
use crate::{
    cluster::{Ending, Exec, ExecStdin, Target, Unread},
    django,
    error::{Error, Result},
    session::runtime_words,
    streams::{Control, Input, Pieces, Streams},
};

#[cfg(all(test, unix))]
mod tests;

/// Runs in the container's Python, 3.6 or later.
const RELAY: &str = include_str!("relay.py");
/// How long it may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How often kdj shows that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// After so many seconds without one the relay ends.
const SILENCE: u32 = 30;
/// What its answer begins with.
const MARK: &[u8] = b"kdj-relay: ";
/// How much of what it says about its end is kept, and of a line before its answer.
const LAST_WORDS: usize = 4096;

/// What proves to the relay that it is kdj who comes.
pub(super) type Secret = [u8; 32];

/// A relay that runs in a pod.
pub(super) struct Relay {
    run: Pin<Box<dyn Future<Output = Ending>>>,
    inputs: mpsc::Sender<Input>,
    output: mpsc::Receiver<Pieces>,
    errors: mpsc::Receiver<Pieces>,
    /// The last that it wrote to stderr.
    said: Vec<u8>,
    _control: mpsc::Sender<Control>,
    _size: watch::Sender<Option<crate::streams::Size>>,
    /// Where it listens on the pod's loopback.
    pub(super) port: u16,
    /// What a connection there begins with.
    pub(super) secret: Secret,
}

/// What the relay is told.
#[derive(Serialize)]
struct Told<'a> {
    secret: String,
    host: &'a str,
    port: u16,
    silence: u32,
}

/// What it answers.
#[derive(Deserialize)]
struct Answer {
    port: u16,
}

impl Relay {
    /// Starts a relay to `host` and `port` in the target's container.
    ///
    /// # Errors
    /// When the container has no Python, or nothing can be executed there.
    pub(super) async fn start(place: &Place<'_>, target: &Target, host: &str, port: u16) -> Result<Self> {
        let secret = secret()?;
        let told = Told { secret: secret.iter().map(|b| format!("{b:02x}")).collect(), host, port, silence: SILENCE };
        let (start, mut stdin) = django::python_on_stdin(&place.environment.django, RELAY);
        stdin.extend(serde_json::to_vec(&told).unwrap_or_default());
        stdin.push(b'\n');
        let mut not_found = String::new();
        for argv in &start.alternatives {
            let mut relay = Self::execute(place, target, argv, &stdin, secret).await?;
            match timeout(START_LIMIT, relay.answer()).await {
                Ok(Ok(port)) => return Ok(Self { port, ..relay }),
                Ok(Err(Ending::NotFound(message))) => not_found = message,
                Ok(Err(ending)) => return Err(failed(target).caused_by(relay.last_words(&ending))),
                Err(_) => {
                    return Err(failed(target).caused_by(format!("it did not start in {} s", START_LIMIT.as_secs())));
                }
            }
        }
        Err(failed(target).caused_by(runtime_words(&not_found)))
    }

    async fn execute(
        place: &Place<'_>,
        target: &Target,
        argv: &[String],
        stdin: &[u8],
        secret: Secret,
    ) -> Result<Self> {
        let Target { namespace, pod, container, .. } = target;
        let exec = Exec { namespace, pod, container, argv, tty: false, stdin: ExecStdin::AtOnce, kept: false };
        let session = place.cluster.exec(exec).await.map_err(Error::from)?;
        let (inputs, input) = mpsc::channel(2);
        inputs.try_send(Input::Data(Bytes::copy_from_slice(stdin))).map_err(|error| failed(target).caused_by(error))?;
        let (control_end, control) = mpsc::channel(1);
        let (size_end, size) = watch::channel(None);
        let (stdout, output) = mpsc::channel(4);
        let (stderr, errors) = mpsc::channel(4);
        let mut streams = Streams { input, control, size, stdout, stderr };
        let run = Box::pin(async move { session.run(&mut streams, &mut Unread::default()).await });
        let said = Vec::new();
        Ok(Self { run, inputs, output, errors, said, _control: control_end, _size: size_end, port: 0, secret })
    }

    /// The port it listens on, or how it ended instead.
    async fn answer(&mut self) -> Result<u16, Ending> {
        let mut read = Vec::new();
        loop {
            tokio::select! {
                ending = &mut self.run => return Err(ending),
                Some(pieces) = self.errors.recv() => keep_last(&mut self.said, &pieces.concat()),
                Some(pieces) = self.output.recv() => {
                    read.extend(pieces.concat());
                    if let Some(port) = port_in(&mut read) {
                        return Ok(port);
                    }
                }
            }
        }
    }

    /// Shows the relay that kdj is there, until it ends; says why it did. Can be dropped and called again.
    pub(super) async fn ended(&mut self) -> String {
        let mut signs = interval(SIGN_OF_LIFE);
        loop {
            tokio::select! {
                ending = &mut self.run => return self.last_words(&ending),
                // Input that does not go through is the connection's trouble, and noticed there.
                _ = signs.tick() => drop(self.inputs.try_send(Input::Data(Bytes::from_static(b"\n")))),
                // Unread, they would hold up what the connection carries beside them.
                Some(_) = self.output.recv() => {}
                Some(pieces) = self.errors.recv() => keep_last(&mut self.said, &pieces.concat()),
            }
        }
    }

    /// The last line that it wrote to stderr, or how it ended.
    fn last_words(&mut self, ending: &Ending) -> String {
        while let Ok(pieces) = self.errors.try_recv() {
            keep_last(&mut self.said, &pieces.concat());
        }
        let said = String::from_utf8_lossy(&self.said);
        match (ending, said.lines().rev().find(|line| !line.trim().is_empty())) {
            (Ending::Lost(cause), _) => cause.clone(),
            (_, Some(words)) => words.to_owned(),
            (Ending::Exited(code), None) => format!("its process ended with exit code {code}"),
            (Ending::NotFound(why) | Ending::CannotExec(why) | Ending::Gone(why) | Ending::Refused(why), None) => {
                runtime_words(why).to_owned()
            }
            (Ending::Left | Ending::OutputClosed | Ending::Signal(_), None) => "its session was ended".to_owned(),
        }
    }
}

/// The port in the first whole line with the mark; what stands before is dropped.
fn port_in(read: &mut Vec<u8>) -> Option<u16> {
    while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = read.drain(..=end).collect();
        let marked = line.windows(MARK.len()).position(|window| window == MARK);
        let answer = marked.and_then(|start| serde_json::from_slice::<Answer>(&line[start + MARK.len()..]).ok());
        if let Some(answer) = answer {
            return Some(answer.port);
        }
    }
    keep_last(read, &[]);
    None
}

/// Adds to what is kept, and drops the oldest of what is too much.
fn keep_last(kept: &mut Vec<u8>, more: &[u8]) {
    kept.extend_from_slice(more);
    kept.drain(..kept.len().saturating_sub(LAST_WORDS));
}

fn failed(target: &Target) -> Error {
    let Target { pod, container, .. } = target;
    Error::failed(format!("cannot start the relay in pod {pod} (container {container})"))
        .hint("it needs Python 3.6 or later in the container; another one: `[roles.NAME] container` in kdj.toml")
}

/// Random bytes, from where TLS has its own.
fn secret() -> Result<Secret> {
    let mut secret = Secret::default();
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut secret).map_err(|_| Error::failed("this system has no random numbers"))?;
    Ok(secret)
}

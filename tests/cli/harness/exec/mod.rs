//! The server's side of exec and attach: the WebSocket, the channel protocol, and a script of what the remote command
//! does and of what befalls the connection.
//!
//! * [`frame`] reads and writes WebSocket frames, by hand: pongs can be withheld, a frame can be cut in two.
//! * [`session`] upgrades and plays; [`player`] takes the steps of the script.
//! * [`refusal`] is an upgrade that never comes about.

pub mod frame;
mod player;
mod record;
mod refusal;
mod session;

use std::time::Duration;

use serde_json::Value;

pub use self::{record::ExecRecord, refusal::Refusal, session::Session};
use super::api_server::{http::Response, status};

/// Channel of the bytes to the command.
pub const STDIN: u8 = 0;
/// Channel of the command's output.
pub const STDOUT: u8 = 1;
/// Channel of the command's errors.
pub const STDERR: u8 = 2;
/// Channel of the final Status.
pub const STATUS: u8 = 3;
/// Channel of `{"Width":80,"Height":24}`.
pub const RESIZE: u8 = 4;
/// Channel that closes another (v5 only).
pub const CLOSE: u8 = 255;

/// One step of what happens in a session. Input and pings are received all along, whatever the step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends bytes on a channel, in one message.
    Send(u8, Vec<u8>),
    /// Sends bytes on a channel, in one message of several WebSocket frames of this length.
    SendInFragments(u8, Vec<u8>, usize),
    /// Waits for these bytes, the next to come on stdin.
    ExpectStdin(Vec<u8>),
    /// Waits until stdin, from where it was read last, has this byte somewhere; what comes before is skipped.
    WaitForByte(u8),
    /// Waits for the end of stdin (v5 only).
    ExpectStdinEof,
    /// Sends stdin back on stdout until it ends.
    EchoStdin,
    /// Waits until the terminal has this size, columns before rows.
    ExpectResize(u16, u16),
    /// Sends this many bytes of a [`Flood`](super::Flood) to stdout, in messages of `chunk` bytes.
    Flood {
        /// How many bytes in all.
        bytes: u64,
        /// How many in one message.
        chunk: usize,
    },
    /// Floods stdout until this byte comes on stdin, at most this many bytes.
    FloodUntilByte(u8, u64),
    /// The command ends with this code.
    ExitCode(i32),
    /// Sends this Status.
    Status(Value),
    /// Closes as WebSockets are closed. It happens by itself after the last step, unless the session was cut.
    Close,
    /// Resets the TCP connection.
    Cut,
    /// Closes the TCP connection without a word, as a proxy that ends does.
    HangUp,
    /// Waits until the client ends the connection.
    ExpectHangUp,
    /// Reads nothing, answers nothing, not even pings, for so long.
    Stall(Duration),
    /// Whether pings are answered from now on.
    AnswerPings(bool),
    /// Nothing, for so long; input is received, pings are answered.
    Pause(Duration),
}

impl Step {
    /// Sends text to stdout.
    pub fn stdout(text: &str) -> Self {
        Self::Send(STDOUT, text.as_bytes().to_vec())
    }

    /// Sends text to stderr.
    pub fn stderr(text: &str) -> Self {
        Self::Send(STDERR, text.as_bytes().to_vec())
    }

    /// The end of a command whose program is not in the image.
    pub fn executable_not_found(program: &str) -> Self {
        Self::Status(status::executable_not_found(program))
    }
}

/// An exec (or attach) that a test expects, and what it meets.
#[derive(Clone, Debug)]
pub struct Exec {
    pod: Option<String>,
    attach: bool,
    times: Option<usize>,
    reply: Reply,
}

/// What an exec meets.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A session.
    Play(Script),
    /// Another answer than an upgrade.
    Refuse(Response),
}

/// A session's script.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The steps.
    pub steps: Vec<Step>,
    /// Agrees to `v4.channel.k8s.io` only, as clusters before 1.30 do.
    pub only_v4: bool,
    /// Between client and server stands a proxy that cuts when the client is silent for so long.
    pub idle_cut: Option<Duration>,
}

impl Exec {
    /// A session in which this happens. Without an ending of its own it is closed after the last step.
    pub fn plays(steps: impl IntoIterator<Item = Step>) -> Self {
        let script = Script { steps: steps.into_iter().collect(), ..Script::default() };
        Self { pod: None, attach: false, times: Some(1), reply: Reply::Play(script) }
    }

    /// A session whose command prints this and ends with this code.
    pub fn prints(text: &str, code: i32) -> Self {
        Self::plays([Step::stdout(text), Step::ExitCode(code)])
    }

    /// No session.
    pub fn refused(refusal: &Refusal) -> Self {
        Self { pod: None, attach: false, times: Some(1), reply: Reply::Refuse(refusal.response()) }
    }

    /// In this pod only.
    pub fn in_pod(mut self, pod: &str) -> Self {
        self.pod = Some(pod.to_owned());
        self
    }

    /// For attach instead of exec.
    pub fn attach(mut self) -> Self {
        self.attach = true;
        self
    }

    /// Again and again, and not missed when it never comes.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// With the v4 protocol only.
    pub fn only_v4(mut self) -> Self {
        if let Reply::Play(script) = &mut self.reply {
            script.only_v4 = true;
        }
        self
    }

    /// Through a proxy that cuts when nothing came from the client for so long.
    pub fn idle_cut(mut self, after: Duration) -> Self {
        if let Reply::Play(script) = &mut self.reply {
            script.idle_cut = Some(after);
        }
        self
    }
}

/// An [`Exec`] that waits for its request.
pub struct Scripted {
    exec: Exec,
    used: usize,
}

impl Scripted {
    /// Not used yet.
    pub fn new(exec: Exec) -> Self {
        Self { exec, used: 0 }
    }

    /// Whether it is for this request.
    pub fn matches(&self, path: &str, pod: &str) -> bool {
        path.ends_with("/attach") == self.exec.attach
            && self.exec.pod.as_deref().is_none_or(|wanted| wanted == pod)
            && self.exec.times.is_none_or(|times| self.used < times)
    }

    /// Uses it.
    pub fn take(&mut self) -> Reply {
        self.used += 1;
        self.exec.reply.clone()
    }

    /// What is amiss at the end.
    pub fn complaint(&self) -> Option<String> {
        let missed = self.exec.times.is_some_and(|times| self.used < times);
        missed.then(|| format!("this exec never came: {:?}", self.exec))
    }
}

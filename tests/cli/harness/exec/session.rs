//! One session: the upgrade, what is received, what is played.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    sync::{Mutex, mpsc, watch},
    time::sleep,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{
    CLOSE, RESIZE, STDIN, Script,
    frame::{self, Frame, Opcode},
    player::{Ended, Player},
    record::ExecRecord,
};
use crate::harness::api_server::{http::Response, request::Recorded, status};

/// Changes the session's record where tests see it.
pub type Record<'a> = dyn Fn(&mut dyn FnMut(&mut ExecRecord)) + Send + Sync + 'a;

/// A session that was agreed on.
pub struct Session {
    script: Script,
    record: ExecRecord,
    accept: String,
}

impl Session {
    /// Agrees to an upgrade, or says what is wrong with the request.
    ///
    /// # Errors
    /// With the answer for the client.
    pub fn open(request: &Recorded, namespace: &str, pod: &str, script: Script) -> Result<Self, Response> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let bad = |message: &str| Response::json(400, &status::failure(400, "BadRequest", message));
        let upgrade = request.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
        let Some(key) = request.header("sec-websocket-key").filter(|_| upgrade) else {
            return Err(bad("Upgrade request required"));
        };
        let offered: Vec<String> = request
            .header("sec-websocket-protocol")
            .unwrap_or_default()
            .split(',')
            .map(|p| p.trim().to_owned())
            .collect();
        let known: &[&str] =
            if script.only_v4 { &["v4.channel.k8s.io"] } else { &["v5.channel.k8s.io", "v4.channel.k8s.io"] };
        let Some(protocol) = offered.iter().find(|offer| known.contains(&offer.as_str())).cloned() else {
            return Err(Response::new(403, "text/plain", "no sub-protocol in common"));
        };
        let on = |name: &str| matches!(request.parameter(name), Some("true" | "1"));
        let record = ExecRecord {
            id: NUMBER.fetch_add(1, Ordering::SeqCst),
            path: request.path.clone(),
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            container: request.parameter("container").map(str::to_owned),
            argv: request.parameters("command"),
            tty: on("tty"),
            streams: ["stdin", "stdout", "stderr"].into_iter().filter(|name| on(name)).map(str::to_owned).collect(),
            offered,
            protocol,
            stdin: Vec::new(),
            stdin_closed: false,
            resizes: Vec::new(),
            pings: Vec::new(),
            messages: Vec::new(),
            close_code: None,
            hung_up: false,
            flooded: 0,
            started: Instant::now(),
            finished: None,
        };
        if record.streams.is_empty() {
            return Err(bad("you must specify at least 1 of stdin, stdout, stderr"));
        }
        if record.tty && on("stderr") {
            return Err(bad("tty and stderr cannot both be true"));
        }
        Ok(Self { script, record, accept: derive_accept_key(key.as_bytes()) })
    }

    /// The record, as it is at the start.
    pub fn record(&self) -> ExecRecord {
        self.record.clone()
    }

    /// Upgrades and plays the script to its end. Dropping the stream is how the connection ends; `reset` makes that a
    /// reset.
    ///
    /// # Errors
    /// With what the script expected in vain.
    pub async fn play(
        self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        early: Vec<u8>,
        record: &Record<'_>,
        reset: impl Fn(),
    ) -> Result<(), String> {
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \
             {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
            self.accept, self.record.protocol
        );
        if stream.write_all(head.as_bytes()).await.is_err() {
            return Ok(());
        }
        let (reader, writer) = split(stream);
        let writer = Mutex::new(writer);
        let (heard, hears) = watch::channel(Heard::default());
        let stalled = Arc::new(watch::channel(false).0);
        let pongs = AtomicBool::new(true);
        let (pong, mut pongs_due) = mpsc::unbounded_channel::<Vec<u8>>();
        let ears = Ears {
            record,
            heard: &heard,
            stalled: stalled.subscribe(),
            pongs: &pongs,
            pong,
            v5: self.record.protocol.starts_with("v5"),
            started: self.record.started,
        };
        let early: &[u8] = &early;
        let listening = async {
            let problem = ears.listen(&mut early.chain(reader), &writer).await.err();
            record(&mut |record| record.hung_up = record.close_code.is_none());
            heard.send_modify(|heard| heard.ended = true);
            // The script decides when it is over.
            match problem.filter(|error| error.kind() == io::ErrorKind::InvalidData) {
                Some(problem) => Err(format!("the client breaks the protocol: {problem}")),
                None => std::future::pending().await,
            }
        };
        let mut player = Player::new(&writer, hears.clone(), record, &stalled, &pongs, self.script.steps);
        let playing = async {
            match player.play().await? {
                Ended::Reset => reset(),
                Ended::HungUp => {}
            }
            Ok(())
        };
        // Beside the listening, so that pings are recorded while output is blocked.
        let ponging = async {
            while let Some(payload) = pongs_due.recv().await {
                if frame::write(&mut *writer.lock().await, true, Opcode::Pong, &payload).await.is_err() {
                    break;
                }
            }
            std::future::pending().await
        };
        let watching = async {
            let Some(limit) = self.script.idle_cut else { return std::future::pending().await };
            while hears.borrow().last.elapsed() < limit {
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            result = listening => result,
            result = playing => result,
            () = watching => Ok(()),
            () = ponging => Ok(()),
        }
    }
}

/// What was heard so far, for the script to wait on.
pub struct Heard {
    /// All of stdin.
    pub stdin: Vec<u8>,
    /// Whether stdin ended.
    pub stdin_closed: bool,
    /// The last size of the terminal.
    pub size: Option<(u16, u16)>,
    /// When something came last.
    pub last: Instant,
    /// Whether nothing more can come.
    pub ended: bool,
}

impl Default for Heard {
    fn default() -> Self {
        Self { stdin: Vec::new(), stdin_closed: false, size: None, last: Instant::now(), ended: false }
    }
}

/// The receiving half.
struct Ears<'a> {
    record: &'a Record<'a>,
    heard: &'a watch::Sender<Heard>,
    stalled: watch::Receiver<bool>,
    pongs: &'a AtomicBool,
    pong: mpsc::UnboundedSender<Vec<u8>>,
    v5: bool,
    started: Instant,
}

impl Ears<'_> {
    /// Receives until the client closes, in either way.
    async fn listen<W: AsyncWrite + Unpin>(
        mut self,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &Mutex<W>,
    ) -> io::Result<()> {
        let mut message = Vec::new();
        while let Some(Frame { last, opcode, payload }) = frame::read(reader).await? {
            let _ = self.stalled.wait_for(|stalled| !stalled).await;
            self.heard.send_modify(|heard| heard.last = Instant::now());
            match opcode {
                Opcode::Ping => {
                    let at = self.started.elapsed();
                    (self.record)(&mut |record| record.pings.push(at));
                    if self.pongs.load(Ordering::SeqCst) {
                        let _ = self.pong.send(payload);
                    }
                }
                Opcode::Pong => {}
                Opcode::Close => {
                    let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    (self.record)(&mut |record| record.close_code = Some(code));
                    let _ = frame::write(&mut *writer.lock().await, true, Opcode::Close, &payload).await;
                    return Ok(());
                }
                Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                    message.extend_from_slice(&payload);
                    if last {
                        self.message(&std::mem::take(&mut message))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes a whole message: a channel, and what came on it.
    fn message(&self, message: &[u8]) -> io::Result<()> {
        let invalid = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        let Some((&channel, bytes)) = message.split_first() else { return invalid("an empty message".to_owned()) };
        (self.record)(&mut |record| record.messages.push((channel, bytes.len())));
        match channel {
            STDIN => {
                (self.record)(&mut |record| record.stdin.extend_from_slice(bytes));
                let closed = self.heard.borrow().stdin_closed;
                if closed && !bytes.is_empty() {
                    return invalid("stdin after its end".to_owned());
                }
                self.heard.send_modify(|heard| heard.stdin.extend_from_slice(bytes));
            }
            RESIZE => {
                let size: serde_json::Value = serde_json::from_slice(bytes)?;
                let number = |key: &str| size[key].as_u64().and_then(|number| u16::try_from(number).ok());
                let Some(size) = number("Width").zip(number("Height")) else {
                    return invalid(format!("a resize of {size}"));
                };
                (self.record)(&mut |record| record.resizes.push(size));
                self.heard.send_modify(|heard| heard.size = Some(size));
            }
            CLOSE if self.v5 && bytes == [STDIN] => {
                (self.record)(&mut |record| record.stdin_closed = true);
                self.heard.send_modify(|heard| heard.stdin_closed = true);
            }
            _ => return invalid(format!("{} bytes on channel {channel}", bytes.len())),
        }
        Ok(())
    }
}

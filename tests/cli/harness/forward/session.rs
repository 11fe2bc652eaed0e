//! One WebSocket of a port-forward, and the connections on it.

use std::{collections::HashMap, io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    time::timeout,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{
    Forwarded, PortForward, Service,
    spdy::{self, Frame},
};
use crate::harness::{
    api_server::{http::Response, request::Recorded, status},
    exec::frame::{self, Opcode},
    flood::Flood,
};

const PROTOCOL: &str = "SPDY/3.1+portforward.k8s.io";
/// How much a flood sends at once, as the API server's copying does.
const CHUNK: usize = 32 * 1024;

/// Changes the records of connections where tests see them.
pub type Records<'a> = dyn Fn(&mut dyn FnMut(&mut Vec<Forwarded>)) + Send + Sync + 'a;

/// A port-forward that was agreed on.
pub struct Session {
    script: PortForward,
    number: usize,
    pod: String,
    accept: String,
}

/// How a WebSocket ends.
pub enum Ended {
    /// In a FIN.
    HungUp,
    /// In a reset.
    Reset,
}

impl Session {
    /// Agrees to an upgrade, or says what is wrong with the request.
    ///
    /// # Errors
    /// With the answer for the client.
    pub fn open(request: &Recorded, pod: &str, script: PortForward) -> Result<Self, Response> {
        if let Some(refusal) = script.refusal {
            return Err(refusal);
        }
        let upgrade = request.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
        let offered = request.header("sec-websocket-protocol").unwrap_or_default();
        match request.header("sec-websocket-key").filter(|_| upgrade) {
            None => Err(Response::json(400, &status::failure(400, "BadRequest", "Upgrade request required"))),
            Some(_) if !offered.split(',').any(|offer| offer.trim() == PROTOCOL) => {
                Err(Response::new(400, "text/plain", "unable to upgrade: no tunneling spdy protocols provided"))
            }
            Some(key) => {
                let accept = derive_accept_key(key.as_bytes());
                Ok(Self { script, number: request.connection, pod: pod.to_owned(), accept })
            }
        }
    }

    /// Upgrades and serves until either side ends the WebSocket.
    ///
    /// # Errors
    /// With how the client broke the protocol.
    pub async fn serve(
        self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        early: Vec<u8>,
        records: &Records<'_>,
    ) -> Result<Ended, String> {
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \
             {}\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n",
            self.accept
        );
        if stream.write_all(head.as_bytes()).await.is_err() {
            return Ok(Ended::HungUp);
        }
        let (reader, writer) = split(stream);
        let limit = self.script.idle_cut.unwrap_or(Duration::MAX);
        let number = self.number;
        let mut server = Server { session: self, writer, records, opening: HashMap::new(), services: HashMap::new() };
        let mut reader = early.as_slice().chain(reader);
        let result = server.listen(&mut reader, limit).await;
        records(&mut |all| {
            let open = all.iter_mut().filter(|one| one.id.0 == number && server.services.contains_key(&one.id.1));
            open.for_each(|one| one.reset = true);
        });
        match result {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(format!("port-forward: {error}")),
            Err(_) => Ok(Ended::HungUp),
            Ok(ended) => Ok(ended),
        }
    }
}

/// The serving half.
struct Server<'a, W> {
    session: Session,
    writer: W,
    records: &'a Records<'a>,
    /// The error streams that wait for their data stream, by request.
    opening: HashMap<String, u32>,
    /// By data stream: its error stream, and what it meets.
    services: HashMap<u32, (u32, Service)>,
}

impl<W: AsyncWrite + Unpin> Server<'_, W> {
    async fn listen(&mut self, reader: &mut (impl AsyncRead + Unpin), limit: Duration) -> io::Result<Ended> {
        let mut bytes = Vec::new();
        loop {
            let Ok(frame) = timeout(limit, frame::read(reader)).await else { return Ok(Ended::HungUp) };
            let Some(frame) = frame? else { return Ok(Ended::HungUp) };
            match frame.opcode {
                Opcode::Ping => frame::write(&mut self.writer, true, Opcode::Pong, &frame.payload).await?,
                Opcode::Close => {
                    frame::write(&mut self.writer, true, Opcode::Close, &frame.payload).await?;
                    return Ok(Ended::HungUp);
                }
                _ => bytes.extend(frame.payload),
            }
            while let Some(frame) = spdy::take(&mut bytes)? {
                let speaks = matches!(frame, Frame::Data(..));
                match self.frame(frame).await? {
                    Some(Service::Cut) if speaks => return Ok(Ended::Reset),
                    Some(Service::Silence) if speaks => {
                        while reader.read(&mut [0; 4096]).await? > 0 {}
                        return Ok(Ended::HungUp);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Answers a frame; gives the service that was spoken to.
    async fn frame(&mut self, frame: Frame) -> io::Result<Option<Service>> {
        match frame {
            Frame::Ping(id) => self.send(&spdy::ping(id)).await?,
            Frame::Open(stream, headers) => {
                self.send(&spdy::reply(stream)).await?;
                self.open(stream, &headers).await?;
            }
            Frame::Reset(stream) => {
                let given_up = self.services.remove(&stream).is_some();
                self.record(stream, |one| one.reset |= given_up);
            }
            Frame::Data(stream, bytes, last) => {
                let Some((_, service)) = self.services.get(&stream).cloned() else { return Ok(None) };
                self.record(stream, |one| {
                    one.received.extend_from_slice(&bytes);
                    one.ended |= last;
                });
                self.spoken(stream, &service, &bytes, last).await?;
                return Ok(Some(service));
            }
        }
        Ok(None)
    }

    async fn open(&mut self, stream: u32, headers: &HashMap<String, String>) -> io::Result<()> {
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        let (request, port) = (header("requestid"), header("port").parse().unwrap_or_default());
        if header("streamtype") == "error" {
            self.opening.insert(request, stream);
            return Ok(());
        }
        let Some(error) = self.opening.remove(&request) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a data stream of its own: {headers:?}")));
        };
        let record = Forwarded {
            id: (self.session.number, stream),
            pod: self.session.pod.clone(),
            port,
            received: Vec::new(),
            ended: false,
            reset: false,
        };
        (self.records)(&mut |all| all.push(record.clone()));
        let service = self.session.script.services.iter().find(|(served, _)| *served == port);
        let Some((_, service)) = service.cloned() else {
            let why = format!("dial tcp4 127.0.0.1:{port}: connect: connection refused");
            return self.fail(stream, error, port, &why).await;
        };
        self.services.insert(stream, (error, service.clone()));
        match service {
            Service::Send(bytes) => {
                self.send(&spdy::data(stream, &bytes, false)).await?;
                self.end(stream).await
            }
            _ => Ok(()),
        }
    }

    /// What a service says to what it hears.
    async fn spoken(&mut self, stream: u32, service: &Service, bytes: &[u8], last: bool) -> io::Result<()> {
        match service {
            Service::Echo if !bytes.is_empty() => self.send(&spdy::data(stream, bytes, false)).await?,
            Service::Count if last => {
                let mut count = 0;
                self.record(stream, |one| count = one.received.len());
                self.send(&spdy::data(stream, format!("{count} bytes\n").as_bytes(), false)).await?;
                self.end(stream).await?;
            }
            Service::Flood(length) => {
                let (flood, mut chunk) = (Flood::new(), vec![0; CHUNK]);
                for position in (0..*length).step_by(CHUNK) {
                    let size = usize::try_from(length - position).unwrap_or(CHUNK).min(CHUNK);
                    flood.fill(position, &mut chunk[..size]);
                    self.send(&spdy::data(stream, &chunk[..size], false)).await?;
                }
                self.end(stream).await?;
            }
            Service::Reset => {
                let Some((error, _)) = self.services.remove(&stream) else { return Ok(()) };
                self.fail(stream, error, 0, "read tcp4 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer")
                    .await?;
            }
            _ => {}
        }
        if last && matches!(service, Service::Echo) {
            self.end(stream).await?;
        }
        Ok(())
    }

    /// The connection ended well.
    async fn end(&mut self, stream: u32) -> io::Result<()> {
        let Some((error, _)) = self.services.remove(&stream) else { return Ok(()) };
        self.send(&spdy::data(stream, b"", true)).await?;
        self.send(&spdy::data(error, b"", true)).await
    }

    /// The connection failed. containerd ends the data stream first and says why afterwards.
    async fn fail(&mut self, stream: u32, error: u32, port: u16, why: &str) -> io::Result<()> {
        let words = format!("error forwarding port {port} to pod 0c2f, uid : failed to execute portforward: {why}");
        self.send(&spdy::data(stream, b"", true)).await?;
        self.send(&spdy::data(error, words.as_bytes(), false)).await?;
        self.send(&spdy::reset(error)).await
    }

    async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        frame::write(&mut self.writer, true, Opcode::Binary, frame).await
    }

    fn record(&self, stream: u32, mut change: impl FnMut(&mut Forwarded)) {
        let id = (self.session.number, stream);
        (self.records)(&mut |all| all.iter_mut().filter(|one| one.id == id).for_each(&mut change));
    }
}

//! A client of answers that come bit by bit.

use std::{io, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::ApiServer;

/// A watch or a log that is being read.
pub struct Streamed {
    stream: TcpStream,
    /// What came and was not read as chunks.
    raw: Vec<u8>,
    /// What came in chunks and was not read as lines.
    body: Vec<u8>,
    over: bool,
}

impl Streamed {
    /// Opens it; the answer must be 200 and chunked.
    pub async fn open(server: &ApiServer, target: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.expect("a connection");
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut streamed = Self { stream, raw: Vec::new(), body: Vec::new(), over: false };
        let head = streamed.raw_until(b"\r\n\r\n").await.expect("a head");
        let head = String::from_utf8(head).expect("text");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("chunked"), "{head}");
        streamed
    }

    async fn raw_until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.raw.windows(end.len()).position(|window| window == end) {
                return Ok(self.raw.drain(..at + end.len()).collect());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        let read = timeout(Duration::from_secs(10), self.stream.read_buf(&mut self.raw));
        match read.await.map_err(|_| io::ErrorKind::TimedOut)?? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn chunk(&mut self) -> io::Result<()> {
        let size = String::from_utf8(self.raw_until(b"\r\n").await?).expect("a size");
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a size");
        while self.raw.len() < size + 2 {
            self.read().await?;
        }
        self.body.extend(self.raw.drain(..size));
        self.raw.drain(..2);
        self.over = size == 0;
        Ok(())
    }

    /// The next line without its newline; `None` at the clean end.
    pub async fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(at) = self.body.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.body.drain(..=at).collect();
                return Ok(Some(String::from_utf8_lossy(&line[..at]).into_owned()));
            }
            if self.over {
                return Ok(None);
            }
            self.chunk().await?;
        }
    }

    /// Everything up to the clean end.
    pub async fn rest(mut self) -> io::Result<Vec<u8>> {
        while !self.over {
            self.chunk().await?;
        }
        Ok(self.body)
    }

    /// The next event of a watch: its type, and its object.
    pub async fn event(&mut self) -> (String, Value) {
        let line = self.line().await.expect("a line").expect("an event");
        let mut event: Value = serde_json::from_str(&line).expect("JSON");
        (event["type"].as_str().expect("a type").to_owned(), event["object"].take())
    }

    /// The types and names of the next events.
    pub async fn events<const N: usize>(&mut self) -> [String; N] {
        let mut events = Vec::new();
        for _ in 0..N {
            let (word, object) = self.event().await;
            events.push(format!("{word} {}", object["metadata"]["name"].as_str().unwrap_or_default()));
        }
        events.try_into().expect("as many")
    }

    /// Whether nothing comes for a while.
    pub async fn is_quiet(&mut self) -> bool {
        self.body.is_empty() && timeout(Duration::from_millis(100), self.chunk()).await.is_err()
    }
}

//! A forward proxy (CONNECT, and absolute URLs for plain HTTP), to see what goes through it.
//!
//! Every name it is asked for is this machine: a name is needed, since loopback addresses go round proxies.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use super::wait::Watched;

/// A running proxy. Its thread waits for connections until the tests end.
pub struct Proxy {
    port: u16,
    targets: Arc<Watched<Vec<String>>>,
}

impl Proxy {
    /// One that lets all through.
    pub fn start() -> Self {
        Self::answering(None)
    }

    /// One that answers 407.
    pub fn that_wants_a_password() -> Self {
        let head = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"acme\"\r\n";
        Self::answering(Some(format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n")))
    }

    fn answering(refusal: Option<String>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("the port that was bound").port();
        let targets = Arc::new(Watched::<Vec<String>>::default());
        thread::spawn({
            let targets = Arc::clone(&targets);
            move || {
                for client in socket.incoming().flatten() {
                    let (targets, refusal) = (Arc::clone(&targets), refusal.clone());
                    thread::spawn(move || serve(client, refusal.as_deref(), &targets));
                }
            }
        });
        Self { port, targets }
    }

    /// For `proxy-url` and HTTPS_PROXY.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it was asked to connect to.
    pub fn targets(&self) -> Vec<String> {
        self.targets.with(|targets| targets.clone())
    }
}

/// Serves one connection: a tunnel, or one plain request.
fn serve(client: TcpStream, refusal: Option<&str>, targets: &Watched<Vec<String>>) -> Option<()> {
    client.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut writer = client;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next()?, words.next()?.to_owned());
    targets.with(|targets| targets.push(target.clone()));
    if let Some(refusal) = refusal {
        return writer.write_all(refusal.as_bytes()).ok();
    }
    let absolute = target.strip_prefix("http://");
    let address = absolute.map_or(target.as_str(), |url| url.split('/').next().unwrap_or(url)).to_owned();
    let port: u16 = address.rsplit_once(':')?.1.parse().ok()?;
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    if method == "CONNECT" {
        writer.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    } else {
        server
            .write_all(
                head.replacen(&target, &target[target.find('/')? + 2..][address_length(&target)?..], 1).as_bytes(),
            )
            .ok()?;
    }
    let back = (server.try_clone().ok()?, writer.try_clone().ok()?);
    let backwards = thread::spawn(move || pump(back.0, back.1));
    pump(reader, server);
    backwards.join().ok()
}

/// The length of `HOST:PORT` in `http://HOST:PORT/…`.
fn address_length(url: &str) -> Option<usize> {
    url.strip_prefix("http://")?.find('/')
}

fn pump(mut from: impl Read, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

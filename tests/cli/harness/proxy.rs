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

    /// A SOCKS5 one that asks for this login.
    pub fn socks(user: &str, password: &str) -> Self {
        let login = (user.to_owned(), password.to_owned());
        Self::serving(move |client, targets| serve_socks(client, &login, targets))
    }

    fn answering(refusal: Option<String>) -> Self {
        Self::serving(move |client, targets| serve(client, refusal.as_deref(), targets))
    }

    fn serving(serve: impl Fn(TcpStream, &Watched<Vec<String>>) -> Option<()> + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("the port that was bound").port();
        let targets = Arc::new(Watched::<Vec<String>>::default());
        let serve = Arc::new(serve);
        thread::spawn({
            let targets = Arc::clone(&targets);
            move || {
                for client in socket.incoming().flatten() {
                    let (targets, serve) = (Arc::clone(&targets), Arc::clone(&serve));
                    thread::spawn(move || serve(client, &targets));
                }
            }
        });
        Self { port, targets }
    }

    /// For `proxy-url` and HTTPS_PROXY.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same as a SOCKS5 proxy with a login, percent-encoded.
    pub fn socks_url(&self, login: &str) -> String {
        format!("socks5://{login}@127.0.0.1:{}", self.port)
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
    tunnel(reader, &writer, server)
}

/// Reads so many bytes, then a length and as many bytes as that.
fn counted(client: &mut TcpStream, before: usize) -> Option<Vec<u8>> {
    let mut head = vec![0; before + 1];
    client.read_exact(&mut head).ok()?;
    let mut rest = vec![0; usize::from(head[before])];
    client.read_exact(&mut rest).ok()?;
    Some(rest)
}

fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

/// Serves one SOCKS5 connection to a name (RFC 1928 and 1929).
fn serve_socks(mut client: TcpStream, login: &(String, String), targets: &Watched<Vec<String>>) -> Option<()> {
    client.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let methods = counted(&mut client, 1)?;
    let by_password = methods.contains(&2);
    client.write_all(&[5, if by_password { 2 } else { 0xff }]).ok()?;
    let shown = (text(counted(&mut client, 1)?)?, text(counted(&mut client, 0)?)?);
    client.write_all(&[1, u8::from(shown != *login)]).ok()?;
    let name = text(counted(&mut client, 4)?)?;
    let mut port = [0; 2];
    client.read_exact(&mut port).ok()?;
    let port = u16::from_be_bytes(port);
    targets.with(|targets| targets.push(format!("{name}:{port}")));
    let server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).ok()?;
    tunnel(client.try_clone().ok()?, &client, server)
}

fn tunnel(reader: impl Read, writer: &TcpStream, server: TcpStream) -> Option<()> {
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

//! `kdj status --web`: its address, who gets an answer, how it ends. What a browser makes of it is in `page`.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use rustix::process::Signal;

use crate::harness::{ApiServer, CommandOutput, Fault, Kdj, On, process::Running, shop, shop::NAMESPACE};

/// A page that is served, and its address.
pub struct Served {
    pub running: Running,
    pub address: String,
}

/// Serves the page with these words behind `kdj status --web`.
#[track_caller]
pub fn serve(kdj: &Kdj, words: &[&str]) -> Served {
    let running = kdj.start(["status", "--web"].iter().chain(words));
    running.wait_for_stdout("/\n");
    let address = running.stdout_so_far().trim_end().to_owned();
    Served { running, address }
}

impl Served {
    /// The port and the token.
    fn parts(&self) -> (u16, String) {
        let (place, token) =
            self.address.strip_prefix("http://127.0.0.1:").expect("loopback").split_once('/').expect("a path");
        (place.parse().expect("a port"), token.trim_end_matches('/').to_owned())
    }

    /// Sends a request, in which `PORT` and `TOKEN` are its own; reads until `sign` or the end.
    fn ask(&self, request: &str, sign: &str) -> String {
        let (port, token) = self.parts();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("kdj listens");
        stream.set_read_timeout(Some(crate::harness::wait::DEADLINE)).expect("a time limit");
        let request = request.replace("PORT", &port.to_string()).replace("TOKEN", &token);
        stream.write_all(request.as_bytes()).expect("kdj reads");
        let (mut text, mut buffer) = (String::new(), [0; 4096]);
        while !text.contains(sign) {
            match stream.read(&mut buffer).expect("an answer in time") {
                0 => break,
                count => text.push_str(&String::from_utf8_lossy(&buffer[..count])),
            }
        }
        text
    }

    /// Ends it, as Ctrl-C does.
    pub fn stop(self) -> CommandOutput {
        self.running.signal(Signal::INT);
        self.running.finish().expect_code(130)
    }
}

#[test]
fn the_address_is_told_once_and_what_it_serves_is_only_read() {
    let server = ApiServer::http(shop::two_web_pods());
    server.log(NAMESPACE, "web-7c9d8f-aaaaa", "django", "one\n\x1b[31mtwo\x1b[0m\n");
    let served = serve(&Kdj::on(&server), &["qa", "-v"]);
    let events = served.ask("GET /TOKEN/events HTTP/1.1\r\nhost: localhost:PORT\r\n\r\n", "\"version\":1");
    assert!(events.contains("event: status\ndata: {") && events.contains("\"environment\":\"qa\""), "{events}");
    let log =
        "GET /TOKEN/log?environment=qa&pod=web-7c9d8f-aaaaa&container=django HTTP/1.1\r\nhost: [::1]:PORT\r\n\r\n";
    let log = served.ask(log, "two");
    assert!(log.contains("event: lines\ndata: {") && log.contains("\"one\",\"two\"]"), "{log}");
    for (request, code) in [
        ("GET / HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\n\r\n", 403),
        ("GET /TOKEN/ HTTP/1.1\r\nhost: evil.example:PORT\r\n\r\n", 403),
        ("GET /TOKEN/ HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\norigin: http://evil.example\r\n\r\n", 403),
        ("GET /TOKEN/ HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\nsec-fetch-site: cross-site\r\n\r\n", 403),
        ("POST /TOKEN/ HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\ncontent-length: 0\r\n\r\n", 405),
        ("GET /TOKEN/log?environment=qa&pod=other&container=django HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\n\r\n", 404),
        ("GET /TOKEN/scale HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\n\r\n", 404),
    ] {
        let answer = served.ask(request, "\r\n\r\n");
        assert!(answer.starts_with(&format!("HTTP/1.1 {code} ")), "{request}: {answer}");
    }
    let (_, token) = served.parts();
    let output = served.stop();
    assert_eq!(output.stdout_text().matches(&token).count(), 1, "{output}");
    assert!(!output.stderr.contains(&token), "{output}");
    assert!(output.stderr.contains("open this address to see qa; Ctrl-C ends it"), "{output}");
    assert!(server.requests().iter().all(|request| request.method == "GET"), "{}", server.request_lines());
}

#[test]
fn it_listens_on_the_loopback_addresses_only() {
    let server = ApiServer::http(shop::two_web_pods());
    let served = serve(&Kdj::on(&server), &["qa"]);
    let (port, _) = served.parts();
    let table = |name: &str| std::fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    let all = table("tcp") + &table("tcp6");
    let ends = format!(":{port:04X}");
    let listening = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let addresses: Vec<&str> =
        listening.filter(|it| it.len() > 3 && it[3] == "0A" && it[1].ends_with(&ends)).map(|it| it[1]).collect();
    assert!(!addresses.is_empty(), "{all}");
    for address in addresses {
        let is_loopback = address.starts_with("0100007F:") || address.starts_with("00000000000000000000000001000000:");
        assert!(is_loopback, "{address}");
    }
    let _ = served.stop();
}

#[test]
fn a_port_that_is_taken_is_an_error_before_anything_is_asked() {
    let server = ApiServer::http(shop::two_web_pods());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let output = Kdj::on(&server).run(["status", "qa", "--web", "--port", &port]).expect_code(1);
    assert!(output.stderr.starts_with(&format!("error: port {port} is in use")), "{output}");
    assert!(output.stderr.contains("without `--port` any free one is taken"), "{output}");
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn flags_that_mean_nothing_with_the_page_are_refused() {
    for words in [
        &["--web", "-w"][..],
        &["--web", "--why"],
        &["--web", "--tasks"],
        &["--web", "--migrations"],
        &["--web", "-o", "json"],
        &["--port", "8000"],
        &["--web", "--port", "80"],
        &["--web", "--port", "x"],
    ] {
        let _ = Kdj::bare().run(["status", "qa"].iter().chain(words)).expect_code(2);
    }
}

#[test]
fn nothing_to_see_ends_it_and_says_why() {
    let server = ApiServer::http(shop::two_web_pods());
    server.fault(On::any(), Fault::unauthorized());
    let output = Kdj::on(&server).run(["status", "qa", "--web"]).expect_code(1);
    assert!(output.stderr.contains("error: "), "{output}");
    let _ = Kdj::on(&server).run(["status", "nosuch", "--web"]).expect_code(2);
}

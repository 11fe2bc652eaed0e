//! The page over real connections.

use std::{cell::Cell, rc::Rc};

use futures::FutureExt;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::*;
use crate::{
    environment::Kind,
    error::Error,
    logs::Event,
    status::{Container, Health, Link, Pod, Presence, Role, Status},
};

/// A page that is served, with no log to read.
struct Served {
    updates: mpsc::Sender<Update>,
    port: u16,
    token: String,
}

/// Serves a page of `qa` and `prod` while `test` runs.
async fn served<F: Future<Output = ()>>(read_log: ReadLog, test: impl FnOnce(Served) -> F) {
    let page = Page::open(None).unwrap();
    let address = page.address();
    let (updates, receiver) = mpsc::channel(4);
    let token = address.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    let served = Served { updates, port: page.guard.port, token };
    assert_eq!(address, format!("http://127.0.0.1:{}/{}/", served.port, served.token));
    let named = ["qa", "prod"].map(|name| Named { name: name.to_owned(), program: format!("kdj --context {name}") });
    let named = named.to_vec();
    tokio::select! {
        never = page.serve(named, read_log, receiver) => match never {},
        () = async { timeout(Duration::from_secs(20), test(served)).await.expect("within its time") } => {}
    }
}

fn no_log() -> ReadLog {
    Box::new(|_, _| async { panic!("no log was to be read") }.boxed_local())
}

impl Served {
    /// Sends a request as it is.
    async fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        Answer { stream, text: String::new() }
    }

    /// Gets what is below the token.
    async fn get(&self, path: &str) -> Answer {
        let Self { token, port, .. } = self;
        let close = if path.is_empty() { "connection: close\r\n" } else { "" };
        self.send(&format!("GET /{token}/{path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{close}\r\n")).await
    }

    async fn tell(&self, status: Status) {
        self.updates.send(Update::Status(Box::new(status))).await.unwrap();
    }
}

/// What came back so far.
struct Answer {
    stream: TcpStream,
    text: String,
}

impl Answer {
    /// All that comes until the end.
    async fn all(mut self) -> String {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).await.unwrap();
        self.text + &String::from_utf8(bytes).unwrap()
    }

    /// Reads until `sign` has come, and returns what came up to it.
    async fn until(&mut self, sign: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.text.find(sign) {
                let rest = self.text.split_off(at + sign.len());
                return std::mem::replace(&mut self.text, rest);
            }
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the connection ended: {}", self.text);
            self.text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    }

    /// The data of the next event of this name.
    async fn event(&mut self, name: &str) -> Value {
        self.until(&format!("event: {name}\ndata: ")).await;
        serde_json::from_str(&self.until("\n").await).unwrap()
    }
}

/// `web` with so many ready pods of two.
fn status(environment: &str, ready: u32) -> Status {
    let mut status = Status { health: if ready == 2 { Health::Ok } else { Health::Broken }, ..empty(environment) };
    status.roles = vec![Role { desired: Some(2), ready, ..Role::new("web", Kind::Web, "deployment/web") }];
    status.pods = vec![pod("web-1")];
    status
}

fn empty(name: &str) -> Status {
    Status {
        environment: name.to_owned(),
        protected: false,
        context: "acme-staging".to_owned(),
        namespace: "shop-qa".to_owned(),
        instance: None,
        taken: Timestamp::now(),
        link: Link::Live,
        presence: Presence::Here,
        health: Health::Ok,
        headline: String::new(),
        roles: Vec::new(),
        pods: Vec::new(),
        events: Vec::new(),
        changes: Vec::new(),
        problems: Vec::new(),
        beat: None,
        missing: Vec::new(),
        tasks: None,
        migrations: None,
    }
}

#[tokio::test]
async fn the_page_is_protected_and_has_no_other_origin_in_it() {
    served(no_log(), |served| async move {
        let text = served.get("").await.all().await;
        let (head, page) = text.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        for header in [
            "content-type: text/html; charset=utf-8",
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "cross-origin-resource-policy: same-origin",
            "cross-origin-opener-policy: same-origin",
        ] {
            assert!(head.lines().any(|line| line == header), "{header}\n{head}");
        }
        assert!(!head.contains("set-cookie") && !head.contains("access-control"), "{head}");
        let (_, policy) = text.split_once("content-security-policy: ").unwrap();
        let policy = policy.lines().next().unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert_eq!(
            policy,
            format!(
                "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                 trusted-types 'none'"
            )
        );
        assert_eq!(page.matches(&format!("nonce=\"{nonce}\"")).count(), 2, "{nonce}");
        assert!(!page.contains("{{") && !page.contains(&served.token) && nonce != served.token);
        // The one address in it is the name of a kind of elements.
        let addresses = page.matches("//").count() - page.lines().filter(|line| line.trim().starts_with("//")).count();
        assert_eq!((addresses, page.matches("http://www.w3.org/2000/svg").count()), (1, 1));
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", " onclick="]
        {
            assert!(!page.contains(sink), "{sink}");
        }
        assert_eq!(page.matches("</script").count(), 1);
        let other = served.get("").await.all().await;
        assert!(!other.contains(nonce), "the nonce is another one each time");
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_says_why_and_is_protected() {
    served(no_log(), |served| async move {
        let Served { port, token, .. } = &served;
        let host = format!("host: localhost:{port}\r\n");
        for (request, status, why) in [
            (format!("GET / HTTP/1.1\r\n{host}\r\n"), 403, "open the whole address it printed"),
            (format!("GET /{token}/x HTTP/1.1\r\n{host}\r\n"), 404, "there is no such page"),
            (format!("GET /{token}/log HTTP/1.1\r\n{host}\r\n"), 400, "`environment`, `pod` and `container`"),
            (
                format!("GET /{token}/log?environment=qa&pod=web-1&container=app HTTP/1.1\r\n{host}\r\n"),
                404,
                "no such container",
            ),
            (format!("POST /{token}/ HTTP/1.1\r\n{host}content-length: 2\r\n\r\n{{}}"), 405, "can be read only"),
            (format!("GET /{token}/ HTTP/1.1\r\nhost: evil.example:{port}\r\n\r\n"), 403, "not the address"),
            (
                format!("GET /{token}/ HTTP/1.1\r\n{host}sec-fetch-site: cross-site\r\n\r\n"),
                403,
                "another page may not",
            ),
        ] {
            let answer = served.send(&request).await.all().await;
            let (head, text) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
            assert!(text.contains(why), "{request}\n{answer}");
            assert!(head.contains("content-security-policy: default-src 'none'; frame-ancestors 'none'"), "{head}");
            assert!(head.contains("cache-control: no-store") && head.contains("content-type: text/plain"), "{head}");
            assert_eq!(head.contains("allow: GET"), status == 405, "{head}");
            assert!(!answer.contains(token.as_str()), "{answer}");
            assert!(head.contains("connection: close"), "{head}");
        }
        // A request that is none, or has no end, gets nothing and holds nothing up.
        let answer = served.send("\x16\x03\x01 hello\r\n\r\n").await.all().await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
        let endless = format!("GET /{token}/ HTTP/1.1\r\n{host}x: {}", "x".repeat(2 * LONGEST_REQUEST));
        let mut stream = TcpStream::connect(("127.0.0.1", *port)).await.unwrap();
        let _ = stream.write_all(endless.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    })
    .await;
}

#[tokio::test]
async fn a_status_comes_at_once_and_late_openers_get_how_it_came_to_be() {
    served(no_log(), |served| async move {
        let mut early = served.get("events").await;
        let head = early.until("\r\n\r\n").await;
        assert!(head.contains("content-type: text/event-stream") && head.contains("cache-control: no-store"), "{head}");
        let hello = early.event("hello").await;
        assert_eq!(hello["environments"][1], serde_json::json!({"name": "prod", "program": "kdj --context prod"}));
        // The page has the key that tells it who speaks.
        let key = hello["key"].as_str().unwrap();
        assert!(key.len() == 32 && key != served.token, "{key}");
        let page = served.get("").await.all().await;
        assert!(page.contains(&format!("<meta name=\"kdj-key\" content=\"{key}\">")), "{page:.900}");
        for ready in [2, 1, 1] {
            served.tell(status("qa", ready)).await;
            let event = early.event("status").await;
            assert_eq!(event["status"]["roles"][0]["ready"], ready);
            assert_eq!(event["status"]["version"], 1);
        }
        let mut late = served.get("events").await;
        let event = late.event("status").await;
        let points = event["history"]["deployment/web"].as_array().unwrap();
        let ready: Vec<_> = points.iter().map(|point| point["ready"].as_u64().unwrap()).collect();
        assert_eq!(ready, [2, 1], "a point for each change: {points:?}");
        let lost = Link::Lost { since: Timestamp::now(), why: "connection refused".to_owned() };
        served.tell(Status { link: lost, ..status("qa", 1) }).await;
        served.tell(status("qa", 1)).await;
        let fail = || Update::Failed {
            environment: "prod".into(),
            error: Error::failed("no").hint("type this"),
            again: true,
        };
        served.updates.send(fail()).await.unwrap();
        let failed = late.event("failed").await;
        assert_eq!(
            failed,
            serde_json::json!({"environment": "prod", "error": "no", "causes": [], "hints": ["type this"], "again": true})
        );
        // It is tried again and again: whoever comes later is told once, and what was seen before.
        served.tell(status("prod", 1)).await;
        for _ in 0..3 {
            served.updates.send(fail()).await.unwrap();
            late.event("failed").await;
        }
        let mut latest = served.get("events").await;
        while latest.event("status").await["status"]["environment"] != "prod" {}
        latest.event("failed").await;
        served.tell(status("prod", 2)).await;
        let text = latest.until("\"ready\":2,").await;
        assert!(!text.contains("event: failed"), "{text}");
        let mut cured = served.get("events").await;
        while cured.event("status").await["status"]["environment"] != "prod" {}
        served.tell(status("qa", 2)).await;
        let text = cured.until("\"environment\":\"qa\"").await;
        assert!(!text.contains("event: failed"), "{text}");
        let mut later = served.get("events").await;
        let points = later.event("status").await["history"]["deployment/web"].clone();
        assert!(points[2].get("ready").is_none() && points[3]["ready"] == 1, "a gap while nothing was seen: {points}");
        // Of an environment that is not the page's nothing is told.
        served.tell(status("other", 2)).await;
        served.tell(status("prod", 2)).await;
        assert_eq!(later.event("status").await["status"]["environment"], "prod");
    })
    .await;
}

#[tokio::test]
async fn a_history_has_an_end_and_forgets_what_is_gone() {
    let mut history = history::History::default();
    for number in 0..500 {
        history.take(&status("qa", number % 3));
    }
    let kept = serde_json::to_value(&history).unwrap();
    assert_eq!(kept["deployment/web"].as_array().unwrap().len(), history::MOST_POINTS);
    history.take(&empty("qa"));
    assert_eq!(serde_json::to_value(&history).unwrap(), serde_json::json!({}));
}

#[tokio::test]
async fn a_log_is_read_while_it_is_looked_at_and_no_longer() {
    let open = Rc::new(Cell::new(0));
    let reading = Rc::clone(&open);
    let read: ReadLog = Box::new(move |wanted, out| {
        let open = Rc::clone(&reading);
        async move {
            assert_eq!((wanted.pod.as_str(), wanted.container.as_str()), ("web-1", "django"));
            open.set(open.get() + 1);
            let open = Opened(open);
            for number in 0.. {
                if out.send(vec![Event::Note(format!("line {number}"))]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drop(open);
            Ok(())
        }
        .boxed_local()
    });
    served(read, |served| async move {
        served.tell(status("qa", 2)).await;
        served.get("events").await.event("status").await;
        let path = "log?environment=qa&pod=web-1&container=django";
        let mut log = served.get(path).await;
        assert_eq!(log.event("lines").await["lines"][0], "— line 0 —");
        assert!(log.event("lines").await["lines"].as_array().unwrap().len() > 1, "lines come together");
        assert_eq!(open.get(), 1);
        drop(log);
        while open.get() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for other in ["environment=prod&pod=web-1&container=django", "environment=qa&pod=web-1&container=other"] {
            let answer = served.get(&format!("log?{other}")).await.until("\r\n\r\n").await;
            assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        }
    })
    .await;
}

/// Counts down when its log is no longer read.
struct Opened(Rc<Cell<u32>>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[tokio::test]
async fn why_a_log_cannot_be_read_is_told() {
    let read: ReadLog = Box::new(|_, _| async { Err(Error::failed("may not").caused_by("no right")) }.boxed_local());
    served(read, |served| async move {
        served.tell(status("qa", 2)).await;
        served.get("events").await.event("status").await;
        let mut log = served.get("log?environment=qa&pod=web-1&container=django").await;
        let error = log.event("over").await["error"].clone();
        assert!(error.as_str().unwrap().starts_with("may not"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn too_many_pages_are_refused_and_those_that_close_make_room() {
    served(no_log(), |served| async move {
        let mut pages = Vec::new();
        for _ in 0..MOST_STREAMS {
            let mut page = served.get("events").await;
            page.event("hello").await;
            pages.push(page);
        }
        let answer = served.get("events").await.until("\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        drop(pages);
        loop {
            if served.get("events").await.until("\r\n\r\n").await.starts_with("HTTP/1.1 200 ") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_says_so() {
    let one = Page::open(None).unwrap();
    let Err(error) = Page::open(Some(one.guard.port)) else { panic!("both have the port") };
    assert!(error.message().starts_with(&format!("port {} is in use", one.guard.port)), "{error}");
}

fn pod(name: &str) -> Pod {
    Pod {
        name: name.to_owned(),
        role: "web".to_owned(),
        workload: "deployment/web".to_owned(),
        phase: "Running".to_owned(),
        ready: true,
        reason: "ready".to_owned(),
        restarts: 0,
        last_exit: None,
        node: Some("node-1".to_owned()),
        created: None,
        terminating: None,
        revision: None,
        outdated: false,
        unschedulable: None,
        abandoned: false,
        containers: vec![Container { name: "django".to_owned(), ..Container::default() }],
    }
}

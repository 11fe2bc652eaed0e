//! The fake API server keeps its own promises: tests of the harness, without kdj.

mod changes;
mod jobs;
mod logs;
mod streamed;
mod watches;

use std::{io, time::Duration};

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use crate::harness::{ApiServer, Exec, Fault, On, Refusal, STDERR, Step, shop};

const POD: &str = "/api/v1/namespaces/shop-qa/pods/web-7c9d8f-aaaaa";

/// One request on a connection of its own: the status code and body, or how the connection ended.
async fn get(server: &ApiServer, target: &str) -> io::Result<(u16, String)> {
    send(server, "GET", target, "").await
}

/// Any request; what is patched is merged.
async fn send(server: &ApiServer, method: &str, target: &str, body: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await?;
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let text = loop {
        let length = stream.read_buf(&mut bytes).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let wanted = text.split_once("\r\n\r\n").and_then(|(head, body)| {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "))?;
            Some((length.parse::<usize>().ok()?, body.len()))
        });
        match wanted {
            Some((expected, came)) if came >= expected => break text,
            _ if length == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => {}
        }
    };
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status code");
    Ok((code, body.to_owned()))
}

async fn list(server: &ApiServer, target: &str) -> Vec<String> {
    let (code, body) = get(server, target).await.expect("an answer");
    assert_eq!(code, 200, "{body}");
    let list: Value = serde_json::from_str(&body).expect("JSON");
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

type Socket = WebSocketStream<TcpStream>;

async fn connect(server: &ApiServer, query: &str, protocols: &str) -> Result<Socket, tungstenite::Error> {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).await.expect("a connection");
    let url = format!("ws://127.0.0.1:{}{POD}/exec?{query}", server.port());
    let mut request = url.into_client_request().expect("a request");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocols.parse().expect("a header"));
    client_async(request, stream).await.map(|(socket, _)| socket)
}

async fn next(socket: &mut Socket) -> Option<Result<Message, tungstenite::Error>> {
    timeout(Duration::from_secs(10), socket.next()).await.expect("a message in time")
}

async fn next_bytes(socket: &mut Socket) -> Vec<u8> {
    next(socket).await.expect("a message").expect("a whole message").into_data().to_vec()
}

fn on_channel(channel: u8, bytes: &[u8]) -> Message {
    Message::binary([&[channel], bytes].concat())
}

#[tokio::test]
async fn lists_honour_selectors() {
    let server = ApiServer::http(shop::whole());
    let pods = "/api/v1/namespaces/shop-qa/pods";
    let web = list(&server, &format!("{pods}?labelSelector=app.kubernetes.io%2Fcomponent%3Dweb")).await;
    assert_eq!(web, ["web-7c9d8f-aaaaa", "web-7c9d8f-bbbbb"]);
    let set =
        list(&server, &format!("{pods}?labelSelector=app.kubernetes.io%2Fcomponent+in+%28celeryd,shell%29")).await;
    assert_eq!(set, ["celeryd-5d5d5d-zzzzz", "shell-5d5d5d-zzzzz"]);
    assert_eq!(list(&server, "/apis/apps/v1/namespaces/shop-qa/deployments").await.len(), 4);
    assert!(list(&server, "/api/v1/namespaces/elsewhere/pods").await.is_empty());
    assert_eq!(list(&server, &format!("{pods}?limit=2&continue=2")).await.len(), 2);
    assert_eq!(
        server.requests()[0].to_string(),
        "GET /api/v1/namespaces/shop-qa/pods?labelSelector=app.kubernetes.io/component=web"
    );
}

#[tokio::test]
async fn objects_are_found_or_not() {
    let server = ApiServer::http(shop::one_web_pod());
    let (code, body) = get(&server, POD).await.expect("an answer");
    assert_eq!((code, body.contains(r#""kind":"Pod""#)), (200, true));
    let (code, body) = get(&server, "/apis/apps/v1/namespaces/shop-qa/deployments/x").await.expect("an answer");
    assert_eq!((code, body.contains(r#"deployments.apps \"x\" not found"#)), (404, true), "{body}");
}

#[tokio::test]
async fn what_was_not_planned_is_complained_about() {
    let server = ApiServer::http(shop::one_web_pod());
    assert_eq!(get(&server, "/healthz").await.expect("an answer").0, 404);
    server.fault(On::get("/never"), Fault::Reset);
    assert_eq!(server.forgive(), ["unexpected request: GET /healthz"]);
}

#[test]
#[should_panic(expected = "this exec never came")]
fn an_exec_that_never_comes_fails_the_test() {
    ApiServer::http(shop::one_web_pod()).exec(Exec::prints("", 0));
}

#[tokio::test]
async fn faults_strike_as_often_as_planned() {
    let server = ApiServer::http(shop::one_web_pod());
    server.fault(On::get(POD).once(), Fault::too_many_requests(1));
    server.fault(On::get(POD).once(), Fault::Reset);
    server.fault(On::get(POD).once(), Fault::Close);
    server.fault(On::get(POD).once(), Fault::CutBody(10));
    server.fault(On::get(POD).once(), Fault::Delay(Duration::from_millis(50)));
    assert_eq!(get(&server, POD).await.expect("an answer").0, 429);
    assert_eq!(get(&server, POD).await.expect_err("a reset").kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(get(&server, POD).await.expect_err("the end").kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(get(&server, POD).await.expect_err("a cut").kind(), io::ErrorKind::ConnectionReset);
    let started = std::time::Instant::now();
    assert_eq!(get(&server, POD).await.expect("an answer").0, 200);
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn v5_half_closes() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::EchoStdin, Step::ExpectStdinEof, Step::stdout("bye"), Step::ExitCode(7)]));
    let query = "stdin=true&stdout=true&stderr=true&container=django&command=cat&command=a%20b&command=";
    let mut socket = connect(&server, query, "v5.channel.k8s.io, v4.channel.k8s.io").await.expect("an upgrade");
    socket.send(on_channel(0, b"hello")).await.expect("sent");
    assert_eq!(next_bytes(&mut socket).await, b"\x01hello");
    socket.send(on_channel(4, br#"{"Width":120,"Height":40}"#)).await.expect("sent");
    socket.send(on_channel(255, &[0])).await.expect("sent");
    assert_eq!(next_bytes(&mut socket).await, b"\x01bye");
    let status = next_bytes(&mut socket).await;
    let json: Value = serde_json::from_slice(&status[1..]).expect("JSON");
    assert_eq!((status[0], &json["details"]["causes"][0]["message"]), (3, &Value::from("7")));
    assert!(matches!(next(&mut socket).await, Some(Ok(Message::Close(_)))));
    while next(&mut socket).await.is_some_and(|message| message.is_ok()) {}
    drop(socket);
    let record = server.wait_for_exec("its end", |exec| exec.finished.is_some());
    assert_eq!(record.argv, ["cat", "a b", ""]);
    assert_eq!((record.stdin_text().as_str(), record.stdin_closed), ("hello", true));
    assert_eq!(record.resizes, [(120, 40)]);
    assert_eq!((record.protocol.as_str(), record.container.as_deref()), ("v5.channel.k8s.io", Some("django")));
}

#[tokio::test]
async fn v4_knows_no_half_close() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::Send(STDERR, b"oops".to_vec()), Step::ExpectHangUp]).only_v4());
    let mut socket =
        connect(&server, "stdout=true&command=x", "v5.channel.k8s.io, v4.channel.k8s.io").await.expect("an upgrade");
    assert_eq!(next_bytes(&mut socket).await, b"\x02oops");
    socket.send(on_channel(255, &[0])).await.expect("sent");
    server.wait_for_exec("its end", |exec| exec.finished.is_some());
    assert_eq!(server.only_exec().protocol, "v4.channel.k8s.io");
    assert_eq!(server.forgive(), ["the client breaks the protocol: 1 bytes on channel 255"]);
}

#[tokio::test]
async fn a_cut_is_a_reset_without_status() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::stdout("partial"), Step::WaitForByte(b'x'), Step::Cut]));
    let mut socket =
        connect(&server, "stdin=true&stdout=true&command=x", "v5.channel.k8s.io").await.expect("an upgrade");
    assert_eq!(next_bytes(&mut socket).await, b"\x01partial");
    socket.send(on_channel(0, b"abcx")).await.expect("sent");
    let error = next(&mut socket).await.expect("an end").expect_err("not a clean one");
    assert!(error.to_string().contains("reset"), "{error}");
}

#[tokio::test]
async fn pings_are_answered_until_they_are_not() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([
        Step::WaitForByte(b'x'),
        Step::AnswerPings(false),
        Step::stdout("deaf"),
        Step::ExpectHangUp,
    ]));
    let mut socket =
        connect(&server, "stdin=true&stdout=true&command=x", "v5.channel.k8s.io").await.expect("an upgrade");
    socket.send(Message::Ping("1".into())).await.expect("sent");
    assert_eq!(next(&mut socket).await.expect("a pong").expect("whole"), Message::Pong("1".into()));
    socket.send(on_channel(0, b"x")).await.expect("sent");
    assert_eq!(next_bytes(&mut socket).await, b"\x01deaf");
    socket.send(Message::Ping("2".into())).await.expect("sent");
    assert!(timeout(Duration::from_millis(200), socket.next()).await.is_err());
    assert_eq!(server.only_exec().pings.len(), 2);
}

#[tokio::test]
async fn a_silent_client_is_cut_by_the_proxy() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::plays([Step::ExpectHangUp]).idle_cut(Duration::from_millis(300)));
    let mut socket = connect(&server, "stdout=true&command=x", "v5.channel.k8s.io").await.expect("an upgrade");
    assert!(next(&mut socket).await.is_none_or(|message| message.is_err()));
}

#[tokio::test]
async fn messages_come_in_fragments_and_floods_whole() {
    let server = ApiServer::http(shop::one_web_pod());
    let flood = Step::Flood { bytes: 300_001, chunk: 70_000 };
    server.exec(Exec::plays([Step::SendInFragments(1, b"abcdef".to_vec(), 2), flood, Step::ExitCode(0)]));
    let mut socket = connect(&server, "stdout=true&command=x", "v5.channel.k8s.io").await.expect("an upgrade");
    assert_eq!(next_bytes(&mut socket).await, b"\x01abcdef");
    let (flood, mut position) = (crate::harness::Flood::new(), 0);
    while position < 300_001 {
        let bytes = next_bytes(&mut socket).await;
        assert_eq!(flood.first_difference(position, &bytes[1..]), None);
        position += bytes.len() as u64 - 1;
    }
    assert_eq!(next_bytes(&mut socket).await, b"\x03{\"metadata\":{},\"status\":\"Success\"}");
}

#[tokio::test]
async fn an_exec_can_be_refused() {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::refused(&Refusal::forbidden("dev", "create", "web-7c9d8f-aaaaa", "shop-qa")));
    let error = connect(&server, "stdout=true&command=x", "v5.channel.k8s.io").await.expect_err("a refusal");
    let tungstenite::Error::Http(response) = error else { panic!("{error}") };
    let body = String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned();
    assert!(body.contains(r#"User \"dev\" cannot create resource \"pods/exec\""#), "{body}");
}

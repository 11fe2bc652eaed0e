//! A lane against a server at the other end of a pipe.

use std::{io::ErrorKind, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{
    super::{frame::HEAD, stream::TunnelStream},
    *,
};

const LIMIT: Duration = Duration::from_secs(5);

/// A lane that carries one connection, with the connection's two ends.
struct Carried {
    stream: TunnelStream,
    accepted: oneshot::Receiver<()>,
    server: Server,
    /// How it ended for the lane.
    lane: oneshot::Receiver<Result<bool, String>>,
    /// What the lane carries next.
    next: oneshot::Sender<Order>,
}

struct Server {
    socket: WebSocketStream<DuplexStream>,
    error: u32,
    data: u32,
}

impl Server {
    async fn send(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    async fn data(&mut self, bytes: &[u8], last: bool) {
        self.send(&[&frame::data(self.data, bytes.len(), last)[..], bytes].concat()).await;
    }

    async fn words(&mut self, bytes: &[u8], last: bool) {
        self.send(&[&frame::data(self.error, bytes.len(), last)[..], bytes].concat()).await;
    }

    async fn accept(&mut self) {
        for stream in [self.error, self.data] {
            self.send(&[b"\x80\x03\0\x02\0\0\0\x04", &stream.to_be_bytes()[..]].concat()).await;
        }
    }

    /// The next message of the lane, for so long.
    async fn hear_for(&mut self, limit: Duration) -> Option<Vec<u8>> {
        match timeout(limit, self.socket.next()).await {
            Ok(Some(Ok(message))) => Some(message.into_data().to_vec()),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        }
    }

    async fn hear(&mut self) -> Vec<u8> {
        self.hear_for(LIMIT).await.expect("a message")
    }

    fn end(&self) -> Vec<u8> {
        frame::data(self.data, 0, true).to_vec()
    }
}

/// Begins to carry a connection; the server has read the opening.
async fn open() -> Carried {
    let (near, far) = duplex(64 * 1024);
    let (stream, order, accepted) = TunnelStream::new(80);
    let ((carried, lane), (next, mut orders)) = (oneshot::channel(), oneshot::channel());
    tokio::spawn(async move {
        let mut lane = Lane::new(WebSocketStream::from_raw_socket(near, Role::Client, None).await);
        let result = lane.carry(order).await;
        let is_good = result == Ok(true);
        let _ = carried.send(result);
        if is_good && let Ok(Some(order)) = lane.rest(&mut orders).await {
            if lane.carry(order).await == Ok(true) {
                let (_never, mut orders) = oneshot::channel();
                let _ = lane.rest(&mut orders).await;
            }
            lane.close().await;
        }
    });
    let socket = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    let mut server = Server { socket, error: 0, data: 0 };
    let opening = server.hear().await;
    let id = |at: usize| u32::from_be_bytes(opening[at..at + 4].try_into().unwrap());
    server.error = id(HEAD);
    server.data = id(HEAD + usize::from(opening[7]) + HEAD);
    assert_eq!((server.error, server.data), (1, 3));
    Carried { stream, accepted, server, lane, next }
}

/// The same, with the connection accepted.
async fn accepted() -> Carried {
    let mut carried = open().await;
    carried.server.accept().await;
    timeout(LIMIT, &mut carried.accepted).await.expect("in time").expect("accepted");
    carried
}

#[tokio::test]
async fn bytes_go_both_ways_and_the_lane_can_be_used_again() {
    let Carried { mut stream, mut server, lane, .. } = accepted().await;
    stream.write_all(b"ping").await.unwrap();
    assert_eq!(server.hear().await, [&frame::data(3, 4, false)[..], b"ping"].concat());
    server.data(b"pong", false).await;
    server.data(b"", true).await;
    server.words(b"", true).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!((answer.as_str(), stream.failure()), ("pong", None));
    assert_eq!(server.hear().await, frame::reset(3), "the server can forget the stream");
    assert_eq!(lane.await.unwrap(), Ok(true));
    let broken = async { while stream.write_all(b"more").await.is_ok() {} };
    timeout(LIMIT, broken).await.expect("nobody reads any more");
}

#[tokio::test]
async fn nothing_is_sent_before_the_server_has_accepted() {
    let Carried { mut stream, mut server, .. } = open().await;
    stream.write_all(b"early").await.unwrap();
    assert_eq!(server.hear_for(Duration::from_millis(100)).await, None, "the server would throw it away");
    server.accept().await;
    assert_eq!(server.hear().await, [&frame::data(3, 5, false)[..], b"early"].concat());
}

#[tokio::test]
async fn a_refused_connection_says_why_though_its_data_ends_first() {
    let Carried { mut stream, mut server, lane, .. } = accepted().await;
    server.data(b"", true).await;
    server.words(b"dial tcp4 127.0.0.1:80: connection refused", false).await;
    server.send(&frame::reset(1)).await;
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(stream.failure().as_deref(), Some("dial tcp4 127.0.0.1:80: connection refused"));
    assert_eq!(lane.await.unwrap(), Ok(true), "the lane is as good as before");
}

#[tokio::test]
async fn a_reset_comes_after_what_was_sent_before_it() {
    let Carried { mut stream, mut server, .. } = accepted().await;
    server.data(b"half", false).await;
    server.send(&frame::reset(3)).await;
    server.words(b"", true).await;
    let mut answer = Vec::new();
    let error = stream.read_to_end(&mut answer).await.unwrap_err();
    assert_eq!((error.kind(), &answer[..]), (ErrorKind::ConnectionReset, &b"half"[..]));
}

#[tokio::test]
async fn an_end_is_passed_on_once_the_pod_is_quiet() {
    let Carried { mut stream, mut server, next: _next, .. } = accepted().await;
    stream.write_all(b"question").await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = server.hear().await;
    assert_eq!(server.hear_for(Duration::from_millis(1500)).await, None, "the pod thinks");
    for _ in 0..8 {
        server.data(b"answer ", false).await;
        assert_eq!(server.hear_for(Duration::from_millis(20)).await, None, "the runtime would cut the answer");
    }
    assert_eq!(server.hear_for(Duration::from_millis(200)).await, Some(server.end()));
    server.data(b"", true).await;
    server.words(b"", true).await;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!((answer.len(), stream.failure()), (56, None));
}

#[tokio::test]
async fn an_answer_that_the_runtime_cut_is_no_whole_one() {
    let Carried { mut stream, mut server, next: _next, .. } = accepted().await;
    stream.shutdown().await.unwrap();
    sleep(Duration::from_millis(50)).await;
    server.data(b"first half", false).await;
    assert_eq!(server.hear().await, server.end());
    sleep(Duration::from_secs(1)).await;
    server.data(b"", true).await;
    server.words(b"", true).await;
    let mut answer = Vec::new();
    assert!(stream.read_to_end(&mut answer).await.is_err());
    assert!(stream.failure().is_some_and(|why| why.contains("may be incomplete")), "{:?}", stream.failure());
}

#[tokio::test]
async fn after_a_short_answer_the_end_is_passed_on_at_once_and_the_lane_is_free() {
    let Carried { mut stream, mut server, lane, next, .. } = accepted().await;
    stream.write_all(b"question").await.unwrap();
    let _ = server.hear().await;
    server.data(b"answer", false).await;
    stream.read_exact(&mut [0; 6]).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(server.hear_for(Duration::from_millis(150)).await, Some(server.end()));
    assert_eq!(lane.await.unwrap(), Ok(true));

    let (mut second, order, accepted) = TunnelStream::new(80);
    next.send(order).unwrap();
    let _ = server.hear().await;
    let first = (server.error, server.data);
    (server.error, server.data) = (5, 7);
    server.accept().await;
    accepted.await.unwrap();
    server.data(b"second's", false).await;
    (server.error, server.data) = first;
    server.data(b"first's", true).await;
    server.words(b"", true).await;
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert_eq!((rest.as_str(), stream.failure()), ("first's", None));
    let mut answer = [0; 8];
    second.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"second's");
}

#[tokio::test]
async fn a_lane_that_is_lost_takes_those_who_leave_with_it() {
    let Carried { mut stream, mut server, lane, next: _next, .. } = accepted().await;
    stream.write_all(b"question").await.unwrap();
    let _ = server.hear().await;
    server.data(b"answer", false).await;
    stream.read_exact(&mut [0; 6]).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(server.hear().await, server.end());
    assert_eq!(lane.await.unwrap(), Ok(true));
    drop(server);
    assert!(stream.read_u8().await.is_err());
    assert!(stream.failure().is_some_and(|why| why.contains("is lost")), "{:?}", stream.failure());
}

#[tokio::test]
async fn an_end_without_an_answer_that_the_runtime_made_is_no_good_one() {
    let Carried { mut stream, mut server, next: _next, .. } = accepted().await;
    stream.write_all(b"question").await.unwrap();
    let _ = server.hear().await;
    server.data(b"head", false).await;
    stream.read_exact(&mut [0; 4]).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(server.hear().await, server.end());
    sleep(Duration::from_secs(1)).await;
    server.data(b"", true).await;
    server.words(b"", true).await;
    assert!(stream.read_u8().await.is_err(), "the body is missing");
}

#[tokio::test]
async fn who_leaves_gets_all_though_the_next_connection_is_dropped() {
    let Carried { mut stream, mut server, lane, next, .. } = accepted().await;
    stream.write_all(b"question").await.unwrap();
    let _ = server.hear().await;
    server.data(b"answer", false).await;
    stream.read_exact(&mut [0; 6]).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(server.hear().await, server.end());
    assert_eq!(lane.await.unwrap(), Ok(true));
    let (second, order, _accepted) = TunnelStream::new(80);
    next.send(order).unwrap();
    let _ = server.hear().await;
    drop(second);
    assert_eq!(server.hear().await, frame::reset(7));
    server.data(b" and more", true).await;
    server.words(b"", true).await;
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert_eq!((rest.as_str(), stream.failure()), (" and more", None));
}

#[tokio::test]
async fn a_dropped_connection_ends_its_lane() {
    let Carried { stream, lane, server: _server, .. } = accepted().await;
    drop(stream);
    assert_eq!(timeout(LIMIT, lane).await.unwrap().unwrap(), Ok(false));
}

#[tokio::test]
async fn a_lost_lane_is_no_end_of_the_connection() {
    let goes_away = b"\x80\x03\0\x07\0\0\0\x08\0\0\0\0\0\0\0\0";
    for last_words in [None, Some(&[0; 16]), Some(goes_away)] {
        let Carried { mut stream, mut server, lane, .. } = accepted().await;
        match last_words {
            Some(bytes) => server.send(bytes).await,
            None => drop(server),
        }
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(stream.failure().is_some_and(|why| why.contains("is lost")), "{:?}", stream.failure());
        assert!(lane.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn who_does_not_read_holds_up_the_server_and_can_still_send() {
    let Carried { mut stream, mut server, .. } = accepted().await;
    let piece = vec![7; 32 * 1024];
    let mut sent = 0;
    while timeout(Duration::from_millis(200), server.data(&piece, false)).await.is_ok() {
        sent += piece.len();
        assert!(sent < 1 << 20, "all of it is taken in");
    }
    stream.write_all(b"stop").await.unwrap();
    assert_eq!(server.hear().await, [&frame::data(3, 4, false)[..], b"stop"].concat());
}

#[tokio::test]
async fn a_large_write_is_few_messages() {
    let Carried { mut stream, mut server, .. } = accepted().await;
    let writing = tokio::spawn(async move {
        stream.write_all(&vec![7; 512 * 1024]).await.unwrap();
        stream
    });
    let (mut messages, mut bytes) = (0, 0);
    while bytes < 512 * 1024 {
        bytes += server.hear().await.len() - HEAD;
        messages += 1;
    }
    assert!(messages <= 16, "{messages} messages");
    drop(writing);
}

#[tokio::test]
async fn a_servers_ping_is_sent_back() {
    let Carried { mut server, stream: _stream, .. } = accepted().await;
    server.send(&frame::ping(2)).await;
    assert_eq!(server.hear().await, frame::ping(2));
}

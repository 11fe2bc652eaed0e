use std::{cell::RefCell, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::*;

/// A local connection: the client's side, and kdj's.
async fn local() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

async fn run(
    far: DuplexStream,
    client: impl AsyncFnOnce(TcpStream),
    pod: impl AsyncFnOnce(),
    unanswered: &RefCell<Unanswered>,
) -> Copied {
    let (theirs, mut ours) = local().await;
    let far = RefCell::new(far);
    let copying = async {
        let copied = copy(&mut ours, &far, unanswered).await;
        drop(ours);
        copied
    };
    let all = async { tokio::join!(copying, client(theirs), pod()) };
    timeout(Duration::from_secs(20), all).await.unwrap().0
}

#[tokio::test]
async fn each_end_is_passed_on_for_itself() {
    let (far, mut pod) = duplex(1000);
    let client = async |mut client: TcpStream| {
        client.write_all(&[7; 300_000]).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "300000");
    };
    let count = async || {
        let mut all = Vec::new();
        pod.read_to_end(&mut all).await.unwrap();
        pod.write_all(all.len().to_string().as_bytes()).await.unwrap();
        drop(pod);
    };
    assert_eq!(run(far, client, count, &RefCell::default()).await, Copied::Whole);
}

#[tokio::test]
async fn what_was_not_answered_is_said_again() {
    let unanswered = RefCell::default();
    // The first one takes it and goes away without a word. (A duplex has no failures: its end is one here.)
    let first = async {
        let (theirs, mut ours) = local().await;
        let (far, mut pod) = duplex(1000);
        let (_, mut client_write) = theirs.into_split();
        client_write.write_all(b"hello").await.unwrap();
        let far = RefCell::new(far);
        let copying = copy(&mut ours, &far, &unanswered);
        let taking = async {
            let mut word = [0; 5];
            pod.read_exact(&mut word).await.unwrap();
            assert!(unanswered.borrow().is_whole());
        };
        tokio::select! {
            _ = copying => panic!("it goes on"),
            () = taking => {}
        }
    };
    first.await;
    let (far, mut pod) = duplex(1000);
    let client = async |mut client: TcpStream| {
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "got hello");
    };
    let second = async || {
        let mut all = String::new();
        pod.read_to_string(&mut all).await.unwrap();
        pod.write_all(format!("got {all}").as_bytes()).await.unwrap();
        drop(pod);
    };
    assert_eq!(run(far, client, second, &unanswered).await, Copied::Whole);
    assert!(!unanswered.borrow().is_whole());
}

#[test]
fn no_more_than_a_little_is_kept() {
    let mut unanswered = Unanswered::default();
    unanswered.keep(&[0; UNANSWERED]);
    assert!(unanswered.is_whole());
    unanswered.keep(b"x");
    assert!(!unanswered.is_whole() && unanswered.kept.is_empty());
}

//! The relay itself, in this machine's Python, with connections as kdj makes them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const SECRET: [u8; 32] = [7; 32];

struct Relay {
    child: Child,
    stdin: Option<ChildStdin>,
    port: u16,
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A relay to this port, as a pod has it.
fn relay(to: u16, silence: f32) -> Relay {
    let mut child = Command::new("python3")
        .args(["-c", super::RELAY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let secret: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut stdin = child.stdin.take().unwrap();
    let told = serde_json::json!({"secret": secret, "host": "127.0.0.1", "port": to, "silence": silence});
    writeln!(stdin, "{told}").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = serde_json::from_str::<super::Answer>(&line).unwrap().port;
    Relay { child, stdin: Some(stdin), port }
}

fn connect(relay: &Relay, secret: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", relay.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(secret).unwrap();
    stream
}

/// A server that deals with each connection so.
fn server(manner: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || manner(stream));
        }
    });
    port
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// All that comes in frames, and whether it ended well.
fn read_frames(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    loop {
        let mut head = [0; 4];
        stream.read_exact(&mut head).unwrap();
        match u32::from_be_bytes(head) {
            0 => return (all, true),
            u32::MAX => return (all, false),
            length => {
                let start = all.len();
                all.resize(start + usize::try_from(length).unwrap(), 0);
                stream.read_exact(&mut all[start..]).unwrap();
            }
        }
    }
}

fn echo(mut stream: TcpStream) {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    stream.write_all(&all).unwrap();
}

#[test]
fn both_ways_and_both_ends() {
    let relay = relay(server(echo), 30.0);
    let mut stream = connect(&relay, &SECRET);
    let mut zero = [1];
    stream.read_exact(&mut zero).unwrap();
    assert_eq!(zero, [0]);
    let data: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut writing = stream.try_clone().unwrap();
    let sent = data.clone();
    let writer = thread::spawn(move || {
        for piece in sent.chunks(65_536) {
            writing.write_all(&frame(piece)).unwrap();
        }
        writing.write_all(&frame(b"")).unwrap();
    });
    let (back, whole) = read_frames(&mut stream);
    writer.join().unwrap();
    assert!(whole && back == data, "{} bytes", back.len());
    assert_eq!(stream.read(&mut zero).unwrap(), 0, "the relay closes its side");
}

#[test]
fn frames_may_come_in_any_pieces() {
    let relay = relay(server(echo), 30.0);
    let mut stream = connect(&relay, &SECRET);
    for byte in [frame(b"ab"), frame(b"c"), frame(b"")].concat() {
        stream.write_all(&[byte]).unwrap();
        thread::sleep(Duration::from_millis(5));
    }
    stream.read_exact(&mut [0]).unwrap();
    assert_eq!(read_frames(&mut stream), (b"abc".to_vec(), true));
}

#[test]
fn nobody_comes_in_without_the_secret() {
    let relay = relay(server(echo), 30.0);
    for secret in [&[8; 32][..], b"GET / HTTP/1.0\r\n\r\n0123456789abcdef"] {
        let mut stream = connect(&relay, secret);
        let read = stream.read(&mut [0]);
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
    let mut stream = connect(&relay, &SECRET);
    stream.read_exact(&mut [0]).unwrap();
}

#[test]
fn what_does_not_come_about_or_breaks_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = relay(free, 30.0);
    let mut stream = connect(&nobody, &SECRET);
    let mut one = [0];
    stream.read_exact(&mut one).unwrap();
    assert_eq!(one, [1]);
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut why = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut why).unwrap();
    assert_eq!(String::from_utf8_lossy(&why), "Connection refused");

    let breaking = server(|mut stream| {
        stream.write_all(b"word").unwrap();
        thread::sleep(Duration::from_millis(200));
        // What was not read makes a reset of the close.
        let _ = stream.peek(&mut [0]);
    });
    let relay = relay(breaking, 30.0);
    let mut stream = connect(&relay, &SECRET);
    stream.write_all(&frame(b"unread")).unwrap();
    stream.read_exact(&mut one).unwrap();
    assert_eq!(read_frames(&mut stream), (b"word".to_vec(), false));
}

#[test]
fn it_ends_with_its_stdin_and_with_silence() {
    let closed = |relay: &mut Relay| {
        let start = Instant::now();
        while relay.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(10), "the relay goes on");
            thread::sleep(Duration::from_millis(20));
        }
        start.elapsed()
    };
    let mut ended = relay(1, 30.0);
    drop(ended.stdin.take());
    closed(&mut ended);
    let mut silent = relay(1, 1.0);
    for _ in 0..4 {
        thread::sleep(Duration::from_millis(500));
        silent.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
    assert!(silent.child.try_wait().unwrap().is_none(), "it ended although kdj was there");
    closed(&mut silent);
}

#[test]
fn a_reader_that_stops_holds_nobody_up() {
    let flood = server(|mut stream| {
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        let many = if first == *b"m" { 200 } else { 1 };
        for _ in 0..many {
            if stream.write_all(&[b'x'; 65_536]).is_err() {
                return;
            }
        }
    });
    let relay = relay(flood, 30.0);
    let mut slow = connect(&relay, &SECRET);
    slow.write_all(&frame(b"m")).unwrap();
    thread::sleep(Duration::from_millis(200));
    for _ in 0..20 {
        let mut quick = connect(&relay, &SECRET);
        quick.write_all(&frame(b"f")).unwrap();
        quick.read_exact(&mut [0]).unwrap();
        assert_eq!(read_frames(&mut quick).0.len(), 65_536);
        let _ = quick.shutdown(Shutdown::Both);
    }
    slow.read_exact(&mut [0]).unwrap();
    assert_eq!(read_frames(&mut slow).0.len(), 200 * 65_536);
}

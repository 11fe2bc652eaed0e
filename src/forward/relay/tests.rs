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
    relay_with("", "127.0.0.1", to, silence)
}

/// A relay whose Python runs `before` at its start.
fn relay_with(before: &str, host: &str, to: u16, silence: f32) -> Relay {
    let mut child = Command::new("python3")
        .args(["-c", &format!("{before}\n{}", super::RELAY)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let secret: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut stdin = child.stdin.take().unwrap();
    let told = serde_json::json!({"secret": secret, "host": host, "port": to, "silence": silence});
    writeln!(stdin, "{told}").unwrap();
    let (mut read, mut stdout) = (Vec::new(), BufReader::new(child.stdout.take().unwrap()));
    let port = loop {
        assert_ne!(stdout.read_until(b'\n', &mut read).unwrap(), 0, "the relay does not answer");
        if let Some(port) = super::port_in(&mut read) {
            break port;
        }
    };
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

/// Why there is no connection.
fn refusal(stream: &mut TcpStream) -> String {
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 1);
    let length = u32::from_be_bytes(head[1..].try_into().unwrap());
    let mut why = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut why).unwrap();
    String::from_utf8(why).unwrap()
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
    assert_eq!(refusal(&mut stream), format!("127.0.0.1:{free}: Connection refused"));

    let breaking = server(|mut stream| {
        stream.write_all(b"word").unwrap();
        thread::sleep(Duration::from_millis(200));
        // What was not read makes a reset of the close.
        let _ = stream.peek(&mut [0]);
    });
    let relay = relay(breaking, 30.0);
    let mut stream = connect(&relay, &SECRET);
    stream.write_all(&frame(b"unread")).unwrap();
    stream.read_exact(&mut [0]).unwrap();
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

#[test]
fn the_last_words_come_when_nothing_can_be_sent_any_more() {
    let complaining = server(|mut stream| {
        stream.read_exact(&mut [0]).unwrap();
        stream.write_all(b"too many connections").unwrap();
        // What was not read makes a reset of the close.
        thread::sleep(Duration::from_millis(50));
    });
    let relay = relay(complaining, 30.0);
    for _ in 0..10 {
        let mut stream = connect(&relay, &SECRET);
        stream.read_exact(&mut [0]).unwrap();
        stream.write_all(&frame(b"hello")).unwrap();
        // In the same piece as the reset, as far as the relay sees: it is stopped meanwhile.
        let pid = rustix::process::Pid::from_child(&relay.child);
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        stream.write_all(&frame(b"more")).unwrap();
        thread::sleep(Duration::from_millis(80));
        rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
        // This is what fails in the relay.
        let mut writing = stream.try_clone().unwrap();
        let writer = thread::spawn(move || while writing.write_all(&frame(&[b'x'; 60_000])).is_ok() {});
        assert_eq!(read_frames(&mut stream), (b"too many connections".to_vec(), false));
        let _ = stream.shutdown(Shutdown::Both);
        writer.join().unwrap();
    }
}

#[test]
fn a_bad_host_is_told_and_ends_nothing() {
    for host in ["a..b", "no-such-host.invalid", &"x".repeat(70)] {
        let relay = relay_with("", host, 5432, 30.0);
        for _ in 0..2 {
            let why = refusal(&mut connect(&relay, &SECRET));
            assert!(why.starts_with(&format!("{host}:5432: ")) && why.len() > host.len() + 8, "{why}");
        }
    }
}

/// A name with these addresses: `getaddrinfo` of this Python says so.
fn addresses(all: &str) -> String {
    format!(
        "import socket\nsocket.getaddrinfo = lambda host, port, *_: [(socket.AF_INET6 if ':' in a else socket.AF_INET, \
         socket.SOCK_STREAM, 6, '', (a, port)) for a in '{all}'.split()]"
    )
}

#[test]
fn an_address_that_does_not_answer_leaves_time_for_the_next() {
    // Its backlog is full: who comes is not answered.
    let full = TcpListener::bind("127.0.0.2:0").unwrap();
    let silent = full.local_addr().unwrap();
    let in_front: Vec<_> =
        (0..).map_while(|_| TcpStream::connect_timeout(&silent, Duration::from_millis(500)).ok()).collect();
    assert!(in_front.len() > 1);
    let listener = TcpListener::bind(("127.0.0.1", silent.port())).unwrap();
    let start = Instant::now();
    let relay = relay_with(&addresses("127.0.0.2 127.0.0.1"), "db.acme.dev", silent.port(), 30.0);
    let mut stream = connect(&relay, &SECRET);
    let mut zero = [1];
    stream.read_exact(&mut zero).unwrap();
    assert_eq!(zero, [0]);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    drop(listener);
    let why = refusal(&mut connect(&relay, &SECRET));
    let port = silent.port();
    assert_eq!(why, format!("db.acme.dev:{port}: Connection refused (127.0.0.1), timed out (127.0.0.2)"));
}

#[test]
fn who_goes_away_after_its_end_is_noticed() {
    let (gone, noticed) = std::sync::mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // It has got the end, and says nothing.
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            thread::sleep(Duration::from_millis(300));
            gone.send(stream.write_all(b"x").and_then(|()| {
                thread::sleep(Duration::from_millis(100));
                stream.write_all(b"x")
            }))
            .unwrap();
        }
    });
    let relay = relay(port, 30.0);
    let mut stream = connect(&relay, &SECRET);
    stream.read_exact(&mut [0]).unwrap();
    stream.write_all(&frame(b"")).unwrap();
    thread::sleep(Duration::from_millis(100));
    drop(stream);
    assert!(noticed.recv().unwrap().is_err(), "the server's connection still stands");
}

#[cfg(target_os = "linux")]
#[test]
fn the_server_s_connection_is_kept_alive() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let relay = relay(port, 30.0);
    let mut stream = connect(&relay, &SECRET);
    stream.read_exact(&mut [0]).unwrap();
    let server = listener.accept().unwrap();
    let (theirs, ours) = (server.1.port(), port);
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let line = table.lines().find(|line| line.contains(&format!(":{theirs:04X} 0100007F:{ours:04X}"))).unwrap();
    // The timer that runs: 02 is the one for signs of life.
    assert!(line.split_whitespace().nth(5).unwrap().starts_with("02:"), "{line}");
}

#[test]
fn whatever_else_python_prints_is_no_answer() {
    let before =
        "import sys\nprint('{\"port\": 1}')\nprint('hello')\nsys.stdout.write('no end of line'); sys.stdout.flush()";
    let relay = relay_with(before, "127.0.0.1", server(echo), 30.0);
    connect(&relay, &SECRET).read_exact(&mut [0]).unwrap();
    let mut long = vec![b'x'; 100_000];
    assert_eq!(super::port_in(&mut long), None);
    assert_eq!(long.len(), super::LAST_WORDS);
}

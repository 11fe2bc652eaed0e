//! Bytes through a forward: none lost, none added, ends and breaks as they are.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::{super::harness::cluster, Forward, answer, ask, connect, servers};

#[test]
fn both_ends_of_a_connection_are_passed_on() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 1);
    let kdj = namespace.kdj().config(&format!(
        "[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\n[forwards.relayed]\nhost = \"web\"\nport = 70\n\
         [forwards.whole]\nhost = \"web\"\nport = 75\n[forwards.reset]\nhost = \"web\"\nport = 73\n[forwards.closed]\nhost = \"localhost\"\nport = 7999\n",
        namespace.name()
    ));
    let forward =
        Forward::start(&kdj, &["own", "web:7000", "relayed", "whole", "reset", "web:7003", "closed", "web:7999"]);
    // What was said before the end is answered after it.
    assert_eq!(answer(forward.connect(0), b"hello"), b"hello");
    assert_eq!(ask(forward.connect(1), b"hello").as_deref(), Ok(&b"hello"[..]));
    // A server that waits for the end gets it by the relay; to a pod's own port the runtime passes none on.
    assert_eq!(ask(forward.connect(2), &[7; 100_000]).as_deref(), Ok(&b"100000\n"[..]));
    // By the relay the end comes at once, not with the runtime's second; a busy machine may be slow now and then.
    let at_once = (0..8).any(|_| {
        let start = Instant::now();
        assert_eq!(ask(forward.connect(1), b"x").as_deref(), Ok(&b"x"[..]));
        start.elapsed() < Duration::from_millis(800)
    });
    assert!(at_once, "each end came late");
    // A connection that breaks there breaks here, after what it said.
    for number in [3, 4] {
        let mut stream = forward.connect(number);
        let mut word = [0; 4];
        stream.read_exact(&mut word).expect("what came before");
        assert_eq!(&word, b"word");
        assert_eq!(stream.read(&mut word).map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset), "{number}");
    }
    // Nobody there: the same as without a tunnel, and one line for it.
    for number in [5, 6] {
        for _ in 0..3 {
            let mut stream = forward.connect(number);
            let read = stream.read(&mut [0; 4]).map_err(|error| error.kind());
            assert_eq!(read, Err(ErrorKind::ConnectionReset), "{number}");
        }
    }
    let said = forward.running.stderr_so_far();
    for name in ["web", "closed"] {
        let lines = said.lines().filter(|line| line.starts_with(&format!("{name}: no connection by pod ")));
        let refused = lines.filter(|line| line.to_lowercase().contains("connection refused"));
        assert_eq!(refused.count(), 1, "{said}");
    }
}

#[test]
fn a_hundred_megabytes_each_way_are_the_same_bytes() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 1);
    let config = format!(
        "[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\n[forwards.relayed]\nhost = \"web\"\nport = 72\n",
        namespace.name()
    );
    let forward = Forward::start(&namespace.kdj().config(&config), &["own", "web:7002", "relayed"]);
    let size = 100 << 20;
    // The same generator, from the same seed.
    let script = "import hashlib, random, socket, sys\n\
        port, size = int(sys.argv[1]), int(sys.argv[2])\n\
        source, digest = random.Random(7), hashlib.sha256()\n\
        pieces = [source.randbytes(1 << 20) for _ in range(size >> 20)]\n\
        for piece in pieces: digest.update(piece)\n\
        s = socket.create_connection(('127.0.0.1', port)); s.settimeout(120)\n\
        s.sendall(b'send %d\\n' % size)\n\
        got, here = 0, hashlib.sha256()\n\
        while got < size:\n\
        \x20   data = s.recv(1 << 20)\n\
        \x20   if not data: break\n\
        \x20   got += len(data); here.update(data)\n\
        s.close()\n\
        assert (got, here.hexdigest()) == (size, digest.hexdigest()), ('down', got)\n\
        s = socket.create_connection(('127.0.0.1', port)); s.settimeout(120)\n\
        s.sendall(b'take %d\\n' % size)\n\
        for piece in pieces: s.sendall(piece)\n\
        answer = s.makefile().readline().split()\n\
        assert answer == [str(size), digest.hexdigest()], ('up', answer)\n\
        print('same')";
    for number in [0, 1] {
        let port = forward.port(number).to_string();
        let output = std::process::Command::new("/usr/bin/python3")
            .args(["-c", script, &port, &size.to_string()])
            .output()
            .expect("python3");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(stdout, "same\n", "{number}: {stderr}");
    }
}

#[test]
fn a_hundred_connections_and_one_that_does_not_read() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 1);
    let config = format!(
        "[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\n[forwards.relayed]\nhost = \"web\"\nport = 70\n\
         [forwards.bulk]\nhost = \"web\"\nport = 72\n",
        namespace.name()
    );
    let kdj = namespace.kdj().config(&config);
    let forward = Forward::start(&kdj, &["own", "web:7000", "web:7002", "relayed", "bulk"]);
    for (echo, bulk) in [(0, 1), (2, 3)] {
        let mut slow = forward.connect(bulk);
        slow.write_all(b"send 104857600\n").expect("a question");
        thread::sleep(Duration::from_millis(500));
        let port = forward.port(echo);
        let asking: Vec<_> = (0..100u32)
            .map(|number| {
                thread::spawn(move || {
                    let said = number.to_be_bytes().repeat(5000);
                    let mut stream = connect(port);
                    for _ in 0..3 {
                        stream.write_all(&said).expect("the connection takes bytes");
                        let mut answer = vec![0; said.len()];
                        stream.read_exact(&mut answer).expect("an answer");
                        assert!(answer == said, "the bytes of connection {number} came back changed");
                    }
                    stream
                })
            })
            .collect();
        let open: Vec<TcpStream> = asking.into_iter().map(|one| one.join().expect("an answer in time")).collect();
        assert_eq!(open.len(), 100);
        if let Some(memory) = forward.running.peak_memory() {
            assert!(memory < 100 << 10, "{memory} KiB");
        }
        drop(open);
        let mut rest = 0;
        let mut buffer = vec![0; 1 << 20];
        while rest < 104_857_600 {
            match slow.read(&mut buffer).expect("the slow one gets its own") {
                0 => break,
                length => rest += length,
            }
        }
        assert_eq!(rest, 104_857_600);
        let _ = slow.shutdown(Shutdown::Both);
    }
}

#[test]
fn ipv6_and_ipv4_are_one_port() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 1);
    let forward = Forward::start(&namespace.kdj(), &["own", "svc/web:echo"]);
    for address in ["127.0.0.1", "::1"] {
        let stream = TcpStream::connect((address, forward.port(0))).expect("the local port");
        assert_eq!(answer(stream, b"both"), b"both", "{address}");
    }
}

//! `kdj forward`: which requests it makes, what it says, how ends and breaks of the other side come through.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    time::Duration,
};

use rustix::process::Signal;

use crate::harness::{
    ApiServer, CONFIG, Kdj, PortForward, PortService, Refusal,
    process::Running,
    pty::Pty,
    shop::{self, NAMESPACE},
};

/// kdj and the server it forwards into; the ports of its pods meet these.
fn forwarding(services: impl IntoIterator<Item = (u16, PortService)>) -> ApiServer {
    let server = ApiServer::http(shop::two_web_pods());
    server.forward(PortForward::serves(services));
    server
}

/// Starts it with a free local port; that port once it listens.
fn start(kdj: &Kdj, target: &str, remote: u16) -> (Running, u16) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let running = kdj.start(["forward", "qa", target, &format!("{}:{remote}", free.port())]);
    running.wait_for_stdout("\n");
    (running, free.port())
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the local port");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    stream
}

fn echoed(mut stream: &TcpStream, word: &[u8]) {
    stream.write_all(word).expect("it takes bytes");
    let mut back = vec![0; word.len()];
    stream.read_exact(&mut back).expect("they come back");
    assert_eq!(back, word);
}

#[test]
fn the_pod_is_chosen_once() {
    let server = forwarding([(8000, PortService::Echo)]);
    let (running, port) = start(&Kdj::on(&server), "web", 8000);
    echoed(&connect(port), b"one");
    for _ in 0..3 {
        echoed(&connect(port), b"more");
    }
    // One choice; what is asked besides is about the chosen pod, once.
    let lists: Vec<_> = server.requests().into_iter().filter(|request| request.path.ends_with("/pods")).collect();
    let of_the_pod = lists.iter().filter(|list| list.parameter("fieldSelector").is_some()).count();
    assert_eq!(lists.len() - of_the_pod, 1, "{}", server.request_lines());
    assert!(of_the_pod <= 2, "{}", server.request_lines());
    running.signal(Signal::INT);
    let output = running.finish().expect_code(130);
    assert_eq!(output.stdout_text(), format!("http://127.0.0.1:{port}/\n"));
    assert!(output.stderr.contains(&format!("web: 127.0.0.1:{port}")) && !output.stderr.contains("error"), "{output}");
    assert!(output.stderr.ends_with("-> port 8000, pod web-7c9d8f-aaaaa\n"), "{output}");
}

#[test]
fn a_connection_that_is_refused_or_breaks_is_reset() {
    let server = forwarding([(8000, PortService::Reset), (8002, PortService::Count)]);
    let kdj = Kdj::on(&server);
    let (_running, port) = start(&kdj, "web", 8000);
    let mut stream = connect(port);
    stream.write_all(b"x").expect("it takes a byte");
    assert_eq!(stream.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));

    let (running, port) = start(&kdj, "web", 8001);
    for _ in 0..3 {
        let kind = connect(port).read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::ConnectionReset));
    }
    let said = running.stderr_so_far();
    assert_eq!(said.matches("connection refused").count(), 1, "{said}");
    assert!(said.contains("web: no connection by pod web-7c9d8f-aaaaa: "), "{said}");

    // The end of what is sent gets there, and the answer back.
    let (_running, port) = start(&kdj, "web", 8002);
    let mut stream = connect(port);
    stream.write_all(b"12345").and_then(|()| stream.shutdown(Shutdown::Write)).expect("it takes bytes");
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"5 bytes\n");
}

#[test]
fn a_cut_connection_is_reset_and_the_next_one_works() {
    let server = forwarding([(8000, PortService::Cut), (8001, PortService::Echo)]);
    let kdj = Kdj::on(&server);
    let (running, port) = start(&kdj, "web", 8000);
    for _ in 0..2 {
        let mut stream = connect(port);
        stream.write_all(b"x").expect("it takes a byte");
        assert_eq!(stream.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    }
    assert!(!running.stderr_so_far().contains("error"), "{}", running.stderr_so_far());
}

#[test]
fn a_pod_that_went_away_is_replaced_before_anything_is_said() {
    let server = ApiServer::http(shop::two_web_pods());
    let gone = Refusal::PodNotFound("web-7c9d8f-aaaaa".to_owned());
    server.forward(PortForward::refused(&gone).in_pod("web-7c9d8f-aaaaa"));
    server.forward(PortForward::serves([(8000, PortService::Echo)]).in_pod("web-7c9d8f-bbbbb"));
    let (running, port) = start(&Kdj::on(&server), "web", 8000);
    echoed(&connect(port), b"x");
    assert!(running.stderr_so_far().ends_with("-> port 8000, pod web-7c9d8f-bbbbb\n"), "{}", running.stderr_so_far());
}

#[test]
fn what_cannot_be_forwarded_ends_it_at_once() {
    let server = ApiServer::http(shop::two_web_pods());
    let kdj = Kdj::on(&server);
    for (words, code, says) in [
        (&["forward", "qa", "8080:80"][..], 2, "`8080:80` has no target in front of it"),
        (&["forward", "qa", "web:"], 2, "`web:` is no target"),
        (&["forward", "qa", "web:", "--exec", "true"], 125, "`web:` is no target"),
        (&["forward", "qa", "web", "--address", "here"], 2, "expected an IP address or `localhost`"),
        (&["forward", "qa", "--show-password"], 2, "<TARGET>"),
        (&["forward", "nowhere", "web"], 2, "`nowhere`"),
        (&["forward", "qa", "svc/nope"], 2, "no Service `nope` in `qa`"),
        (&["forward", "qa", "wep:8000"], 2, "no role `wep` in `qa`"),
    ] {
        let _ = kdj.run(words).expect_code(code).prints("").says(&[says]);
    }
    let too_old = ApiServer::http(shop::two_web_pods());
    too_old.forward(PortForward::too_old());
    let _ = Kdj::on(&too_old).run(["forward", "qa", "web:8000"]).expect_code(1).prints("").says(&["1.31"]);
}

#[test]
fn a_protected_environment_is_asked_about_before_any_request() {
    let server = forwarding([(8000, PortService::Echo)]);
    let kdj = Kdj::on(&server).config(&format!("{CONFIG}protected = true\n"));
    let _ = kdj.run(["forward", "qa", "web:8000"]).expect_code(1).prints("").says(&["--confirm qa"]);
    let open = ["forward", "qa", "web:8000", "--address", "::", "--confirm", "qa"];
    let _ = kdj.run(open).expect_code(2).prints("").says(&["`--address ::` is not for protected environment `qa`"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
    let program = ["forward", "qa", "web:8000", "--confirm", "qa", "--exec", "sh", "-c", "exit 3"];
    let _ = kdj.run(program).expect_code(3).prints("");
    let journal = std::fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).expect("a journal");
    assert!(journal.contains(r#""verb":"forward""#) && journal.contains(r#""exit":3"#), "{journal}");
    assert!(journal.contains("web:8000") && journal.contains("pod/web-7c9d8f-aaaaa"), "{journal}");
}

#[test]
fn a_program_gets_the_address_and_passes_its_end_on() {
    let server = forwarding([(8000, PortService::Send(b"hello\n".to_vec()))]);
    let kdj = Kdj::on(&server);
    let script = r#"exec 3<>/dev/tcp/$KDJ_HOST/$KDJ_PORT; cat <&3; exit 5"#;
    let output = kdj.run(["-q", "forward", "qa", "web", ":8000", "--exec", "bash", "-c", script]);
    let output = output.expect_code(5).prints("hello\n");
    assert_eq!(output.stderr, "");
    // A signal to kdj alone is passed on.
    let script = "trap 'echo ended; exit 9' TERM; echo ready; sleep 30 >/dev/null 2>&1 & wait";
    let running = kdj.start(["-q", "forward", "qa", "web", ":8000", "--exec", "sh", "-c", script]);
    running.wait_for_stdout("ready\n");
    running.signal(Signal::TERM);
    let _ = running.finish().expect_code(9).prints("ready\nended\n");
}

#[test]
fn ctrl_c_reaches_the_program_once() {
    let server = forwarding([(8000, PortService::Echo)]);
    let script = "n=0; trap 'n=$((n+1))' INT; echo re''ady; sleep 3 & wait; sleep 1; echo count=$n.\n";
    let kdj = Kdj::on(&server).file("project/count.sh", script);
    let mut pty = Pty::shell(&kdj);
    // In the terminal's foreground, with a stdin that is none.
    pty.press("kdj -q forward qa web :8000 --exec sh count.sh </dev/null; echo code=$?\n");
    pty.wait_for("ready");
    pty.press("\x03");
    pty.wait_for("count=1.");
    pty.wait_for("code=0");
}

#[test]
fn explain_does_nothing() {
    let server = ApiServer::http(shop::two_web_pods());
    let output = Kdj::on(&server).run(["--explain", "forward", "qa", "web", "8080:8000"]).expect_code(0);
    let line = format!("kubectl --context acme-staging -n {NAMESPACE} port-forward pod/web-7c9d8f-aaaaa 8080:8000\n");
    let _ = output.prints(&line).says(&["nothing was done"]);
}

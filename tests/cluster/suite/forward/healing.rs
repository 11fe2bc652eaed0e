//! The local port stays whatever happens at the other end.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Signal, kill_process};
use serde_json::json;

use super::{
    super::harness::{
        Door, Namespace, SHOP, cluster,
        objects::{deployment, pod, sleeping},
        wait::poll_until,
    },
    Forward, answer, ask, connect, servers,
};

/// The name of the pod that answers, as soon as one does.
fn who(port: u16) -> String {
    let start = Instant::now();
    loop {
        let stream = connect(port);
        match ask(stream, b"") {
            Ok(name) if !name.is_empty() => return String::from_utf8_lossy(&name).trim().to_owned(),
            other => assert!(start.elapsed() < Duration::from_secs(60), "{other:?}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_pod_deleted_ten_times_is_replaced_ten_times() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 2);
    let forward = Forward::start(&namespace.kdj(), &["own", "web:7004"]);
    let port = forward.port(0);
    let mut current = who(port);
    assert_eq!(current, forward.pod(0));
    for time in 1..=10 {
        namespace.kubectl(["delete", "pod", &current, "--wait=false"]);
        let event = format!("web: pod {current} is being deleted; ");
        forward.running.wait_for_stderr(&event);
        let next = who(port);
        assert_ne!(next, current, "the {time}. time");
        current = next;
    }
    // One line for each.
    let said = forward.running.stderr_so_far();
    assert_eq!(said.matches("is being deleted").count(), 10, "{said}");
    assert_eq!(said.matches("now by pod").count(), 10, "{said}");
}

#[test]
fn a_client_that_reconnects_outlives_the_pods_of_its_relay() {
    let Some(cluster) = cluster() else { return };
    let mut app = sleeping("django", SHOP);
    app["env"] = json!([
        {"name": "DATABASE_URL", "value": "postgres://shop:canary-qa-database-7Kp2@postgres.shop-qa.svc:5432/shop"},
        {"name": "DJANGO_SECRET_KEY", "value": "canary-forward-django"},
    ]);
    let mut shell = deployment("shell", pod([app]));
    shell["spec"]["replicas"] = 2.into();
    let namespace = Namespace::with(cluster, [shell]);
    namespace.wait_for_rollout(["deployment/shell"]);
    // What a connection pool does: queries without an end, and a new connection when one fails.
    let script = "import os, sys, time, psycopg\n\
        done, broken, c = 0, 0, None\n\
        end = time.time() + 600\n\
        while time.time() < end and not os.path.exists('stop'):\n\
        \x20   try:\n\
        \x20       c = c or psycopg.connect(os.environ['DATABASE_URL'], connect_timeout=40)\n\
        \x20       assert c.execute('select 7').fetchone() == (7,)\n\
        \x20       done += 1\n\
        \x20   except psycopg.OperationalError:\n\
        \x20       broken += 1\n\
        \x20       c = None\n\
        \x20   if done % 100 == 1: print(done, broken, flush=True)\n\
        \x20   time.sleep(0.01)\n\
        print('end', c is not None, broken)";
    let kdj = namespace.kdj();
    let running = kdj.start(["forward", "own", "db", "--exec", "/usr/bin/python3", "-c", script]);
    running.wait_for_stdout("101 0\n");
    for time in 1..=5 {
        let said = running.stderr_so_far();
        let current = said.trim().rsplit(' ').next().expect("a pod").to_owned();
        namespace.kubectl(["delete", "pod", &current, "--wait=false"]);
        poll_until("another pod", Duration::from_secs(60), || {
            (running.stderr_so_far().matches("now by pod").count() == time).then_some(())
        });
        let before = running.stdout_length();
        poll_until("the queries to go on", Duration::from_secs(60), || {
            (running.stdout_length() > before).then_some(())
        });
    }
    std::fs::write(kdj.directory().join("project/stop"), "").expect("a file");
    let output = running.finish().expect_code(0);
    let last = output.stdout_text().lines().last().expect("a line").to_owned();
    let broken: u32 =
        last.strip_prefix("end True ").and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{output}"));
    assert!((1..=15).contains(&broken), "{output}");
    let _ = output.never_says(&["canary"]);
}

#[test]
fn a_rollout_is_followed_to_the_new_pods() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 1);
    let forward = Forward::start(&namespace.kdj(), &["own", "svc/web:name"]);
    let old = who(forward.port(0));
    namespace.kubectl(["rollout", "restart", "deployment/web"]);
    forward.running.wait_for_stderr("now by pod");
    let new = who(forward.port(0));
    assert_ne!(new, old);
    // None is left: the port stays, and who comes is told so by a reset when nobody comes to take it.
    namespace.kubectl(["scale", "deployment/web", "--replicas=0"]);
    forward.running.wait_for_stderr(&format!("pod {new} is being deleted"));
    forward.running.wait_for_stderr("waiting for a way: no ready pod");
    let mut waiting = forward.connect(0);
    namespace.kubectl(["scale", "deployment/web", "--replicas=1"]);
    let mut name = String::new();
    waiting.read_to_string(&mut name).expect("the one that waited is served");
    assert!(name.starts_with("web-"), "{name}");
}

#[test]
fn a_cut_connection_is_made_again() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 1);
    let door = Door::open(cluster);
    let config = format!(
        "[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\n[forwards.relayed]\nhost = \"web\"\nport = 70\n",
        namespace.name()
    );
    let kdj = door.lead(cluster, namespace.kdj().config(&config));
    let forward = Forward::start(&kdj, &["own", "web:7000", "relayed"]);
    for number in [0, 1] {
        let mut stream = forward.connect(number);
        stream.write_all(b"a").expect("it takes a byte");
        stream.read_exact(&mut [0]).expect("and gives it back");
        door.cut();
        assert!(stream.read(&mut [0]).is_err(), "a connection that was cut is reset, and not just over");
        // A connection of the very moment may meet the old relay, which is about to end.
        poll_until("an answer by the new way", Duration::from_secs(20), || {
            (answer(forward.connect(number), b"again") == b"again").then_some(())
        });
    }
    let said = forward.running.stderr_so_far();
    assert!(said.contains("web: the connection to pod web-") && said.contains(" is lost"), "{said}");
    // While nothing gets through, the port is there all the same.
    door.shut();
    forward.running.wait_for_stderr("waiting for a way");
    let waiting = TcpStream::connect(("127.0.0.1", forward.port(0))).expect("the local port");
    door.open_again();
    waiting.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    assert_eq!(answer(waiting, b"later"), b"later");
}

#[test]
fn nothing_is_left_in_the_pod() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, [deployment("shell", pod([sleeping("django", SHOP)]))]);
    namespace.wait_for_rollout(["deployment/shell"]);
    let config = format!(
        "[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\n[forwards.relayed]\nhost = \"localhost\"\nport = 7000\n",
        namespace.name()
    );
    let kdj = namespace.kdj().config(&config);
    let processes = || {
        let script = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | cut -c1-60; echo; done";
        let all = namespace.kubectl(["exec", "deployment/shell", "--", "sh", "-c", script]);
        all.lines().filter(|line| line.contains("python") && line.contains(" -c ")).count()
    };
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let forward = Forward::start(&kdj, &["own", "relayed"]);
        assert_eq!(processes(), 1);
        kill_process(forward.running.pid(), signal).expect("kdj runs");
        let output = forward.running.finish();
        if signal != Signal::KILL {
            let code = if signal == Signal::INT { 130 } else { 143 };
            let output = output.expect_code(code);
            assert!(!output.stderr.contains("error"), "{output}");
        }
        // After the last resort, the relay notices that nobody is there any more.
        poll_until("the relay to end", Duration::from_secs(50), || (processes() == 0).then_some(()));
    }
}

#[test]
fn silence_is_no_reason_to_be_cut() {
    let Some(cluster) = cluster() else { return };
    let namespace = servers(cluster, 1);
    let door = Door::impatient(cluster, Duration::from_secs(20));
    let config = format!(
        "[environments.own]\ncontext = \"acme-staging\"\nnamespace = \"{}\"\n[forwards.relayed]\nhost = \"web\"\nport = 70\n",
        namespace.name()
    );
    let kdj = door.lead(cluster, namespace.kdj().config(&config));
    let forward = Forward::start(&kdj, &["-v", "own", "web:7000", "relayed"]);
    let mut idle = [forward.connect(0), forward.connect(1)];
    for stream in &mut idle {
        stream.write_all(b"a").expect("it takes a byte");
        stream.read_exact(&mut [0]).expect("and gives it back");
    }
    thread::sleep(Duration::from_secs(45));
    for stream in &mut idle {
        stream.write_all(b"b").unwrap_or_else(|error| panic!("{error}: {}", forward.running.stderr_so_far()));
        let mut back = [0];
        let read = stream.read_exact(&mut back);
        read.unwrap_or_else(|error| panic!("{error}: {}", forward.running.stderr_so_far()));
        assert_eq!(&back, b"b");
    }
    let said = forward.running.stderr_so_far();
    assert!(!said.contains("is lost"), "{said}");
}

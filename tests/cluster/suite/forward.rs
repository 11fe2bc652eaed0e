//! `kdj forward` on the real cluster: real clients through it, bytes as they are, ways that heal, nothing left behind.

mod clients;
mod healing;
mod place;
mod secrets;
mod streams;

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

use super::harness::{
    Cluster, Kdj, Namespace, SHOP,
    objects::{container, deployment, pod},
    process::Running,
};

/// Listens on some ports, each with a manner of its own.
const SERVER: &str = include_str!("fixtures/forward/server.py");

/// A forward that runs, and what it said on stdout.
struct Forward {
    running: Running,
    told: Value,
}

impl Forward {
    /// Starts it and waits until it says what to use.
    #[track_caller]
    fn start(kdj: &Kdj, arguments: &[&str]) -> Self {
        let running = kdj.start(["forward"].iter().chain(arguments).chain(&["-o", "json"]));
        running.wait_for_stdout("}\n");
        let told = serde_json::from_str(&running.stdout_so_far()).expect("JSON");
        Self { running, told }
    }

    /// The local port of the target of this number.
    #[track_caller]
    fn port(&self, number: usize) -> u16 {
        let port = self.told["forwards"][number]["port"].as_u64().expect("a port");
        u16::try_from(port).expect("a port")
    }

    /// A connection to it.
    #[track_caller]
    fn connect(&self, number: usize) -> TcpStream {
        connect(self.port(number))
    }

    /// The pod of the target of this number, as it was at the beginning.
    #[track_caller]
    fn pod(&self, number: usize) -> String {
        self.told["forwards"][number]["pod"].as_str().expect("a pod").to_owned()
    }
}

#[track_caller]
fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the local port");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    stream.set_write_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    stream
}

/// Says something and nothing after it; what comes back until the end.
fn ask(mut stream: TcpStream, question: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    let mut answer = Vec::new();
    stream.write_all(question).map_err(|error| error.kind())?;
    stream.shutdown(Shutdown::Write).map_err(|error| error.kind())?;
    stream.read_to_end(&mut answer).map_err(|error| error.kind())?;
    Ok(answer)
}

/// What comes back until the end, however that comes: after a half-close the container runtime itself ends a connection to
/// a pod's port a second later, and kdj, which cannot know whether more was to come, makes a reset of that.
fn answer(mut stream: TcpStream, question: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.write_all(question).and_then(|()| stream.shutdown(Shutdown::Write)).expect("the connection takes bytes");
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// A namespace with so many pods of the role `web` that run the server.
fn servers(cluster: &Cluster, replicas: u32) -> Namespace<'_> {
    let mut web = deployment("web", pod([server()]));
    web["spec"]["replicas"] = replicas.into();
    let namespace = Namespace::with(cluster, [web, service()]);
    namespace.wait_for_rollout(["deployment/web"]);
    wait_for_service(&namespace, "deployment/web", "web", 70);
    namespace
}

/// Waits until a Service leads to its pods: the node learns of them a moment after they are ready.
fn wait_for_service(namespace: &Namespace<'_>, from: &str, host: &str, port: u16) {
    let code = format!(
        "import socket, time\nfor n in range(300):\n try:\n  socket.create_connection(('{host}', {port}), 5)\n  break\n \
         except OSError:\n  time.sleep(0.2)\nelse:\n raise SystemExit('{host} is not reached')"
    );
    namespace.kubectl(["exec", from, "--", "python3", "-c", &code]);
}

fn server() -> Value {
    let mut server = container("django", SHOP, ["python3", "-u", "-c", SERVER]);
    server["ports"] = json!([{"name": "echo", "containerPort": 7000}, {"name": "http", "containerPort": 7001}]);
    server["readinessProbe"] = json!({"tcpSocket": {"port": 7000}, "periodSeconds": 1});
    server
}

/// Its Service, with named target ports.
fn service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {
            "selector": {"component": "web"},
            "ports": [{"name": "echo", "port": 70, "targetPort": "echo"}, {"name": "bulk", "port": 72, "targetPort": 7002},
                      {"name": "reset", "port": 73, "targetPort": 7003}, {"name": "name", "port": 74, "targetPort": 7004},
                      {"name": "whole", "port": 75, "targetPort": 7005}],
        },
    })
}

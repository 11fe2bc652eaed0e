//! A second API server beside the cluster's own: a test may end it and start it again, and disturbs nobody.

use std::{
    io::{Write, stderr},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    Cluster, Kdj,
    wait::{DEADLINE, poll_until},
};

/// A running API server; it is killed with this value.
pub struct SecondServer<'a> {
    cluster: &'a Cluster,
    /// Its address, as in a kubeconfig.
    address: String,
    process: Child,
}

impl<'a> SecondServer<'a> {
    /// Starts it; `None`, and a word about it, on a cluster that is not this machine's own.
    #[track_caller]
    pub fn start(cluster: &'a Cluster) -> Option<Self> {
        let is_ours = cluster.kubeconfig.parent().is_some_and(|folder| folder.join("bin/kube-apiserver").exists());
        if !is_ours {
            let _ = writeln!(stderr(), "SKIPPED: no API server can be started on this cluster");
            return None;
        }
        let port = 20_000 + std::process::id() % 10_000;
        let process = process(port);
        let server = Self { cluster, address: format!("https://10.254.88.2:{port}"), process };
        server.wait();
        Some(server)
    }

    /// kdj that asks this one.
    pub fn lead(&self, kdj: Kdj) -> Kdj {
        let changed = self.cluster.changed_kubeconfig(|config| {
            for cluster in config["clusters"].as_array_mut().expect("clusters") {
                cluster["cluster"]["server"] = self.address.clone().into();
            }
        });
        let kdj = kdj.file("home/second", &changed);
        let path = kdj.directory().join("home/second");
        kdj.variable("KUBECONFIG", path)
    }

    /// Ends it as a node does: it is asked to end, and killed after so long. It lets nobody in meanwhile, and what is open
    /// goes on.
    pub fn end(&mut self, patience: Duration) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).expect("the API server runs");
        sleep(patience);
        let _ = self.process.kill();
        self.process.wait().expect("a child");
    }

    /// Starts it again, on the same address.
    #[track_caller]
    pub fn start_again(&mut self) {
        let port = self.address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        self.process = process(port);
        self.wait();
    }

    #[track_caller]
    fn wait(&self) {
        poll_until("the API server", DEADLINE, || {
            let output = self.cluster.try_kubectl(&["--server", &self.address, "get", "--raw", "/readyz"], "");
            output.is_ok_and(|output| output.status.success()).then_some(())
        });
    }
}

impl Drop for SecondServer<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn process(port: u32) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/lib/second-apiserver");
    let mut command = Command::new("setpriv");
    // It ends with the test, even with one that is killed.
    command.args(["--pdeathsig", "KILL", script, &port.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the API server starts")
}

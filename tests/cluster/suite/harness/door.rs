//! A way to the API server that can be cut, as a bad network cuts it.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::{Cluster, Kdj};

/// A way to the API server that can be cut.
pub struct Door {
    address: SocketAddr,
    is_open: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<[TcpStream; 2]>>>,
}

impl Door {
    /// Opens it.
    pub fn open(cluster: &Cluster) -> Self {
        Self::to(&cluster.changed_kubeconfig(|_| ()))
    }

    /// One that cuts a connection on which nothing came for so long, from either side: as some load balancers do.
    pub fn impatient(cluster: &Cluster, patience: Duration) -> Self {
        Self::with(&cluster.changed_kubeconfig(|_| ()), Some(patience))
    }

    /// kdj that goes through it.
    pub fn lead(&self, cluster: &Cluster, kdj: Kdj) -> Kdj {
        let through = cluster.changed_kubeconfig(|config| {
            for cluster in config["clusters"].as_array_mut().expect("clusters") {
                let server = cluster["cluster"]["server"].as_str().unwrap_or_default().to_owned();
                let host = server.trim_start_matches("https://").split(':').next().unwrap_or_default();
                cluster["cluster"]["tls-server-name"] = host.into();
                cluster["cluster"]["server"] = format!("https://{}", self.address).into();
            }
        });
        let kdj = kdj.file("home/through", &through);
        let path = kdj.directory().join("home/through");
        kdj.variable("KUBECONFIG", path)
    }

    fn to(kubeconfig: &str) -> Self {
        Self::with(kubeconfig, None)
    }

    fn with(kubeconfig: &str, patience: Option<Duration>) -> Self {
        let config: serde_json::Value = serde_json::from_str(kubeconfig).expect("JSON");
        let clusters = config["clusters"].as_array().expect("clusters");
        let staging = clusters.iter().find(|cluster| cluster["name"] == "staging").unwrap_or(&clusters[0]);
        let server = staging["cluster"]["server"].as_str().expect("a server").trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port that was bound");
        let (is_open, connections) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let door = Self { address, is_open: Arc::clone(&is_open), connections: Arc::clone(&connections) };
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if !is_open.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(&server) else { continue };
                for stream in [&near, &far] {
                    let _ = stream.set_read_timeout(patience);
                }
                let clones = [near.try_clone(), far.try_clone(), near.try_clone(), far.try_clone()];
                let [Ok(near_in), Ok(far_in), Ok(near_out), Ok(far_out)] = clones else { continue };
                connections.lock().expect("the connections").push([near, far]);
                thread::spawn(move || pass(near_in, far_out));
                thread::spawn(move || pass(far_in, near_out));
            }
        });
        door
    }

    /// Cuts what is open; returns how many connections that were.
    pub fn cut(&self) -> usize {
        self.cut_those(|| true)
    }

    /// Cuts those of the open connections that are chosen; returns how many that were.
    pub fn cut_those(&self, mut is_chosen: impl FnMut() -> bool) -> usize {
        let mut connections = self.connections.lock().expect("the connections");
        let chosen = connections.extract_if(.., |_| is_chosen());
        // What has been closed already cannot be shut down.
        chosen.filter(|ends| ends.each_ref().map(|end| end.shutdown(Shutdown::Both).is_ok()) != [false; 2]).count()
    }

    /// Cuts, and lets nobody in.
    pub fn shut(&self) {
        self.is_open.store(false, Ordering::SeqCst);
        self.cut();
    }

    /// Lets everybody in again.
    pub fn open_again(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

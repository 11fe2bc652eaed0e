//! A fake Kubernetes API server. A test states the cluster as objects, scripts what goes wrong, runs kdj against it and
//! looks at what was asked.
//!
//! * [`listener`] accepts, speaks TLS and reads HTTP/1.1, by hand: a fault may strike between any two bytes.
//! * [`store`] has the objects and what happened to them. [`route`] answers from it: LIST and GET itself, [`write`] POST,
//!   PATCH and DELETE, [`watch`] and [`log`] what goes on and on, which [`stream`] sends; [`selector`] filters.
//! * [`fault`] is what goes wrong instead; [`status`] has the texts Kubernetes itself uses.
//! * exec and attach go to [`exec`](super::exec), port-forwards to [`forward`](super::forward); what becomes of a Job is
//!   a [`run`](super::run).
//!
//! A request for a path the server does not know, and a fault, an exec or a run that never came to pass, fail the test.

pub mod about;
pub mod fault;
pub mod http;
mod listener;
mod log;
pub mod request;
mod route;
mod selector;
mod silent_watch;
pub mod status;
mod store;
mod stream;
pub mod tls;
mod watch;
mod wire;
mod write;

use std::{net::SocketAddr, sync::Arc, thread, time::Duration};

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use self::{
    about::About,
    fault::{Fault, On, Planned},
    request::Recorded,
    tls::Certificate,
};
pub use self::{
    log::Logs,
    store::{Store, now},
};
use super::{
    exec::{self, Exec, ExecRecord},
    forward::{Forwarded, PortForward},
    objects::Objects,
    run::{self, Run},
    wait::{DEADLINE, Watched},
};

/// All the server's threads share.
#[derive(Default)]
pub struct State {
    /// The objects.
    pub store: Store,
    /// What containers printed.
    pub logs: Logs,
    /// What the server says of itself and the user.
    pub about: About,
    /// How many [`Turn::Hold`](run::Turn::Hold)s may be passed.
    pub passes: usize,
    faults: Vec<Planned>,
    execs: Vec<exec::Scripted>,
    runs: Vec<run::Scripted>,
    forwards: Vec<PortForward>,
    forwarded: Vec<Forwarded>,
    /// Runs whose Job was made this moment.
    started: Vec<(Run, Value)>,
    bookmarks: usize,
    watch_timeout: Option<Duration>,
    cut: Option<Duration>,
    requests: Vec<Recorded>,
    sessions: Vec<ExecRecord>,
    complaints: Vec<String>,
    silent: bool,
}

impl State {
    /// Starts the run that was scripted for this Job, if one was.
    fn start_run(&mut self, job: Value) {
        if let Some(scripted) = self.runs.iter_mut().find(|scripted| scripted.matches(&job)) {
            self.started.push((scripted.take(), job));
        }
    }
}

/// A running fake API server; it ends with this value, and fails the test if something was amiss.
pub struct ApiServer {
    state: Arc<Watched<State>>,
    address: SocketAddr,
    certificate: Option<Certificate>,
    stop: Arc<Notify>,
    thread: Option<thread::JoinHandle<()>>,
}

impl ApiServer {
    /// Serves `objects` over plain HTTP.
    pub fn http(objects: Objects) -> Self {
        Self::start(objects, None)
    }

    /// Serves `objects` over HTTPS, with a good certificate of a CA of its own.
    pub fn https(objects: Objects) -> Self {
        Self::start(objects, Some(Certificate::good()))
    }

    /// Serves `objects` over HTTPS with this certificate.
    pub fn with_certificate(objects: Objects, certificate: Certificate) -> Self {
        Self::start(objects, Some(certificate))
    }

    fn start(objects: Objects, certificate: Option<Certificate>) -> Self {
        let state = Arc::new(Watched::new(State { store: Store::new(objects), ..State::default() }));
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("the port that was bound");
        let stop = Arc::new(Notify::new());
        let thread = thread::spawn({
            let (state, stop) = (Arc::clone(&state), Arc::clone(&stop));
            let tls = certificate.as_ref().map(Certificate::acceptor);
            move || listener::run(socket, tls, state, &stop)
        });
        Self { state, address, certificate, stop, thread: Some(thread) }
    }

    /// Where it listens: for `server` in a kubeconfig.
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificate it shows, when it speaks TLS.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Lets `fault` strike the requests `on` describes.
    pub fn fault(&self, on: On, fault: Fault) -> &Self {
        self.state.with(|state| state.faults.push(Planned::new(on, fault)));
        self
    }

    /// From now on new connections are accepted and never answered, not even the TLS handshake.
    pub fn fall_silent(&self) -> &Self {
        self.state.with(|state| state.silent = true);
        self
    }

    /// Plays `exec` for the next exec (or attach) it matches.
    pub fn exec(&self, exec: Exec) -> &Self {
        self.state.with(|state| state.execs.push(exec::Scripted::new(exec)));
        self
    }

    /// Serves port-forwards so, those of pods that no earlier one is for.
    pub fn forward(&self, forward: PortForward) -> &Self {
        self.state.with(|state| state.forwards.push(forward));
        self
    }

    /// Serves no port-forwards any more but these; connections that are open stay.
    pub fn forward_only(&self, forward: PortForward) -> &Self {
        self.state.with(|state| state.forwards = vec![forward]);
        self
    }

    /// Every connection to a port so far.
    pub fn forwarded(&self) -> Vec<Forwarded> {
        self.state.with(|state| state.forwarded.clone())
    }

    /// Waits for a connection to a port of which `find` is true.
    ///
    /// # Panics
    /// At the deadline, with what connections there are.
    #[track_caller]
    pub fn wait_for_forwarded(&self, what: &str, find: impl Fn(&Forwarded) -> bool) -> Forwarded {
        let found = self.state.wait(DEADLINE, |state| state.forwarded.iter().find(|one| find(one)).cloned());
        found.unwrap_or_else(|| panic!("waited in vain for a connection: {what}; there are {:#?}", self.forwarded()))
    }

    /// Lets this become of the next Job that is created and that it matches. A Job without a run gets no pod.
    pub fn run(&self, run: Run) -> &Self {
        self.state.with(|state| state.runs.push(run::Scripted::new(run)));
        self
    }

    /// Lets a run go on that stands at a [`Turn::Hold`](run::Turn::Hold).
    pub fn go_on(&self) -> &Self {
        self.state.with(|state| {
            state.passes += 1;
            state.store.stir();
        });
        self
    }

    /// Changes the cluster; watches tell of it.
    pub fn change(&self, change: impl FnOnce(&mut Objects)) -> &Self {
        self.state.with(|state| state.store.change(change));
        self
    }

    /// The objects of a resource as they are, of all namespaces.
    pub fn objects(&self, resource: &str) -> Vec<Value> {
        self.state.with(|state| state.store.objects().list(resource, None).into_iter().cloned().collect())
    }

    /// Waits until an object of the resource is as `find` wants it.
    ///
    /// # Panics
    /// At the deadline, with the objects there are.
    #[track_caller]
    pub fn wait_for_object(&self, resource: &str, find: impl Fn(&Value) -> bool) -> Value {
        let found = self.state.wait(DEADLINE, |state| {
            state.store.objects().list(resource, None).into_iter().find(|object| find(object)).cloned()
        });
        found.unwrap_or_else(|| panic!("waited in vain for one of {resource}: there are {:#?}", self.objects(resource)))
    }

    /// A container prints, now. Text without a newline at its end is half a line.
    pub fn log(&self, namespace: &str, pod: &str, container: &str, bytes: impl AsRef<[u8]>) -> &Self {
        self.print((namespace, pod, container), Timestamp::now(), bytes.as_ref())
    }

    /// A container prints at this time: `2026-11-01T08:00:00.000000001Z`.
    pub fn log_at(&self, time: &str, namespace: &str, pod: &str, container: &str, bytes: impl AsRef<[u8]>) -> &Self {
        self.print((namespace, pod, container), time.parse().expect("a time"), bytes.as_ref())
    }

    fn print(&self, container: (&str, &str, &str), time: Timestamp, bytes: &[u8]) -> &Self {
        self.state.with(|state| {
            state.logs.print(container, time, bytes);
            state.store.stir();
        });
        self
    }

    /// The node begins another file for a container's log, and forgets the one before it.
    pub fn rotate(&self, namespace: &str, pod: &str, container: &str) -> &Self {
        self.state.with(|state| state.logs.rotate((namespace, pod, container)));
        self
    }

    /// A container ends with this code.
    pub fn crash(&self, namespace: &str, pod: &str, container: &str, code: i32) -> &Self {
        let ended = serde_json::json!({"terminated": {
            "exitCode": code, "reason": "Error", "startedAt": now(), "finishedAt": now(), "containerID": "containerd://1",
        }});
        self.set_status(namespace, pod, container, |status| status["state"] = ended.clone())
    }

    /// A container that has ended is started again, so many times one after the other.
    pub fn restart(&self, namespace: &str, pod: &str, container: &str, times: u32) -> &Self {
        self.state.with(|state| (0..times).for_each(|_| state.logs.restart((namespace, pod, container))));
        self.set_status(namespace, pod, container, |status| {
            status["lastState"] = status["state"].take();
            status["state"] = serde_json::json!({"running": {"startedAt": now()}});
            status["restartCount"] = (status["restartCount"].as_u64().unwrap_or(0) + u64::from(times)).into();
        })
    }

    fn set_status(&self, namespace: &str, pod: &str, container: &str, set: impl Fn(&mut Value)) -> &Self {
        self.change(|objects| {
            objects.change("pods", pod, |pod| {
                let is_here = pod["metadata"]["namespace"] == namespace;
                for status in pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten() {
                    if is_here && status["name"] == container {
                        set(status);
                    }
                }
            });
        })
    }

    /// From now on the server ends watches after so long, whatever they ask for.
    pub fn end_watches_after(&self, timeout: Duration) -> &Self {
        self.state.with(|state| state.watch_timeout = Some(timeout));
        self
    }

    /// Sends a bookmark on every watch that wants them.
    pub fn bookmark(&self) -> &Self {
        self.state.with(|state| {
            state.bookmarks += 1;
            state.store.stir();
        });
        self
    }

    /// Forgets what happened so far: a watch from an older revision gets 410 Gone.
    pub fn forget_history(&self) -> &Self {
        self.state.with(|state| state.store.forget());
        self
    }

    /// What the server says of itself, and of what the user may do.
    pub fn about(&self, change: impl FnOnce(&mut About)) -> &Self {
        self.state.with(|state| change(&mut state.about));
        self
    }

    /// The user may do this, and nothing else: verb and resource.
    pub fn rights(&self, rights: &[(&str, &str)]) -> &Self {
        let rights = rights.iter().map(|(verb, resource)| ((*verb).to_owned(), (*resource).to_owned())).collect();
        self.about(|about| about.rights = Some(rights))
    }

    /// Something on the way cuts connections that are silent for so long.
    pub fn cut_silence_after(&self, silence: Duration) -> &Self {
        self.state.with(|state| state.cut = Some(silence));
        self
    }

    /// Every request so far, in the order they came.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.with(|state| state.requests.clone())
    }

    /// Every request so far as `METHOD /path?query`, one per line: for a snapshot of a request budget.
    pub fn request_lines(&self) -> String {
        self.requests().iter().map(|request| format!("{request}\n")).collect()
    }

    /// Every exec session so far; those that still run as far as they got.
    pub fn execs(&self) -> Vec<ExecRecord> {
        self.state.with(|state| state.sessions.clone())
    }

    /// The only exec session there was.
    ///
    /// # Panics
    /// When there was none, or more than one.
    #[track_caller]
    pub fn only_exec(&self) -> ExecRecord {
        let mut sessions = self.execs();
        assert_eq!(sessions.len(), 1, "exec sessions: {sessions:#?}");
        sessions.remove(0)
    }

    /// Waits for an exec session of which `find` is true.
    ///
    /// # Panics
    /// After [`DEADLINE`], with what sessions there are.
    #[track_caller]
    pub fn wait_for_exec(&self, what: &str, find: impl Fn(&ExecRecord) -> bool) -> ExecRecord {
        let found = self.state.wait(DEADLINE, |state| state.sessions.iter().find(|record| find(record)).cloned());
        found.unwrap_or_else(|| panic!("waited in vain for an exec session: {what}; there are {:#?}", self.execs()))
    }

    /// Waits until a request came for which `find` is true.
    ///
    /// # Panics
    /// At the deadline, with the requests that came.
    #[track_caller]
    pub fn wait_for_request(&self, what: &str, find: impl Fn(&Recorded) -> bool) -> Recorded {
        let found = self.state.wait(DEADLINE, |state| state.requests.iter().find(|request| find(request)).cloned());
        found.unwrap_or_else(|| panic!("waited in vain for a request: {what}; there were\n{}", self.request_lines()))
    }

    /// What was amiss so far: unexpected requests, expectations of exec scripts that were not met.
    pub fn complaints(&self) -> Vec<String> {
        self.state.with(|state| state.complaints.clone())
    }

    /// Forgets complaints, faults, execs and runs that were not used: for tests of the harness itself.
    pub fn forgive(&self) -> Vec<String> {
        self.state.with(|state| {
            state.faults.clear();
            state.execs.clear();
            state.runs.clear();
            std::mem::take(&mut state.complaints)
        })
    }
}

/// Stops the server, and fails the test if something was asked that should not have been, or the other way round.
impl Drop for ApiServer {
    fn drop(&mut self) {
        // What a session still complains about comes within moments of kdj's end.
        self.state.wait(Duration::from_secs(2), |state| {
            state.sessions.iter().all(|session| session.finished.is_some()).then_some(())
        });
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if thread::panicking() {
            return;
        }
        let requests = self.request_lines();
        let unused = self.state.with(|state| {
            let faults = state.faults.iter().filter_map(Planned::complaint);
            let execs = state.execs.iter().filter_map(exec::Scripted::complaint);
            let runs = state.runs.iter().filter_map(run::Scripted::complaint);
            faults.chain(execs).chain(runs).collect::<Vec<_>>()
        });
        let complaints = [self.complaints(), unused].concat();
        assert!(
            complaints.is_empty(),
            "the fake API server complains:\n{}\nrequests:\n{requests}",
            complaints.join("\n")
        );
    }
}
